/* test-udp-replies.c - which datagram is answered, and how
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "udp-test.h"

#include <netinet/udp.h>

/* A handler of which the test decides the switches. */
typedef struct
{
  SrvDatagramRequestHandler parent_instance;
} SwitchHandler;
typedef struct
{
  SrvDatagramRequestHandlerClass parent_class;
} SwitchHandlerClass;

static gboolean always_reply;
static gboolean reply_after_failure;

static GType switch_handler_get_type (void);
G_DEFINE_TYPE (SwitchHandler, switch_handler, SRV_TYPE_DATAGRAM_REQUEST_HANDLER)

/* "silent", "empty", "fail", or any text to be given back. */
static gboolean
switch_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  gsize length;
  const char *data =
    g_bytes_get_data (srv_datagram_request_handler_get_packet (self), &length);

  srv_test_trace ("handle");
  if (length == 6 && memcmp (data, "silent", 6) == 0)
    return TRUE;
  if (length == 4 && memcmp (data, "fail", 4) == 0)
    {
      srv_datagram_request_handler_write (self, "partial", 7, NULL);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck");
      return FALSE;
    }

  return srv_datagram_request_handler_write (self, data, length, error);
}

static void
switch_handler_class_init (SwitchHandlerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = switch_handler_handle;
}

static void
switch_handler_init (SwitchHandler *self)
{
  SrvDatagramRequestHandler *handler = SRV_DATAGRAM_REQUEST_HANDLER (self);

  srv_datagram_request_handler_set_always_reply (handler, always_reply);
  srv_datagram_request_handler_set_reply_after_failure (handler,
                                                        reply_after_failure);
}

static SrvBaseServer *
make_switched (int i)
{
  SrvTestTransport transport =
    srv_test_transport_of (i) % 2 == 0 ? SRV_TEST_UDP : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server =
    srv_test_server_new (transport, srv_test_mix_in_of (i));

  srv_base_server_set_handler_type (server, switch_handler_get_type ());

  return server;
}

#define N_SWITCHED (2 * SRV_TEST_N_MIX_INS)

/* Nothing is sent when nothing was written (SS-168, D-40). Python sends an
 * empty datagram. */
START_TEST (silent_handler_sends_nothing)
{
  SrvBaseServer *server = make_switched (_i);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "silent");
  srv_test_wait_for_trace ("shutdown_request", 1);
  srv_test_say (fd, "hello");
  srv_test_expect (fd, "hello");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* ... unless Python's way is asked for. */
START_TEST (always_reply_sends_an_empty_datagram)
{
  SrvBaseServer *server = make_switched (_i);
  SrvTestRun *run;
  int fd;

  always_reply = TRUE;
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "silent");
  srv_test_expect (fd, "");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* What a failed handler had written is not sent (SS-170); Python sends it. */
START_TEST (failed_handler_sends_nothing)
{
  SrvBaseServer *server = make_switched (_i);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "fail");
  srv_test_wait_for_trace ("handle_error", 1);
  srv_test_say (fd, "hello");
  srv_test_expect (fd, "hello");
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

START_TEST (reply_after_failure_sends_what_was_written)
{
  SrvBaseServer *server = make_switched (_i);
  SrvTestRun *run;
  int fd;

  reply_after_failure = TRUE;
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "fail");
  srv_test_expect (fd, "partial");
  srv_test_wait_for_trace ("handle_error", 1);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
write_too_much (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  g_autofree guint8 *data = g_malloc0 (LARGEST_UDP + 1);
  gsize size =
    g_bytes_get_size (srv_datagram_request_handler_get_packet (self));

  return srv_datagram_request_handler_write (self, data,
                                             size == 3 ? LARGEST_UDP + 1 : 5,
                                             error);
}

/* A reply that no datagram can carry is reported, and serving goes on (SS-169,
 * SS-171). */
START_TEST (oversized_reply_is_reported)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", write_too_much);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  char buffer[16];

  srv_test_say (fd, "big");
  srv_test_wait_for_trace ("handle_error", 1);
  ck_assert_uint_eq (srv_test_get_error_domain (), G_IO_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), G_IO_ERROR_MESSAGE_TOO_LARGE);
  srv_test_say (fd, "small");
  ck_assert_int_eq (srv_test_receive (fd, buffer, sizeof buffer), 5);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A client that is gone before its reply does not stop the server: neither the
 * ICMP error nor a missing path is fatal (SS-169, D-40). */
