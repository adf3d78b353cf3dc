/* test-base-server.c - the server without a socket of the library
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

/* A request of the test's own kind. Every function has a default. */

typedef struct
{
  GObject parent_instance;
} OwnRequest;
typedef struct
{
  GObjectClass parent_class;
} OwnRequestClass;

static void
own_request_iface_init (G_GNUC_UNUSED SrvRequestInterface *iface)
{
}

static GType own_request_get_type (void);
G_DEFINE_TYPE_WITH_CODE (OwnRequest,
                         own_request,
                         G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (SRV_TYPE_REQUEST,
                                                own_request_iface_init))

static void
own_request_class_init (G_GNUC_UNUSED OwnRequestClass *klass)
{
}

static void
own_request_init (G_GNUC_UNUSED OwnRequest *self)
{
}

/* A server that overrides nothing. */

typedef struct
{
  SrvBaseServer parent_instance;
} BareServer;
typedef struct
{
  SrvBaseServerClass parent_class;
} BareServerClass;

static GType bare_server_get_type (void);
G_DEFINE_TYPE (BareServer, bare_server, SRV_TYPE_BASE_SERVER)

static void
bare_server_class_init (G_GNUC_UNUSED BareServerClass *klass)
{
}

static void
bare_server_init (G_GNUC_UNUSED BareServer *self)
{
}

/* A server whose requests are the counts of an eventfd. */

typedef struct
{
  SrvBaseServer parent_instance;
  int event_fd;
} EventServer;
typedef struct
{
  SrvBaseServerClass parent_class;
} EventServerClass;

static GType event_server_get_type (void);
G_DEFINE_TYPE (EventServer, event_server, SRV_TYPE_BASE_SERVER)

static gboolean
event_server_bind (SrvBaseServer *server, GError **error)
{
  ((EventServer *) server)->event_fd =
    eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);

  return srv_test_hook (server, "server_bind", error);
}

static gboolean
event_server_activate (SrvBaseServer *server, GError **error)
{
  return srv_test_hook (server, "server_activate", error);
}

static int
event_server_fileno (SrvBaseServer *server)
{
  return ((EventServer *) server)->event_fd;
}

static SrvRequest *
event_server_get_request (SrvBaseServer *server, GError **error)
{
  guint64 count;

  if (read (((EventServer *) server)->event_fd, &count, sizeof count) < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                           "nothing there");
      return NULL;
    }
  srv_test_trace ("get_request");

  return g_object_new (own_request_get_type (), NULL);
}

static gboolean
event_server_service_actions (SrvBaseServer *server, GError **error)
{
  return srv_test_hook (server, "service_actions", error) &&
         SRV_BASE_SERVER_CLASS (event_server_parent_class)
           ->service_actions (server, error);
}

static void
event_server_handle_error (SrvBaseServer *server,
                           G_GNUC_UNUSED SrvRequest *request,
                           const GError *error)
{
  srv_test_hook (server, "handle_error", NULL);
  srv_test_set_number (3, strstr (error->message, "handler") != NULL);
}

static void
event_server_close (SrvBaseServer *server)
{
  EventServer *self = (EventServer *) server;

  srv_test_trace ("server_close");
  SRV_BASE_SERVER_CLASS (event_server_parent_class)->server_close (server);
  if (self->event_fd >= 0)
    close (self->event_fd);
  self->event_fd = -1;
}

static void
event_server_class_init (EventServerClass *klass)
{
  SrvBaseServerClass *server_class = SRV_BASE_SERVER_CLASS (klass);

  server_class->default_handler_type = SRV_TYPE_BASE_REQUEST_HANDLER;
  server_class->server_bind = event_server_bind;
  server_class->server_activate = event_server_activate;
  server_class->fileno = event_server_fileno;
  server_class->get_request = event_server_get_request;
  server_class->service_actions = event_server_service_actions;
  server_class->handle_error = event_server_handle_error;
  server_class->server_close = event_server_close;
}

static void
event_server_init (EventServer *self)
{
  self->event_fd = -1;
}

static SrvBaseServer *
event_server_new (void)
{
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    g_initable_new (event_server_get_type (), NULL, &error, NULL);

  srv_test_assert_no_error (error);
  srv_test_clear_trace ();

  return server;
}

