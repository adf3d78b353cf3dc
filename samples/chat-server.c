/* chat-server.c - a chat with rooms
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: handlers that share something, made by a factory with its settings;
 *        writing to other people's connections; accounts, and messages that
        wait for who is away.
 * Run:   chat-server --protocol line --listen tcp:127.0.0.1:7777
 *        then, in two terminals: nc 127.0.0.1 7777
 * See:   what one says in a room, at the other.
 *
 * In Python a chat is a ThreadingTCPServer, a dictionary of sockets and a lock;
 * a client that does not read stops everybody who talks to it.
 */

#include "chat-limits.h"
#include "sample-config.h"
#include "sample-server.h"

#include <string.h>
#include <sysexits.h>

static const char *protocol = "line";
static const char *default_room;
static const char *auth_name = "off";
static const char *dialect_name = "auto";
static const char *store_path;
static const char *config_path;
static gboolean notices;
static gboolean strict;
static gboolean insecure_auth;
static gboolean broadcasts;

static const GOptionEntry entries[] = {
  SAMPLE_CONFIG_ENTRY (&config_path),
  { "protocol", 'p', 0, G_OPTION_ARG_STRING, &protocol,
    "line (default), for people with netcat, or jim, JSON objects", "NAME" },
  { "default-room", 'r', 0, G_OPTION_ARG_STRING, &default_room,
    "Everybody joins #ROOM when named", "#ROOM" },
  { "store", 's', 0, G_OPTION_ARG_FILENAME, &store_path,
    "Keep accounts, messages that wait and the rooms' history in FILE",
    "FILE" },
  { "auth", 0, 0, G_OPTION_ARG_STRING, &auth_name,
    "off: a name belongs to whoever takes it first; optional: who has an "
    "account needs the password; required: only who has one comes in",
    "POLICY" },
  { "insecure-auth", 0, 0, G_OPTION_ARG_NONE, &insecure_auth,
    "jim: take passwords from other machines as well", NULL },
  { "notices", 0, 0, G_OPTION_ARG_NONE, &notices,
    "jim: tell who joins and leaves", NULL },
  { "strict", 0, 0, G_OPTION_ARG_NONE, &strict,
    "jim: take the protocol by the letter, without gaps", NULL },
  { "dialect", 0, 0, G_OPTION_ARG_STRING, &dialect_name,
    "jim: auto (default): the words of each client; template: the same, and "
    "message, sender, destination and message_text to who has said nothing; "
    "spec: only the protocol's own",
    "NAME" },
  { "broadcast", 0, 0, G_OPTION_ARG_NONE, &broadcasts,
    "jim: a message to nobody, to all or to client goes to the default room",
    NULL },
  G_OPTION_ENTRY_NULL,
};

/* What all clients have in common. */
typedef struct
{
  SrvChatHub *hub;
  SrvAccountStore *store; /* NULL: nothing is kept */
  SrvJimAuth auth;
  SrvJimDialect dialect;
} Chat;

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer data)
{
  const Chat *chat = data;
  gboolean is_jim = strcmp (protocol, "jim") == 0;
  GObject *handler =
    g_object_new (is_jim ? SRV_TYPE_JIM_HANDLER : SRV_TYPE_LINE_CHAT_HANDLER,
                  NULL);

  g_object_set (handler, "hub", chat->hub, NULL);
  g_object_set (handler, "store", chat->store, NULL);
  g_object_set (handler, "default-room", default_room, NULL);
  if (is_jim)
    {
      g_object_set (handler, "framing", SRV_JIM_FRAMING_AUTO, NULL);
      g_object_set (handler, "auth", chat->auth, NULL);
      g_object_set (handler, "insecure-auth", insecure_auth, NULL);
      g_object_set (handler, "dialect", chat->dialect, NULL);
      g_object_set (handler, "compat-broadcast", broadcasts, NULL);
      g_object_set (handler, "notices", notices, NULL);
      g_object_set (handler, "strict", strict, NULL);
      if (strict)
        g_object_set (handler, "post-gap", 0, NULL);
    }
  chat_limits_apply (handler);
  return SRV_BASE_REQUEST_HANDLER (handler);
}

