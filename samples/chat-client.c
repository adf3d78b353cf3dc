/* chat-client.c - a terminal for the chat of chat-server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a client that lives long: one main loop for keyboard, network and
 *        time; requests and what comes unasked; coming back after a cut.
 * Run:   chat-server --protocol jim --listen tcp:127.0.0.1:7777
 *        then: chat-client --name alice --room '#tea' tcp:127.0.0.1:7777
 * See:   what others say, above the line that you type; /help for more.
 *
 * chat-object reads and writes objects, chat-link holds the connection,
 * chat-session speaks the protocol, chat-command takes what is typed, chat-view
 * and chat-screen (with chat-editor) show it.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 7777)) as s:
 *       send(s, {"action": "presence", "user": {"account_name": "alice"}})
 *       while select.select([s, sys.stdin], [], []):
 *           ...
 */

#include "chat-command.h"
#include "chat-password.h"
#include "sample-secret.h"

#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>

static const char description[] =
  "Endpoints: tcp:HOST:PORT, unix:PATH, unix:@NAME. Without one, asks for host\n"
  "and port if the input is a terminal, and takes tcp:127.0.0.1:9999\n"
  "otherwise.\n\n"
  "Lines are said in the room; /help shows the commands. With --json, each line\n"
  "of the input and of the output is an object.\n\n"
  "Exit status: 0 it ended as it should, 64 wrong usage, 69 refused or cannot\n"
  "connect, 74 other trouble, 75 timeout, 76 cut off or not understood, 77 the\n"
  "server did not let us in.\n";

typedef struct
{
  char *name;
  char *status;
  char **rooms;
  char *password_file;
  gboolean asks_password;
  gboolean is_insecure;
  gboolean is_json;
  int rate;
  ChatLinkOptions link;
  char *password;
} Settings;

typedef struct
{
  ChatScreen *screen;
  ChatView *view;
  ChatSession *session;
  gboolean is_json;
  gboolean is_leaving;
  GError *error; /* with which the session has ended */
} Chat;

static void
describe (SampleClient *client, Settings *settings)
{
  const GOptionEntry entries[] = {
    { "name", 'n', 0, G_OPTION_ARG_STRING, &settings->name,
      "Who you are (default: the name of your account here)", "NAME" },
    { "room", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &settings->rooms,
      "Begin in #ROOM; may be given several times", "#ROOM" },
    { "status", 's', 0, G_OPTION_ARG_STRING, &settings->status,
      "What others may know of you", "TEXT" },
    { "ask-password", 'p', 0, G_OPTION_ARG_NONE, &settings->asks_password,
      "Ask for the password", NULL },
    { "password-file", 'f', 0, G_OPTION_ARG_FILENAME, &settings->password_file,
      "Take the first line of FILE for the password", "FILE" },
    { "insecure", 0, 0, G_OPTION_ARG_NONE, &settings->is_insecure,
      "Send the password to another machine as it is", NULL },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &settings->is_json,
      "Objects instead of text, one on each line, for programs", NULL },
    { "rate", 0, 0, G_OPTION_ARG_INT, &settings->rate,
      "Send at most N objects in a second (default: 40; 0: any)", "N" },
    { "retries", 0, 0, G_OPTION_ARG_INT, &settings->link.n_retries,
      "After a cut, try N times to come back (default: 8)", "N" },
    { "retry-delay", 0, 0, G_OPTION_ARG_DOUBLE, &settings->link.delay_s,
      "Before the first time; then twice as long each time (default: 1)",
      "SECONDS" },
    G_OPTION_ENTRY_NULL,
  };

  sample_client_describe (client, entries, description);
}

static gboolean
get_password (Settings *settings, GError **error)
{
  if (settings->password_file != NULL)
    settings->password = chat_password_read (settings->password_file, error);
  else if (settings->asks_password)
    settings->password = chat_password_ask ("Password", error);
  return *error == NULL;
}

