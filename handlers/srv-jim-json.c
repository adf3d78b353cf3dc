/* srv-jim-json.c - strict reading and safe writing of JSON
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The only file that knows the library jansson, which is strict by default. It
 * does not tell how a number was written, though, and a relayed time must not
 * change: the text of numbers is found in what came.
 */

#include "config.h"

#include "srv-jim-json-private.h"

#include "srv-jim-framer-private.h"
#include "srv-secret-private.h"

#include <string.h>

/* A walk over JSON: one byte at a time, in and out of strings. */
typedef struct
{
  gboolean in_string;
  gboolean is_escaped;
  guint depth;
} Walk;

static void
walk (Walk *self, char c)
{
  if (self->is_escaped)
    self->is_escaped = FALSE;
  else if (self->in_string)
    {
      self->is_escaped = c == '\\';
      self->in_string = c != '"';
    }
  else if (c == '"')
    self->in_string = TRUE;
  else if (c == '{' || c == '[')
    self->depth++;
  else if ((c == '}' || c == ']') && self->depth > 0)
    self->depth--;
}

#ifdef HAVE_JANSSON

#include <jansson.h>

static gboolean
is_flat (const char *text, gsize length)
{
  Walk state = { 0 };

  for (gsize i = 0; i < length; i++)
    {
      walk (&state, text[i]);
      if (state.depth > SRV_JIM_MAX_DEPTH)
        return FALSE;
    }
  return TRUE;
}

/* Any of them may be a password. */
static void
value_free (gpointer data)
{
  SrvJimValue *value = data;

  srv_secret_free (value->text);
  g_free (value);
}

static const char *
skip_space (const char *text)
{
  return text + strspn (text, " \t\r\n");
}

/* @start is behind a quote of the outer object: of a name, or of a text. A name
 * that is written with escapes is nobody's that is asked for. */
static void
note_number (GHashTable *table, const char *start)
{
  const gsize length = strcspn (start, "\"\\");
  g_autofree char *name = NULL;
  SrvJimValue *value;
  const char *next;

  if (start[length] != '"')
    return;
  next = skip_space (start + length + 1);
  if (*next != ':')
    return;
  next = skip_space (next + 1);
  name = g_strndup (start, length);
  value = g_hash_table_lookup (table, name);
  if (value != NULL && value->kind == SRV_JIM_NUMBER && value->text == NULL)
    value->text = g_strndup (next, strspn (next, "+-.0123456789eE"));
}

/* Gives the numbers of the outer object their text, in one pass: an object can
 * have hundreds. */
static void
note_numbers (GHashTable *table, const char *text)
{
  Walk state = { 0 };

  for (; *text != '\0'; text++)
    {
      if (state.depth == 1 && !state.in_string && *text == '"')
        note_number (table, text + 1);
      walk (&state, *text);
    }
}

static SrvJimValue *
value_new (const json_t *json)
{
  SrvJimValue *value = g_new0 (SrvJimValue, 1);

  value->kind = json_is_string (json)   ? SRV_JIM_STRING
                : json_is_number (json) ? SRV_JIM_NUMBER
                : json_is_object (json) ? SRV_JIM_OBJECT
                                        : SRV_JIM_OTHER;
  if (json_is_string (json))
    value->text = g_strdup (json_string_value (json));
  return value;
}

static void
add_members (GHashTable *table, json_t *object, const char *prefix)
{
  const char *name;
  json_t *json;

  json_object_foreach (object, name, json)
  {
    g_hash_table_insert (table, g_strconcat (prefix, name, NULL),
                         value_new (json));
    if (*prefix == '\0' && strcmp (name, "user") == 0 && json_is_object (json))
      add_members (table, json, "user.");
  }
}

/* A name like "user.x" in the outer object must not pass for an inner one. */
static gboolean
has_dotted_name (json_t *object)
{
  const char *name;
  json_t *json;

  json_object_foreach (object, name, json)
  {
    if (g_str_has_prefix (name, "user."))
      return TRUE;
  }
  return FALSE;
}

/* What can be reached of the texts, one of which may be a password: in the objects,
 * which are nested a few deep. */
static void
wipe_texts (json_t *object)
{
  const char *name;
  json_t *json;

  json_object_foreach (object, name, json)
  {
    if (json_is_object (json))
      wipe_texts (json);
    else if (json_is_string (json))
      srv_secret_wipe ((char *) json_string_value (json),
                       json_string_length (json));
  }
}

gboolean
srv_jim_json_is_supported (void)
{
  return TRUE;
}

GHashTable *
srv_jim_json_parse (const char *text, gsize length)
{
  GHashTable *table = NULL;
  json_t *json;

  if (!is_flat (text, length))
    return NULL;
  json = json_loadb (text, length, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object (json) && !has_dotted_name (json))
    {
      char *copy = g_strndup (text, length);

      table =
        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, value_free);
      add_members (table, json, "");
      note_numbers (table, copy);
      srv_secret_free (copy);
    }
  wipe_texts (json);
  json_decref (json);
  return table;
}

#else

gboolean
srv_jim_json_is_supported (void)
{
  return FALSE;
}

GHashTable *
srv_jim_json_parse (G_GNUC_UNUSED const char *text, G_GNUC_UNUSED gsize length)
{
  return NULL;
}

#endif

/* How long an escape is, and how many characters it stands for. */
static gsize
skip_escape (const char *text, gsize length, gsize *n_characters)
{
  char digits[5] = { 0 };
  guint64 code;

  *n_characters = 1;
  if (length < 6 || text[1] != 'u')
    {
      /* Only a slash can stand without its backslash. */
      *n_characters = text[1] == '/' ? 1 : 2;
      return 2;
    }
  memcpy (digits, text + 2, 4);
  code = g_ascii_strtoull (digits, NULL, 16);
  if (code == '"' || code == '\\' || (code >= 8 && code <= 13 && code != 11))
    *n_characters = 2;
  else if (code < 0x20)
    *n_characters = 6;
  return code >= 0xd800 && code < 0xdc00 ? 12 : 6;
}

gsize
srv_jim_json_compact_length (const char *text, gsize length)
{
  Walk state = { 0 };
  gsize total = 0;

  for (gsize i = 0; i < length;)
    {
      gsize n_characters = ((guchar) text[i] & 0xc0) != 0x80;

      if (state.in_string && text[i] == '\\' && i + 1 < length)
        {
          i += skip_escape (text + i, length - i, &n_characters);
          total += n_characters;
          continue;
        }
      walk (&state, text[i]);
      if (state.in_string || strchr (" \t\r\n", text[i]) == NULL)
        total += n_characters;
      i++;
    }
  return total;
}

void
srv_jim_json_append_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (; *text != '\0'; text++)
    {
      guchar c = (guchar) *text;

      if (c == '"' || c == '\\')
        g_string_append_printf (out, "\\%c", c);
      else if (c < 0x20 || c == 0x7f || c == '{' || c == '}')
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_c (out, *text);
    }
  g_string_append_c (out, '"');
}
