/* srv-datagram-server.c - servers that receive datagrams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-server.h"

#include "srv-base-server-private.h"
#include "srv-datagram-batch-private.h"
#include "srv-datagram-private.h"
#include "srv-datagram-request-handler.h"
#include "srv-errno-private.h"

#include <errno.h>
#include <unistd.h>

#define DEFAULT_BATCH_SIZE 32

/**
 * SrvDatagramServer:
 *
 * A server that receives datagrams: what UDP and Unix datagram servers have in
 * common.
 *
 * Each datagram is a request, also an empty one. All handlers share the
 * socket. One that is longer than
 * [property@SocketServer.DatagramServer:max-packet-size] is marked as
 * truncated, or dropped.
 *
 * Handlers are [class@SocketServer.DatagramRequestHandler]s.
 *
 * In Python: `UDPServer`, which is a `TCPServer` by accident.
 */
typedef struct
{
  guint max_packet_size;
  gboolean drop_truncated;
  int reply_timeout_ms;
  guint batch_size;

  GMutex lock; /* guards the next three */
  GQueue left; /* of SrvDatagram, owned: taken by a loop that has left */
  int n_left;  /* atomic for readers: how many */
  gboolean closed;
} SrvDatagramServerPrivate;

/* What a loop has taken ahead. */
typedef struct
{
  SrvDatagramServer *server; /* borrowed */
  SrvDatagramBatch *batch;   /* owned */
} Stock;

typedef enum
{
  PROP_MAX_PACKET_SIZE = 1,
  PROP_DROP_TRUNCATED,
  PROP_REPLY_TIMEOUT,
  PROP_BATCH_SIZE,
} SrvDatagramServerProperty;

static GParamSpec *properties[PROP_BATCH_SIZE + 1];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (SrvDatagramServer,
                                     srv_datagram_server,
                                     SRV_TYPE_BASE_SERVER)

static SrvDatagramServerPrivate *
get_private (SrvDatagramServer *self)
{
  return srv_datagram_server_get_instance_private (self);
}

/* The socket stays in blocking mode for replies, which are worth a short wait:
 * a Unix socket holds about ten of them. */
static void
set_reply_limit (SrvDatagramServerPrivate *priv, SrvListener *listener)
{
  const struct timeval limit = {
    .tv_sec = priv->reply_timeout_ms / 1000,
    /* Zero would mean no limit. */
    .tv_usec = (priv->reply_timeout_ms % 1000) * 1000 ?: 1,
  };

  setsockopt (srv_listener_get_fd (listener), SOL_SOCKET, SO_SNDTIMEO, &limit,
              sizeof limit);
}

static gboolean
srv_datagram_server_activate_listener (SrvBaseServer *server,
                                       gpointer listener,
                                       G_GNUC_UNUSED GError **error)
{
  set_reply_limit (get_private (SRV_DATAGRAM_SERVER (server)), listener);
  return TRUE;
}

static gboolean
srv_datagram_server_server_activate (SrvBaseServer *server, GError **error)
{
  return srv_datagram_server_activate_listener (server,
                                                srv_base_server_get_listener (
                                                  server),
                                                error);
}

/* A loop that leaves has taken datagrams that nobody has seen yet. After a close
 * nobody will. */
static void
put_back (gpointer data)
{
  Stock *stock = data;
  SrvDatagramServerPrivate *priv = get_private (stock->server);
  SrvDatagram *datagram;

  g_mutex_lock (&priv->lock);
  while (!priv->closed &&
         (datagram = srv_datagram_batch_take_back (stock->batch)) != NULL)
    g_queue_push_tail (&priv->left, datagram);
  g_atomic_int_set (&priv->n_left, (int) priv->left.length);
  g_mutex_unlock (&priv->lock);
  srv_datagram_batch_free (stock->batch);
  g_free (stock);
}

/* A datagram keeps the socket open. */
static void
srv_datagram_server_server_close (SrvBaseServer *server)
{
  SrvDatagramServerPrivate *priv = get_private (SRV_DATAGRAM_SERVER (server));
  GQueue left;

  SRV_BASE_SERVER_CLASS (srv_datagram_server_parent_class)
    ->server_close (server);
  g_mutex_lock (&priv->lock);
  priv->closed = TRUE;
  left = priv->left;
  g_queue_init (&priv->left);
  g_atomic_int_set (&priv->n_left, 0);
  g_mutex_unlock (&priv->lock);
  g_queue_clear_full (&left, g_object_unref);
}

static SrvDatagram *
take_left (SrvDatagramServerPrivate *priv)
{
  SrvDatagram *datagram;

  if (g_atomic_int_get (&priv->n_left) == 0)
    return NULL;
  g_mutex_lock (&priv->lock);
  datagram = g_queue_pop_head (&priv->left);
  g_atomic_int_set (&priv->n_left, (int) priv->left.length);
  g_mutex_unlock (&priv->lock);
  return datagram;
}