START_TEST (vanished_client_does_not_matter)
{
  SrvTestTransport transport = _i % 2 == 0 ? SRV_TEST_UDP : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = make_recorder (transport);
  SrvTestRun *run;

  for (guint i = 0; i < 5; i++)
    {
      int fd = srv_test_connect (server);

      srv_test_say (fd, "bye");
      srv_test_close (fd);
    }
  run = srv_test_run (server);
  srv_test_wait_for_trace ("shutdown_request", 5);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

static gboolean
note_reply (SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (self);

  srv_test_set_number (1, srv_datagram_can_reply (datagram));
  srv_test_set_number (2, srv_base_request_handler_get_client_address (
                            handler) == NULL);

  return srv_datagram_request_handler_write (self, "hello", 5, error);
}

/* A Unix sender without a name cannot be answered; its reply is dropped
 * quietly (SS-117, D-40). Python fails with a TypeError. */
START_TEST (unbound_sender_is_served_without_a_reply)
{
  SrvBaseServer *server = make_recorder (SRV_TEST_UNIXGRAM);
  g_autofree char *path = srv_test_path ("socket");
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, note_reply, NULL, NULL);
  srv_test_set_number (1, 7);
  srv_test_begin_log ();
  run = srv_test_run (server);
  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  fd = srv_test_socket (AF_UNIX, SOCK_DGRAM);
  ck_assert_int_eq (connect (fd, (struct sockaddr *) &name, sizeof name), 0);
  srv_test_say (fd, "anonymous");
  srv_test_wait_for_trace ("shutdown_request", 1);
  ck_assert_int_eq (srv_test_get_number (1), FALSE);
  ck_assert_int_eq (srv_test_get_number (2), TRUE);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  srv_test_close (fd);

  /* Somebody with a name is answered afterwards. */
  fd = srv_test_connect (server);
  srv_test_say (fd, "named");
  srv_test_expect (fd, "hello");
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 0);
  srv_test_end_log ();
}
END_TEST

/* Those of the servers on a port. */
static guint
count_sockets (guint port)
{
  g_autofree char *sockets = NULL;
  g_autofree char *bound =
    g_strdup_printf (":%04X 00000000000000000000000000000000:0000", port);
  guint n_sockets = 0;

  ck_assert (g_file_get_contents ("/proc/net/udp6", &sockets, NULL, NULL));
  for (const char *c = sockets; (c = strstr (c, bound)) != NULL; c++)
    n_sockets++;

  return n_sockets;
}

/* What is sent together arrives as it was written, and in order, whatever may be
 * coupled: lengths that change, none, and more than is gathered. All datagrams
 * are there before the server begins, if the sockets are. Workers do not disturb the order if each
 * has a socket of its own. */
START_TEST (gathered_replies_are_as_they_were_written)
{
  static const gsize lengths[] = { 100,  100,  100,  7,    100, 0,   100,
                                   100,  200,  200,  1500, 3,   3,   2048,
                                   2048, 2049, 2048, 0,    0,   1472 };
  static const char *const hosts[] = { "127.0.0.1", "::1", "::1" };
  g_autoptr (SrvMixIn) mix_in =
    srv_test_mix_in_new (_i == 0 ? SRV_TEST_INLINE : SRV_TEST_FIBERS);
  SrvBaseServer *server = srv_test_make (srv_test_server_type (SRV_TEST_UDP),
                                         "udp:[::]:0", "mix-in", mix_in,
                                         "allow-reuse-port", TRUE, NULL);
  SrvTestRun *run = NULL;
  int fds[G_N_ELEMENTS (hosts)];
  guint8 sent[2049];
  guint8 got[sizeof sent + 1];

  if (_i > 0)
    g_object_set (mix_in, "workers", _i, "listener-sharing",
                  _i > 1 ? SRV_LISTENER_SHARING_REUSE_PORT
                         : SRV_LISTENER_SHARING_SHARED,
                  NULL);
  srv_base_server_set_handler_func (server, give_back, NULL, NULL);
  if (_i > 1)
    {
      run = srv_test_run (server);
      /* What comes before a worker has its socket goes to another's. */
      srv_test_eventually (count_sockets (srv_test_port (server)) ==
                           (guint) _i);
    }
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++)
    fds[i] = connect_to (hosts[i], srv_test_port (server));
  for (guint j = 0; j < G_N_ELEMENTS (lengths); j++)
    for (guint i = 0; i < G_N_ELEMENTS (hosts); i++)
      {
        memset (sent, (int) (j * G_N_ELEMENTS (hosts) + i), sizeof sent);
        srv_test_send (fds[i], sent, lengths[j]);
      }
  if (_i <= 1)
    run = srv_test_run (server);
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (lengths); j++)
        {
          memset (sent, (int) (j * G_N_ELEMENTS (hosts) + i), sizeof sent);
          ck_assert_int_eq (srv_test_receive (fds[i], got, sizeof got),
                            (gssize) lengths[j]);
          ck_assert_mem_eq (got, sent, lengths[j]);
        }
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
}
END_TEST

