/* srv-jim-handler.c - a chat that speaks JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *   srv-jim-framer.c    bytes to objects
 *   srv-jim-json.c      JSON, strictly
 *   srv-jim-message.c   what an object says
 *   srv-jim-session.c   what comes of it
 *   srv-jim-contacts.c  the same, for contacts
 *   srv-jim-render.c    what the client is sent
 *   srv-jim-settings.c  properties
 */

#include "config.h"

#include "srv-jim-handler.h"

#include "srv-jim-framer-private.h"
#include "srv-jim-json-private.h"
#include "srv-jim-session-private.h"
#include "srv-jim-settings-private.h"
#include "srv-secret-private.h"

/**
 * SrvJimHandler:
 *
 * A chat that speaks JIM, JSON instant messaging: a teaching protocol of JSON
 * objects over TCP, whose clients are many and not all alike.
 *
 * It answers each request with one `response`, relays messages with the sender's
 * name as the server knows it, and takes the dialects that clients speak: who
 * says `message_text` is answered so. Clients that take each read for one object
 * are right, because objects are sent apart, in packets of their own. A client
 * that says nothing is sent a `probe`, for some wait for it.
 *
 * People of other protocols are in the same rooms when the handlers have the
 * same [property@SocketServerHandlers.ChatHandler:hub].
 *
 * Who is registered, and messages for those who are not there, are the business
 * of a [iface@SocketServerHandlers.ChatStore]; without one all are guests, and a
 * message to somebody who has left is answered 410.
 *
 * ```c
 * srv_base_server_set_handler_factory (server, make_handler, hub, NULL);
 * // where make_handler returns
 * g_object_new (SRV_TYPE_JIM_HANDLER, "hub", hub, "default-room", "#all", NULL)
 * ```
 */
G_DEFINE_FINAL_TYPE (SrvJimHandler, srv_jim_handler, SRV_TYPE_CHAT_HANDLER)

/* One conversation: what its loop has to remember. */
typedef struct
{
  SrvJimHandler *handler;
  SrvJimFramer framer;
  gint64 name_by;  /* when the client must have a name */
  gint64 probe_at; /* when it is probed; -1 when not any more */
  gint64 whole_by; /* when the object that has begun must be whole; -1: none */
} Talk;

static gint64
in_ms (guint timeout_ms)
{
  return g_get_monotonic_time () + (gint64) timeout_ms * 1000;
}

static gboolean
srv_jim_handler_setup (SrvBaseRequestHandler *handler, GError **error)
{
  SrvJimHandler *self = SRV_JIM_HANDLER (handler);
  int keys = 0;

  if (!srv_jim_handler_is_supported ())
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "this build cannot read JSON");
      return FALSE;
    }
  if (self->dialect == SRV_JIM_DIALECT_AUTO)
    keys = SRV_JIM_KEYS_ALL;
  else if (self->dialect == SRV_JIM_DIALECT_TEMPLATE)
    keys = SRV_JIM_KEYS_TEMPLATE;
  if (self->framing == SRV_JIM_FRAMING_LINES)
    keys |= SRV_JIM_KEYS_LINES;
  else if (self->framing == SRV_JIM_FRAMING_LEN32)
    keys |= SRV_JIM_KEYS_LEN32;
  if (self->stamps)
    keys |= SRV_JIM_KEYS_STAMP;
  g_atomic_int_set (&self->keys, keys);
  return SRV_BASE_REQUEST_HANDLER_CLASS (srv_jim_handler_parent_class)
    ->setup (handler, error);
}

static void
srv_jim_handler_refuse (SrvChatHandler *handler, const GError *reason)
{
  srv_jim_session_answer (SRV_JIM_HANDLER (handler), 403, reason->message,
                          NULL);
}

static GBytes *
srv_jim_handler_render (SrvChatHandler *handler, SrvChatEvent *event)
{
  SrvJimHandler *self = SRV_JIM_HANDLER (handler);

  if (srv_chat_event_get_kind (event) != SRV_CHAT_EVENT_MESSAGE &&
      !self->gives_notices)
    return NULL;
  return srv_chat_event_render (event, (guint) g_atomic_int_get (&self->keys),
                                srv_jim_render_event);
}

/* The next thing that has to happen without the client's doing. */
static gint64
next_deadline (const Talk *talk)
{
  gint64 deadline = talk->whole_by;

  if (talk->handler->is_named)
    return deadline;
  if (deadline < 0 || talk->name_by < deadline)
    deadline = talk->name_by;
  if (talk->probe_at >= 0 && talk->probe_at < deadline)
    deadline = talk->probe_at;
  return deadline;
}

/* After each read, or who sends a little at a time would never be late: FALSE
 * when the client is told that this was it. */
static gboolean
is_in_time (Talk *talk)
{
  gint64 now = g_get_monotonic_time ();

  if (talk->whole_by >= 0 && now >= talk->whole_by)
    srv_jim_session_answer (talk->handler, 400, "the object does not end",
                            NULL);
  else if (!talk->handler->is_named && now >= talk->name_by)
    srv_jim_session_answer (talk->handler, 401, "say who you are", NULL);
  else if (!talk->handler->is_named && talk->probe_at >= 0 &&
           now >= talk->probe_at)
    {
      g_autoptr (GBytes) probe =
        srv_jim_render_probe ((guint) g_atomic_int_get (&talk->handler->keys));

      srv_chat_handler_post (SRV_CHAT_HANDLER (talk->handler), probe);
      talk->probe_at = -1;
      return TRUE;
    }
  else
    return TRUE;
  return FALSE;
}

