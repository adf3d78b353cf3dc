/* srv-datagram.c - one received datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram.h"

#include "srv-datagram-batch-private.h"
#include "srv-datagram-private.h"
#include "srv-errno-private.h"
#include "srv-request.h"
#include "srv-reuse-private.h"
#include "srv-spares-private.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

/* A batch of datagrams with room for the longest lies so far apart in memory
 * that the cache keeps few of them. */
#define NEAR_SIZE 1500

/**
 * SrvDatagram:
 *
 * One received datagram, and the way back to its sender.
 *
 * The reply leaves from the address that the client has asked, also on a
 * server that is bound to all interfaces of a machine with several addresses.
 *
 * In Python: the pair of bytes and socket that a datagram handler has as
 * `self.request`.
 */
struct _SrvDatagram
{
  GObject parent_instance;

  SrvRequestLink link; /* the server's */

  SrvListener *listener; /* owned reference: the socket for the reply */
  const guint8 *data;    /* in one of the next two */
  guint8 *near;          /* owned: room for what one Ethernet frame carries */
  gsize copy_size;       /* of a copy: the room that it has instead */
  guint8 *far;       /* owned, nullable: room for the longest, if it is one */
  gsize length;      /* of what is kept */
  gsize full_length; /* as it was sent */
  GBytes *bytes;     /* owned, made on demand */
  SrvSockaddr peer;
  SrvSockaddr local;     /* length 0: not known */
  guint interface_index; /* 0 unless the address alone is ambiguous */
  struct ucred credentials;
  gboolean has_credentials;

  GSocketAddress *client_address; /* owned, made on demand */
  GSocketAddress *local_address;  /* owned, made on demand */
};

G_STATIC_ASSERT (sizeof (SrvDatagramControl) >=
                 CMSG_SPACE (sizeof (struct in6_pktinfo)) +
                   CMSG_SPACE (sizeof (struct in_pktinfo)) +
                   CMSG_SPACE (sizeof (struct ucred)));

static void srv_datagram_request_init (SrvRequestInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
  SrvDatagram,
  srv_datagram,
  G_TYPE_OBJECT,
  G_IMPLEMENT_INTERFACE (SRV_TYPE_REQUEST, srv_datagram_request_init))

/* Where the datagram was sent to. Multicast and broadcast addresses cannot be
 * the source of a reply; for them the kernel names the address of the
 * interface on IPv4, and on IPv6 nothing is kept. */
static void
note_destination_v4 (SrvDatagram *self, const struct in_pktinfo *info)
{
  self->local.length = sizeof self->local.in;
  self->local.in.sin_family = AF_INET;
  self->local.in.sin_addr = info->ipi_spec_dst;
}

static void
note_destination_v6 (SrvDatagram *self, const struct in6_pktinfo *info)
{
  if (IN6_IS_ADDR_MULTICAST (&info->ipi6_addr))
    return;
  self->local.length = sizeof self->local.in6;
  self->local.in6.sin6_family = AF_INET6;
  self->local.in6.sin6_addr = info->ipi6_addr;
  if (IN6_IS_ADDR_LINKLOCAL (&info->ipi6_addr))
    self->interface_index = info->ipi6_ifindex;
}

/* A client of a Unix socket may send descriptors that nobody has asked for. They
 * are open in this process when they come, and would stay so for ever. */
static void
close_descriptors (const struct cmsghdr *header)
{
  gsize n = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);

  for (gsize i = 0; i < n; i++)
    {
      int fd;

      memcpy (&fd, CMSG_DATA (header) + i * sizeof fd, sizeof fd);
      close (fd);
    }
}

