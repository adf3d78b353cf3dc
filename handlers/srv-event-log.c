/* srv-event-log.c - the seven events of a service, a line each
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-event-log.h"

#include "srv-event-sink-private.h"

#include <unistd.h>

#define DEFAULT_EXCERPT_LENGTH 64
#define MAX_EXCERPT_LENGTH     1024

/**
 * SrvEventLog:
 *
 * A small log of what a service does: the seven events that tutorials print.
 *
 * ```
 * 2026-05-04T10:11:12.345678Z start tcp:127.0.0.1:9999
 * 2026-05-04T10:11:12.345701Z listening tcp:127.0.0.1:9999
 * 2026-05-04T10:11:13.001002Z connected tcp:127.0.0.1:9999 peer="127.0.0.1:40822"
 * 2026-05-04T10:11:13.001050Z received tcp:127.0.0.1:9999 peer="127.0.0.1:40822" bytes=6 text="hello\n"
 * 2026-05-04T10:11:13.001077Z sent tcp:127.0.0.1:9999 peer="127.0.0.1:40822" bytes=6
 * 2026-05-04T10:11:14.000009Z disconnected tcp:127.0.0.1:9999 peer="127.0.0.1:40822" received=6 sent=6 end=eof
 * 2026-05-04T10:11:15.200300Z stopped tcp:127.0.0.1:9999
 * ```
 *
 * A record is one line and one `write(2)` to a file opened for appending, so
 * the records of threads and of forked children never mix. What a client has
 * sent is escaped; inside quotes, a quote is written `\"`. A file can be
 * rotated: see [method@SocketServerHandlers.EventLog.reopen]. Records for
 * something else than a file go to a function.
 *
 * You call: [method@SocketServerHandlers.EventLog.watch] once for each server,
 * before it serves; the handlers of this library find the log by their server
 * and report the rest. A handler of your own does as they do: it asks
 * [func@SocketServerHandlers.EventLog.for_server] and, whether there is a log or
 * not, reports `connected`, `received`, `sent`, `disconnected` in this order.
 *
 * ```c
 * g_autoptr (SrvEventLog) log = srv_event_log_new_for_console ();
 * g_autoptr (SrvBaseServer) server =
 *   srv_tcp_server_new ("127.0.0.1", 9999, SRV_TYPE_ECHO_HANDLER, &error);
 *
 * srv_event_log_watch (log, server);
 * ```
 *
 * It is not meant for errors and warnings, which go through GLib's log, nor
 * for a busy service: a system call for every event is more than the service
 * itself makes.
 *
 * In Python: the `print()` calls in the handlers of every tutorial.
 */
struct _SrvEventLog
{
  GObject parent_instance;

  SrvEventSink *sink; /* owned, never NULL */
  int excerpt_length; /* atomic */
};

typedef enum
{
  PROP_EXCERPT_LENGTH = 1,
} SrvEventLogProperty;

static GParamSpec *properties[PROP_EXCERPT_LENGTH + 1];

G_DEFINE_FINAL_TYPE (SrvEventLog, srv_event_log, G_TYPE_OBJECT)

/* What a watched server carries. It goes with the server, so a server that
 * nobody closed still has its last event. */
typedef struct
{
  SrvEventLog *log; /* owned */
  char *endpoint;   /* owned; set when the server listens, then constant */
  gboolean has_stopped;
  pid_t pid; /* a forked child reports no events of the server */
} Watch;

/* Looked up once, and so that no thread can see half of it: after that, a child
 * that was forked at the wrong moment needs no lock of GLib's. */
static GQuark
watch_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark,
                       g_quark_from_static_string ("srv-event-log-watch"));
  return (GQuark) quark;
}

/* Atomic: whether any server was ever watched. Who has no log looks nothing
 * up, which in a forked child would be for the first time. */
static gboolean in_use;

