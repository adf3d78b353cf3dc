/* test-unix-servers.c - paths, abstract names, owners and credentials
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <gio/gunixsocketaddress.h>

/* The two Unix transports; loops run over both. */
static SrvTestTransport
transport_of (int i)
{
  return i % 2 == 0 ? SRV_TEST_UNIX : SRV_TEST_UNIXGRAM;
}

static char *
endpoint_of (int i, const char *name)
{
  g_autofree char *path =
    name[0] == '@' || name[0] == '/' ? g_strdup (name) : srv_test_path (name);

  return g_strconcat (i % 2 == 0 ? "unix:" : "unixgram:", path, NULL);
}

static SrvBaseServer *
make_server (int i, const char *name)
{
  SrvTestTransport transport = transport_of (i);
  g_autofree char *endpoint = endpoint_of (i, name);

  return srv_test_make (srv_test_server_type (transport), endpoint,
                        "handler-type", srv_test_handler_type (transport),
                        NULL);
}

static SrvBaseServer *
try_server (int i, const char *name, GError **error)
{
  g_autofree char *endpoint = endpoint_of (i, name);

  return srv_test_try (srv_test_plain_type (transport_of (i)), endpoint, error,
                       "path-take-over", i < 2, NULL);
}

/* Serves one client and closes. */
static void
prove (SrvBaseServer *server)
{
  SrvTestRun *run = srv_test_run (server);

  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}

static ino_t
inode_of (const char *path)
{
  struct stat status;

  ck_assert_msg (lstat (path, &status) == 0, "%s: %s", path,
                 g_strerror (errno));

  return status.st_ino;
}

/* A socket bound to PATH by nobody of the library. */
static int
squat (int i, const char *path)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd =
    socket (AF_UNIX, (i % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &name, sizeof name), 0);
  if (i % 2 == 0)
    ck_assert_int_eq (listen (fd, 5), 0);

  return fd;
}

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS) ||
         g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

/* The path appears with the server and goes with it, and nothing else stays in
 * the directory (SS-114, D-36). Python leaves the path for the next start to
 * trip over. The fixture looks at the directory. */
START_TEST (path_lives_as_long_as_the_server)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autofree char *expected = endpoint_of (_i, "socket");
  SrvBaseServer *server = make_server (_i, "socket");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  GUnixSocketAddress *address =
    G_UNIX_SOCKET_ADDRESS (srv_base_server_get_server_address (server));

  ck_assert (exists (path));
  ck_assert_str_eq (endpoint, expected);
  ck_assert_str_eq (g_unix_socket_address_get_path (address), path);
  prove (server);
  ck_assert (!exists (path));
}
END_TEST

/* A dead socket is replaced (D-36). */
START_TEST (dead_path_is_replaced)
{
  g_autofree char *path = srv_test_path ("socket");
  ino_t before;

  close (squat (_i, path));
  before = inode_of (path);
  ck_assert_uint_ne (before, 0);
  prove (make_server (_i, "socket"));
  ck_assert (!exists (path));
}
END_TEST

/* A socket that somebody still serves is left alone (D-36). Blind unlinking
 * steals its name. */
START_TEST (live_path_is_refused)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autoptr (GError) error = NULL;
  int fd = squat (_i, path);
  ino_t before = inode_of (path);

  ck_assert_ptr_null (try_server (_i, "socket", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert_msg (strstr (error->message, path) != NULL, "%s", error->message);
  ck_assert_uint_eq (inode_of (path), before);
  close (fd);
  g_unlink (path);
}
END_TEST

/* The same for a server of ours, which goes on serving; and its path is there
 * for the successor once it is closed. */
START_TEST (path_of_a_running_server_is_refused)
{
  SrvBaseServer *server = make_server (_i, "socket");
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++)
    {
      ck_assert_ptr_null (try_server (_i, "socket", &error));
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
      g_clear_error (&error);
    }
  srv_test_echo (server, "still here\n");
  srv_test_finish (run);
  prove (make_server (_i, "socket"));
}
END_TEST