static void
note_control (SrvDatagram *self, struct msghdr *message)
{
  for (struct cmsghdr *i = CMSG_FIRSTHDR (message); i != NULL;
       i = CMSG_NXTHDR (message, i))
    {
      const void *data = CMSG_DATA (i);

      if (i->cmsg_level == IPPROTO_IP && i->cmsg_type == IP_PKTINFO &&
          self->local.length == 0)
        note_destination_v4 (self, data);
      else if (i->cmsg_level == IPPROTO_IPV6 && i->cmsg_type == IPV6_PKTINFO)
        note_destination_v6 (self, data);
      else if (i->cmsg_level == SOL_SOCKET && i->cmsg_type == SCM_CREDENTIALS)
        {
          memcpy (&self->credentials, data, sizeof self->credentials);
          self->has_credentials = TRUE;
        }
      else if (i->cmsg_level == SOL_SOCKET && i->cmsg_type == SCM_RIGHTS)
        close_descriptors (i);
    }
}

static void
add_control (struct msghdr *message,
             SrvDatagramControl *buffer,
             int level,
             int type,
             const void *data,
             gsize length)
{
  /* Behind what is there; CMSG_SPACE () keeps all of them aligned. */
  void *end = buffer->bytes + message->msg_controllen;
  struct cmsghdr *header = end;

  message->msg_control = buffer;
  message->msg_controllen += CMSG_SPACE (length);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN (length);
  memcpy (CMSG_DATA (header), data, length);
}

/* The reply leaves from the address that was asked. */
static void
add_source (SrvDatagram *self,
            struct msghdr *message,
            SrvDatagramControl *buffer)
{
  memset (buffer, 0, sizeof *buffer);
  if (self->local.length == 0)
    return;
  if (self->local.any.sa_family == AF_INET)
    {
      const struct in_pktinfo info = {
        .ipi_spec_dst = self->local.in.sin_addr,
      };

      add_control (message, buffer, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
  else
    {
      const struct in6_pktinfo info = {
        .ipi6_addr = self->local.in6.sin6_addr,
        .ipi6_ifindex = self->interface_index,
      };

      add_control (message, buffer, IPPROTO_IPV6, IPV6_PKTINFO, &info,
                   sizeof info);
    }
}

static GSocketAddress *
srv_datagram_get_client_address (SrvRequest *request)
{
  SrvDatagram *self = SRV_DATAGRAM (request);

  if (self->client_address == NULL)
    self->client_address = srv_sockaddr_to_address (&self->peer);
  return self->client_address;
}

/* The kernel tells the address that was asked; the port is the listener's. */
static GSocketAddress *
srv_datagram_get_local_address (SrvRequest *request)
{
  SrvDatagram *self = SRV_DATAGRAM (request);
  SrvSockaddr bound;
  SrvSockaddr local = self->local;

  if (self->local_address != NULL)
    return self->local_address;
  if (!srv_sockaddr_of_socket (&bound, srv_listener_get_fd (self->listener)))
    return NULL;
  if (local.length == 0)
    local = bound;
  else if (bound.any.sa_family == AF_INET)
    local.in.sin_port = bound.in.sin_port;
  else
    local.in6.sin6_port = bound.in6.sin6_port;
  self->local_address = srv_sockaddr_to_address (&local);
  return self->local_address;
}

static GCredentials *
srv_datagram_get_credentials (SrvRequest *request, GError **error)
{
  SrvDatagram *self = SRV_DATAGRAM (request);
  GCredentials *credentials;

  if (!self->has_credentials)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "only clients of Unix sockets have credentials");
      return NULL;
    }
  credentials = g_credentials_new ();
  g_credentials_set_native (credentials, G_CREDENTIALS_TYPE_LINUX_UCRED,
                            &self->credentials);
  return credentials;
}

static char *
srv_datagram_describe_client (SrvRequest *request)
{
  return srv_sockaddr_to_string (&SRV_DATAGRAM (request)->peer);
}

static int
srv_datagram_fileno (SrvRequest *request)
{
  return srv_listener_get_fd (SRV_DATAGRAM (request)->listener);
}

