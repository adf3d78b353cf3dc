/* srv-upload-protocol.c - the words of an upload: header and verdict
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nothing here reads or writes: bytes go in, meaning comes out. The protocol is
 * described in srv-upload-handler.h.
 */

#include "config.h"

#include "srv-upload-protocol-private.h"

#include <limits.h>
#include <socketserver.h>
#include <string.h>

#define OWN_WORD    "upload 1 "
#define POST_WORD   "post|"
#define HEX_DIGITS  "0123456789abcdefABCDEF"
#define HASH_DIGITS 64

/* Not by G_DEFINE_QUARK: what it keeps is written without a lock. */
GQuark
srv_upload_error_quark (void)
{
  return g_quark_from_static_string ("srv-upload-error-quark");
}

static const char *const words[] = {
  [SRV_UPLOAD_ERROR_BAD_HEADER] = "bad-header",
  [SRV_UPLOAD_ERROR_BAD_SIZE] = "bad-size",
  [SRV_UPLOAD_ERROR_BAD_NAME] = "bad-name",
  [SRV_UPLOAD_ERROR_TOO_LARGE] = "too-large",
  [SRV_UPLOAD_ERROR_QUOTA] = "quota",
  [SRV_UPLOAD_ERROR_NO_SPACE] = "no-space",
  [SRV_UPLOAD_ERROR_EXISTS] = "exists",
  [SRV_UPLOAD_ERROR_BUSY] = "busy",
  [SRV_UPLOAD_ERROR_CHECKSUM] = "checksum",
  [SRV_UPLOAD_ERROR_TRUNCATED] = "truncated",
  [SRV_UPLOAD_ERROR_TIMEOUT] = "timeout",
  [SRV_UPLOAD_ERROR_STOPPING] = "stopping",
  [SRV_UPLOAD_ERROR_FAILED] = "failed",
};

void
srv_upload_header_clear (SrvUploadHeader *header)
{
  g_clear_pointer (&header->checksum, g_free);
  g_clear_pointer (&header->name, g_free);
}

static gssize
fail_header (SrvUploadError code, const char *why, GError **error)
{
  g_set_error (error, SRV_UPLOAD_ERROR, code, "could not read the header: %s",
               why);
  return -1;
}

/* Whether the bytes that are there do not contradict the word. */
static gboolean
may_begin_with (const char *data, gsize length, const char *word)
{
  return memcmp (data, word, MIN (length, strlen (word))) == 0;
}

/* Digits and nothing else: no sign, no space, and not above 2^63 - 1, which is
 * what a file can have. */
static gboolean
parse_size (const char *digits, gsize length, guint64 *size)
{
  g_autofree char *text = g_strndup (digits, length);

  return strspn (text, "0123456789") == length && length > 0 &&
         g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, size, NULL);
}

static gboolean
parse_checksum (const char *text, char **checksum)
{
  if (strcmp (text, "-") == 0)
    return TRUE;
  if (strlen (text) != HASH_DIGITS || strspn (text, HEX_DIGITS) != HASH_DIGITS)
    return FALSE;
  *checksum = g_ascii_strdown (text, -1);
  return TRUE;
}

/* Each %XX is one byte; what it gives is checked later, as a name. */
static gboolean
parse_name (const char *text, SrvUploadHeader *header)
{
  GString *name = g_string_new (NULL);
  const char *next = text;

  for (; *next != '\0'; next++)
    {
      if (*next != '%')
        g_string_append_c (name, *next);
      else if (g_ascii_isxdigit (next[1]) && g_ascii_isxdigit (next[2]))
        {
          g_string_append_c (name, (char) (g_ascii_xdigit_value (next[1]) * 16 +
                                           g_ascii_xdigit_value (next[2])));
          next += 2;
        }
      else
        break;
    }
  header->name_length = name->len;
  header->name = g_string_free (name, FALSE);
  return *next == '\0';
}

static gssize
parse_own_line (const char *line, SrvUploadHeader *header, GError **error)
{
  g_auto (GStrv) fields = g_strsplit (line, " ", -1);

  if (g_strv_length (fields) != 3)
    return fail_header (SRV_UPLOAD_ERROR_BAD_HEADER,
                        "it needs a size, a name and a checksum", error);
  if (!parse_size (fields[0], strlen (fields[0]), &header->size))
    return fail_header (SRV_UPLOAD_ERROR_BAD_SIZE,
                        "the size is no number of bytes", error);
  if (!parse_name (fields[1], header))
    return fail_header (SRV_UPLOAD_ERROR_BAD_HEADER,
                        "% in the name is not followed by two digits", error);
  if (!parse_checksum (fields[2], &header->checksum))
    return fail_header (SRV_UPLOAD_ERROR_BAD_HEADER,
                        "the checksum is no SHA-256 in hexadecimal", error);
  return 0;
}