/* A full queue is a sign of life. */
START_TEST (busy_path_is_refused)
{
  g_autofree char *path = srv_test_path ("socket");
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  g_autoptr (GError) error = NULL;
  int listener = squat (0, path);
  int clients[3];

  ck_assert_int_eq (listen (listener, 0), 0);
  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      clients[i] =
        socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (connect (clients[i], (struct sockaddr *) &name, sizeof name) < 0)
        ck_assert_int_eq (errno, EAGAIN);
    }
  ck_assert_ptr_null (try_server (0, "socket", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    close (clients[i]);
  close (listener);
  g_unlink (path);
}
END_TEST

/* A socket of the other kind is alive as well. */
START_TEST (live_path_of_the_other_kind_is_refused)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autoptr (GError) error = NULL;
  int fd = squat (_i + 1, path);

  ck_assert_ptr_null (try_server (_i, "socket", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  close (fd);
  g_unlink (path);
}
END_TEST

/* What is no socket belongs to somebody else and stays what it was. */
START_TEST (foreign_file_is_untouched)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autofree char *target = srv_test_path ("target");
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  int kind = _i / 4;

  switch (kind)
    {
    case 0:
      ck_assert (g_file_set_contents (path, "precious", -1, NULL));
      break;
    case 1:
      ck_assert_int_eq (g_mkdir (path, 0700), 0);
      break;
    default:
      ck_assert (g_file_set_contents (target, "precious", -1, NULL));
      ck_assert_int_eq (symlink (target, path), 0);
      break;
    }
  ck_assert_ptr_null (try_server (_i % 4, "socket", &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (strstr (error->message, path) != NULL, "%s", error->message);
  if (kind == 1)
    ck_assert (g_file_test (path, G_FILE_TEST_IS_DIR));
  else
    {
      ck_assert (g_file_get_contents (path, &text, NULL, NULL));
      ck_assert_str_eq (text, "precious");
    }
  if (kind == 2)
    ck_assert (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  g_remove (path);
  g_remove (target);
}
END_TEST

/* Without take-over any existing path is in use, as in Python (SS-114). */
START_TEST (take_over_can_be_switched_off)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;

  close (squat (_i, path));
  ck_assert_ptr_null (try_server (_i + 2, "socket", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert (exists (path));
  g_unlink (path);
  g_clear_error (&error);
  server = try_server (_i + 2, "socket", &error);
  srv_test_assert_no_error (error);
  g_object_unref (server);
}
END_TEST

/* A directory that is not there is an error that names the path. */
START_TEST (missing_directory_is_named)
{
  g_autofree char *path = srv_test_path ("nowhere/socket");
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (try_server (_i, path, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  ck_assert_msg (strstr (error->message, path) != NULL, "%s", error->message);
}
END_TEST

/* 107 bytes fit, 108 do not, and the refusal is clear (section 5.7). */
START_TEST (too_long_path_is_refused)
{
  gsize length = _i < 2 ? 108 : 107;
  g_autoptr (GString) path = g_string_new (srv_test_directory ());
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;

  g_string_append_c (path, '/');
  while (path->len < length)
    g_string_append_c (path, 'x');
  server = try_server (_i % 2, path->str, &error);
  if (length == 108)
    {
      ck_assert_ptr_null (server);
      ck_assert_ptr_nonnull (error);
      ck_assert (!exists (path->str));
    }
  else
    {
      srv_test_assert_no_error (error);
      g_object_unref (server);
    }
}
END_TEST

/* The file gets its mode before it gets its name (D-37); the default follows
 * the umask. */
START_TEST (mode_is_as_asked)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autofree char *endpoint = endpoint_of (_i % 2, "socket");
  int mode = _i < 2 ? 0620 : -1;
  mode_t mask = umask (0027);
  SrvBaseServer *server =
    srv_test_make (srv_test_plain_type (transport_of (_i)), endpoint,
                   "path-mode", mode, NULL);
  struct stat status;

  ck_assert_int_eq (stat (path, &status), 0);
  ck_assert_uint_eq (status.st_mode & 07777, _i < 2 ? 0620 : 0750);
  /* The process's own mask is nobody's to change. */
  ck_assert_uint_eq (umask (mask), 0027);
  g_object_unref (server);
}
END_TEST

/* Owner and group can be given; only root may give away. */
START_TEST (owner_is_as_asked)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autofree char *endpoint = endpoint_of (_i, "socket");
  uid_t owner = geteuid () == 0 ? 12345 : geteuid ();
  gid_t group = geteuid () == 0 ? 23456 : getegid ();
  SrvBaseServer *server =
    srv_test_make (srv_test_plain_type (transport_of (_i)), endpoint,
                   "path-owner", (gint64) owner, "path-group", (gint64) group,
                   NULL);
  struct stat status;

  ck_assert_int_eq (stat (path, &status), 0);
  ck_assert_uint_eq (status.st_uid, owner);
  ck_assert_uint_eq (status.st_gid, group);
  g_object_unref (server);
}
END_TEST

/* A path that has become somebody else's is left alone at close (D-36). */
START_TEST (foreign_inode_is_not_removed)
{
  g_autofree char *path = srv_test_path ("socket");
  SrvBaseServer *server = make_server (_i, "socket");
  ino_t inode;
  int fd;

  g_unlink (path);
  fd = squat (_i, path);
  inode = inode_of (path);
  srv_base_server_server_close (server);
  ck_assert_uint_eq (inode_of (path), inode);
  close (fd);
  g_unlink (path);
  g_object_unref (server);
}
END_TEST

/* A path that is already gone does not disturb the close. */
START_TEST (missing_path_does_not_disturb_close)
{
  g_autofree char *path = srv_test_path ("socket");
  SrvBaseServer *server = make_server (_i, "socket");

  g_unlink (path);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* A process that was forked from the creator's and closes its copy of the
 * server leaves the path alone (D-36). */
START_TEST (forked_copy_does_not_remove_the_path)
{
  g_autofree char *path = srv_test_path ("socket");
  SrvBaseServer *server = make_server (_i, "socket");
  int status;
  pid_t pid;

  pid = fork ();
  ck_assert_int_ge (pid, 0);
  if (pid == 0)
    {
      srv_base_server_server_close (server);
      g_object_unref (server);
      _exit (0);
    }
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert_int_eq (status, 0);
  ck_assert (exists (path));
  prove (server);
}
END_TEST

/* The children of the forking mix-in do not either. */
START_TEST (forked_handler_does_not_remove_the_path)
{
  g_autofree char *path = srv_test_path ("socket");
  SrvBaseServer *server =
    srv_test_server_new (transport_of (_i), SRV_TEST_FORKING);
  SrvTestRun *run = srv_test_run (server);

  srv_test_echo (server, "hello\n");
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  ck_assert (exists (path));
  srv_test_echo (server, "again\n");
  srv_test_finish (run);
  ck_assert (!exists (path));
}
END_TEST

/* Abstract names have no file, read back as they were given, and are free after
 * close (SS-115). */
START_TEST (abstract_name_is_served)
{
  g_autofree char *name = g_strdup_printf ("@srv-test-%d-%d", getpid (), _i);
  g_autofree char *expected = endpoint_of (_i, name);

  for (guint i = 0; i < 2; i++)
    {
      SrvBaseServer *server = make_server (_i, name);
      g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
      GUnixSocketAddress *address =
        G_UNIX_SOCKET_ADDRESS (srv_base_server_get_server_address (server));

      ck_assert_str_eq (endpoint, expected);
      ck_assert_int_eq (g_unix_socket_address_get_address_type (address),
                        G_UNIX_SOCKET_ADDRESS_ABSTRACT);
      prove (server);
    }
}
END_TEST

/* A second server on an abstract name is refused by the kernel. */
START_TEST (abstract_name_in_use_is_refused)
{
  g_autofree char *name = g_strdup_printf ("@srv-test-%d-%d", getpid (), _i);
  SrvBaseServer *server = make_server (_i, name);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (try_server (_i, name, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert_msg (strstr (error->message, name) != NULL, "%s", error->message);
  g_object_unref (server);
}
END_TEST

/* Without a name the kernel picks one, and what is printed reaches the server
 * (SS-115, section 5.10). */
START_TEST (kernel_picks_a_name)
{
  SrvBaseServer *server = make_server (_i, "@");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  const char *prefix = _i % 2 == 0 ? "unix:@" : "unixgram:@";

  ck_assert_msg (g_str_has_prefix (endpoint, prefix), "%s", endpoint);
  ck_assert_uint_eq (strlen (endpoint), strlen (prefix) + 5);
  prove (server);
}
END_TEST

/* Bytes that a string cannot show come back escaped. */
START_TEST (abstract_name_may_hold_any_byte)
{
  g_autofree char *name = g_strdup_printf ("@srv%%00%d%%01%%FF", getpid ());
  g_autofree char *expected = endpoint_of (_i, name);
  SrvBaseServer *server = make_server (_i, name);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);

  ck_assert_str_eq (endpoint, expected);
  prove (server);
}
END_TEST

static gboolean
tell_credentials (SrvBaseRequestHandler *handler,
                  G_GNUC_UNUSED gpointer user_data,
                  GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  g_autoptr (GCredentials) credentials = NULL;

  credentials = srv_request_get_credentials (request, error);
  if (credentials == NULL)
    return FALSE;
  srv_test_set_number (1, g_credentials_get_unix_pid (credentials, NULL));
  srv_test_set_number (2, g_credentials_get_unix_user (credentials, NULL));
  srv_test_set_number (3, 1);

  return TRUE;
}

/* The handler can ask who is there (D-38). */
START_TEST (peer_has_credentials)
{
  SrvBaseServer *server =
    srv_test_server_new (SRV_TEST_UNIX, (SrvTestMixIn) _i);
  SrvTestRun *run;
  int fd;

  srv_test_set_number (2, -1);
  srv_base_server_set_handler_func (server, tell_credentials, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (3, 1);
  ck_assert_int_eq (srv_test_get_number (1), getpid ());
  ck_assert_int_eq (srv_test_get_number (2), geteuid ());
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* On TCP there are none, and nobody must be taken for root (section 5.10 of the
 * peers reference). */
START_TEST (tcp_peer_has_none)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, tell_credentials, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_trace ("handle_error", 1);
  ck_assert_int_eq (srv_test_get_number (3), 0);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
tell_client (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             G_GNUC_UNUSED GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  g_autofree char *client = srv_request_describe_client (request);

  srv_test_set_number (1, client != NULL && client[0] != '\0');
  srv_test_set_number (0, 1);

  return TRUE;
}

/* A client without a name of its own can be described all the same (SS-116).
 * Python's empty string breaks code that expects a pair. */
START_TEST (nameless_client_has_a_description)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_UNIX, SRV_TEST_INLINE);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, tell_client, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (0, 1);
  ck_assert_int_eq (srv_test_get_number (1), TRUE);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "path", path_lives_as_long_as_the_server, 2 },
    { "path", missing_directory_is_named, 2 },
    { "path", too_long_path_is_refused, 4 },
    { "path", mode_is_as_asked, 4 },
    { "path", owner_is_as_asked, 2 },
    { "take-over", dead_path_is_replaced, 2 },
    { "take-over", live_path_is_refused, 2 },
    { "take-over", path_of_a_running_server_is_refused, 2 },
    { "take-over", busy_path_is_refused, 1 },
    { "take-over", live_path_of_the_other_kind_is_refused, 2 },
    { "take-over", foreign_file_is_untouched, 12 },
    { "take-over", take_over_can_be_switched_off, 2 },
    { "close", foreign_inode_is_not_removed, 2 },
    { "close", missing_path_does_not_disturb_close, 2 },
    { "close", forked_copy_does_not_remove_the_path, 2 },
    { "close", forked_handler_does_not_remove_the_path, 2 },
    { "abstract", abstract_name_is_served, 2 },
    { "abstract", abstract_name_in_use_is_refused, 2 },
    { "abstract", abstract_name_may_hold_any_byte, 2 },
    { "abstract", kernel_picks_a_name, 2 },
    { "peer", peer_has_credentials, SRV_TEST_N_MIX_INS },
    { "peer", tcp_peer_has_none, 1 },
    { "peer", nameless_client_has_a_description, 1 },
  };

  return srv_test_run_entries ("UnixServers", tests, G_N_ELEMENTS (tests));
}