static void
announce (SrvBaseServer *server, guint64 count)
{
  ck_assert_int_eq (write (srv_base_server_fileno (server), &count,
                           sizeof count),
                    sizeof count);
}

static void
drop (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);
}

static SrvHandleResult
handle_one (SrvBaseServer *server, int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  SrvHandleResult result =
    srv_base_server_handle_request (server, timeout_ms, NULL, &error);

  srv_test_assert_no_error (error);

  return result;
}

static gboolean
count_call (SrvBaseRequestHandler *handler,
            gpointer user_data,
            G_GNUC_UNUSED GError **error)
{
  ck_assert (
    G_TYPE_CHECK_INSTANCE_TYPE (srv_base_request_handler_get_request (handler),
                                own_request_get_type ()));
  srv_test_trace ("handle");
  srv_test_add_number (0, GPOINTER_TO_INT (user_data));

  return TRUE;
}

/* A class without a source of requests says so, instead of polling nothing
 * (SS-001 and on: in Python an attribute error from the depths). */
START_TEST (server_without_a_source_fails_clearly)
{
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server = g_initable_new (bare_server_get_type (), NULL, &error,
                                          "bind-and-activate", FALSE, NULL);

  srv_test_assert_no_error (error);
  ck_assert_int_eq (srv_base_server_fileno (server), -1);
  if (_i == 0)
    ck_assert (!srv_base_server_serve_forever (server, &error));
  else
    ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, &error),
                      SRV_HANDLE_RESULT_FAILED);
  ck_assert_ptr_nonnull (error);
  ck_assert_uint_gt (strlen (error->message), 0);
  drop (server);
}
END_TEST

/* Whatever has a descriptor can be a server: its own requests pass through
 * the same steps, fileno() redirects the polling (SS-063). */
START_TEST (own_source_of_requests_is_served)
{
  SrvBaseServer *server = event_server_new ();
  SrvTestRun *run;

  srv_base_server_set_handler_func (server, count_call, GINT_TO_POINTER (1),
                                    NULL);
  run = srv_test_run (server);
  announce (server, 5);
  srv_test_wait_for_number (0, 5);
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_trace ("handle"), 5);
}
END_TEST