/* There is no connection that could be cut, so that default stays. */
static void
srv_datagram_request_init (SrvRequestInterface *iface)
{
  iface->get_client_address = srv_datagram_get_client_address;
  iface->get_local_address = srv_datagram_get_local_address;
  iface->get_credentials = srv_datagram_get_credentials;
  iface->describe_client = srv_datagram_describe_client;
  iface->fileno = srv_datagram_fileno;
}

static void
srv_datagram_finalize (GObject *object)
{
  SrvDatagram *self = SRV_DATAGRAM (object);

  g_clear_object (&self->link.handler);
  g_clear_object (&self->client_address);
  g_clear_object (&self->local_address);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self->near);
  g_free (self->far);
  g_clear_pointer (&self->listener, srv_listener_unref);
  G_OBJECT_CLASS (srv_datagram_parent_class)->finalize (object);
}

static void
srv_datagram_class_init (SrvDatagramClass *klass)
{
  __atomic_store_n (&srv_datagram_type, G_TYPE_FROM_CLASS (klass),
                    __ATOMIC_RELAXED);
  G_OBJECT_CLASS (klass)->finalize = srv_datagram_finalize;
}

static void
srv_datagram_init (G_GNUC_UNUSED SrvDatagram *self)
{
}

SrvDatagram *
srv_datagram_new_empty (SrvListener *listener)
{
  SrvDatagram *self = g_object_new (SRV_TYPE_DATAGRAM, NULL);

  self->listener = srv_listener_ref (listener);
  self->near = g_malloc (NEAR_SIZE);
  self->link.in_batch = TRUE;
  return self;
}

SrvRequestLink *
srv_datagram_get_link (SrvDatagram *self)
{
  return &self->link;
}

const SrvSockaddr *
srv_datagram_get_peer (SrvDatagram *self)
{
  return &self->peer;
}

/* What was long is not kept for the next one. */
static void
copy_data (SrvDatagram *copy, SrvDatagram *self)
{
  if (copy->copy_size < self->length)
    {
      g_free (copy->near);
      copy->near = g_malloc (self->length);
      copy->copy_size = self->length;
    }
  if (self->length > 0)
    memcpy (copy->near, self->data, self->length);
  copy->data = copy->near;
  copy->length = self->length;
}

static SrvDatagram *
take_or_make (SrvSpares *spares, GMutex *lock)
{
  SrvDatagram *datagram = srv_spares_take (spares, lock);

  if (datagram != NULL && srv_datagram_recycle (datagram))
    return datagram;
  if (datagram != NULL)
    srv_request_drop (SRV_REQUEST (datagram));
  return g_object_new (SRV_TYPE_DATAGRAM, NULL);
}

SrvDatagram *
srv_datagram_copy (SrvDatagram *self, SrvSpares *spares, GMutex *lock)
{
  SrvDatagram *copy = take_or_make (spares, lock);

  if (copy->listener != self->listener)
    {
      g_clear_pointer (&copy->listener, srv_listener_unref);
      copy->listener = srv_listener_ref (self->listener);
    }
  copy_data (copy, self);
  copy->link.spares = copy->copy_size <= NEAR_SIZE ? spares : NULL;
  copy->full_length = self->full_length;
  copy->peer.length = self->peer.length;
  memcpy (&copy->peer.any, &self->peer.any, self->peer.length);
  copy->local = self->local;
  copy->interface_index = self->interface_index;
  copy->credentials = self->credentials;
  copy->has_credentials = self->has_credentials;
  return copy;
}

/* Who has put data of his own on the object keeps it, too. */
gboolean
srv_datagram_recycle (SrvDatagram *self)
{
  if (!srv_is_untouched (self))
    return FALSE;
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_object (&self->client_address);
  g_clear_object (&self->local_address);
  g_clear_pointer (&self->far, g_free);
  self->local.length = 0;
  self->interface_index = 0;
  self->has_credentials = FALSE;
  return TRUE;
}

