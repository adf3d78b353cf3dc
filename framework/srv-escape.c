/* srv-escape.c - bytes from the network, made safe for logs and terminals
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-escape.h"

#include <string.h>

/* Formatting characters and private use: not "unprintable" to GLib in every
 * case, yet they can turn the text around them (bidirectional overrides) or
 * hide in it. */
static gboolean
is_safe (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return FALSE;
    default:
      return c != '\\';
    }
}

static void
append_escaped (GString *out, gunichar c)
{
  if (c == '\n')
    g_string_append (out, "\\n");
  else if (c == '\r')
    g_string_append (out, "\\r");
  else if (c == '\t')
    g_string_append (out, "\\t");
  else if (c == '\\')
    g_string_append (out, "\\\\");
  else if (c < 0x80)
    g_string_append_printf (out, "\\x%02x", c);
  else
    g_string_append_printf (out, "\\u{%x}", c);
}

/**
 * srv_escape:
 * @text: (array length=length) (element-type guint8): bytes that came from
 *   somewhere else
 * @length: how many bytes; -1 if @text ends with a NUL
 *
 * Makes text from a client safe to show in a log or on a terminal.
 *
 * What is printable UTF-8 stays as it is, except that a backslash is doubled.
 * Control characters, line ends, escape sequences, bidirectional overrides and
 * other invisible characters become `\n`, `\x1b` or `\u{202e}`; bytes that are
 * not UTF-8 become `\xff`. The result is a single line.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the text as a NUL-terminated UTF-8 string
 */
char *
srv_escape (const char *text, gssize length)
{
  gsize left = length < 0 ? strlen (text) : (gsize) length;
  GString *out = g_string_sized_new (left + 1);

  while (left > 0)
    {
      gunichar c = g_utf8_get_char_validated (text, (gssize) left);
      gsize step = 1;

      /* A NUL is reported as an incomplete character. */
      if (*text == '\0')
        append_escaped (out, 0);
      else if (c == (gunichar) -1 || c == (gunichar) -2)
        g_string_append_printf (out, "\\x%02x", (guchar) *text);
      else
        {
          step = (gsize) (g_utf8_next_char (text) - text);
          if (is_safe (c))
            g_string_append_len (out, text, (gssize) step);
          else
            append_escaped (out, c);
        }
      text += step;
      left -= step;
    }
  return g_string_free (out, FALSE);
}
