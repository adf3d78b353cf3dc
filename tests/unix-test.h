/* unix-test.h - what the tests of servers on Unix sockets share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

#include <gio/gunixsocketaddress.h>

#define N_TYPES 2

static const SrvTestTransport transports[] = { SRV_TEST_UNIX,
                                               SRV_TEST_UNIXGRAM };
static const char *const prefixes[] = { "unix", "unixgram" };

/* A record of another process's work comes through the shared numbers. */
#define RESULT 0

static inline char *
endpoint_of (int i, const char *path)
{
  return g_strdup_printf ("%s:%s", prefixes[i], path);
}

/* A server on PATH: TYPE is 0 for stream, 1 for datagram. */
static inline SrvBaseServer *
make_on (int i, const char *path)
{
  g_autofree char *endpoint = endpoint_of (i, path);

  return srv_test_make (srv_test_server_type (transports[i]), endpoint,
                        "handler-type", srv_test_handler_type (transports[i]),
                        NULL);
}

static inline void
expect_refused (int i, const char *path, int code)
{
  g_autofree char *endpoint = endpoint_of (i, path);
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_test_try (srv_test_server_type (transports[i]), endpoint, &error, NULL);

  ck_assert_msg (server == NULL, "%s was taken", endpoint);
  srv_test_assert_error (error, G_IO_ERROR, code);
}

static inline void
drop (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);
}

/* A socket that somebody else has bound; it stays on the path when closed. */
static inline int
bind_by_hand (int i, const char *path)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd =
    socket (AF_UNIX, (i == 0 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

  ck_assert_int_ge (fd, 0);
  ck_assert_uint_lt (strlen (path), sizeof name.sun_path);
  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &name, sizeof name), 0);
  if (i == 0)
    ck_assert_int_eq (listen (fd, 1), 0);

  return fd;
}

static inline void
leave_dead_path (int i, const char *path)
{
  close (bind_by_hand (i, path));
}

static inline ino_t
inode_of (const char *path)
{
  struct stat status;

  ck_assert_msg (lstat (path, &status) == 0, "%s: %s", path,
                 g_strerror (errno));
  return status.st_ino;
}

static inline gboolean
exists (const char *path)
{
  struct stat status;

  return lstat (path, &status) == 0;
}

static inline void
serve_one (SrvBaseServer *server)
{
  g_autoptr (GError) error = NULL;
  int fd = srv_test_connect (server);

  srv_test_say (fd, "hello\n");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_assert_no_error (error);
  srv_test_expect (fd, "hello\n");
  srv_test_close (fd);
}