/* A datagram from port 0, which no system sends and which nobody can answer.
 * FALSE without the right to make one. */
static gboolean
say_from_nowhere (guint16 port)
{
  struct sockaddr_in to = {
    .sin_family = AF_INET,
    .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK),
  };
  const struct udphdr header = { .dest = g_htons (port),
                                 .len = g_htons (sizeof header) };
  int fd = socket (AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

  if (fd < 0)
    return FALSE;
  ck_assert_int_eq (sendto (fd, &header, sizeof header, 0,
                            (struct sockaddr *) &to, sizeof to),
                    sizeof header);
  close (fd);
  return TRUE;
}

static gboolean
reply_often (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (
    SRV_DATAGRAM_REQUEST_HANDLER (handler));

  for (guint i = 0; i < 10; i++)
    if (!srv_datagram_reply (datagram, &(char){ (char) ('0' + i) }, 1, error))
      return FALSE;
  return TRUE;
}

/* Replies that cannot be sent are told one by one, and keep no others back, also
 * when more are gathered than there is room for. */
START_TEST (failed_replies_keep_no_others_back)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", reply_often);
  int fd = srv_test_connect (server);
  SrvTestRun *run;
  const guint n_datagrams = 10;

  if (!say_from_nowhere (srv_test_port (server)))
    {
      g_print ("# no right to make a raw socket here\n");
      srv_test_close (fd);
      g_object_unref (server);
      return;
    }
  for (guint i = 0; i < n_datagrams; i++)
    {
      srv_test_say (fd, "hello");
      say_from_nowhere (srv_test_port (server));
    }
  run = srv_test_run (server);
  for (guint i = 0; i < n_datagrams * 10; i++)
    srv_test_expect (fd, (char[]){ (char) ('0' + i % 10), '\0' });
  srv_test_wait_for_trace ("handle_error", (n_datagrams + 1) * 10);
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"),
                     (n_datagrams + 1) * 10);
}
END_TEST

/* Inline, datagrams are handled in the order in which they came (SS-112). */
START_TEST (order_is_kept)
{
  SrvTestTransport transport = _i == 0 ? SRV_TEST_UDP : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = make_recorder (transport);
  SrvTestRun *run;
  int fd = srv_test_connect (server);

  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *text = g_strdup_printf ("packet %u", i);

      srv_test_say (fd, text);
    }
  run = srv_test_run (server);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *text = g_strdup_printf ("packet %u", i);

      srv_test_expect (fd, text);
    }
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
reply_directly (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (self);

  return srv_datagram_reply (datagram, "one", 3, error) &&
         srv_datagram_reply (datagram, "two", 3, error) &&
         srv_datagram_reply (datagram, "", 0, error);
}

