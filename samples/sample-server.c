/* sample-server.c - what all sample servers have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The options, the lines that say where a server listens, and its end. A
 * service of your own needs none of this: see minimal.c.
 */

#include "sample-server.h"

#include "sample-log.h"
#include "sample-manager.h"
#include "sample-pid-file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#define DEFAULT_ENDPOINT "tcp:127.0.0.1:9999"
#define MAX_PORT_TRIES   100
#define MAX_SENDER_RATE  1000000

typedef SrvMixIn *(*MixInMaker) (void);

struct _SampleServer
{
  GOptionContext *context;

  char **endpoints;
  MixInMaker make_mix_in; /* NULL: one request after the other */
  int n_workers;          /* 0: the mix-in's own choice */
  gboolean auto_port;
  gboolean quiet;
  gboolean version;
  gboolean attached; /* a single server, too */
  char *log_path;
  char *pid_path;
  int ready_fd;    /* -1: none */
  int sender_rate; /* datagrams in a second; 0: no limit */

  SampleServerFunc prepare; /* NULL: a server needs nothing more */
  gpointer prepare_data;
  SampleServerFunc on_ready; /* NULL: nobody wants to know */
  gpointer on_ready_data;

  SampleManager manager;
  char **given_endpoints; /* NULL: the manager has opened none */

  SamplePidFile *pid_file; /* NULL: none is wanted */
  SrvEventLog *log;        /* NULL: none is wanted */
  GPtrArray *servers;      /* of SrvBaseServer */
};

static gboolean
parse_mix_in (G_GNUC_UNUSED const char *option,
              const char *value,
              gpointer data,
              GError **error)
{
  SampleServer *self = data;

  if (strcmp (value, "inline") == 0)
    self->make_mix_in = NULL;
  else if (strcmp (value, "threading") == 0)
    self->make_mix_in = srv_threading_mix_in_new;
  else if (strcmp (value, "forking") == 0)
    self->make_mix_in = srv_forking_mix_in_new;
  else if (strcmp (value, "fibers") == 0)
    self->make_mix_in = srv_fiber_mix_in_new;
  else if (strcmp (value, "thread-pool") == 0)
    self->make_mix_in = srv_thread_pool_mix_in_new;
  else if (strcmp (value, "prefork") == 0)
    self->make_mix_in = srv_prefork_mix_in_new;
  else
    {
      g_set_error (
        error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "unknown mix-in \"%s\"; there are inline, threading, thread-pool, forking, prefork and "
        "fibers",
        value);
      return FALSE;
    }
  return TRUE;
}

