/* operator-server.c - a chat in which the operator answers everybody
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: handlers that share something: many threads, one terminal.
 * Run:   operator-server --mix-in threading --listen tcp:127.0.0.1:5000
 *        then, elsewhere, several times: operator-client tcp:127.0.0.1:5000
 * See:   [1] 127.0.0.1:57822 is here
 *        [1] hello
 *        [1] >>> hello yourself
 *        Clients speak while you type, and do not garble it. An answer goes to
 *        the conversation that the prompt names, `@2 text` to another one.
 *        Without the mix-in, clients wait for each other. With --script FILE a
 *        script answers instead: lines `> to say` and `< to expect`.
 *
 * In Python:
 *
 *   class Handler(socketserver.BaseRequestHandler):
 *       def handle(self):
 *           while data := self.request.recv(1024):
 *               print(data.decode())
 *               self.request.sendall(input(">>> ").encode())
 *
 *   with socketserver.ThreadingTCPServer(("127.0.0.1", 8888), Handler) as s:
 *       s.serve_forever()
 */

#include "operator-desk.h"
#include "sample-server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MAX_MESSAGE 4096

/* A message ends with a newline, or when nothing has come for so long: the
 * clients of tutorials send no newlines. */
#define PAUSE_MS 300

/* Who says nothing for an hour is not there any more. */
#define MAX_SILENCE_MS (60 * 60 * 1000)

static char *bye_word; /* NULL: "ByeBye" */
static gboolean once;
static char *script_path; /* NULL: the operator answers */

static const GOptionEntry entries[] = {
  { "bye", 'b', 0, G_OPTION_ARG_FILENAME, &bye_word,
    "The message with which a client takes leave (default: ByeBye)", "WORD" },
  { "once", '1', 0, G_OPTION_ARG_NONE, &once,
    "End with the first client that leaves", NULL },
  { "script", 's', 0, G_OPTION_ARG_FILENAME, &script_path,
    "Let the lines of FILE answer, instead of an operator", "FILE" },
  G_OPTION_ENTRY_NULL,
};

static SampleConsole *console; /* set before there are handlers, as are ... */
static OperatorDesk *desk;
static GThread *operator_thread;
static pid_t own_pid;

/* As if somebody had sent a signal, but never a second one, which would cut the
 * conversations that are about to end. */
static void
end_service (void)
{
  static int has_asked;

  if (g_atomic_int_compare_and_exchange (&has_asked, FALSE, TRUE))
    kill (own_pid, SIGTERM);
}

typedef SrvStreamRequestHandler Handler;
typedef SrvStreamRequestHandlerClass HandlerClass;

GType handler_get_type (void);

G_DEFINE_TYPE (Handler, handler, SRV_TYPE_STREAM_REQUEST_HANDLER)

/* FALSE when there is no more to wait for: at the end of the input, after a
 * pause, or with an error. */
static gboolean
read_more (SrvStreamRequestHandler *handler, GString *input, GError **error)
{
  SrvConnection *connection =
    srv_stream_request_handler_get_connection (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (handler);
  GError *local = NULL;
  char chunk[1024];
  gssize n = -1;

  if (srv_connection_set_timeout (connection,
                                  input->len > 0 ? PAUSE_MS : MAX_SILENCE_MS,
                                  &local))
    n = srv_reader_read (rfile, chunk, sizeof chunk, &local);
  if (n > 0)
    g_string_append_len (input, chunk, n);
  if (input->len > 0 &&
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_clear_error (&local);
  if (local != NULL)
    g_propagate_error (error, local);
  return n > 0;
}

/* Moves one message from what has been read. A very long one comes in
 * pieces. */
static gboolean
read_message (SrvStreamRequestHandler *handler,
              GString *input,
              GString *message,
              GError **error)
{
  const char *newline;
  gsize length;

  while ((newline = memchr (input->str, '\n', input->len)) == NULL &&
         input->len < MAX_MESSAGE && read_more (handler, input, error))
    ;
  if (*error != NULL || input->len == 0)
    return FALSE;
  length = newline != NULL ? (gsize) (newline + 1 - input->str) : input->len;
  g_string_truncate (message, 0);
  g_string_append_len (message, input->str, (gssize) length);
  g_string_erase (input, 0, (gssize) length);
  return TRUE;
}

static gsize
without_line_end (const char *message, gsize length)
{
  if (length > 0 && message[length - 1] == '\n')
    length--;
  if (length > 0 && message[length - 1] == '\r')
    length--;
  return length;
}

static gboolean
is_bye (const char *message, gsize length)
{
  const char *word = bye_word != NULL ? bye_word : "ByeBye";

  return length == strlen (word) && memcmp (message, word, length) == 0;
}

/* Until the client is done; gives the reason. */
static const char *
converse (SrvStreamRequestHandler *handler, guint id, GError **error)
{
  SrvBaseRequestHandler *base = SRV_BASE_REQUEST_HANDLER (handler);
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (base));
  g_autoptr (GString) input = g_string_new (NULL);
  g_autoptr (GString) message = g_string_new (NULL);

  while (read_message (handler, input, message, error))
    {
      const gsize length = without_line_end (message->str, message->len);

      srv_event_log_received (log, base, (const guint8 *) message->str, length);
      operator_desk_say (desk, id, message->str, length);
      if (is_bye (message->str, length))
        return "it said good-bye";
    }
  if (srv_base_request_handler_is_draining (base))
    return "the server ends";
  return *error == NULL ? "it hung up" : (*error)->message;
}

static gboolean
handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);
  SrvEventLog *log = srv_event_log_for_server (server);
  guint id;

  if (getpid () != own_pid)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "a forked child cannot reach the operator");
      return FALSE;
    }
  id =
    operator_desk_join (desk, srv_base_request_handler_get_request (handler));
  srv_event_log_connected (log, handler);
  operator_desk_leave (desk, id, converse (self, id, error));
  srv_event_log_disconnected (log, handler, 0, 0, *error);
  if (once)
    end_service ();
  return *error == NULL;
}

