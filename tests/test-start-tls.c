/* test-start-tls.c - handshakes of TLS, beside plain clients
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"
#include "tls-over.h"

#include <stdlib.h>

/* How the server's process ends when there is no TLS to be had. */
#define NO_TLS 77

/* Lays TLS over the connection if the client asks for it. */

#define TEST_TYPE_TLS_HANDLER (test_tls_handler_get_type ())
G_DECLARE_FINAL_TYPE (TestTlsHandler,
                      test_tls_handler,
                      TEST,
                      TLS_HANDLER,
                      SrvStreamRequestHandler)

struct _TestTlsHandler
{
  SrvStreamRequestHandler parent_instance;
};

G_DEFINE_FINAL_TYPE (TestTlsHandler,
                     test_tls_handler,
                     SRV_TYPE_STREAM_REQUEST_HANDLER)

/* All but prefork, which is last: the workers of a server that is killed live a
 * moment longer than the test. */
#define N_MIX_INS SRV_TEST_PREFORK

/* What the server of a test does; its process is forked after this was set. */
static struct
{
  SrvTestMixIn mix_in;
  int timeout_ms; /* 0: longer than a test waits */
  gboolean stls;  /* greet like POP3, and begin when the client asks for it */
} wanted;

static GTlsCertificate *certificate;

static int
get_timeout (void)
{
  return wanted.timeout_ms > 0 ? wanted.timeout_ms : 10 * SRV_TEST_PATIENCE;
}

static void
assert_no_posts (SrvStreamRequestHandler *self)
{
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("plain\n", 6);
  g_autoptr (GError) error = NULL;
  const gboolean refused =
    !srv_connection_post (connection, bytes, &error) &&
    g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);

  /* Only whoever has failed to shake hands can read it. */
  srv_connection_send_all (connection, refused ? "none\n" : "some\n", 5, NULL,
                           NULL);
}

/* As far as `openssl s_client -starttls pop3` speaks it. */
static gboolean
begin_when_asked (SrvStreamRequestHandler *self, GError **error)
{
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  const char *line;

  srv_connection_set_post_limit (srv_stream_request_handler_get_connection (
                                   self),
                                 1000);
  if (!srv_writer_write_string (wfile, "+OK ready\r\n", error) ||
      srv_reader_read_line (rfile, &line, 100, error) <= 0 ||
      !g_str_equal (line, "STLS\r\n") ||
      !srv_writer_write_string (wfile, "+OK begin\r\n", error))
    return FALSE;
  if (srv_stream_request_handler_start_tls (self, certificate, get_timeout (),
                                            error))
    return TRUE;
  assert_no_posts (self);
  return FALSE;
}

static gboolean
test_tls_handler_setup (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);

  if (!SRV_BASE_REQUEST_HANDLER_CLASS (test_tls_handler_parent_class)
         ->setup (handler, error))
    return FALSE;
  if (wanted.stls)
    return begin_when_asked (self, error);
  return tls_over_set_up (self, certificate, get_timeout (), error);
}

static void
do_nothing (G_GNUC_UNUSED gpointer user_data)
{
}

/* Gives back lines until the end, or until one says that it is the last. */
static gboolean
test_tls_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (rfile, &line, 100, error)) > 0)
    if ((g_str_equal (line, "offload\n") &&
         !srv_offload (do_nothing, NULL, error)) ||
        !srv_writer_write (wfile, line, (gsize) length, error) ||
        g_str_equal (line, "last\n"))
      break;

  return length >= 0;
}

static void
test_tls_handler_class_init (TestTlsHandlerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->setup = test_tls_handler_setup;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = test_tls_handler_handle;
}

static void
test_tls_handler_init (G_GNUC_UNUSED TestTlsHandler *self)
{
}

/* The server: a process of its own, for GIO and its backend have threads and
 * descriptors that stay. It ends with the test, which kills it. */