static void
add_options (SampleServer *self, const GOptionEntry *entries)
{
  GOptionGroup *group = g_option_group_new (NULL, NULL, NULL, self, NULL);
  const GOptionEntry common[] = {
    { "listen", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &self->endpoints,
      "Where to listen; can be repeated (default: " DEFAULT_ENDPOINT ")",
      "ENDPOINT" },
    { "mix-in", 'm', 0, G_OPTION_ARG_CALLBACK, parse_mix_in,
      "inline (default), threading, thread-pool, forking, prefork or fibers",
      "NAME" },
    { "workers", 'w', 0, G_OPTION_ARG_INT, &self->n_workers,
      "How many workers a mix-in has that has them", "N" },
    { "auto-port", 'a', 0, G_OPTION_ARG_NONE, &self->auto_port,
      "If the port is taken, take the next free one", NULL },
    { "log", 0, 0, G_OPTION_ARG_FILENAME, &self->log_path,
      "Append events to FILE instead of showing them, or give them to syslog or "
      "journal",
      "FILE" },
    { "pid-file", 0, 0, G_OPTION_ARG_FILENAME, &self->pid_path,
      "Write the number of the process into FILE, while it runs", "FILE" },
    { "ready-fd", 0, 0, G_OPTION_ARG_INT, &self->ready_fd,
      "Write a newline to descriptor N when clients can connect", "N" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &self->quiet, "Show no events",
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->version,
      "Show the version and exit", NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_group_add_entries (group, common);
  g_option_context_set_main_group (self->context, group);
  if (entries != NULL)
    g_option_context_add_main_entries (self->context, entries, NULL);
}

static int
fail (int exit_status, const GError *error)
{
  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  return exit_status;
}

/* A descriptor's transport is not in its name. */
static gboolean
is_datagram (const SrvEndpoint *endpoint)
{
  int type = SOCK_STREAM;
  socklen_t size = sizeof type;

  switch (srv_endpoint_get_kind (endpoint))
    {
    case SRV_ENDPOINT_KIND_UDP:
    case SRV_ENDPOINT_KIND_UNIXGRAM:
      return TRUE;
    case SRV_ENDPOINT_KIND_FD:
      return getsockopt (srv_endpoint_get_fd (endpoint), SOL_SOCKET, SO_TYPE,
                         &type, &size) == 0 &&
             type == SOCK_DGRAM;
    case SRV_ENDPOINT_KIND_TCP:
    case SRV_ENDPOINT_KIND_UNIX:
    default:
      return FALSE;
    }
}

/* The same endpoint with the next port, or NULL if there is none. Port 0 needs
 * no other: the system has already chosen. */
static SrvEndpoint *
next_port (const SrvEndpoint *endpoint)
{
  const char *service = srv_endpoint_get_service (endpoint);
  guint64 port;

  if (service == NULL ||
      !g_ascii_string_to_unsigned (service, 10, 1, 65534, &port, NULL))
    return NULL;
  return srv_endpoint_new_inet (srv_endpoint_get_kind (endpoint),
                                srv_endpoint_get_host (endpoint),
                                (guint16) (port + 1));
}

/* Each mix-in has its own word for them. */
static gboolean
set_workers (SrvMixIn *mix_in, int n_workers)
{
  static const char *const words[] = { "workers", "max-threads" };

  for (guint i = 0; i < G_N_ELEMENTS (words) && n_workers > 0; i++)
    {
      if (g_object_class_find_property (G_OBJECT_GET_CLASS (mix_in),
                                        words[i]) == NULL)
        continue;
      g_object_set (mix_in, words[i], (guint) n_workers, NULL);
      return TRUE;
    }
  return FALSE;
}

/* NULL without an error: inline. */
static SrvMixIn *
create_mix_in (SampleServer *self, GError **error)
{
  g_autoptr (SrvMixIn) mix_in = self->make_mix_in != NULL ? self->make_mix_in ()
                                                          : NULL;

  if (self->n_workers == 0)
    return g_steal_pointer (&mix_in);
  if (mix_in != NULL && set_workers (mix_in, self->n_workers))
    return g_steal_pointer (&mix_in);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "this mix-in cannot have %d workers", self->n_workers);
  return NULL;
}

static SrvBaseServer *
create_server (SampleServer *self,
               const SrvEndpoint *endpoint,
               GType handler_type,
               GError **error)
{
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  GError *local = NULL;
  g_autoptr (SrvMixIn) mix_in = create_mix_in (self, &local);

  if (local == NULL)
    return srv_create_server (string, handler_type, mix_in, error);
  g_propagate_error (error, local);
  return NULL;
}

/* Binding is the test: to look first and bind then would leave a moment for
 * somebody else. Any other trouble than a taken port ends the search. */
static SrvBaseServer *
bind_next_free (SampleServer *self,
                const char *string,
                GType stream_handler,
                GType datagram_handler,
                GError **error)
{
  g_autoptr (SrvEndpoint) endpoint = srv_endpoint_parse (string, error);
  GType handler_type;

  if (endpoint == NULL)
    return NULL;
  handler_type = is_datagram (endpoint) ? datagram_handler : stream_handler;
  if (handler_type == G_TYPE_INVALID)
    {
      g_set_error (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT,
                   "this service has nothing for %s", string);
      return NULL;
    }
  for (int tries = 1;; tries++)
    {
      g_autoptr (GError) local = NULL;
      g_autoptr (SrvEndpoint) next = NULL;
      SrvBaseServer *server =
        create_server (self, endpoint, handler_type, &local);

      if (server != NULL)
        return server;
      if (self->auto_port && tries < MAX_PORT_TRIES &&
          g_error_matches (local, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        next = next_port (endpoint);
      if (next == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
      srv_endpoint_free (endpoint);
      endpoint = g_steal_pointer (&next);
    }
}

static gboolean
open_log (SampleServer *self, GError **error)
{
  if (self->log_path != NULL)
    self->log = sample_log_open (self->log_path, error);
  else if (!self->quiet)
    self->log = srv_event_log_new_for_console ();
  return self->log != NULL || self->log_path == NULL;
}

static gboolean
take_pid_file (SampleServer *self, GError **error)
{
  if (self->pid_path != NULL)
    self->pid_file = sample_pid_file_new (self->pid_path, error);
  return self->pid_file != NULL || self->pid_path == NULL;
}

static void
limit_senders (SampleServer *self, SrvBaseServer *server)
{
  if (SRV_IS_UDP_SERVER (server))
    g_object_set (server, "sender-rate", (guint) self->sender_rate, NULL);
}

static gboolean
listen_everywhere (SampleServer *self,
                   GType stream_handler,
                   GType datagram_handler,
                   GError **error)
{
  for (char **string = self->endpoints; *string != NULL; string++)
    {
      SrvBaseServer *server =
        bind_next_free (self, *string, stream_handler, datagram_handler, error);

      if (server == NULL)
        return FALSE;
      g_ptr_array_add (self->servers, server);
      if (!srv_signals_bind (server, error))
        return FALSE;
      if (self->log != NULL)
        srv_event_log_watch (self->log, server);
      limit_senders (self, server);
      if (self->prepare != NULL)
        self->prepare (server, self->prepare_data);
    }
  return TRUE;
}

/* A line for each listener, for people and for programs that wait for it; a
 * datagram or a newline for managers. They come when everything is ready: who
 * gets them can connect. */
static gboolean
announce (SampleServer *self, GError **error)
{
  for (guint i = 0; i < self->servers->len; i++)
    {
      g_autofree char *endpoint =
        srv_base_server_dup_endpoint (self->servers->pdata[i]);

      printf ("listening on %s\n", endpoint);
    }
  for (guint i = 0; self->on_ready != NULL && i < self->servers->len; i++)
    self->on_ready (self->servers->pdata[i], self->on_ready_data);
  if (fflush (stdout) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "could not write to standard output: %s",
                   g_strerror (errno));
      return FALSE;
    }
  if (self->ready_fd >= 0)
    sample_manager_tell_fd (self->ready_fd);
  sample_manager_tell (&self->manager, "READY=1");
  return TRUE;
}

static gboolean
is_any_serving (SampleServer *self)
{
  for (guint i = 0; i < self->servers->len; i++)
    {
      SrvServerState state =
        srv_base_server_get_state (self->servers->pdata[i]);

      if (state == SRV_SERVER_STATE_SERVING ||
          state == SRV_SERVER_STATE_STOPPING)
        return TRUE;
    }
  return FALSE;
}

/* Several servers share this thread through a main context. */
static gboolean
serve_together (SampleServer *self, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  for (guint i = 0; i < self->servers->len; i++)
    {
      if (!srv_base_server_attach (self->servers->pdata[i], context, error))
        return FALSE;
    }
  while (is_any_serving (self))
    g_main_context_iteration (context, TRUE);
  return TRUE;
}

static gboolean
serve (SampleServer *self, GError **error)
{
  if (self->servers->len == 1 && !self->attached)
    return srv_base_server_serve_forever (self->servers->pdata[0], error);
  return serve_together (self, error);
}

static void
close_all (SampleServer *self)
{
  sample_manager_tell (&self->manager, "STOPPING=1");
  for (guint i = 0; i < self->servers->len; i++)
    {
      guint n_cut = srv_base_server_server_close (self->servers->pdata[i]);

      if (n_cut > 0)
        g_printerr ("%s: cut %u requests\n", g_get_prgname (), n_cut);
    }
}

SampleServer *
sample_server_new (const char *summary, const GOptionEntry *entries)
{
  SampleServer *self = g_new0 (SampleServer, 1);

  /* Whoever reads the events may go first. */
  signal (SIGPIPE, SIG_IGN);
  sample_manager_init (&self->manager, &self->given_endpoints);
  self->ready_fd = -1;
  self->servers = g_ptr_array_new_with_free_func (g_object_unref);
  self->context = g_option_context_new (NULL);
  g_option_context_set_summary (self->context, summary);
  g_option_context_set_description (
    self->context,
    "Endpoints: tcp:HOST:PORT, udp:HOST:PORT, unix:PATH, unixgram:PATH,\n"
    "unix:@NAME, fd:NUMBER. Port 0 takes a free one.\n\n"
    "Ends on SIGINT or SIGTERM when all requests are done; a second signal\n"
    "ends it at once. On SIGHUP the log file is opened anew.\n\n"
    "Under systemd it can be Type=notify and be given its sockets.\n\n"
    "Exit status: 0 after a signal, 64 wrong usage, 69 cannot listen,\n"
    "70 the server failed, 73 cannot open the log or take the PID file.\n");
  add_options (self, entries);
  return self;
}

void
sample_server_free (SampleServer *self)
{
  g_ptr_array_unref (self->servers);
  g_clear_object (&self->log);
  g_option_context_free (self->context);
  g_clear_pointer (&self->pid_file, sample_pid_file_free);
  g_strfreev (self->endpoints);
  g_strfreev (self->given_endpoints);
  g_free (self->log_path);
  g_free (self->pid_path);
  g_free (self);
}

void
sample_server_set_default_mix_in (SampleServer *self,
                                  SrvMixIn *(*make_mix_in) (void) )
{
  self->make_mix_in = make_mix_in;
}

gboolean
sample_server_is_one_process (SampleServer *self)
{
  return self->make_mix_in != srv_forking_mix_in_new &&
         self->make_mix_in != srv_prefork_mix_in_new;
}

/* Datagrams are no connections, of which there could be too many. */
void
sample_server_add_sender_limit (SampleServer *self)
{
  const GOptionEntry entries[] = {
    { "sender-rate", 0, 0, G_OPTION_ARG_INT, &self->sender_rate,
      "Over UDP, serve N datagrams of a sender in a second, and drop what is "
      "more",
      "N" },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_add_main_entries (self->context, entries, NULL);
}

static gboolean
check_values (SampleServer *self, GError **error)
{
  if (self->sender_rate < 0 || self->sender_rate > MAX_SENDER_RATE)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "--sender-rate is from 0 to %d", MAX_SENDER_RATE);
      return FALSE;
    }
  return self->ready_fd == -1 ||
         sample_manager_check_fd (self->ready_fd, error);
}

/* FALSE when the program shall end now, with @exit_status. */
gboolean
sample_server_parse (SampleServer *self,
                     int *argc,
                     char ***argv,
                     int *exit_status)
{
  g_autoptr (GError) error = NULL;

  if (g_option_context_parse (self->context, argc, argv, &error) && *argc > 1)
    g_set_error (&error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 "unexpected argument \"%s\"; try --help", (*argv)[1]);
  if (error != NULL || !check_values (self, &error))
    {
      *exit_status = fail (EX_USAGE, error);
      return FALSE;
    }
  if (self->version)
    {
      g_print ("%s %s\n", g_get_prgname (), SRV_VERSION_S);
      *exit_status = EX_OK;
      return FALSE;
    }
  if (self->endpoints == NULL)
    self->endpoints = g_steal_pointer (&self->given_endpoints);
  if (self->endpoints == NULL)
    self->endpoints = g_strsplit (DEFAULT_ENDPOINT, " ", 1);
  return TRUE;
}

/* No events, for a program that needs the terminal. They may go to a file. */
void
sample_server_set_quiet (SampleServer *self)
{
  self->quiet = TRUE;
}

/* @prepare is called for each server before it serves. */
void
sample_server_set_prepare (SampleServer *self,
                           SampleServerFunc prepare,
                           gpointer data)
{
  self->prepare = prepare;
  self->prepare_data = data;
}

/* Serves from a main context, even if there is a single server. */
void
sample_server_set_attached (SampleServer *self)
{
  self->attached = TRUE;
}

/* @on_ready is called for each server, after the start-up lines. */
void
sample_server_set_on_ready (SampleServer *self,
                            SampleServerFunc on_ready,
                            gpointer data)
{
  self->on_ready = on_ready;
  self->on_ready_data = data;
}

/* G_TYPE_INVALID for a kind of socket that the service has nothing for. */
int
sample_server_run (SampleServer *self,
                   GType stream_handler,
                   GType datagram_handler)
{
  g_autoptr (GError) error = NULL;
  int exit_status = EX_OK;

  if (!take_pid_file (self, &error) || !open_log (self, &error))
    return fail (EX_CANTCREAT, error);
  if (!listen_everywhere (self, stream_handler, datagram_handler, &error))
    exit_status =
      fail (error->domain == G_OPTION_ERROR ||
                g_error_matches (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT)
              ? EX_USAGE
              : EX_UNAVAILABLE,
            error);
  else if (!announce (self, &error) || !serve (self, &error))
    exit_status = fail (EX_SOFTWARE, error);
  close_all (self);
  return exit_status;
}