static gssize
parse_own (const char *data,
           gsize length,
           SrvUploadHeader *header,
           GError **error)
{
  const char *newline = memchr (data, '\n', length);
  g_auto (SrvUploadHeader) found = { 0 };
  g_autofree char *line = NULL;
  gsize line_length;

  if (newline == NULL)
    return 0;
  if (newline - data < (gssize) strlen (OWN_WORD) ||
      memchr (data, '\0', (gsize) (newline - data)) != NULL)
    return fail_header (SRV_UPLOAD_ERROR_BAD_HEADER, "it is no line of text",
                        error);
  line_length = (gsize) (newline - data) - strlen (OWN_WORD);
  line = g_strndup (data + strlen (OWN_WORD), line_length);
  if (g_str_has_suffix (line, "\r"))
    line[line_length - 1] = '\0';
  if (parse_own_line (line, &found, error) < 0)
    return -1;
  *header = found;
  memset (&found, 0, sizeof found);
  return newline - data + 1;
}

/* Nothing ends the tutorial's header but the end of what its server gets by one
 * read. Here it ends where the digits end, so that a file in the same packet
 * does no harm; only a file that begins with a digit still does, if the network
 * joins it to its header. */
static gssize
parse_post (const char *data,
            gsize length,
            SrvUploadHeader *header,
            GError **error)
{
  const char *end = data + length;
  const char *name = data + strlen (POST_WORD);
  const char *bar = name < end ? memchr (name, '|', (gsize) (end - name))
                               : NULL;
  const char *digits;
  const char *next;

  if (bar == NULL || bar + 1 == end)
    return 0;
  digits = bar + 1;
  for (next = digits; next < end && g_ascii_isdigit (*next);)
    next++;
  if (!parse_size (digits, (gsize) (next - digits), &header->size))
    return fail_header (SRV_UPLOAD_ERROR_BAD_SIZE,
                        "the size is no number of bytes", error);
  header->name_length = (gsize) (bar - name);
  header->name = g_malloc (header->name_length + 1);
  memcpy (header->name, name, header->name_length);
  header->name[header->name_length] = '\0';
  return next - data;
}

gssize
srv_upload_header_parse (const char *data,
                         gsize length,
                         gboolean allow_post,
                         SrvUploadHeader *header,
                         GError **error)
{
  gsize seen = MIN (length, SRV_UPLOAD_MAX_HEADER);
  gssize used;

  memset (header, 0, sizeof *header);
  if (seen == 0)
    return 0;
  if (may_begin_with (data, seen, OWN_WORD))
    used = parse_own (data, seen, header, error);
  else if (allow_post && may_begin_with (data, seen, POST_WORD))
    {
      header->is_post = TRUE;
      used = parse_post (data, seen, header, error);
    }
  else
    return fail_header (SRV_UPLOAD_ERROR_BAD_HEADER, "it is none of an upload",
                        error);
  if (used == 0 && seen == SRV_UPLOAD_MAX_HEADER)
    return fail_header (SRV_UPLOAD_ERROR_BAD_HEADER, "it is too long", error);
  return used;
}

/* Controls, and what makes a name look like another one on a screen. */
static gboolean
is_harmful (gunichar c)
{
  return g_unichar_iscntrl (c) || c == '/' || c == '\\' || c == 0x061c ||
         (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

static const char *
find_fault (const char *name, gsize length)
{
  if (length == 0)
    return "it is empty";
  if (length > NAME_MAX)
    return "it is longer than 255 bytes";
  /* This also keeps away from ".", ".." and our own files. */
  if (name[0] == '.')
    return "it begins with a dot";
  if (!g_utf8_validate_len (name, length, NULL))
    return "it is not UTF-8";
  for (const char *next = name; next < name + length;
       next = g_utf8_next_char (next))
    {
      if (is_harmful (g_utf8_get_char (next)))
        return "it has a separator or an invisible character";
    }
  return NULL;
}

gboolean
srv_upload_check_name (const char *name, gsize length, GError **error)
{
  const char *fault = find_fault (name, length);

  if (fault == NULL)
    return TRUE;
  g_set_error (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_BAD_NAME,
               "could not use the name: %s", fault);
  return FALSE;
}

char *
srv_upload_format_go (guint64 offset)
{
  return g_strdup_printf ("go %" G_GUINT64_FORMAT "\n", offset);
}

/* The name is a valid one: what must not stand in a line is not in it, but a
 * space is. */
char *
srv_upload_format_stored (guint64 size, const char *name, const char *checksum)
{
  g_autofree char *escaped = g_uri_escape_string (name, NULL, TRUE);

  return g_strdup_printf ("stored %" G_GUINT64_FORMAT " %s %s\n", size, escaped,
                          checksum);
}

char *
srv_upload_format_refused (const GError *error)
{
  SrvUploadError code = error->domain == SRV_UPLOAD_ERROR
                          ? (SrvUploadError) error->code
                          : SRV_UPLOAD_ERROR_FAILED;
  g_autofree char *text = srv_escape (error->message, -1);

  return g_strdup_printf ("refused %s %s\n", words[code], text);
}