static void
answer_bad (Talk *talk)
{
  SrvConnection *connection = srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (talk->handler));
  g_autofree char *peer =
    srv_request_describe_client (SRV_REQUEST (connection));

  g_info ("%s: %s", peer, talk->framer.problem);
  if (!talk->framer.is_tls)
    srv_jim_session_answer (talk->handler, 400, "bad framing", NULL);
}

/* The framing of the first byte is that of the answers. */
static void
note_framing (Talk *talk)
{
  if (talk->handler->framing == SRV_JIM_FRAMING_AUTO &&
      talk->framer.framing == SRV_JIM_FRAMING_LEN32)
    g_atomic_int_or (&talk->handler->keys, SRV_JIM_KEYS_LEN32);
}

/* What one read has given; FALSE when the conversation is over. */
static gboolean
serve_bytes (Talk *talk, const guint8 *data, gsize length)
{
  SrvChatHandler *handler = SRV_CHAT_HANDLER (talk->handler);
  SrvJimFramer *framer = &talk->framer;
  g_autoptr (GError) reason = NULL;

  talk->probe_at = -1;
  if (!srv_chat_handler_take (handler, length, 0, &reason))
    {
      srv_jim_session_answer (talk->handler, 403, "too fast", NULL);
      return FALSE;
    }
  for (;;)
    {
      SrvJimFrame frame = srv_jim_framer_next (framer, &data, &length);

      note_framing (talk);
      switch (frame)
        {
        case SRV_JIM_FRAME_OBJECT:
          talk->whole_by = -1;
          if (!srv_jim_session_serve (talk->handler,
                                      (const char *) framer->object->data,
                                      framer->object->len))
            return FALSE;
          break;
        case SRV_JIM_FRAME_TOO_LONG:
          talk->whole_by = -1;
          srv_jim_session_answer (talk->handler, 400, "the object is too long",
                                  NULL);
          break;
        case SRV_JIM_FRAME_BAD:
          answer_bad (talk);
          return FALSE;
        case SRV_JIM_FRAME_MORE:
        default:
          if (!srv_jim_framer_is_inside (framer))
            talk->whole_by = -1;
          else if (talk->whole_by < 0)
            talk->whole_by = in_ms (talk->handler->partial_timeout_ms);
          return TRUE;
        }
    }
}

static gboolean
talk_until_end (Talk *talk, GError **error)
{
  SrvChatHandler *handler = SRV_CHAT_HANDLER (talk->handler);
  SrvConnection *connection = srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (handler));
  guint8 buffer[4096];

  for (;;)
    {
      gint64 deadline = next_deadline (talk);
      GCancellable *wake = srv_chat_handler_get_wake (handler);
      g_autoptr (GError) failure = NULL;
      gssize n;

      if (!srv_chat_handler_set_deadline (handler, deadline, error))
        return FALSE;
      n = srv_connection_receive (connection, buffer, sizeof buffer, wake,
                                  &failure);
      if (n < 0 && g_cancellable_is_cancelled (wake))
        {
          /* Here, as there may be nothing that this client may fetch. */
          g_cancellable_reset (wake);
          if (!srv_jim_session_fetch (talk->handler, error))
            return FALSE;
          continue;
        }
      if (n == 0)
        return TRUE;
      if (n > 0)
        {
          gboolean may_go_on = serve_bytes (talk, buffer, (gsize) n);

          srv_secret_wipe (buffer, (gsize) n);
          if (!may_go_on)
            return TRUE;
        }
      if (n < 0 && (deadline < 0 || !g_error_matches (failure, G_IO_ERROR,
                                                      G_IO_ERROR_TIMED_OUT)))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (!is_in_time (talk))
        return TRUE;
    }
}

static gboolean
srv_jim_handler_converse (SrvChatHandler *handler, GError **error)
{
  SrvJimHandler *self = SRV_JIM_HANDLER (handler);
  guint unidentified_timeout_ms;
  Talk talk = { .handler = self, .whole_by = -1 };
  gboolean ok;

  g_object_get (self, "unidentified-timeout", &unidentified_timeout_ms, NULL);
  talk.name_by = in_ms (unidentified_timeout_ms);
  talk.probe_at = self->probe_grace_ms > 0 ? in_ms (self->probe_grace_ms) : -1;
  srv_jim_framer_init (&talk.framer, self->framing, self->max_object_bytes);
  ok = talk_until_end (&talk, error);
  srv_jim_framer_clear (&talk.framer);
  return ok;
}

static void
srv_jim_handler_class_init (SrvJimHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvChatHandlerClass *chat_class = SRV_CHAT_HANDLER_CLASS (klass);

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->setup = srv_jim_handler_setup;
  chat_class->converse = srv_jim_handler_converse;
  chat_class->refuse = srv_jim_handler_refuse;
  chat_class->render = srv_jim_handler_render;
  srv_jim_settings_install (object_class);
}

static void
srv_jim_handler_init (SrvJimHandler *self)
{
  g_object_set (self, "post-gap", 5, NULL);
}

/**
 * srv_jim_handler_is_supported:
 *
 * Asks whether this build of the library can read JSON, which needs jansson.
 * Without it the class is there, and its handlers fail in `setup`.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it can
 */
gboolean
srv_jim_handler_is_supported (void)
{
  return srv_jim_json_is_supported ();
}
