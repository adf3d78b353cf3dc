/* srv-test-classes.c - servers and handlers that record what they do
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test-private.h"

#define MAX_FAULTS   8
#define LONGEST_LINE 65536

typedef struct
{
  char hook[24];
  SrvTestFault fault;
  SrvTestFunc function;
} Plan;

static Plan plans[MAX_FAULTS];
static guint n_plans;

/* Faults. */

void
srv_test_forget_faults (void)
{
  n_plans = 0;
  memset (plans, 0, sizeof plans);
}

static Plan *
find_plan (const char *hook, gboolean make)
{
  for (guint i = 0; i < n_plans; i++)
    if (g_str_equal (plans[i].hook, hook))
      return &plans[i];

  if (!make)
    return NULL;

  g_assert (n_plans < MAX_FAULTS);
  g_strlcpy (plans[n_plans].hook, hook, sizeof plans[n_plans].hook);
  return &plans[n_plans++];
}

void
srv_test_set_fault (const char *hook, SrvTestFault fault)
{
  find_plan (hook, TRUE)->fault = fault;
}

void
srv_test_on_hook (const char *hook, SrvTestFunc function)
{
  find_plan (hook, TRUE)->function = function;
}

gboolean
srv_test_hook (SrvBaseServer *server, const char *name, GError **error)
{
  Plan *plan = find_plan (name, FALSE);

  srv_test_trace (name);

  if (plan == NULL)
    return TRUE;

  if (plan->function != NULL)
    plan->function (server);

  switch (plan->fault)
    {
    case SRV_TEST_FINE:
      return TRUE;
    case SRV_TEST_ERROR:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s is at fault",
                   name);
      return FALSE;
    case SRV_TEST_REFUSE:
      return FALSE;
    case SRV_TEST_STOP:
      g_set_error (error, SRV_ERROR, SRV_ERROR_STOP, "%s says stop", name);
      return FALSE;
    default:
      g_assert_not_reached ();
    }
}

/* The recording servers: one set of hooks, four classes. */

#define PARENT(self)                                 \
  ((SrvBaseServerClass *) g_type_class_peek_parent ( \
    SRV_BASE_SERVER_GET_CLASS (self)))

static gboolean
test_server_bind (SrvBaseServer *self, GError **error)
{
  return srv_test_hook (self, "server_bind", error) &&
         PARENT (self)->server_bind (self, error);
}

static gboolean
test_server_activate (SrvBaseServer *self, GError **error)
{
  return srv_test_hook (self, "server_activate", error) &&
         PARENT (self)->server_activate (self, error);
}

/* A try that found nothing is no step of a request, so it leaves no trace. */
static SrvRequest *
test_get_request (SrvBaseServer *self, GError **error)
{
  g_autoptr (SrvRequest) request = PARENT (self)->get_request (self, error);

  if (request == NULL)
    return NULL;
  if (!srv_test_hook (self, "get_request", error))
    return NULL;

  return g_steal_pointer (&request);
}

static gboolean
test_verify_request (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  return srv_test_hook (self, "verify_request", error) &&
         PARENT (self)->verify_request (self, request, error);
}

static gboolean
test_process_request (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  return srv_test_hook (self, "process_request", error) &&
         PARENT (self)->process_request (self, request, error);
}

static gboolean
test_finish_request (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  return srv_test_hook (self, "finish_request", error) &&
         PARENT (self)->finish_request (self, request, error);
}

static void
test_shutdown_request (SrvBaseServer *self, SrvRequest *request)
{
  srv_test_hook (self, "shutdown_request", NULL);
  PARENT (self)->shutdown_request (self, request);
}

static void
test_close_request (SrvBaseServer *self, SrvRequest *request)
{
  PARENT (self)->close_request (self, request);
  srv_test_hook (self, "close_request", NULL);
}

static gboolean
test_service_actions (SrvBaseServer *self, GError **error)
{
  return srv_test_hook (self, "service_actions", error) &&
         PARENT (self)->service_actions (self, error);
}

static SrvHandleResult
test_handle_timeout (SrvBaseServer *self)
{
  srv_test_hook (self, "handle_timeout", NULL);

  return PARENT (self)->handle_timeout (self);
}

static void
test_handle_error (SrvBaseServer *self,
                   G_GNUC_UNUSED SrvRequest *request,
                   const GError *error)
{
  srv_test_note_error (error);
  srv_test_hook (self, "handle_error", NULL);
}

static void
test_accept_failed (SrvBaseServer *self,
                    SrvAcceptVerdict verdict,
                    const GError *error)
{
  srv_test_note_error (error);
  srv_test_note_verdict ((int) verdict);
  srv_test_hook (self, "accept_failed", NULL);
  PARENT (self)->accept_failed (self, verdict, error);
}

static void
test_server_close (SrvBaseServer *self)
{
  srv_test_hook (self, "server_close", NULL);
  PARENT (self)->server_close (self);
}

static void
test_server_class_fill (SrvBaseServerClass *klass)
{
  klass->server_bind = test_server_bind;
  klass->server_activate = test_server_activate;
  klass->get_request = test_get_request;
  klass->verify_request = test_verify_request;
  klass->process_request = test_process_request;
  klass->finish_request = test_finish_request;
  klass->shutdown_request = test_shutdown_request;
  klass->close_request = test_close_request;
  klass->service_actions = test_service_actions;
  klass->handle_timeout = test_handle_timeout;
  klass->handle_error = test_handle_error;
  klass->accept_failed = test_accept_failed;
  klass->server_close = test_server_close;
}

