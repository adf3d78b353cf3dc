/* chat-object.c - the objects of JIM on a stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nothing stands between the objects, and one may come in any number of pieces:
 * its end is the brace that closes the first one, and braces in strings do not
 * count. Each byte is looked at once.
 */

#include "chat-object.h"

#include <socketserver.h>

/* What a gint64 and a double can both be; a server may send any. */
#define MAX_NUMBER 1e15

struct _ChatObjects
{
  GString *bytes;
  gsize n_scanned; /* of the bytes */
  gsize start;     /* of the object under way */
  guint depth;     /* of braces and brackets */
  gboolean is_in_string;
  gboolean is_escaped; /* the next character of the string */
};

ChatObjects *
chat_objects_new (void)
{
  ChatObjects *self = g_new0 (ChatObjects, 1);

  self->bytes = g_string_new (NULL);
  return self;
}

void
chat_objects_free (ChatObjects *self)
{
  g_string_free (self->bytes, TRUE);
  g_free (self);
}

/* Another connection begins. */
void
chat_objects_clear (ChatObjects *self)
{
  GString *bytes = g_string_truncate (self->bytes, 0);

  *self = (ChatObjects){ .bytes = bytes };
}

void
chat_objects_feed (ChatObjects *self, const char *bytes, gsize length)
{
  g_string_append_len (self->bytes, bytes, (gssize) length);
}

static void
scan_string (ChatObjects *self, char c)
{
  if (self->is_escaped)
    self->is_escaped = FALSE;
  else if (c == '\\')
    self->is_escaped = TRUE;
  else if (c == '"')
    self->is_in_string = FALSE;
}

/* TRUE after the last character of an object. */
static gboolean
scan (ChatObjects *self, char c)
{
  if (self->is_in_string)
    {
      scan_string (self, c);
      return FALSE;
    }
  if (c == '"')
    self->is_in_string = TRUE;
  else if (c == '{' || c == '[')
    self->depth++;
  else if (c == '}' || c == ']')
    return --self->depth == 0;
  return FALSE;
}

static json_t *
invalid (GError **error, const char *problem)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "the server does not speak JIM: %s", problem);
  return NULL;
}

static json_t *
load (ChatObjects *self, GError **error)
{
  json_error_t problem;
  json_t *object = json_loadb (self->bytes->str + self->start,
                               self->n_scanned - self->start,
                               JSON_REJECT_DUPLICATES, &problem);
  g_autofree char *text = NULL;

  g_string_erase (self->bytes, 0, (gssize) self->n_scanned);
  self->n_scanned = 0;
  if (object != NULL)
    return object;
  text = srv_escape (problem.text, -1);
  return invalid (error, text);
}

/* The next object; NULL without an error when it has not come as a whole. */
json_t *
chat_objects_take (ChatObjects *self, GError **error)
{
  while (self->n_scanned < self->bytes->len)
    {
      const char c = self->bytes->str[self->n_scanned];

      if (self->depth == 0 && c != '{' && !g_ascii_isspace (c))
        return invalid (error, "something stands between the objects");
      if (self->depth == 0)
        self->start = self->n_scanned;
      self->n_scanned++;
      if (scan (self, c))
        return load (self, error);
      if (self->n_scanned - self->start > CHAT_MAX_OBJECT)
        return invalid (error, "an object is too long");
    }
  if (self->depth == 0)
    chat_objects_clear (self);
  return NULL;
}

json_t *
chat_object_new (const char *action)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  return json_pack ("{s:s, s:I}", "action", action, "time", (json_int_t) now);
}

/* What is not UTF-8 is not set. */
void
chat_object_set (json_t *object, const char *name, const char *text)
{
  json_object_set_new (object, name, json_string (text));
}

/* NULL when it is not there, or no text. */
const char *
chat_object_get (const json_t *object, const char *name)
{
  return json_string_value (json_object_get (object, name));
}

/* 0 when it is not there, or no number. */
gint64
chat_object_get_number (const json_t *object, const char *name)
{
  const double number = json_number_value (json_object_get (object, name));

  return (gint64) CLAMP (number, -MAX_NUMBER, MAX_NUMBER);
}