static Watch *
watch_of (SrvBaseServer *server)
{
  if (!g_atomic_int_get (&in_use))
    return NULL;
  return g_object_get_qdata (G_OBJECT (server), watch_quark ());
}

/* @printable has been through srv_escape (), which leaves quotes alone. */
static void
append_quoted (GString *record, const char *name, const char *printable)
{
  g_string_append_printf (record, " %s=\"", name);
  for (; *printable != '\0'; printable++)
    {
      if (*printable == '"')
        g_string_append_c (record, '\\');
      g_string_append_c (record, *printable);
    }
  g_string_append_c (record, '"');
}

static GString *
begin_record (const char *event, SrvBaseServer *server)
{
  GString *record = g_string_sized_new (256);
  const Watch *watch = watch_of (server);
  g_autofree char *made = NULL;
  const char *endpoint = watch != NULL ? watch->endpoint : NULL;

  if (endpoint == NULL)
    endpoint = made = srv_base_server_dup_endpoint (server);
  g_string_append_printf (record, "%s %s", event,
                          endpoint != NULL ? endpoint : "-");
  return record;
}

/* Clients of Unix sockets seldom have a name; their process tells them
 * apart. */
static void
append_peer (GString *record, SrvRequest *request)
{
  g_autoptr (GCredentials) credentials = NULL;
  g_autofree char *peer = NULL;

  if (srv_request_get_client_address (request) == NULL)
    credentials = srv_request_get_credentials (request, NULL);
  if (credentials != NULL)
    peer =
      g_strdup_printf ("process %d",
                       (int) g_credentials_get_unix_pid (credentials, NULL));
  else
    peer = srv_request_describe_client (request);
  append_quoted (record, "peer", peer);
}

static GString *
begin_request_record (const char *event, SrvBaseRequestHandler *handler)
{
  GString *record =
    begin_record (event, srv_base_request_handler_get_server (handler));

  append_peer (record, srv_base_request_handler_get_request (handler));
  return record;
}

static void
record_server (SrvEventLog *self, const char *event, SrvBaseServer *server)
{
  srv_event_sink_write (self->sink, begin_record (event, server));
}

static void
begin_listening (Watch *watch, SrvBaseServer *server)
{
  if (watch->endpoint != NULL)
    return;
  watch->endpoint = srv_base_server_dup_endpoint (server);
  srv_event_log_listening (watch->log, server);
}

/* Once for each watched server, and not before it has listened. */
static void
end_listening (Watch *watch)
{
  GString *record;

  if (watch->endpoint == NULL || watch->has_stopped)
    return;
  watch->has_stopped = TRUE;
  record = g_string_sized_new (128);
  g_string_append_printf (record, "stopped %s", watch->endpoint);
  srv_event_sink_write (watch->log->sink, record);
}

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  if (watch->pid == getpid ())
    end_listening (watch);
  g_free (watch->endpoint);
  g_object_unref (watch->log);
  g_free (watch);
}

static void
on_notify_state (SrvBaseServer *server,
                 G_GNUC_UNUSED GParamSpec *pspec,
                 gpointer user_data)
{
  Watch *watch = user_data;

  if (watch->pid != getpid ())
    return;
  if (srv_base_server_get_state (server) == SRV_SERVER_STATE_CLOSED)
    end_listening (watch);
  else if (srv_base_server_get_state (server) >= SRV_SERVER_STATE_ACTIVE)
    begin_listening (watch, server);
}

/* The ends of a connection. */
static const char *
end_of (SrvBaseRequestHandler *handler, const GError *error)
{
  if (srv_base_request_handler_is_draining (handler))
    return "stop";
  if (error == NULL)
    return "eof";
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return "timeout";
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    return "reset";
  if (g_error_matches (error, SRV_ERROR, SRV_ERROR_TOO_LONG))
    return "limit";
  return "error";
}

