/* fuzz-jim.c - any bytes to the framer, the parser and the writer of JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first byte chooses the framing, the dialect, strictness, and how the rest
 * is cut into pieces. Any cut must give what the whole gives, and a message that
 * was understood must be JSON again when it is relayed.
 */

#include <socketserver-handlers.h>
#include <stdint.h>
#include <string.h>

#include "srv-jim-framer-private.h"
#include "srv-jim-json-private.h"
#include "srv-jim-message-private.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_rendering (SrvChatEvent *event, guint keys)
{
  g_autoptr (GBytes) bytes = srv_jim_render_event (event, keys);
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  g_autoptr (GHashTable) members = srv_jim_json_parse (text, length);

  if (srv_jim_json_is_supported ())
    g_assert_nonnull (members);
}

static void
check_message (const SrvJimMessage *message)
{
  g_autoptr (SrvChatEvent) event =
    srv_chat_event_new (message->to != NULL ? message->to : "#x",
                        message->text);

  srv_chat_event_set_label (event, "jim-time", message->time);
  srv_chat_event_set_label (event, "encoding", message->encoding);
  check_rendering (event, message->keys);
  check_rendering (event, SRV_JIM_KEYS_ALL);
}

/* What the objects in @data come to, as text; read in pieces of @cut bytes. */
static char *
read_all (const uint8_t *data, size_t size, guint choice, gsize cut)
{
  SrvJimDialect dialect = (SrvJimDialect) (choice / 4 % 3);
  gboolean is_strict = choice / 12 % 2 != 0;
  g_autoptr (GString) out = g_string_new (NULL);
  SrvJimFrame frame = SRV_JIM_FRAME_MORE;
  SrvJimFramer framer;

  srv_jim_framer_init (&framer, (SrvJimFraming) (choice % 4), 1024);
  while (size > 0 && frame != SRV_JIM_FRAME_BAD)
    {
      gsize n = MIN (cut, size);
      gsize left = n;
      const guint8 *next = data;

      do
        {
          SrvJimMessage message = { 0 };

          frame = srv_jim_framer_next (&framer, &next, &left);
          g_string_append_printf (out, "%d;", frame);
          if (frame == SRV_JIM_FRAME_MORE)
            g_string_truncate (out, out->len - 2);
          if (frame != SRV_JIM_FRAME_OBJECT)
            continue;
          if (srv_jim_message_parse (&message,
                                     (const char *) framer.object->data,
                                     framer.object->len, dialect,
                                     is_strict) == NULL)
            {
              g_string_append_printf (out, "%d:%u;", message.action,
                                      message.keys);
              if (message.text != NULL)
                check_message (&message);
            }
          srv_jim_message_clear (&message);
        }
      while (frame == SRV_JIM_FRAME_OBJECT || frame == SRV_JIM_FRAME_TOO_LONG);
      data += n;
      size -= n;
    }
  srv_jim_framer_clear (&framer);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *whole = NULL;
  g_autofree char *pieces = NULL;

  if (size < 1)
    return 0;
  whole = read_all (data + 1, size - 1, data[0], size);
  pieces = read_all (data + 1, size - 1, data[0], data[0] / 24 + 1);
  g_assert_cmpstr (whole, ==, pieces);
  return 0;
}