static void
install (SrvBaseServer *server, gpointer chat)
{
  srv_base_server_set_handler_factory (server, make_handler, chat, NULL);
}

/* -1 when @type has no such value. */
static int
parse_enum (GType type, const char *nick)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  const GEnumValue *value = g_enum_get_value_by_nick (klass, nick);

  return value != NULL ? value->value : -1;
}

/* What the options cannot be; NULL when they are well. */
static char *
find_problem (SampleServer *sample, Chat *chat)
{
  const char *problem = NULL;
  int auth = parse_enum (SRV_TYPE_JIM_AUTH, auth_name);
  int dialect = parse_enum (SRV_TYPE_JIM_DIALECT, dialect_name);

  if (strcmp (protocol, "jim") != 0 && strcmp (protocol, "line") != 0)
    problem = "--protocol is line or jim";
  else if (strcmp (protocol, "jim") == 0 && !srv_jim_handler_is_supported ())
    problem = "--protocol jim: the library was built without jansson";
  else if (auth < 0)
    problem = "--auth is off, optional or required";
  else if (dialect < 0)
    problem = "--dialect is auto, template or spec";
  else if (auth != SRV_JIM_AUTH_OFF && strcmp (protocol, "jim") != 0)
    problem = "--auth can only be off: lines have no passwords";
  else if (auth != SRV_JIM_AUTH_OFF && store_path == NULL)
    problem = "--auth needs the accounts of a --store";
  else if (default_room != NULL && default_room[0] != '#')
    problem = "--default-room begins with #";
  else if (broadcasts && default_room == NULL)
    problem = "--broadcast needs a --default-room";
  else if (!sample_server_is_one_process (sample))
    problem =
      "people in different processes cannot talk: no forking, no prefork";
  chat->auth = (SrvJimAuth) auth;
  chat->dialect = (SrvJimDialect) dialect;
  return problem != NULL ? g_strdup (problem) : chat_limits_find_problem ();
}

static int
fail (int exit_status, const char *problem)
{
  g_printerr ("%s: %s\n", g_get_prgname (), problem);
  return exit_status;
}

static int
serve (SampleServer *sample)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvAccountStore) store = NULL;
  g_autoptr (GError) error = NULL;
  Chat chat = { .hub = hub };
  g_autofree char *problem = find_problem (sample, &chat);

  if (problem != NULL)
    return fail (EX_USAGE, problem);
  if (store_path != NULL)
    {
      chat.store = store = srv_account_store_new (store_path, &error);
      if (store == NULL)
        return fail (EX_CANTCREAT, error->message);
      chat_limits_apply (G_OBJECT (store));
    }
  chat_limits_apply (G_OBJECT (hub));
  sample_server_set_prepare (sample, install, &chat);
  return sample_server_run (sample, SRV_TYPE_LINE_CHAT_HANDLER, G_TYPE_INVALID);
}

int
main (G_GNUC_UNUSED int argc, char **argv)
{
  g_autofree GOptionEntry *all_entries = chat_limits_make_entries (entries);
  g_autoptr (SampleServer) sample =
    sample_server_new ("A chat with rooms.", all_entries);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  g_autofree char **rest = NULL;
  int n_words;
  int exit_status;

  g_set_prgname ("chat-server");
  words = sample_config_expand (argv, "chat-server", &error);
  if (words == NULL)
    return fail (EX_CONFIG, error->message);
  n_words = (int) g_strv_length (words);
  rest = g_memdup2 (words, sizeof *words * ((gsize) n_words + 1));
  sample_server_set_default_mix_in (sample, srv_threading_mix_in_new);
  if (!sample_server_parse (sample, &n_words, &rest, &exit_status))
    return exit_status;
  return serve (sample);
}
