/* chat-server.c - a chat with rooms
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: handlers that share something, made by a factory with its settings;
 *        writing to other people's connections.
 * Run:   chat-server --protocol line --listen tcp:127.0.0.1:7777
 *        then, in two terminals: nc 127.0.0.1 7777
 * See:   what one says in a room, at the other.
 *
 * In Python a chat is a ThreadingTCPServer, a dictionary of sockets and a lock;
 * a client that does not read stops everybody who talks to it.
 */

#include "sample-server.h"

#include <string.h>
#include <sysexits.h>

static const char *protocol = "line";
static char *default_room;
static const char *auth = "off";
static int max_clients = 20000;
static int max_clients_per_address;
static int max_queued_bytes = 256 * 1024;
static int messages_per_second = 50;
static int message_burst = 200;
static gboolean notices;
static gboolean strict;

static const GOptionEntry entries[] = {
  { "protocol", 'p', 0, G_OPTION_ARG_STRING, &protocol,
    "line (default), for people with netcat, or jim, JSON objects", "NAME" },
  { "default-room", 'r', 0, G_OPTION_ARG_STRING, &default_room,
    "Everybody joins #ROOM when named", "#ROOM" },
  { "auth", 0, 0, G_OPTION_ARG_STRING, &auth,
    "off: a name belongs to whoever takes it first", "off" },
  { "max-clients", 0, 0, G_OPTION_ARG_INT, &max_clients,
    "At most N clients (default: 20000)", "N" },
  { "max-clients-per-address", 0, 0, G_OPTION_ARG_INT, &max_clients_per_address,
    "At most N clients from one address (default: 0, any number)", "N" },
  { "max-queued", 0, 0, G_OPTION_ARG_INT, &max_queued_bytes,
    "Cut clients that leave more BYTES unread (default: 262144)", "BYTES" },
  { "rate", 0, 0, G_OPTION_ARG_INT, &messages_per_second,
    "Messages a client may send in a second (default: 50; 0: any)", "N" },
  { "burst", 0, 0, G_OPTION_ARG_INT, &message_burst,
    "Messages it may send at once (default: 200)", "N" },
  { "notices", 0, 0, G_OPTION_ARG_NONE, &notices,
    "jim: tell who joins and leaves", NULL },
  { "strict", 0, 0, G_OPTION_ARG_NONE, &strict,
    "jim: take the protocol by the letter, without gaps", NULL },
  G_OPTION_ENTRY_NULL,
};

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer hub)
{
  gboolean is_jim = strcmp (protocol, "jim") == 0;
  GObject *handler =
    g_object_new (is_jim ? SRV_TYPE_JIM_HANDLER : SRV_TYPE_LINE_CHAT_HANDLER,
                  NULL);

  g_object_set (handler, "hub", hub, NULL);
  g_object_set (handler, "default-room", default_room, NULL);
  g_object_set (handler, "max-queued-bytes", max_queued_bytes, NULL);
  g_object_set (handler, "messages-per-second", messages_per_second, NULL);
  g_object_set (handler, "message-burst", message_burst, NULL);
  if (is_jim)
    {
      g_object_set (handler, "framing", SRV_JIM_FRAMING_AUTO, NULL);
      g_object_set (handler, "auth", SRV_JIM_AUTH_OFF, NULL);
      g_object_set (handler, "notices", notices, NULL);
      g_object_set (handler, "strict", strict, NULL);
      if (strict)
        g_object_set (handler, "post-gap", 0, NULL);
    }
  return SRV_BASE_REQUEST_HANDLER (handler);
}

static void
install (SrvBaseServer *server, gpointer hub)
{
  srv_base_server_set_handler_factory (server, make_handler, hub, NULL);
}

/* What the options cannot be; NULL when they are well. */
static const char *
find_problem (SampleServer *sample)
{
  if (strcmp (protocol, "jim") != 0 && strcmp (protocol, "line") != 0)
    return "--protocol is line or jim";
  if (strcmp (protocol, "jim") == 0 && !srv_jim_handler_is_supported ())
    return "--protocol jim: the library was built without jansson";
  if (strcmp (auth, "off") != 0)
    return "--auth can only be off";
  if (default_room != NULL && default_room[0] != '#')
    return "--default-room begins with #";
  if (max_clients < 1 || max_clients_per_address < 0 || max_queued_bytes < 1 ||
      messages_per_second < 0 || message_burst < 1)
    return "a limit is too small";
  if (!sample_server_is_one_process (sample))
    return "people in different processes cannot talk: no forking, no prefork";
  return NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("A chat with rooms.", entries);
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  const char *problem;
  int exit_status;

  sample_server_set_default_mix_in (sample, srv_threading_mix_in_new);
  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  problem = find_problem (sample);
  if (problem != NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), problem);
      return EX_USAGE;
    }
  g_object_set (hub, "max-connections", max_clients,
                "max-connections-per-address", max_clients_per_address, NULL);
  sample_server_set_prepare (sample, install, hub);
  return sample_server_run (sample, SRV_TYPE_LINE_CHAT_HANDLER, G_TYPE_INVALID);
}