static void
handler_class_init (HandlerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = handler_handle;
}

static void
handler_init (Handler *self)
{
  srv_stream_request_handler_set_end_on_drain (self, TRUE);
}

/* The operator's thread. Without a terminal the service goes on when there are
 * no more commands, as one in the background has to. */
static gpointer
obey_operator (G_GNUC_UNUSED gpointer data)
{
  gboolean go_on = TRUE;
  guint chosen;
  char *line;

  while (go_on && (line = sample_console_read_line (console, &chosen)) != NULL)
    {
      go_on = operator_desk_obey (desk, chosen, line);
      g_free (line);
    }
  if (!go_on || sample_console_is_terminal (console))
    end_service ();
  return NULL;
}

static void
on_ready (G_GNUC_UNUSED SrvBaseServer *server, G_GNUC_UNUSED gpointer data)
{
  if (desk != NULL)
    return;
  fflush (stdout);
  desk = operator_desk_new (console);
  operator_thread = g_thread_new ("operator", obey_operator, NULL);
}

/* Warnings, too, go where they do not garble what is being typed. */
static GLogWriterOutput
show_record (GLogLevelFlags level,
             const GLogField *fields,
             gsize n_fields,
             G_GNUC_UNUSED gpointer user_data)
{
  g_autofree char *text = NULL;

  if (g_log_writer_default_would_drop (level, NULL))
    return G_LOG_WRITER_HANDLED;
  text = g_log_writer_format_fields (level, fields, n_fields, FALSE);
  sample_console_show (console, "%s", g_strstrip (text));
  return G_LOG_WRITER_HANDLED;
}

static int
run (SampleServer *sample)
{
  int exit_status;

  own_pid = getpid ();
  console = sample_console_new ();
  if (sample_console_is_terminal (console))
    {
      sample_server_set_quiet (sample);
      g_log_set_writer_func (show_record, NULL, NULL);
    }
  sample_server_set_on_ready (sample, on_ready, NULL);
  exit_status = sample_server_run (sample, handler_get_type (), G_TYPE_INVALID);
  sample_console_stop (console);
  if (operator_thread != NULL)
    g_thread_join (operator_thread);
  g_clear_pointer (&desk, operator_desk_free);
  sample_console_free (console);
  return exit_status;
}

/* Without an operator: each client has the script for itself. */

typedef SrvScriptHandler Player;
typedef SrvScriptHandlerClass PlayerClass;

GType player_get_type (void);

G_DEFINE_TYPE (Player, player, SRV_TYPE_SCRIPT_HANDLER)

static gboolean
player_finish (SrvBaseRequestHandler *handler, GError **error)
{
  gboolean ok = SRV_BASE_REQUEST_HANDLER_CLASS (player_parent_class)
                  ->finish (handler, error);

  /* In a process of its own it does not know what the others asked for. */
  if (once && !srv_base_request_handler_is_draining (handler))
    end_service ();
  return ok;
}

static void
player_class_init (PlayerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->finish = player_finish;
}

static void
player_init (G_GNUC_UNUSED Player *self)
{
}

static SrvBaseRequestHandler *
make_player (G_GNUC_UNUSED SrvBaseServer *server,
             G_GNUC_UNUSED SrvRequest *request,
             gpointer script)
{
  return g_object_new (player_get_type (), "script", script, NULL);
}

static void
install_players (SrvBaseServer *server, gpointer script)
{
  srv_base_server_set_handler_factory (server, make_player, script, NULL);
}

static int
run_script (SampleServer *sample)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvScript) script = NULL;
  g_autofree char *text = NULL;

  if (g_file_get_contents (script_path, &text, NULL, &error))
    script = srv_script_parse (text, &error);
  if (script == NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return EX_NOINPUT;
    }
  own_pid = getpid ();
  sample_server_set_prepare (sample, install_players, script);
  return sample_server_run (sample, player_get_type (), G_TYPE_INVALID);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("A chat in which the operator answers everybody.",
                       entries);
  int exit_status;

  if (sample_server_parse (sample, &argc, &argv, &exit_status))
    exit_status = script_path != NULL ? run_script (sample) : run (sample);
  g_free (bye_word);
  g_free (script_path);
  return exit_status;
}