#define DEFINE_TEST_SERVER(TypeName, type_name, PARENT_TYPE, ParentName) \
  typedef struct                                                         \
  {                                                                      \
    ParentName parent_instance;                                          \
  } TypeName;                                                            \
  typedef struct                                                         \
  {                                                                      \
    ParentName##Class parent_class;                                      \
  } TypeName##Class;                                                     \
  static GType type_name##_get_type (void);                              \
  G_DEFINE_TYPE (TypeName, type_name, PARENT_TYPE)                       \
  static void type_name##_class_init (TypeName##Class *klass)            \
  {                                                                      \
    test_server_class_fill (SRV_BASE_SERVER_CLASS (klass));              \
  }                                                                      \
  static void type_name##_init (G_GNUC_UNUSED TypeName *self)            \
  {                                                                      \
  }

DEFINE_TEST_SERVER (TestTCPServer,
                    test_tcp_server,
                    SRV_TYPE_TCP_SERVER,
                    SrvTCPServer)
DEFINE_TEST_SERVER (TestUnixServer,
                    test_unix_server,
                    SRV_TYPE_UNIX_STREAM_SERVER,
                    SrvUnixStreamServer)
DEFINE_TEST_SERVER (TestUDPServer,
                    test_udp_server,
                    SRV_TYPE_UDP_SERVER,
                    SrvUDPServer)
DEFINE_TEST_SERVER (TestUnixgramServer,
                    test_unixgram_server,
                    SRV_TYPE_UNIX_DATAGRAM_SERVER,
                    SrvUnixDatagramServer)

/* The recording handlers. Both give back what they get: the stream one a
 * line, the datagram one its packet. */

#define HANDLER_PARENT(self)                                 \
  ((SrvBaseRequestHandlerClass *) g_type_class_peek_parent ( \
    SRV_BASE_REQUEST_HANDLER_GET_CLASS (self)))

static gboolean
test_handler_setup (SrvBaseRequestHandler *self, GError **error)
{
  return HANDLER_PARENT (self)->setup (self, error) &&
         srv_test_hook (srv_base_request_handler_get_server (self), "setup",
                        error);
}

static gboolean
test_handler_finish (SrvBaseRequestHandler *self, GError **error)
{
  gboolean fine;

  fine =
    srv_test_hook (srv_base_request_handler_get_server (self), "finish", error);

  /* A fault of the test is added to the parent's work, not put in its place. */
  return HANDLER_PARENT (self)->finish (self, fine ? error : NULL) && fine;
}

static gboolean
test_stream_handler_handle (SrvBaseRequestHandler *self, GError **error)
{
  SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (self);
  const char *line;
  gssize length;

  if (!srv_test_hook (srv_base_request_handler_get_server (self), "handle",
                      error))
    return FALSE;

  length = srv_reader_read_line (srv_stream_request_handler_get_rfile (stream),
                                 &line, LONGEST_LINE, error);
  if (length <= 0)
    return length == 0;

  return srv_writer_write (srv_stream_request_handler_get_wfile (stream), line,
                           (gsize) length, error);
}

static gboolean
test_datagram_handler_handle (SrvBaseRequestHandler *self, GError **error)
{
  SrvDatagramRequestHandler *datagram = SRV_DATAGRAM_REQUEST_HANDLER (self);
  GBytes *packet;

  if (!srv_test_hook (srv_base_request_handler_get_server (self), "handle",
                      error))
    return FALSE;

  packet = srv_datagram_request_handler_get_packet (datagram);
  return srv_datagram_request_handler_write (datagram,
                                             g_bytes_get_data (packet, NULL),
                                             g_bytes_get_size (packet), error);
}

typedef struct
{
  SrvStreamRequestHandler parent_instance;
} TestStreamHandler;
typedef struct
{
  SrvStreamRequestHandlerClass parent_class;
} TestStreamHandlerClass;

static GType test_stream_handler_get_type (void);
G_DEFINE_TYPE (TestStreamHandler,
               test_stream_handler,
               SRV_TYPE_STREAM_REQUEST_HANDLER)

static void
test_stream_handler_class_init (TestStreamHandlerClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->setup = test_handler_setup;
  handler_class->handle = test_stream_handler_handle;
  handler_class->finish = test_handler_finish;
}

static void
test_stream_handler_init (G_GNUC_UNUSED TestStreamHandler *self)
{
}

typedef struct
{
  SrvDatagramRequestHandler parent_instance;
} TestDatagramHandler;
typedef struct
{
  SrvDatagramRequestHandlerClass parent_class;
} TestDatagramHandlerClass;

static GType test_datagram_handler_get_type (void);
G_DEFINE_TYPE (TestDatagramHandler,
               test_datagram_handler,
               SRV_TYPE_DATAGRAM_REQUEST_HANDLER)

static void
test_datagram_handler_class_init (TestDatagramHandlerClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->setup = test_handler_setup;
  handler_class->handle = test_datagram_handler_handle;
  handler_class->finish = test_handler_finish;
}

static void
test_datagram_handler_init (G_GNUC_UNUSED TestDatagramHandler *self)
{
}

GType
srv_test_server_type (SrvTestTransport transport)
{
  switch (transport)
    {
    case SRV_TEST_TCP:
      return test_tcp_server_get_type ();
    case SRV_TEST_UNIX:
      return test_unix_server_get_type ();
    case SRV_TEST_UDP:
      return test_udp_server_get_type ();
    case SRV_TEST_UNIXGRAM:
      return test_unixgram_server_get_type ();
    case SRV_TEST_N_TRANSPORTS:
    default:
      g_assert_not_reached ();
    }
}

GType
srv_test_handler_type (SrvTestTransport transport)
{
  return srv_test_is_stream (transport) ? test_stream_handler_get_type ()
                                        : test_datagram_handler_get_type ();
}