/* The same with one request at a time. */
START_TEST (own_source_works_with_handle_request)
{
  SrvBaseServer *server = event_server_new ();

  srv_base_server_set_handler_func (server, count_call, GINT_TO_POINTER (1),
                                    NULL);
  ck_assert_int_eq (handle_one (server, 0), SRV_HANDLE_RESULT_TIMED_OUT);
  announce (server, 2);
  ck_assert_int_eq (handle_one (server, -1), SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (handle_one (server, -1), SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (handle_one (server, 0), SRV_HANDLE_RESULT_TIMED_OUT);
  ck_assert_int_eq (srv_test_get_number (0), 2);
  drop (server);
}
END_TEST

/* The defaults of a request that implements nothing. */
START_TEST (empty_request_has_defaults)
{
  g_autoptr (GObject) object = g_object_new (own_request_get_type (), NULL);
  SrvRequest *request = SRV_REQUEST (object);
  g_autofree char *who = srv_request_describe_client (request);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (srv_request_get_client_address (request));
  ck_assert_ptr_null (srv_request_get_local_address (request));
  ck_assert_int_eq (srv_request_fileno (request), -1);
  ck_assert_ptr_nonnull (who);
  ck_assert_ptr_null (srv_request_get_credentials (request, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  srv_request_cut (request);
}
END_TEST

static void
note_destroy (gpointer user_data)
{
  srv_test_add_number (5, GPOINTER_TO_INT (user_data));
}

static SrvBaseRequestHandler *
make_counting (SrvBaseServer *server, SrvRequest *request, gpointer user_data)
{
  SrvBaseRequestHandler *handler =
    g_object_new (SRV_TYPE_BASE_REQUEST_HANDLER, NULL);

  ck_assert_ptr_nonnull (server);
  ck_assert_ptr_nonnull (request);
  srv_base_request_handler_set_function (handler, count_call, user_data, NULL);

  return handler;
}

/* The last setting wins, and each lets its data go once. */
START_TEST (handler_setting_frees_the_one_before)
{
  SrvBaseServer *server = event_server_new ();

  srv_base_server_set_handler_func (server, count_call, GINT_TO_POINTER (1),
                                    note_destroy);
  announce (server, 1);
  handle_one (server, -1);
  ck_assert_int_eq (srv_test_get_number (0), 1);
  ck_assert_int_eq (srv_test_get_number (5), 0);

  srv_base_server_set_handler_factory (server, make_counting,
                                       GINT_TO_POINTER (10), note_destroy);
  ck_assert_int_eq (srv_test_get_number (5), 1);
  announce (server, 1);
  handle_one (server, -1);
  ck_assert_int_eq (srv_test_get_number (0), 11);

  srv_base_server_set_handler_type (server, SRV_TYPE_BASE_REQUEST_HANDLER);
  ck_assert_int_eq (srv_test_get_number (5), 11);
  ck_assert (srv_base_server_get_handler_type (server) ==
             SRV_TYPE_BASE_REQUEST_HANDLER);
  announce (server, 1);
  handle_one (server, -1);
  ck_assert_int_eq (srv_test_get_number (0), 11);

  srv_base_server_set_handler_func (server, count_call, GINT_TO_POINTER (1),
                                    note_destroy);
  drop (server);
  ck_assert_int_eq (srv_test_get_number (5), 12);
}
END_TEST

/* A server that was given no handler fails its requests and says why. */
START_TEST (missing_handler_fails_the_request_clearly)
{
  SrvBaseServer *server = event_server_new ();

  announce (server, 1);
  ck_assert_int_eq (handle_one (server, -1), SRV_HANDLE_RESULT_HANDLED);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  ck_assert_int_eq (srv_test_get_number (3), 1);
  drop (server);
}
END_TEST

/* An idle loop does its chores when asked to, and only then (SS-034). */
START_TEST (idle_loop_calls_service_actions_on_request)
{
  SrvBaseServer *server = event_server_new ();
  SrvTestRun *run;

  srv_base_server_set_poll_interval (server, _i == 0 ? 5 : 0);
  srv_base_server_set_handler_func (server, count_call, GINT_TO_POINTER (1),
                                    NULL);
  run = srv_test_run (server);
  if (_i == 0)
    srv_test_wait_for_trace ("service_actions", 4);
  else
    {
      announce (server, 1);
      srv_test_wait_for_trace ("service_actions", 1);
    }
  srv_test_finish (run);
  if (_i == 1)
    ck_assert_uint_eq (srv_test_count_trace ("service_actions"), 1);
}
END_TEST

/* Properties. */

static const struct
{
  const char *name;
  int value;
} defaults[] = {
  { "timeout", -1 },
  { "poll-interval", 0 },
  { "drain-timeout", 30000 },
  { "cut-timeout", 1000 },
  { "bind-and-activate", 1 },
  { "n-active-requests", 0 },
  { "n-cut-requests", 0 },
  { "n-accepted", 0 },
  { "n-refused", 0 },
  { "n-failed", 0 },
  { "n-accept-failures", 0 },
  { "state", SRV_SERVER_STATE_ACTIVE },
  { "request-queue-size", 0 },
  { "idle-timeout", -1 },
  { "linger-timeout", 2000 },
  { "shed-on-shortage", 1 },
  { "allow-reuse-address", 1 },
  { "allow-reuse-port", 0 },
  { "dual-stack", SRV_DUAL_STACK_ON },
};

static const struct
{
  const char *name;
  int value;
} datagram_defaults[] = {
  { "max-packet-size", 65535 },
  { "drop-truncated", 0 },
  { "reply-timeout", 100 },
  { "allow-reuse-address", 0 },
  { "allow-reuse-port", 0 },
  { "dual-stack", SRV_DUAL_STACK_ON },
  { "timeout", -1 },
};

static void
assert_default (SrvBaseServer *server, const char *name, int expected)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) number = G_VALUE_INIT;
  GParamSpec *property =
    g_object_class_find_property (G_OBJECT_GET_CLASS (server), name);

  ck_assert_msg (property != NULL, "no property %s", name);
  g_value_init (&value, property->value_type);
  g_value_init (&number, G_TYPE_INT);
  g_object_get_property (G_OBJECT (server), name, &value);
  if (G_VALUE_HOLDS_BOOLEAN (&value))
    g_value_set_int (&number, g_value_get_boolean (&value));
  else if (G_VALUE_HOLDS_ENUM (&value))
    g_value_set_int (&number, g_value_get_enum (&value));
  else
    ck_assert_msg (g_value_transform (&value, &number), "%s", name);
  ck_assert_msg (g_value_get_int (&number) == expected, "%s is %d", name,
                 g_value_get_int (&number));
}

/* The attributes of Python's classes, with our values (SS-011, SS-080 to
 * SS-084, SS-105). */
START_TEST (properties_have_defaults)
{
  SrvBaseServer *server =
    srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0", NULL);
  SrvBaseServer *datagram =
    srv_test_make (SRV_TYPE_UDP_SERVER, "udp:127.0.0.1:0", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++)
    assert_default (server, defaults[i].name, defaults[i].value);
  for (guint i = 0; i < G_N_ELEMENTS (datagram_defaults); i++)
    assert_default (datagram, datagram_defaults[i].name,
                    datagram_defaults[i].value);
  drop (server);
  drop (datagram);
}
END_TEST

/* What the socket was made with cannot be changed afterwards. */
START_TEST (settings_of_the_socket_are_construct_only)
{
  static const struct
  {
    int transport;
    const char *name;
  } names[] = {
    { SRV_TEST_TCP, "endpoint" },
    { SRV_TEST_TCP, "bind-and-activate" },
    { SRV_TEST_TCP, "request-queue-size" },
    { SRV_TEST_TCP, "allow-reuse-address" },
    { SRV_TEST_TCP, "allow-reuse-port" },
    { SRV_TEST_TCP, "dual-stack" },
    { SRV_TEST_UNIX, "path-take-over" },
    { SRV_TEST_UNIX, "path-mode" },
    { SRV_TEST_UNIXGRAM, "path-owner" },
    { SRV_TEST_UNIXGRAM, "path-group" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      GType type = srv_test_plain_type ((SrvTestTransport) names[i].transport);
      g_autoptr (GTypeClass) klass = g_type_class_ref (type);
      GParamSpec *property =
        g_object_class_find_property (G_OBJECT_CLASS (klass), names[i].name);

      ck_assert_msg (property != NULL &&
                       (property->flags & G_PARAM_CONSTRUCT_ONLY) != 0,
                     "%s", names[i].name);
    }
}
END_TEST

/* Life. */

/* Both steps can be taken by hand (SS-088). */
START_TEST (server_is_bound_and_activated_by_hand)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint ((SrvTestTransport) _i);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  SrvBaseServer *server =
    srv_test_make (srv_test_server_type ((SrvTestTransport) _i), string,
                   "handler-type",
                   srv_test_handler_type ((SrvTestTransport) _i),
                   "bind-and-activate", FALSE, NULL);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  srv_test_assert_trace (SRV_TEST_EVERYBODY, "");
  ck_assert_int_eq (srv_base_server_get_state (server), SRV_SERVER_STATE_NEW);
  ck_assert_ptr_null (srv_base_server_get_server_address (server));
  ck_assert (srv_base_server_server_bind (server, &error));
  srv_test_assert_no_error (error);
  ck_assert_int_eq (srv_base_server_get_state (server), SRV_SERVER_STATE_BOUND);
  ck_assert_ptr_nonnull (srv_base_server_get_server_address (server));
  ck_assert (srv_base_server_server_activate (server, &error));
  srv_test_assert_no_error (error);
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_ACTIVE);
  srv_test_assert_trace (SRV_TEST_EVERYBODY, "server_bind server_activate");
  run = srv_test_run (server);
  srv_test_echo (server, "by hand\n");
  srv_test_finish (run);
}
END_TEST

/* Serving before that is an error, not a wait. */
START_TEST (serving_before_activation_is_an_error)
{
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "bind-and-activate", FALSE, NULL);
  g_autoptr (GError) error = NULL;

  if (_i % 2 == 1)
    ck_assert (srv_base_server_server_bind (server, NULL));
  if (_i / 2 == 0)
    ck_assert (!srv_base_server_serve_forever (server, &error));
  else
    ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, &error),
                      SRV_HANDLE_RESULT_FAILED);
  ck_assert_ptr_nonnull (error);
  drop (server);
}
END_TEST