static void
on_reply_failed (gpointer server, SrvDatagram *datagram, const GError *error)
{
  srv_base_server_handle_error (server, SRV_REQUEST (datagram), error);
}

static SrvDatagramBatch *
get_batch (SrvDatagramServer *self, SrvLoop *loop)
{
  Stock *stock = loop->stock;

  if (stock != NULL)
    return stock->batch;
  stock = g_new (Stock, 1);
  stock->server = self;
  stock->batch = srv_datagram_batch_new (srv_base_server_get_listener (
                                           SRV_BASE_SERVER (self)),
                                         on_reply_failed, self);
  loop->stock = stock;
  loop->put_back = put_back;
  return stock->batch;
}

/* A thread of a pool takes no more than it is about to serve: others are free
 * for the next one. Where handlers run on the loop's own thread they are done with a datagram, as
 * a rule, before the next ones come. Over Unix sockets a reply may have to wait
 * for its receiver, so it is not kept with others. */
static gboolean
runs_handlers (SrvBaseServer *server)
{
  return srv_base_server_get_mix_in (server) == NULL ||
         srv_task_fiber () != NULL;
}

/* What is answered is free for what comes. Fibers get the time for it; what they
 * may ask for is a stop, and nothing is received after that. */
static gboolean
make_room (SrvDatagramServer *self, SrvLoop *loop, SrvDatagramBatch *batch)
{
  gboolean handed_out = srv_datagram_batch_has_handed_out (batch);

  if (handed_out && loop->set != NULL)
    srv_wait_set_yield (loop->set);
  srv_datagram_batch_flush (batch);
  return !handed_out || loop->one_by_one ||
         !srv_base_server_must_stop (SRV_BASE_SERVER (self));
}

/* For handlers elsewhere, who come to it when they come to it. */
static SrvDatagram *
copy (SrvBaseServer *server, SrvDatagram *datagram)
{
  SrvBaseServerPrivate *base = srv_base_server_get_private (server);

  return srv_datagram_copy (datagram, &base->spares, &base->lock);
}

/* No error if there is merely none. */
static SrvDatagram *
fail_to_receive (int code, GError **error)
{
  srv_base_server_set_accept_errno (code);
  if (code != EAGAIN)
    srv_set_errno_error (error, code, "could not receive");
  return NULL;
}

static SrvDatagram *
receive (SrvDatagramServer *self, SrvLoop *loop, GError **error)
{
  SrvBaseServer *server = SRV_BASE_SERVER (self);
  SrvDatagramServerPrivate *priv = get_private (self);
  SrvListener *listener = srv_base_server_get_listener (server);
  gboolean keeps = runs_handlers (server);
  SrvDatagramBatch *batch = get_batch (self, loop);
  gboolean one_by_one = loop->one_by_one || (loop->is_worker && !keeps);
  SrvDatagram *datagram;

  if (srv_datagram_batch_is_used_up (batch) && !make_room (self, loop, batch))
    return NULL;
  datagram = srv_datagram_batch_take (batch, one_by_one ? 1 : priv->batch_size,
                                      priv->max_packet_size);
  if (datagram == NULL)
    return fail_to_receive (errno, error);
  if (!keeps)
    return copy (server, datagram);
  if (priv->batch_size > 1 && !loop->one_by_one &&
      !srv_listener_is_unix (listener))
    srv_datagram_batch_begin (batch);
  return g_object_ref (datagram);
}

/* Called by nobody's loop, for once. */
static SrvDatagram *
receive_alone (SrvDatagramServer *self, GError **error)
{
  SrvLoop loop = { .one_by_one = TRUE };
  SrvDatagram *datagram = receive (self, &loop, error);

  if (loop.put_back != NULL)
    loop.put_back (loop.stock);
  return datagram;
}

static gboolean
check_length (SrvDatagramServerPrivate *priv,
              SrvDatagram *datagram,
              GError **error)
{
  if (!priv->drop_truncated || !srv_datagram_get_truncated (datagram))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
               "dropped a datagram of %" G_GSIZE_FORMAT
               " bytes: the limit is %u",
               srv_datagram_get_full_length (datagram), priv->max_packet_size);
  /* One client's mistake, and no reason to pause. */
  srv_base_server_set_accept_errno (EPROTO);
  return FALSE;
}

static SrvRequest *
srv_datagram_server_take_request (SrvBaseServer *server, GError **error)
{
  SrvDatagramServer *self = SRV_DATAGRAM_SERVER (server);
  SrvDatagramServerPrivate *priv = get_private (self);
  SrvLoop *loop = srv_base_server_get_loop (server);
  SrvDatagram *datagram = take_left (priv);

  if (datagram == NULL)
    datagram = loop != NULL ? receive (self, loop, error)
                            : receive_alone (self, error);
  if (datagram != NULL && !check_length (priv, datagram, error))
    g_clear_object (&datagram);
  return (SrvRequest *) datagram;
}

