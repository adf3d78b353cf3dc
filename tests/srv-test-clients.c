/* srv-test-clients.c - blocking sockets that give up after a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

static guint n_clients;

static void
set_limits (int fd)
{
  struct timeval limit = { .tv_sec = SRV_TEST_PATIENCE / 1000 };

  ck_assert_int_eq (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
                                sizeof limit),
                    0);
  ck_assert_int_eq (setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
                                sizeof limit),
                    0);
}

int
srv_test_socket (int family, int type)
{
  int fd = socket (family, type | SOCK_CLOEXEC, 0);

  ck_assert_msg (fd >= 0, "socket: %s", g_strerror (errno));
  set_limits (fd);

  return fd;
}

/* Without a name of its own, a Unix client cannot be answered. */
static void
bind_unix_client (int fd)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  g_autofree char *file = g_strdup_printf ("client-%u", n_clients++);
  g_autofree char *path = srv_test_path (file);

  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &name, sizeof name), 0);
}

/* A connected socket, or -1 with errno set. */
int
srv_test_try_connect (SrvBaseServer *server)
{
  GSocketAddress *address = srv_base_server_get_server_address (server);
  gboolean stream = SRV_IS_STREAM_SERVER (server);
  struct sockaddr_storage native;
  gssize length;
  int fd;

  ck_assert (G_IS_SOCKET_ADDRESS (address));
  length = g_socket_address_get_native_size (address);
  ck_assert (
    g_socket_address_to_native (address, &native, sizeof native, NULL));

  fd = srv_test_socket (native.ss_family, stream ? SOCK_STREAM : SOCK_DGRAM);
  if (native.ss_family == AF_UNIX && !stream)
    bind_unix_client (fd);
  if (connect (fd, (struct sockaddr *) &native, (socklen_t) length) < 0)
    {
      int saved = errno;

      srv_test_close (fd);
      errno = saved;
      return -1;
    }

  return fd;
}

int
srv_test_connect (SrvBaseServer *server)
{
  int fd = srv_test_try_connect (server);

  ck_assert_msg (fd >= 0, "connect: %s", g_strerror (errno));
  return fd;
}

void
srv_test_close (int fd)
{
  struct sockaddr_un name = { 0 };
  socklen_t length = sizeof name;

  if (getsockname (fd, (struct sockaddr *) &name, &length) == 0 &&
      name.sun_family == AF_UNIX && name.sun_path[0] != '\0')
    g_unlink (name.sun_path);
  close (fd);
}

void
srv_test_send (int fd, const void *data, gsize length)
{
  const char *rest = data;

  do
    {
      ssize_t sent = send (fd, rest, length, MSG_NOSIGNAL);

      if (sent < 0 && errno == EINTR)
        continue;
      ck_assert_msg (sent >= 0, "send: %s", g_strerror (errno));
      rest += sent;
      length -= (gsize) sent;
    }
  while (length > 0);
}

void
srv_test_say (int fd, const char *text)
{
  srv_test_send (fd, text, strlen (text));
}

/* What recv(2) says, without the interruptions. */
gssize
srv_test_receive (int fd, void *buffer, gsize length)
{
  ssize_t result;

  do
    result = recv (fd, buffer, length, 0);
  while (result < 0 && errno == EINTR);

  return result;
}

static gboolean
is_stream_socket (int fd)
{
  socklen_t length = sizeof (int);
  int type = 0;

  getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length);

  return type == SOCK_STREAM;
}

void
srv_test_expect (int fd, const char *text)
{
  gsize wanted = strlen (text);
  char buffer[4096] = { 0 };
  gsize got = 0;

  /* Nothing is allocated here: a server that forks meanwhile would copy the
   * allocator's locks as they are, and a sanitizer's stay locked in a child. */
  ck_assert_uint_lt (wanted + 1, sizeof buffer);
  do
    {
      gsize room = wanted - got + !is_stream_socket (fd);
      gssize n = srv_test_receive (fd, buffer + got, room);

      ck_assert_msg (n >= 0, "no answer \"%s\", only \"%s\": %s", text, buffer,
                     g_strerror (errno));
      if (n == 0)
        break;
      got += (gsize) n;
    }
  while (is_stream_socket (fd) && got < wanted);

  ck_assert_str_eq (buffer, text);
}

char *
srv_test_read_all (int fd, gsize *length)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char buffer[16384];
  gssize n;

  while ((n = srv_test_receive (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (all, buffer, n);
  ck_assert_msg (n == 0, "no end of the stream: %s", g_strerror (errno));

  if (length != NULL)
    *length = all->len;
  return g_string_free (g_steal_pointer (&all), FALSE);
}

void
srv_test_expect_end (int fd)
{
  g_autofree char *rest = srv_test_read_all (fd, NULL);

  ck_assert_str_eq (rest, "");
}

void
srv_test_expect_gone (int fd)
{
  char buffer[256];
  gssize n = srv_test_receive (fd, buffer, sizeof buffer);

  ck_assert_msg (n == 0 || (n < 0 && errno == ECONNRESET),
                 "the connection still lives: %d, %s", (int) n,
                 n < 0 ? g_strerror (errno) : "data");
}

gboolean
srv_test_is_quiet (int fd)
{
  char byte;

  return recv (fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

void
srv_test_echo (SrvBaseServer *server, const char *line)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, line);
  srv_test_expect (fd, line);
  srv_test_close (fd);
}

void
srv_test_expect_done (int fd)
{
  srv_test_expect (fd, "done\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
}