void
srv_datagram_prepare (SrvDatagram *self,
                      struct msghdr *message,
                      struct iovec parts[2],
                      SrvDatagramControl *control,
                      guint8 *far,
                      gsize max_length)
{
  gsize near_length = MIN (max_length, NEAR_SIZE);

  parts[0] = (struct iovec){ self->near, near_length };
  parts[1] = (struct iovec){ far + near_length, max_length - near_length };
  *message = (struct msghdr){
    .msg_name = &self->peer.any,
    .msg_namelen = sizeof self->peer - offsetof (SrvSockaddr, any),
    .msg_iov = parts,
    .msg_iovlen = max_length > near_length ? 2 : 1,
    .msg_control = control,
    .msg_controllen = sizeof *control,
  };
}

void
srv_datagram_fill_in (SrvDatagram *self,
                      struct msghdr *message,
                      guint8 **far,
                      gsize full_length,
                      gsize max_length)
{
  self->full_length = full_length;
  self->length = MIN (full_length, max_length);
  self->data = self->near;
  if (self->length > NEAR_SIZE)
    {
      self->far = g_steal_pointer (far);
      memcpy (self->far, self->near, NEAR_SIZE);
      self->data = self->far;
    }
  self->peer.length = message->msg_namelen;
  note_control (self, message);
}

/**
 * srv_datagram_get_data:
 * @self: a datagram
 * @length: (out) (optional): how many bytes there are
 *
 * Gets the contents. They may be empty: an empty datagram is valid.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (array length=length) (element-type guint8)
 *   (nullable): the bytes; may be %NULL when there are none
 */
const guint8 *
srv_datagram_get_data (SrvDatagram *self, gsize *length)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM (self), NULL);
  if (length != NULL)
    *length = self->length;
  return self->length > 0 ? self->data : NULL;
}

/**
 * srv_datagram_get_bytes:
 * @self: a datagram
 *
 * Gets the contents as [struct@GLib.Bytes]. They stay when the datagram goes.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: (transfer none): the bytes
 */
GBytes *
srv_datagram_get_bytes (SrvDatagram *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM (self), NULL);
  if (self->bytes == NULL)
    self->bytes = g_bytes_new (self->data, self->length);
  return self->bytes;
}

/**
 * srv_datagram_get_truncated:
 * @self: a datagram
 *
 * Tells whether the datagram was longer than the server's
 * [property@SocketServer.DatagramServer:max-packet-size] and lost its tail.
 * Python does not notice that.
 *
 * Threads: any.
 *
 * Returns: %TRUE if bytes are missing
 */
gboolean
srv_datagram_get_truncated (SrvDatagram *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM (self), FALSE);
  return self->full_length > self->length;
}

/**
 * srv_datagram_get_full_length:
 * @self: a datagram
 *
 * Gets how long the datagram was when it was sent.
 *
 * Threads: any.
 *
 * Returns: the length in bytes
 */
gsize
srv_datagram_get_full_length (SrvDatagram *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM (self), 0);
  return self->full_length;
}

/**
 * srv_datagram_can_reply:
 * @self: a datagram
 *
 * Tells whether the sender has an address. A Unix client that has not bound
 * its socket has none and cannot be answered.
 *
 * Threads: any.
 *
 * Returns: %TRUE if a reply is possible
 */
gboolean
srv_datagram_can_reply (SrvDatagram *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM (self), FALSE);
  return srv_sockaddr_is_named (&self->peer);
}

void
srv_datagram_address_reply (SrvDatagram *self,
                            struct msghdr *message,
                            struct iovec *part,
                            SrvDatagramControl *control)
{
  *message = (struct msghdr){
    .msg_name = &self->peer.any,
    .msg_namelen = self->peer.length,
    .msg_iov = part,
    .msg_iovlen = 1,
  };
  add_source (self, message, control);
}