static G_GNUC_NORETURN void
serve (int fd, const char *pem)
{
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new (wanted.mix_in);
  g_autoptr (SrvBaseServer) server = NULL;
  g_autofree char *endpoint = NULL;

  if (!tls_over_is_there ())
    _exit (NO_TLS);
  certificate = g_tls_certificate_new_from_file (pem, NULL);
  if (wanted.mix_in == SRV_TEST_FIBERS)
    {
      srv_fiber_mix_in_set_workers (SRV_FIBER_MIX_IN (mix_in), 1);
      /* Nothing here may keep the worker to itself. */
      srv_fiber_mix_in_set_block_limit (SRV_FIBER_MIX_IN (mix_in), 500);
    }
  server =
    srv_create_server ("tcp:127.0.0.1:0", TEST_TYPE_TLS_HANDLER, mix_in, NULL);
  if (certificate == NULL || server == NULL)
    _exit (1);
  endpoint = srv_base_server_dup_endpoint (server);
  if (write (fd, endpoint, strlen (endpoint) + 1) < 0)
    _exit (1);
  srv_base_server_serve_forever (server, NULL);
  _exit (0);
}

typedef struct
{
  pid_t pid;
  guint16 port; /* 0: there is no TLS */
} Server;

static void
make_certificate (const char *pem)
{
  g_autofree char *command = g_strdup_printf (
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout '%s' -out '%s.crt' "
    "-days 2 -subj /CN=localhost 2>/dev/null && cat '%s.crt' >> '%s' && "
    "rm '%s.crt'",
    pem, pem, pem, pem, pem);

  ck_assert_int_eq (system (command), 0);
}

static Server
start_server (void)
{
  g_autofree char *pem = srv_test_path ("server.pem");
  Server server = { 0 };
  char endpoint[64] = "";
  int fds[2], status;

  if (system ("openssl version >/dev/null 2>&1") != 0)
    {
      g_print ("# skipped: there is no openssl\n");
      return server;
    }
  make_certificate (pem);
  ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
  server.pid = fork ();
  if (server.pid == 0)
    serve (fds[1], pem);
  close (fds[1]);
  if (read (fds[0], endpoint, sizeof endpoint - 1) > 0)
    server.port = (guint16) atoi (strrchr (endpoint, ':') + 1);
  close (fds[0]);
  if (server.port == 0)
    {
      ck_assert_int_eq (waitpid (server.pid, &status, 0), server.pid);
      ck_assert (WIFEXITED (status) && WEXITSTATUS (status) == NO_TLS);
      g_print ("# skipped: GIO has no TLS here (glib-networking)\n");
    }
  g_unlink (pem);

  return server;
}

static Server
start_stls_server (SrvTestMixIn mix_in)
{
  wanted.mix_in = mix_in;
  wanted.stls = TRUE;

  return start_server ();
}