/* A failed construction calls the server_close() of the subclass, once, and
 * leaves nothing (SS-086, D-46). */
START_TEST (failed_construction_closes)
{
  static const char *const hooks[] = { "server_bind", "server_activate" };
  int transport = _i / 2;
  g_autoptr (SrvEndpoint) endpoint =
    srv_test_endpoint ((SrvTestTransport) transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (GError) error = NULL;

  srv_test_set_fault (hooks[_i % 2], SRV_TEST_ERROR);
  ck_assert_ptr_null (
    srv_test_try (srv_test_server_type ((SrvTestTransport) transport), string,
                  &error, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
}
END_TEST

/* The hook on the socket. */

typedef struct
{
  SrvTCPServer parent_instance;
} ConfiguredServer;
typedef struct
{
  SrvTCPServerClass parent_class;
} ConfiguredServerClass;

static GType configured_server_get_type (void);
G_DEFINE_TYPE (ConfiguredServer, configured_server, SRV_TYPE_TCP_SERVER)

static gboolean
configured_server_configure_socket (SrvBaseServer *server,
                                    int fd,
                                    GError **error)
{
  struct sockaddr_in name = { 0 };
  socklen_t length = sizeof name;
  int size = 12345;

  ck_assert_int_eq (getsockname (fd, (struct sockaddr *) &name, &length), 0);
  srv_test_set_number (0, name.sin_port == 0);
  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);

  return srv_test_hook (server, "configure_socket", error) &&
         SRV_BASE_SERVER_CLASS (configured_server_parent_class)
           ->configure_socket (server, fd, error);
}

static void
configured_server_class_init (ConfiguredServerClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->configure_socket =
    configured_server_configure_socket;
}

static void
configured_server_init (G_GNUC_UNUSED ConfiguredServer *self)
{
}

/* A subclass can set options while the socket has no name yet (SS-089). */
START_TEST (socket_is_configured_before_it_is_bound)
{
  SrvBaseServer *server =
    srv_test_make (configured_server_get_type (), "tcp:127.0.0.1:0", NULL);
  socklen_t length = sizeof (int);
  int size = 0;

  ck_assert_uint_eq (srv_test_count_trace ("configure_socket"), 1);
  ck_assert_int_eq (srv_test_get_number (0), 1);
  getsockopt (srv_base_server_fileno (server), SOL_SOCKET, SO_RCVBUF, &size,
              &length);
  ck_assert_int_eq (size, 2 * 12345);
  drop (server);
}
END_TEST

/* Its failure fails the construction (SS-089). */
START_TEST (failed_configuration_fails_the_construction)
{
  g_autoptr (GError) error = NULL;

  srv_test_set_fault ("configure_socket", SRV_TEST_ERROR);
  ck_assert_ptr_null (srv_test_try (configured_server_get_type (),
                                    "tcp:127.0.0.1:0", &error, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}
END_TEST

/* Without a descriptor for the socket the construction fails with what the
 * system said, and nothing is left behind (SS-087). In Python it escapes, and
 * server_close() does not run. */
START_TEST (missing_socket_fails_the_construction)
{
  const rlim_t n_left = 2; /* for the two eventfds */
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (_i);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (GError) error = NULL;
  struct rlimit saved;
  struct rlimit limit;
  int first = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &saved), 0);
  limit = saved;
  limit.rlim_cur = (rlim_t) first + n_left;
  close (first);
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
  ck_assert_ptr_null (
    srv_test_try (srv_test_plain_type (_i), string, &error, NULL));
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &saved), 0);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "sources", server_without_a_source_fails_clearly, 2 },
    { "sources", own_source_of_requests_is_served, 1 },
    { "sources", own_source_works_with_handle_request, 1 },
    { "sources", empty_request_has_defaults, 1 },
    { "sources", idle_loop_calls_service_actions_on_request, 2 },
    { "handlers", handler_setting_frees_the_one_before, 1 },
    { "handlers", missing_handler_fails_the_request_clearly, 1 },
    { "properties", properties_have_defaults, 1 },
    { "properties", settings_of_the_socket_are_construct_only, 1 },
    { "life", server_is_bound_and_activated_by_hand, SRV_TEST_N_TRANSPORTS },
    { "life", serving_before_activation_is_an_error, 4 },
    { "life", failed_construction_closes, 2 * SRV_TEST_N_TRANSPORTS },
    { "life", socket_is_configured_before_it_is_bound, 1 },
    { "life", failed_configuration_fails_the_construction, 1 },
    { "life", missing_socket_fails_the_construction, SRV_TEST_N_TRANSPORTS },
  };

  return srv_test_run_entries ("BaseServer", tests, G_N_ELEMENTS (tests));
}
