/* multiplex-mix-in.c - echo to all clients by turns, on the loop's own thread
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a select() loop does, as a mix-in of the server's loop: one epoll holds
 * all clients, and the loop waits for it beside its listening socket. No handler
 * runs: whoever waits for nobody is a state and two steps, not a function.
 *
 * docs/multiplexed-echo.md has the select() version beside it.
 */

#include "multiplex-mix-in.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most that one client moves in one turn, and the most clients of a round.
 */
#define CHUNK_SIZE  4096
#define ROUND_SIZE  64
#define CHECK_EVERY (G_TIME_SPAN_SECOND / 2)

typedef struct
{
  SrvMixIn parent_instance;

  int epoll_fd;
  gsize queue_size;
  int timeout_ms;
  gboolean draining;
  gint64 next_check;
  GHashTable *clients; /* of Client, owned */
} MultiplexMixIn;
typedef SrvMixInClass MultiplexMixInClass;

typedef struct
{
  SrvBaseServer *server; /* borrowed: it waits for its requests */
  SrvRequest *request;   /* owned */
  int fd;                /* the request's */
  guint32 interest;      /* what the epoll looks for */
  char *queue;           /* a ring; NULL while nothing is in it */
  gsize first;
  gsize length;
  gboolean at_end; /* nothing more will be received */
  gint64 moved_at;
} Client;

GType multiplex_mix_in_get_type (void);

G_DEFINE_TYPE (MultiplexMixIn, multiplex_mix_in, SRV_TYPE_MIX_IN)

static void
client_free (gpointer data)
{
  Client *client = data;

  g_object_unref (client->request);
  g_free (client->queue);
  g_free (client);
}

/* What the system said: nothing for the moment, or the end. */
static gboolean
may_go_on (const char *what, GError **error)
{
  const int code = errno;

  if (code == EAGAIN || code == EINTR)
    return TRUE;
  g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (code),
               "could not %s: %s", what, g_strerror (code));
  return FALSE;
}

/* As much as there is room for: a full queue leaves it to the system to stop the
 * client. */
static gboolean
receive_some (MultiplexMixIn *self, Client *client, GError **error)
{
  const gsize end = (client->first + client->length) % self->queue_size;
  const gsize room =
    MIN (self->queue_size - client->length, self->queue_size - end);
  gssize n;

  if (client->at_end || room == 0)
    return TRUE;
  if (client->queue == NULL)
    client->queue = g_malloc (self->queue_size);
  n = recv (client->fd, client->queue + end, MIN (room, CHUNK_SIZE),
            MSG_DONTWAIT);
  if (n < 0)
    {
      client->at_end = self->draining && errno == EAGAIN;
      return may_go_on ("receive", error);
    }
  client->at_end = n == 0;
  client->length += (gsize) n;
  client->moved_at = g_get_monotonic_time ();
  return TRUE;
}

/* As much as the system takes; the rest stays where it is. */
static gboolean
send_some (MultiplexMixIn *self, Client *client, GError **error)
{
  const gsize ready = MIN (client->length, self->queue_size - client->first);
  gssize n;

  if (ready == 0)
    return TRUE;
  n = send (client->fd, client->queue + client->first, MIN (ready, CHUNK_SIZE),
            MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0)
    return may_go_on ("send", error);
  client->first = (client->first + (gsize) n) % self->queue_size;
  client->length -= (gsize) n;
  client->moved_at = g_get_monotonic_time ();
  return TRUE;
}

/* Reading stops while the queue is full, writing while it is empty. In a drain
 * every client gets one more turn, to see that nothing more is there. */
static gboolean
look_for (MultiplexMixIn *self, Client *client, int change)
{
  struct epoll_event event = { .data.ptr = client };

  if (!client->at_end && client->length < self->queue_size)
    event.events |= EPOLLIN;
  if (client->length > 0 || self->draining)
    event.events |= EPOLLOUT;
  if (change == EPOLL_CTL_MOD && event.events == client->interest)
    return TRUE;
  client->interest = event.events;
  return epoll_ctl (self->epoll_fd, change, client->fd, &event) == 0;
}

static void
end_client (MultiplexMixIn *self, Client *client, const GError *error)
{
  SrvBaseServer *server = client->server;

  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
  if (error != NULL)
    srv_base_server_handle_error (server, client->request, error);
  srv_base_server_shutdown_request (server, client->request);
  g_hash_table_remove (self->clients, client);
}