static void
end_server (Server *server)
{
  int status;

  kill (server->pid, SIGKILL);
  ck_assert_int_eq (waitpid (server->pid, &status, 0), server->pid);
  ck_assert (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

static int
connect_to (const Server *server)
{
  const struct sockaddr_in address = {
    .sin_family = AF_INET,
    .sin_port = htons (server->port),
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };
  int fd = srv_test_socket (AF_INET, SOCK_STREAM);

  ck_assert_int_eq (connect (fd, (const struct sockaddr *) &address,
                             sizeof address),
                    0);

  return fd;
}

static void
echo_line (const Server *server, const char *line)
{
  int fd = connect_to (server);

  srv_test_say (fd, line);
  srv_test_expect (fd, line);
  srv_test_close (fd);
}

static void
echo_plainly (const Server *server)
{
  echo_line (server, "plain\n");
}

/* A client that speaks TLS; its output is read with finish_tls(). */
static FILE *
start_tls (const Server *server)
{
  g_autofree char *command = g_strdup_printf (
    "printf 'secret\\nlast\\n' | timeout %d openssl s_client -quiet %s "
    "-connect 127.0.0.1:%u 2>/dev/null",
    2 * SRV_TEST_PATIENCE / 1000, wanted.stls ? "-starttls pop3" : "",
    server->port);

  return popen (command, "re");
}

static void
finish_tls (FILE *client)
{
  char text[64] = "";
  gsize length = fread (text, 1, sizeof text - 1, client);

  pclose (client);
  text[length] = '\0';
  ck_assert_str_eq (text, "secret\nlast\n");
}

/* The same handler serves both kinds of clients, side by side on one worker. */
START_TEST (tls_and_plain_clients_are_served)
{
  const guint n_rounds = srv_test_is_short () ? 1 : 2;
  FILE *clients[4];
  Server server;

  wanted.mix_in = (SrvTestMixIn) _i;
  server = start_server ();
  if (server.port == 0)
    return;
  for (guint round = 0; round < n_rounds; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
        clients[i] = start_tls (&server);
      for (guint i = 0; i < 50; i++)
        echo_plainly (&server);
      for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
        finish_tls (clients[i]);
    }
  end_server (&server);
}
END_TEST

/* A client that goes no further. */
static int
begin_handshake (const Server *server)
{
  const char beginning[] = { TLS_RECORD, 3, 1, 1 };
  int fd = connect_to (server);

  srv_test_send (fd, beginning, sizeof beginning);

  return fd;
}

/* Clients that begin a handshake and never go on keep nobody waiting. */
START_TEST (hanging_handshake_holds_up_nobody)
{
  int fds[10];
  gint64 before;
  Server server;

  wanted.mix_in = SRV_TEST_FIBERS;
  server = start_server ();
  if (server.port == 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = begin_handshake (&server);
  before = g_get_monotonic_time ();
  for (guint i = 0; i < 100; i++)
    echo_plainly (&server);
  finish_tls (start_tls (&server));
  srv_test_assert_took (before, 0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_close (fds[i]);
  echo_plainly (&server);
  finish_tls (start_tls (&server));
  end_server (&server);
}
END_TEST

/* ... nor from anything else that is offloaded. */
START_TEST (handshakes_leave_room_for_others)
{
  int fds[70];
  Server server;

  wanted.mix_in = SRV_TEST_FIBERS;
  server = start_server ();
  if (server.port == 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = begin_handshake (&server);
  /* Asked after them, on the same worker. */
  echo_plainly (&server);
  echo_line (&server, "offload\n");
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_close (fds[i]);
  end_server (&server);
}
END_TEST

/* Who waits for a turn longer than a handshake may take is not kept. */
START_TEST (limit_includes_the_wait_for_a_turn)
{
  int fds[70];
  gint64 before;
  Server server;

  wanted.mix_in = SRV_TEST_FIBERS;
  wanted.timeout_ms = SRV_TEST_PATIENCE * 2 / 5;
  server = start_server ();
  if (server.port == 0)
    return;
  before = g_get_monotonic_time ();
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = begin_handshake (&server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      srv_test_expect_gone (fds[i]);
      srv_test_close (fds[i]);
    }
  /* If each had a limit of its own, the last would need two. */
  ck_assert_int_lt (g_get_monotonic_time () - before,
                    wanted.timeout_ms * G_GINT64_CONSTANT (1800));
  finish_tls (start_tls (&server));
  end_server (&server);
}
END_TEST

/* ... and not for ever. */
START_TEST (handshake_has_a_limit)
{
  Server server;
  int fd;

  wanted.mix_in = (SrvTestMixIn) _i;
  wanted.timeout_ms = 200;
  server = start_server ();
  if (server.port == 0)
    return;
  fd = begin_handshake (&server);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  echo_plainly (&server);
  end_server (&server);
}
END_TEST

START_TEST (handshake_begins_when_asked_for)
{
  Server server = start_stls_server ((SrvTestMixIn) _i);

  if (server.port == 0)
    return;
  finish_tls (start_tls (&server));
  end_server (&server);
}
END_TEST

/* What anybody may have sent before is not the client's; nor can anybody post to
 * it any more. */
START_TEST (nothing_comes_between_command_and_handshake)
{
  Server server = start_stls_server ((SrvTestMixIn) _i);
  int fd;

  if (server.port == 0)
    return;
  fd = connect_to (&server);
  srv_test_say (fd, "STLS\r\nforged\n");
  srv_test_expect (fd, "+OK ready\r\nnone\n+OK begin\r\n");
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  finish_tls (start_tls (&server));
  end_server (&server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "tls", tls_and_plain_clients_are_served, N_MIX_INS },
    { "tls", hanging_handshake_holds_up_nobody, 1 },
    { "tls", handshakes_leave_room_for_others, 1 },
    { "tls", handshake_has_a_limit, N_MIX_INS },
    { "tls", limit_includes_the_wait_for_a_turn, 1 },
    { "tls", handshake_begins_when_asked_for, N_MIX_INS },
    { "tls", nothing_comes_between_command_and_handshake, N_MIX_INS },
  };

  return srv_test_run_entries ("StartTls", tests, G_N_ELEMENTS (tests));
}