static gboolean
check (Settings *settings, GError **error)
{
  const char *problem = NULL;

  if (settings->name == NULL)
    settings->name = g_strdup (g_get_user_name ());
  if (*settings->name == '\0' || !g_utf8_validate (settings->name, -1, NULL))
    problem = "--name is a name in UTF-8";
  for (char **room = settings->rooms; room != NULL && *room != NULL; room++)
    if (**room != '#')
      problem = "--room begins with #";
  if (settings->rate < 0 || settings->rate > 1000000)
    problem = "--rate is 0 to 1000000";
  if (settings->link.n_retries < 0)
    problem = "--retries cannot be negative";
  if (!(settings->link.delay_s > 0 && settings->link.delay_s <= 30))
    problem = "--retry-delay is above 0 and at most 30";
  if (problem == NULL)
    return get_password (settings, error);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       problem);
  return FALSE;
}

static void
on_line (const char *line, gpointer data)
{
  Chat *chat = data;

  if (line == NULL)
    chat_session_quit (chat->session);
  else if (chat->is_json)
    chat_command_run_json (chat->session, chat->view, line);
  else
    chat_command_run (chat->session, chat->view, line);
}

static void
on_end (const GError *error, gpointer data)
{
  Chat *chat = data;

  if (error != NULL)
    chat->error = g_error_copy (error);
  chat_screen_stop (chat->screen);
}

/* The first one says good-bye, the second one does not wait for the answer. */
static gboolean
on_signal (gpointer data)
{
  Chat *chat = data;

  if (chat->is_leaving)
    chat_session_give_up (chat->session);
  chat->is_leaving = TRUE;
  chat_session_quit (chat->session);
  return G_SOURCE_CONTINUE;
}

static void
run (SampleClient *client, const Settings *settings, GError **error)
{
  g_autoptr (ChatScreen) screen = chat_screen_new ();
  g_autoptr (ChatView) view =
    chat_view_new (screen, settings->is_json, sample_client_is_quiet (client));
  const ChatSessionOptions options = {
    .name = settings->name,
    .password = settings->password,
    .status = settings->status,
    .rooms = settings->rooms,
    .is_insecure = settings->is_insecure,
    .rate = settings->rate,
    .timeout_s = sample_client_get_timeout (client),
    .link = settings->link,
  };
  Chat chat = { .screen = screen, .view = view, .is_json = settings->is_json };
  g_autoptr (ChatSession) session =
    chat_session_new (client, screen, view, &options, on_end, &chat);
  const guint ids[] = { g_unix_signal_add (SIGINT, on_signal, &chat),
                        g_unix_signal_add (SIGTERM, on_signal, &chat) };

  chat.session = session;
  sample_client_set_quiet (client);
  chat_session_start (session);
  chat_screen_run (screen, on_line, &chat);
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    g_source_remove (ids[i]);
  if (chat.error != NULL)
    g_propagate_error (error, chat.error);
}

/* Objects have the password in them, and the library that makes them keeps
 * copies while it does. */
static void
wipe_and_free (void *memory)
{
  if (memory != NULL)
    explicit_bzero (memory, malloc_usable_size (memory));
  free (memory);
}

static void
clear (Settings *settings)
{
  g_free (settings->name);
  g_free (settings->status);
  g_strfreev (settings->rooms);
  g_free (settings->password_file);
  sample_secret_free (settings->password);
}

int
main (int argc, char **argv)
{
  Settings settings = { .rate = 40, .link = { .n_retries = 8, .delay_s = 1 } };
  g_autoptr (SampleClient) client =
    sample_client_new ("A terminal for a chat with rooms.");
  g_autoptr (GError) error = NULL;
  int exit_status;

  setlocale (LC_CTYPE, "");
  json_set_alloc_funcs (malloc, wipe_and_free);
  describe (client, &settings);
  if (sample_client_parse (client, &argc, &argv, &exit_status))
    {
      if (check (&settings, &error))
        run (client, &settings, &error);
      exit_status = sample_client_end (client, error);
    }
  clear (&settings);
  return exit_status;
}