/* A client's turn: one read and one write, however much more there is. */
static void
take_turn (MultiplexMixIn *self, Client *client)
{
  g_autoptr (GError) error = NULL;

  if (receive_some (self, client, &error) && send_some (self, client, &error) &&
      !(client->at_end && client->length == 0))
    {
      if (client->length == 0)
        g_clear_pointer (&client->queue, g_free);
      look_for (self, client, EPOLL_CTL_MOD);
    }
  else
    end_client (self, client, error);
}

/* Who neither reads nor sends for too long makes room for others. */
static void
end_idle (MultiplexMixIn *self)
{
  const gint64 now = g_get_monotonic_time ();
  g_autoptr (GList) clients = NULL;
  g_autoptr (GError) error = NULL;

  if (self->timeout_ms < 0 || now < self->next_check)
    return;
  self->next_check = now + CHECK_EVERY;
  error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                               "the client neither reads nor sends");
  clients = g_hash_table_get_keys (self->clients);
  for (GList *item = clients; item != NULL; item = item->next)
    if (now - ((Client *) item->data)->moved_at >=
        (gint64) self->timeout_ms * 1000)
      end_client (self, item->data, error);
}

/* One round. Who is still ready is so in the next one, behind the others. */
static void
serve_ready (MultiplexMixIn *self)
{
  struct epoll_event events[ROUND_SIZE];
  int n = epoll_wait (self->epoll_fd, events, ROUND_SIZE, 0);

  for (int i = 0; i < n; i++)
    take_turn (self, events[i].data.ptr);
  end_idle (self);
}

static gboolean
multiplex_mix_in_process_request (SrvMixIn *mix_in,
                                  SrvBaseServer *server,
                                  SrvRequest *request,
                                  GError **error)
{
  MultiplexMixIn *self = (MultiplexMixIn *) mix_in;
  Client *client = g_new0 (Client, 1);

  client->server = server;
  client->request = g_object_ref (request);
  client->fd = srv_request_fileno (request);
  client->moved_at = g_get_monotonic_time ();
  if (look_for (self, client, EPOLL_CTL_ADD))
    {
      g_hash_table_add (self->clients, client);
      return TRUE;
    }
  may_go_on ("watch the client", error);
  client_free (client);
  return FALSE;
}

static int
multiplex_mix_in_fileno (SrvMixIn *mix_in, G_GNUC_UNUSED SrvBaseServer *server)
{
  return ((MultiplexMixIn *) mix_in)->epoll_fd;
}

static gboolean
multiplex_mix_in_service_actions (SrvMixIn *mix_in,
                                  G_GNUC_UNUSED SrvBaseServer *server,
                                  G_GNUC_UNUSED GError **error)
{
  serve_ready ((MultiplexMixIn *) mix_in);
  return TRUE;
}

/* What has been sent to us is still answered; then each client is done. */
static gboolean
multiplex_mix_in_drain (SrvMixIn *mix_in,
                        SrvBaseServer *server,
                        G_GNUC_UNUSED SrvDrainStep step,
                        gint64 deadline,
                        G_GNUC_UNUSED guint *n_cut)
{
  MultiplexMixIn *self = (MultiplexMixIn *) mix_in;
  g_autoptr (GList) clients = g_hash_table_get_keys (self->clients);

  self->draining = TRUE;
  for (GList *item = clients; item != NULL; item = item->next)
    take_turn (self, item->data);
  while (g_hash_table_size (self->clients) > 0)
    {
      if (!srv_base_server_wait_for_event (server, deadline))
        return FALSE;
      serve_ready (self);
    }
  return TRUE;
}

static void
multiplex_mix_in_finalize (GObject *object)
{
  MultiplexMixIn *self = (MultiplexMixIn *) object;

  g_hash_table_unref (self->clients);
  close (self->epoll_fd);
  G_OBJECT_CLASS (multiplex_mix_in_parent_class)->finalize (object);
}

static void
multiplex_mix_in_class_init (MultiplexMixInClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = multiplex_mix_in_finalize;
  klass->process_request = multiplex_mix_in_process_request;
  klass->fileno = multiplex_mix_in_fileno;
  klass->service_actions = multiplex_mix_in_service_actions;
  klass->drain = multiplex_mix_in_drain;
}

static void
multiplex_mix_in_init (MultiplexMixIn *self)
{
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->clients = g_hash_table_new_full (NULL, NULL, client_free, NULL);
}

/* Each client has a queue of @queue_size bytes; one that does nothing for
 * @timeout_ms milliseconds is cut off, unless that is -1. */
SrvMixIn *
multiplex_mix_in_new (gsize queue_size, int timeout_ms)
{
  MultiplexMixIn *self = g_object_new (multiplex_mix_in_get_type (), NULL);

  self->queue_size = queue_size;
  self->timeout_ms = timeout_ms;
  return SRV_MIX_IN (self);
}
