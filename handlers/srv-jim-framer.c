/* srv-jim-framer.c - where one JSON object ends and the next begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-jim-framer-private.h"

#include "srv-secret-private.h"

static const guint8 byte_order_mark[] = { 0xef, 0xbb, 0xbf };

void
srv_jim_framer_init (SrvJimFramer *self, SrvJimFraming framing, gsize max_bytes)
{
  *self = (SrvJimFramer){ .framing = framing, .max_bytes = max_bytes };
  self->object = g_byte_array_new ();
}

/* There may have been a password in it. */
static void
wipe (SrvJimFramer *self)
{
  if (self->object->len > 0)
    srv_secret_wipe (self->object->data, self->object->len);
}

void
srv_jim_framer_clear (SrvJimFramer *self)
{
  wipe (self);
  g_clear_pointer (&self->object, g_byte_array_unref);
}

gboolean
srv_jim_framer_is_inside (const SrvJimFramer *self)
{
  return self->depth > 0 || self->n_header > 0;
}

static SrvJimFrame
fail (SrvJimFramer *self, const char *problem)
{
  self->problem = problem;
  return SRV_JIM_FRAME_BAD;
}

/* Says what came instead of an object, for whoever reads the log. */
static SrvJimFrame
fail_at (SrvJimFramer *self, guint8 byte)
{
  gboolean is_first = !self->has_begun;

  self->is_tls = is_first && byte == 0x16;
  if (self->is_tls)
    return fail (self, "the client speaks TLS");
  if (is_first && byte == 0x80)
    return fail (self, "the client sends pickled Python objects");
  if (is_first && byte == 0)
    return fail (self, "the client sends lengths before its objects");
  if (is_first && g_ascii_isalpha (byte))
    return fail (self, "the client sends text, maybe HTTP");
  return fail (self, "there is something between the objects");
}

static SrvJimFrame
end_object (SrvJimFramer *self)
{
  gboolean is_too_long = self->n_bytes > self->max_bytes;

  self->is_handed_out = TRUE;
  self->n_bytes = 0;
  self->n_header = 0;
  return is_too_long ? SRV_JIM_FRAME_TOO_LONG : SRV_JIM_FRAME_OBJECT;
}

/* FALSE when the end of an object that is too long is not in sight. */
static gboolean
keep (SrvJimFramer *self, const guint8 *data, gsize length)
{
  self->n_bytes += length;
  if (self->n_bytes <= self->max_bytes)
    g_byte_array_append (self->object, data, (guint) length);
  return self->n_bytes <= MAX (SRV_JIM_MAX_SKIP, self->max_bytes);
}

static gboolean
is_space (guint8 byte)
{
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Between objects. */
static SrvJimFrame
begin (SrvJimFramer *self, guint8 byte)
{
  if (!self->has_begun && self->n_mark < sizeof byte_order_mark &&
      byte == byte_order_mark[self->n_mark])
    {
      self->n_mark++;
      return SRV_JIM_FRAME_MORE;
    }
  if (self->n_mark > 0 && self->n_mark < sizeof byte_order_mark)
    return fail_at (self, byte);
  if (is_space (byte))
    return SRV_JIM_FRAME_MORE;
  if (byte != '{')
    return fail_at (self, byte);
  self->has_begun = TRUE;
  self->depth = 1;
  keep (self, &byte, 1);
  return SRV_JIM_FRAME_MORE;
}

/* What a byte of an object does to the state; FALSE when it is too deep. */
static gboolean
step (SrvJimFramer *self, guint8 byte)
{
  if (self->is_escaped)
    self->is_escaped = FALSE;
  else if (self->in_string)
    {
      self->is_escaped = byte == '\\';
      self->in_string = byte != '"';
    }
  else if (byte == '"')
    self->in_string = TRUE;
  else if (byte == '{' || byte == '[')
    self->depth++;
  else if (byte == '}' || byte == ']')
    self->depth--;
  return self->depth <= SRV_JIM_MAX_DEPTH;
}

/* As much of the object as is there. */
static SrvJimFrame
go_on (SrvJimFramer *self, const guint8 **data, gsize *length)
{
  gsize n = 0;
  gboolean is_flat = TRUE;

  while (n < *length && self->depth > 0 && is_flat)
    is_flat = step (self, (*data)[n++]);
  if (!is_flat)
    return fail (self, "the object is nested too deeply");
  if (!keep (self, *data, n))
    return fail (self, "the object does not end");
  *data += n;
  *length -= n;
  return self->depth == 0 ? end_object (self) : SRV_JIM_FRAME_MORE;
}

static SrvJimFrame
next_by_length (SrvJimFramer *self, const guint8 **data, gsize *length)
{
  gsize n;

  while (self->n_header < 4 && *length > 0)
    {
      self->n_left = self->n_left << 8 | **data;
      self->n_header++;
      (*data)++;
      (*length)--;
      if (self->n_header == 4 &&
          (self->n_left == 0 || self->n_left > SRV_JIM_MAX_SKIP))
        return fail (self, "the length before an object is out of bounds");
    }
  if (self->n_header < 4)
    return SRV_JIM_FRAME_MORE;
  n = MIN (self->n_left, *length);
  if (!keep (self, *data, n))
    return fail (self, "the object does not end");
  *data += n;
  *length -= n;
  self->n_left -= (guint32) n;
  return self->n_left == 0 ? end_object (self) : SRV_JIM_FRAME_MORE;
}

SrvJimFrame
srv_jim_framer_next (SrvJimFramer *self, const guint8 **data, gsize *length)
{
  SrvJimFrame frame = SRV_JIM_FRAME_MORE;

  if (self->is_handed_out)
    {
      wipe (self);
      g_byte_array_set_size (self->object, 0);
    }
  self->is_handed_out = FALSE;
  if (self->problem != NULL)
    return SRV_JIM_FRAME_BAD;
  if (self->framing == SRV_JIM_FRAMING_AUTO && *length > 0)
    self->framing = **data == 0 ? SRV_JIM_FRAMING_LEN32 : SRV_JIM_FRAMING_BARE;
  if (self->framing == SRV_JIM_FRAMING_LEN32)
    return next_by_length (self, data, length);
  while (*length > 0 && frame == SRV_JIM_FRAME_MORE)
    {
      if (self->depth > 0)
        frame = go_on (self, data, length);
      else
        {
          frame = begin (self, **data);
          (*data)++;
          (*length)--;
        }
    }
  return frame;
}