static void
srv_datagram_server_before_wait (SrvBaseServer *server)
{
  SrvLoop *loop = srv_base_server_get_loop (server);
  Stock *stock = loop != NULL ? loop->stock : NULL;

  if (stock != NULL)
    srv_datagram_batch_flush (stock->batch);
}

static void
srv_datagram_server_finalize (GObject *object)
{
  SrvDatagramServerPrivate *priv = get_private (SRV_DATAGRAM_SERVER (object));

  g_queue_clear_full (&priv->left, g_object_unref);
  g_mutex_clear (&priv->lock);
  G_OBJECT_CLASS (srv_datagram_server_parent_class)->finalize (object);
}

static void
srv_datagram_server_get_property (GObject *object,
                                  guint id,
                                  GValue *value,
                                  GParamSpec *pspec)
{
  SrvDatagramServerPrivate *priv = get_private (SRV_DATAGRAM_SERVER (object));

  switch ((SrvDatagramServerProperty) id)
    {
    case PROP_MAX_PACKET_SIZE:
      g_value_set_uint (value, priv->max_packet_size);
      break;
    case PROP_DROP_TRUNCATED:
      g_value_set_boolean (value, priv->drop_truncated);
      break;
    case PROP_REPLY_TIMEOUT:
      g_value_set_int (value, priv->reply_timeout_ms);
      break;
    case PROP_BATCH_SIZE:
      g_value_set_uint (value, priv->batch_size);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_server_set_property (GObject *object,
                                  guint id,
                                  const GValue *value,
                                  GParamSpec *pspec)
{
  SrvDatagramServer *self = SRV_DATAGRAM_SERVER (object);

  switch ((SrvDatagramServerProperty) id)
    {
    case PROP_MAX_PACKET_SIZE:
      srv_datagram_server_set_max_packet_size (self, g_value_get_uint (value));
      break;
    case PROP_DROP_TRUNCATED:
      srv_datagram_server_set_drop_truncated (self,
                                              g_value_get_boolean (value));
      break;
    case PROP_REPLY_TIMEOUT:
      srv_datagram_server_set_reply_timeout (self, g_value_get_int (value));
      break;
    case PROP_BATCH_SIZE:
      srv_datagram_server_set_batch_size (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_server_class_init (SrvDatagramServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseServerClass *server_class = SRV_BASE_SERVER_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = srv_datagram_server_finalize;
  object_class->get_property = srv_datagram_server_get_property;
  object_class->set_property = srv_datagram_server_set_property;
  server_class->default_handler_type = SRV_TYPE_DATAGRAM_REQUEST_HANDLER;
  server_class->activate_listener = srv_datagram_server_activate_listener;
  server_class->server_activate = srv_datagram_server_server_activate;
  server_class->take_request = srv_datagram_server_take_request;
  server_class->server_close = srv_datagram_server_server_close;
  server_class->before_wait = srv_datagram_server_before_wait;

  /**
   * SrvDatagramServer:max-packet-size:
   *
   * How many bytes of a datagram are kept. May change at any time. In Python:
   * `max_packet_size`, 8192, and what is longer is cut without a trace.
   */
  properties[PROP_MAX_PACKET_SIZE] =
    g_param_spec_uint ("max-packet-size", NULL, NULL, 1, SRV_DATAGRAM_LARGEST,
                       SRV_DATAGRAM_LARGEST, flags);
  /**
   * SrvDatagramServer:drop-truncated:
   *
   * Whether datagrams that are too long are dropped, instead of being served
   * without their tail.
   */
  properties[PROP_DROP_TRUNCATED] =
    g_param_spec_boolean ("drop-truncated", NULL, NULL, FALSE, flags);
  /**
   * SrvDatagramServer:reply-timeout:
   *
   * How long a reply waits for room in the receiver's queue, in milliseconds.
   * All replies of a Unix server share the room of its own socket: a client
   * that has connected its socket and does not read can fill it, and the
   * replies to others then wait and fail as well, until it reads or goes.
   */
  properties[PROP_REPLY_TIMEOUT] =
    g_param_spec_int ("reply-timeout", NULL, NULL, 0, G_MAXINT, 100, flags);
  /**
   * SrvDatagramServer:batch-size:
   *
   * How many datagrams are taken off the socket with one call, from 1 to 64. On
   * a UDP server whose handlers run on the loop's own thread, inline or in
   * fibers, their replies leave together as well, before the loop waits for
   * more; those of one length to one client leave as one packet of the kernel's,
   * where it can do that. With 1 every datagram is received and every reply sent by itself.
   */
  properties[PROP_BATCH_SIZE] = g_param_spec_uint ("batch-size", NULL, NULL, 1,
                                                   SRV_DATAGRAM_BATCH_SIZE,
                                                   DEFAULT_BATCH_SIZE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_datagram_server_init (SrvDatagramServer *self)
{
  SrvDatagramServerPrivate *priv = get_private (self);

  priv->max_packet_size = SRV_DATAGRAM_LARGEST;
  priv->reply_timeout_ms = 100;
  priv->batch_size = DEFAULT_BATCH_SIZE;
  g_mutex_init (&priv->lock);
}

/**
 * srv_datagram_server_set_max_packet_size:
 * @self: a server
 * @max_packet_size: bytes, from 1 to 65,535
 *
 * Sets how many bytes of a datagram are kept.
 *
 * Threads: before the loop runs, or the loop's. In Python: `max_packet_size`.
 */
void
srv_datagram_server_set_max_packet_size (SrvDatagramServer *self,
                                         guint max_packet_size)
{
  SrvDatagramServerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));
  g_return_if_fail (max_packet_size > 0 &&
                    max_packet_size <= SRV_DATAGRAM_LARGEST);

  priv = get_private (self);
  if (priv->max_packet_size == max_packet_size)
    return;
  priv->max_packet_size = max_packet_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_PACKET_SIZE]);
}

/**
 * srv_datagram_server_get_max_packet_size:
 * @self: a server
 *
 * Gets how many bytes of a datagram are kept.
 *
 * Threads: any.
 *
 * Returns: bytes
 */
guint
srv_datagram_server_get_max_packet_size (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), 0);
  return get_private (self)->max_packet_size;
}

/**
 * srv_datagram_server_set_drop_truncated:
 * @self: a server
 * @drop_truncated: whether to drop them
 *
 * Sets whether datagrams that are too long are dropped.
 *
 * Threads: before the loop runs, or the loop's.
 */
void
srv_datagram_server_set_drop_truncated (SrvDatagramServer *self,
                                        gboolean drop_truncated)
{
  SrvDatagramServerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));

  priv = get_private (self);
  if (priv->drop_truncated == !!drop_truncated)
    return;
  priv->drop_truncated = !!drop_truncated;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DROP_TRUNCATED]);
}