static void
srv_event_log_get_property (GObject *object,
                            guint id,
                            GValue *value,
                            GParamSpec *pspec)
{
  SrvEventLog *self = SRV_EVENT_LOG (object);

  switch ((SrvEventLogProperty) id)
    {
    case PROP_EXCERPT_LENGTH:
      g_value_set_uint (value, srv_event_log_get_excerpt_length (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_event_log_set_property (GObject *object,
                            guint id,
                            const GValue *value,
                            GParamSpec *pspec)
{
  SrvEventLog *self = SRV_EVENT_LOG (object);

  switch ((SrvEventLogProperty) id)
    {
    case PROP_EXCERPT_LENGTH:
      srv_event_log_set_excerpt_length (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_event_log_finalize (GObject *object)
{
  SrvEventLog *self = SRV_EVENT_LOG (object);

  srv_event_sink_free (self->sink);
  G_OBJECT_CLASS (srv_event_log_parent_class)->finalize (object);
}

static void
srv_event_log_class_init (SrvEventLogClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = srv_event_log_finalize;
  object_class->get_property = srv_event_log_get_property;
  object_class->set_property = srv_event_log_set_property;

  /**
   * SrvEventLog:excerpt-length:
   *
   * How many bytes of what a client sent a `received` record shows; 0 shows
   * nothing, for services whose clients have secrets.
   */
  properties[PROP_EXCERPT_LENGTH] =
    g_param_spec_uint ("excerpt-length", NULL, NULL, 0, MAX_EXCERPT_LENGTH,
                       DEFAULT_EXCERPT_LENGTH,
                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                         G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_event_log_init (SrvEventLog *self)
{
  self->sink = srv_event_sink_new_console ();
  self->excerpt_length = DEFAULT_EXCERPT_LENGTH;
}

/* Takes the sink. */
static SrvEventLog *
new_for_sink (SrvEventSink *sink)
{
  SrvEventLog *self = g_object_new (SRV_TYPE_EVENT_LOG, NULL);

  srv_event_sink_free (self->sink);
  self->sink = sink;
  return self;
}

/**
 * srv_event_log_new_for_console:
 *
 * Makes a log that writes to the standard error stream.
 *
 * Where that is a pipe, a program that shall outlive its reader ignores
 * `SIGPIPE`.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new log
 */
SrvEventLog *
srv_event_log_new_for_console (void)
{
  return g_object_new (SRV_TYPE_EVENT_LOG, NULL);
}

/**
 * srv_event_log_new_for_file:
 * @path: (type filename): a file to append to; made, readable by its owner and
 *   group, if it does not exist
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a log that writes to a file.
 *
 * Fails with codes of %G_IO_ERROR when the file cannot be opened.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new log, or %NULL with @error set
 */
SrvEventLog *
srv_event_log_new_for_file (const char *path, GError **error)
{
  SrvEventSink *sink;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  sink = srv_event_sink_new_file (path, error);
  return sink != NULL ? new_for_sink (sink) : NULL;
}

/**
 * SrvEventLogFunc:
 * @record: one record, printable UTF-8 text without a newline and without the
 *   time
 * @user_data: what was given with the function
 *
 * Takes the records of a log: for a log that keeps time itself, such as that of
 * the system.
 *
 * Threads: those that run handlers, several at once, also in forked children;
 * the loop's.
 */

/**
 * srv_event_log_new_for_func:
 * @func: (scope notified) (closure user_data) (destroy destroy): gets every
 *   record
 * @user_data: for @func
 * @destroy: (nullable): what to do with @user_data when the log goes
 *
 * Makes a log that gives its records to a function.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new log
 */
SrvEventLog *
srv_event_log_new_for_func (SrvEventLogFunc func,
                            gpointer user_data,
                            GDestroyNotify destroy)
{
  g_return_val_if_fail (func != NULL, NULL);
  return new_for_sink (srv_event_sink_new_func (func, user_data, destroy));
}

/**
 * srv_event_log_reopen:
 * @self: a log
 *
 * Opens the file of the log anew, by its name: for programs that rename files
 * which have grown. No record is lost, and what comes after the call is in the
 * new file. Forked children look after theirs before their next record. If the
 * file cannot be opened, there is a warning and the old one serves on, and every
 * record tries again. A log without a file does nothing.
 *
 * Threads: any. It may be called from a signal handler.
 */
void
srv_event_log_reopen (SrvEventLog *self)
{
  srv_event_sink_reopen (self->sink);
}

/**
 * srv_event_log_set_excerpt_length:
 * @self: a log
 * @excerpt_length: longest excerpt, in bytes before they are escaped; 0 for
 *   none, at most 1024
 *
 * Sets how much of what a client sent is shown.
 *
 * Threads: any.
 */
void
srv_event_log_set_excerpt_length (SrvEventLog *self, guint excerpt_length)
{
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (excerpt_length <= MAX_EXCERPT_LENGTH);

  if (srv_event_log_get_excerpt_length (self) == excerpt_length)
    return;
  g_atomic_int_set (&self->excerpt_length, (int) excerpt_length);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_EXCERPT_LENGTH]);
}

/**
 * srv_event_log_get_excerpt_length:
 * @self: a log
 *
 * Gets how much of what a client sent is shown.
 *
 * Threads: any.
 *
 * Returns: the longest excerpt, in bytes
 */
guint
srv_event_log_get_excerpt_length (SrvEventLog *self)
{
  g_return_val_if_fail (SRV_IS_EVENT_LOG (self), 0);
  return (guint) g_atomic_int_get (&self->excerpt_length);
}

/**
 * srv_event_log_watch:
 * @self: a log
 * @server: a server that has no log yet
 *
 * Records the life of a server, and lets its handlers find the log.
 *
 * The `start` event is recorded now; `listening` now or when the server is
 * activated; `stopped` when it is closed, after its last handler. The server
 * keeps a reference on the log.
 *
 * Threads: one at a time, before the server serves.
 */
void
srv_event_log_watch (SrvEventLog *self, SrvBaseServer *server)
{
  Watch *watch;

  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_SERVER (server));
  g_return_if_fail (watch_of (server) == NULL);

  watch = g_new0 (Watch, 1);
  watch->log = g_object_ref (self);
  watch->pid = getpid ();
  g_object_set_qdata_full (G_OBJECT (server), watch_quark (), watch,
                           watch_free);
  g_atomic_int_set (&in_use, TRUE);
  srv_event_log_start (self, server);
  g_signal_connect (server, "notify::state", G_CALLBACK (on_notify_state),
                    watch);
  on_notify_state (server, NULL, watch);
}

/**
 * srv_event_log_for_server:
 * @server: (nullable): a server
 *
 * Gets the log that watches a server.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (nullable): the log, %NULL if there is none
 */
SrvEventLog *
srv_event_log_for_server (SrvBaseServer *server)
{
  const Watch *watch;

  if (server == NULL || !g_atomic_int_get (&in_use))
    return NULL;
  g_return_val_if_fail (SRV_IS_BASE_SERVER (server), NULL);

  watch = watch_of (server);
  return watch != NULL ? watch->log : NULL;
}

/**
 * srv_event_log_start:
 * @self: a log
 * @server: a server
 *
 * Records that a service starts. A watched server needs no such call.
 *
 * Threads: any.
 */
void
srv_event_log_start (SrvEventLog *self, SrvBaseServer *server)
{
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_SERVER (server));
  record_server (self, "start", server);
}

/**
 * srv_event_log_listening:
 * @self: a log
 * @server: a server
 *
 * Records that clients can connect. A watched server needs no such call.
 *
 * Threads: any.
 */
void
srv_event_log_listening (SrvEventLog *self, SrvBaseServer *server)
{
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_SERVER (server));
  record_server (self, "listening", server);
}

/**
 * srv_event_log_stopped:
 * @self: a log
 * @server: a server
 *
 * Records that a service has ended. A watched server needs no such call.
 *
 * Threads: any.
 */
void
srv_event_log_stopped (SrvEventLog *self, SrvBaseServer *server)
{
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_SERVER (server));
  record_server (self, "stopped", server);
}

/**
 * srv_event_log_connected:
 * @self: (nullable): a log; without one nothing happens
 * @handler: a handler that runs
 *
 * Records that a client has connected: the first event of a connection.
 *
 * Threads: the one that runs the handler.
 */
void
srv_event_log_connected (SrvEventLog *self, SrvBaseRequestHandler *handler)
{
  if (self == NULL)
    return;
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_REQUEST_HANDLER (handler));

  srv_event_sink_write (self->sink,
                        begin_request_record ("connected", handler));
}

/**
 * srv_event_log_received:
 * @self: (nullable): a log; without one nothing happens
 * @handler: a handler that runs
 * @data: (array length=length) (element-type guint8): what the client sent
 * @length: how many bytes
 *
 * Records that data came from a client, with its beginning, escaped.
 *
 * Threads: the one that runs the handler.
 */
void
srv_event_log_received (SrvEventLog *self,
                        SrvBaseRequestHandler *handler,
                        const guint8 *data,
                        gsize length)
{
  GString *record;
  gsize shown;

  if (self == NULL)
    return;
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_REQUEST_HANDLER (handler));
  g_return_if_fail (data != NULL || length == 0);

  record = begin_request_record ("received", handler);
  g_string_append_printf (record, " bytes=%" G_GSIZE_FORMAT, length);
  shown = MIN (length, srv_event_log_get_excerpt_length (self));
  if (shown > 0)
    {
      g_autofree char *text = srv_escape ((const char *) data, (gssize) shown);

      append_quoted (record, "text", text);
    }
  srv_event_sink_write (self->sink, record);
}

/**
 * srv_event_log_sent:
 * @self: (nullable): a log; without one nothing happens
 * @handler: a handler that runs
 * @length: how many bytes
 *
 * Records that data went to a client.
 *
 * Threads: the one that runs the handler.
 */
void
srv_event_log_sent (SrvEventLog *self,
                    SrvBaseRequestHandler *handler,
                    gsize length)
{
  GString *record;

  if (self == NULL)
    return;
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_REQUEST_HANDLER (handler));

  record = begin_request_record ("sent", handler);
  g_string_append_printf (record, " bytes=%" G_GSIZE_FORMAT, length);
  srv_event_sink_write (self->sink, record);
}