/* Several replies to one datagram are possible, empty ones too. */
START_TEST (several_replies_can_be_sent)
{
  SrvTestTransport transport =
    srv_test_transport_of (_i) % 2 == 0 ? SRV_TEST_UDP : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server =
    srv_test_server_new (transport, srv_test_mix_in_of (_i));
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, reply_directly, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello");
  srv_test_expect (fd, "one");
  srv_test_expect (fd, "two");
  srv_test_expect (fd, "");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
use_files (SrvBaseRequestHandler *handler,
           G_GNUC_UNUSED gpointer user_data,
           GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  GInputStream *rfile = srv_datagram_request_handler_get_rfile (self);
  GOutputStream *wfile = srv_datagram_request_handler_get_wfile (self);
  char buffer[4];
  gssize n;

  while ((n = g_input_stream_read (rfile, buffer, sizeof buffer, NULL, error)) >
         0)
    if (!g_output_stream_write_all (wfile, buffer, (gsize) n, NULL, NULL,
                                    error))
      return FALSE;

  return n == 0;
}

/* rfile is the packet, wfile becomes the one reply (SS-167, SS-168). */
START_TEST (files_are_packet_and_reply)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", use_files);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "a longer text");
  srv_test_expect (fd, "a longer text");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A peer whose queue is full delays the server by its reply-timeout at most;
 * then the failure is told, and others are served (peers reference 5.10). The
 * peer is not connected: Linux puts no limit to a queue from one's own peer. */
START_TEST (full_client_does_not_stop_the_server)
{
  const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
  SrvBaseServer *server = make_recorder (SRV_TEST_UNIXGRAM);
  GSocketAddress *address = srv_base_server_get_server_address (server);
  struct sockaddr_un name;
  socklen_t length = (socklen_t) g_socket_address_get_native_size (address);
  SrvTestRun *run;
  int deaf = srv_test_connect (server);
  const guint n = 40;

  ck_assert (g_socket_address_to_native (address, &name, sizeof name, NULL));
  ck_assert_int_eq (connect (deaf, &nobody, sizeof nobody), 0);
  srv_datagram_server_set_reply_timeout (SRV_DATAGRAM_SERVER (server), 5);
  run = srv_test_run (server);
  for (guint i = 0; i < n; i++)
    ck_assert_int_eq (sendto (deaf, "more", 4, 0, (struct sockaddr *) &name,
                              length),
                      4);
  srv_test_wait_for_trace ("shutdown_request", n);
  srv_test_wait_for_trace ("handle_error", 1);
  srv_test_echo (server, "hello\n");
  srv_test_close (deaf);
  srv_test_finish (run);
}
END_TEST

/* Many datagrams at once are each handled once, in workers too (SS-138). */
START_TEST (each_datagram_is_handled_once)
{
  SrvBaseServer *server = make_switched (_i);
  SrvTestRun *run = srv_test_run (server);
  int fds[8];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "hello");
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_expect (fds[i], "hello");
  srv_test_stop (run);
  srv_base_server_server_close (server);
  ck_assert_uint_eq (srv_test_count_trace ("handle"), G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      ck_assert (srv_test_is_quiet (fds[i]));
      srv_test_close (fds[i]);
    }
  g_object_unref (server);
}
END_TEST

/* Says TEXT, and sends a copy of the socket with it. */
static void
say_with_descriptor (int fd, const char *text)
{
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { .header = { .cmsg_len = CMSG_LEN (sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
  struct iovec part = { (char *) text, strlen (text) };
  struct msghdr message = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };

  memcpy (CMSG_DATA (&control.header), &fd, sizeof fd);
  ck_assert_int_eq (sendmsg (fd, &message, 0), (gssize) part.iov_len);
}

/* What a client sends beside its words does not stay open in the server. */
START_TEST (descriptors_are_not_kept)
{
  SrvBaseServer *server =
    srv_test_server_new (SRV_TEST_UNIXGRAM, SRV_TEST_INLINE);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  guint before = srv_test_count_descriptors ();

  for (guint i = 0; i < 10; i++)
    {
      say_with_descriptor (fd, "hello\n");
      srv_test_expect (fd, "hello\n");
    }
  ck_assert_uint_eq (srv_test_count_descriptors (), before);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "replies", silent_handler_sends_nothing, N_SWITCHED },
    { "replies", always_reply_sends_an_empty_datagram, N_SWITCHED },
    { "replies", failed_handler_sends_nothing, N_SWITCHED },
    { "replies", reply_after_failure_sends_what_was_written, N_SWITCHED },
    { "replies", several_replies_can_be_sent, N_SWITCHED },
    { "replies", files_are_packet_and_reply, 1 },
    { "replies", gathered_replies_are_as_they_were_written, 3 },
    { "replies", order_is_kept, 2 },
    { "trouble", oversized_reply_is_reported, 1 },
    { "trouble", vanished_client_does_not_matter, 2 },
    { "trouble", unbound_sender_is_served_without_a_reply, 1 },
    { "trouble", failed_replies_keep_no_others_back, 1 },
    { "trouble", descriptors_are_not_kept, 1 },
    { "trouble", full_client_does_not_stop_the_server, 1 },
    { "replies", each_datagram_is_handled_once, N_SWITCHED },
  };

  return srv_test_run_entries ("UDPReplies", tests, G_N_ELEMENTS (tests));
}