/**
 * srv_datagram_server_get_drop_truncated:
 * @self: a server
 *
 * Gets whether datagrams that are too long are dropped.
 *
 * Threads: any.
 *
 * Returns: %TRUE if they are
 */
gboolean
srv_datagram_server_get_drop_truncated (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), FALSE);
  return get_private (self)->drop_truncated;
}

/**
 * srv_datagram_server_set_reply_timeout:
 * @self: a server
 * @reply_timeout_ms: milliseconds
 *
 * Sets how long a reply waits for room in the receiver's queue.
 *
 * Threads: before the loop runs.
 */
void
srv_datagram_server_set_reply_timeout (SrvDatagramServer *self,
                                       int reply_timeout_ms)
{
  SrvDatagramServerPrivate *priv;
  SrvListener *listener;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));
  g_return_if_fail (reply_timeout_ms >= 0);

  priv = get_private (self);
  if (priv->reply_timeout_ms == reply_timeout_ms)
    return;
  priv->reply_timeout_ms = reply_timeout_ms;
  listener = srv_base_server_get_listener (SRV_BASE_SERVER (self));
  if (listener != NULL)
    set_reply_limit (priv, listener);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_REPLY_TIMEOUT]);
}

/**
 * srv_datagram_server_get_reply_timeout:
 * @self: a server
 *
 * Gets how long a reply waits for room in the receiver's queue.
 *
 * Threads: any.
 *
 * Returns: milliseconds
 */
int
srv_datagram_server_get_reply_timeout (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), 0);
  return get_private (self)->reply_timeout_ms;
}

/**
 * srv_datagram_server_set_batch_size:
 * @self: a server
 * @batch_size: how many datagrams, from 1 to 64
 *
 * Sets how many datagrams are taken off the socket with one call.
 *
 * Threads: before the loop runs.
 */
void
srv_datagram_server_set_batch_size (SrvDatagramServer *self, guint batch_size)
{
  SrvDatagramServerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));
  g_return_if_fail (batch_size > 0 && batch_size <= SRV_DATAGRAM_BATCH_SIZE);

  priv = get_private (self);
  if (priv->batch_size == batch_size)
    return;
  priv->batch_size = batch_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BATCH_SIZE]);
}

/**
 * srv_datagram_server_get_batch_size:
 * @self: a server
 *
 * Gets how many datagrams are taken off the socket with one call.
 *
 * Threads: any.
 *
 * Returns: the number of datagrams
 */
guint
srv_datagram_server_get_batch_size (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), 1);
  return get_private (self)->batch_size;
}