/* A receiver that has gone is the datagrams' form of a closed connection. */
void
srv_datagram_set_reply_error (GError **error, gsize length, int code)
{
  g_set_error (error, G_IO_ERROR,
               code == ECONNREFUSED || code == ENOENT
                 ? G_IO_ERROR_CONNECTION_CLOSED
                 : g_io_error_from_errno (code),
               "could not reply with %" G_GSIZE_FORMAT " bytes: %s", length,
               g_strerror (code));
}

void
srv_datagram_cut_reply (struct msghdr *message,
                        SrvDatagramControl *control,
                        guint n_parts,
                        guint16 segment_size)
{
  message->msg_iovlen = n_parts;
  add_control (message, control, SOL_UDP, UDP_SEGMENT, &segment_size,
               sizeof segment_size);
}

static gboolean
is_same_address (const SrvSockaddr *one, const SrvSockaddr *other)
{
  return one->length == other->length &&
         memcmp (&one->any, &other->any, one->length) == 0;
}

gboolean
srv_datagram_goes_the_same_way (SrvDatagram *self, SrvDatagram *other)
{
  return is_same_address (&self->peer, &other->peer) &&
         is_same_address (&self->local, &other->local) &&
         self->interface_index == other->interface_index;
}

/* It is at the same place in addresses of both families. */
guint16
srv_datagram_get_port (SrvDatagram *self)
{
  return g_ntohs (self->peer.in.sin_port);
}

int
srv_datagram_send_reply (SrvDatagram *self, const void *data, gsize length)
{
  SrvDatagramControl control;
  struct iovec part = { (void *) data, length };
  struct msghdr message;
  gssize n;

  srv_datagram_address_reply (self, &message, &part, &control);
  do
    n = sendmsg (srv_listener_get_fd (self->listener), &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? errno : 0;
}

/**
 * srv_datagram_reply: (skip)
 * @self: a datagram
 * @data: (array length=length) (element-type guint8) (nullable): the reply
 * @length: how many bytes; 0 sends an empty datagram
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends one datagram back to the sender, from the address that was asked.
 *
 * Fails with %G_IO_ERROR_NOT_CONNECTED when the sender has no address, with
 * %G_IO_ERROR_CONNECTION_CLOSED when it has gone, with
 * %G_IO_ERROR_MESSAGE_TOO_LARGE, with %G_IO_ERROR_WOULD_BLOCK when the
 * receiver's queue stayed full for the server's
 * [property@SocketServer.DatagramServer:reply-timeout], and with what the
 * system reports.
 *
 * A UDP server may send it together with others, before it waits for more; if
 * that fails, [vfunc@SocketServer.BaseServer.handle_error] is told.
 *
 * Threads: any.
 *
 * Returns: %TRUE when the reply was sent, %FALSE with @error set otherwise
 */
gboolean
srv_datagram_reply (SrvDatagram *self,
                    const void *data,
                    gsize length,
                    GError **error)
{
  int code;

  g_return_val_if_fail (SRV_IS_DATAGRAM (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!srv_datagram_can_reply (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                           "could not reply: the sender has no address");
      return FALSE;
    }
  if (srv_datagram_batch_gather (self, self->listener, data, length))
    return TRUE;
  code = srv_datagram_send_reply (self, data, length);
  if (code != 0)
    srv_datagram_set_reply_error (error, length, code);
  return code == 0;
}

/**
 * srv_datagram_reply_bytes: (rename-to srv_datagram_reply)
 * @self: a datagram
 * @bytes: the reply
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends one datagram back to the sender, for language bindings; otherwise like
 * [method@SocketServer.Datagram.reply].
 *
 * Returns: %TRUE when the reply was sent, %FALSE with @error set otherwise
 */
gboolean
srv_datagram_reply_bytes (SrvDatagram *self, GBytes *bytes, GError **error)
{
  gsize length;
  const void *data;

  g_return_val_if_fail (bytes != NULL, FALSE);

  data = g_bytes_get_data (bytes, &length);
  return srv_datagram_reply (self, data, length, error);
}