/**
 * srv_event_log_disconnected:
 * @self: (nullable): a log; without one nothing happens
 * @handler: a handler that runs
 * @n_received: how many bytes came during the connection
 * @n_sent: how many bytes went
 * @error: (nullable): what ended the connection; %NULL for an orderly end
 *
 * Records that a connection has ended: its last event.
 *
 * The record tells how: `eof` when the client was done, `timeout`, `reset`,
 * `limit` for more bytes than allowed (%SRV_ERROR_TOO_LONG), `stop` when the
 * server is closing, `error` for the rest.
 *
 * Threads: the one that runs the handler.
 */
void
srv_event_log_disconnected (SrvEventLog *self,
                            SrvBaseRequestHandler *handler,
                            guint64 n_received,
                            guint64 n_sent,
                            const GError *error)
{
  GString *record;

  if (self == NULL)
    return;
  g_return_if_fail (SRV_IS_EVENT_LOG (self));
  g_return_if_fail (SRV_IS_BASE_REQUEST_HANDLER (handler));

  record = begin_request_record ("disconnected", handler);
  g_string_append_printf (record,
                          " received=%" G_GUINT64_FORMAT
                          " sent=%" G_GUINT64_FORMAT " end=%s",
                          n_received, n_sent, end_of (handler, error));
  srv_event_sink_write (self->sink, record);
}
