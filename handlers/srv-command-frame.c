/* srv-command-frame.c - what goes over the wire to a command server and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A frame is the length of its payload (four bytes, the highest first), its
 * type (one byte) and the payload. Both sides use these functions, which touch
 * no descriptor.
 */

#include "config.h"

#include "srv-command-frame.h"

#include <string.h>

/* Of the reason in an exit frame, in bytes. */
#define MAX_REASON_LENGTH 256

G_DEFINE_ENUM_TYPE (SrvCommandFrame,
                    srv_command_frame,
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_FRAME_RUN, "run"),
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_FRAME_SHELL, "shell"),
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_FRAME_OUTPUT, "output"),
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_FRAME_ERROR_OUTPUT,
                                         "error-output"),
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_FRAME_EXIT, "exit"))

G_DEFINE_ENUM_TYPE (SrvCommandEnd,
                    srv_command_end,
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_END_EXITED, "exited"),
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_END_SIGNALED, "signaled"),
                    G_DEFINE_ENUM_VALUE (SRV_COMMAND_END_REFUSED, "refused"))

static gboolean
fail (GError **error, const char *problem)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "could not read a frame: %s", problem);
  return FALSE;
}

/**
 * srv_command_frame_pack_header:
 * @header: (out caller-allocates) (array fixed-size=5): where to put the header
 * @type: what the payload is
 * @length: how many bytes the payload has
 *
 * Writes what goes before a payload.
 *
 * Threads: any.
 */
void
srv_command_frame_pack_header (guint8 *header,
                               SrvCommandFrame type,
                               guint32 length)
{
  const guint32 wire_length = GUINT32_TO_BE (length);

  g_return_if_fail (header != NULL);

  memcpy (header, &wire_length, sizeof wire_length);
  header[4] = (guint8) type;
}

/**
 * srv_command_frame_unpack_header:
 * @header: (array fixed-size=5): the first five bytes of a frame
 * @max_length: the longest payload that shall be taken, in bytes
 * @type: (out): what the payload is
 * @length: (out): how many bytes the payload has
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads what goes before a payload, so that memory is taken only for frames
 * that are not too long.
 *
 * Fails with %G_IO_ERROR_INVALID_DATA for an unknown type, and with
 * %SRV_ERROR_TOO_LONG.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it is a frame, %FALSE with @error set otherwise
 */
gboolean
srv_command_frame_unpack_header (const guint8 *header,
                                 gsize max_length,
                                 SrvCommandFrame *type,
                                 guint32 *length,
                                 GError **error)
{
  guint32 wire_length;

  g_return_val_if_fail (header != NULL, FALSE);
  g_return_val_if_fail (type != NULL && length != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (header[4] == '\0' || strchr ("RSoex", header[4]) == NULL)
    return fail (error, "unknown type");
  memcpy (&wire_length, header, sizeof wire_length);
  wire_length = GUINT32_FROM_BE (wire_length);
  if (wire_length > max_length)
    {
      g_set_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
                   "could not read a frame: longer than %" G_GSIZE_FORMAT
                   " bytes",
                   max_length);
      return FALSE;
    }
  *type = (SrvCommandFrame) header[4];
  *length = wire_length;
  return TRUE;
}

/**
 * srv_command_frame_pack_request:
 * @argv: (array zero-terminated=1): name of the command and its arguments
 *
 * Makes the payload of a %SRV_COMMAND_FRAME_RUN.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the payload
 */
GBytes *
srv_command_frame_pack_request (const char *const *argv)
{
  GString *payload = g_string_new (NULL);

  g_return_val_if_fail (argv != NULL && argv[0] != NULL, NULL);

  g_string_append (payload, argv[0]);
  for (gsize i = 1; argv[i] != NULL; i++)
    {
      g_string_append_c (payload, '\0');
      g_string_append (payload, argv[i]);
    }
  return g_string_free_to_bytes (payload);
}

/**
 * srv_command_frame_unpack_request:
 * @payload: (array length=length) (element-type guint8): the payload of a
 *   %SRV_COMMAND_FRAME_RUN
 * @length: how many bytes
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes a request apart. Nothing in it has a meaning beside the NUL bytes
 * between the arguments: no quotes, no spaces, no shell.
 *
 * Fails with %G_IO_ERROR_INVALID_DATA when the name is empty or the request is
 * not UTF-8.
 *
 * Threads: any.
 *
 * Returns: (transfer full) (array zero-terminated=1) (nullable): name and
 *   arguments, or %NULL with @error set
 */
char **
srv_command_frame_unpack_request (const guint8 *payload,
                                  gsize length,
                                  GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  const char *next = (const char *) payload;
  gsize left = length;

  g_return_val_if_fail (payload != NULL || length == 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (length == 0 || *next == '\0')
    {
      fail (error, "no command");
      return NULL;
    }
  for (;;)
    {
      const char *end = memchr (next, '\0', left);
      gsize size = end != NULL ? (gsize) (end - next) : left;

      if (!g_utf8_validate_len (next, size, NULL))
        {
          fail (error, "not UTF-8");
          return NULL;
        }
      g_ptr_array_add (argv, g_strndup (next, size));
      if (end == NULL)
        break;
      next = end + 1;
      left -= size + 1;
    }
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

/**
 * srv_command_frame_pack_exit:
 * @end: how the command ended
 * @code: exit status or number of the signal; 0 if it was refused
 * @reason: (nullable): why the server ended or refused it
 *
 * Makes the payload of a %SRV_COMMAND_FRAME_EXIT: a byte for @end, a byte for
 * @code, and the reason, which is empty when the command ended by itself.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the payload
 */
GBytes *
srv_command_frame_pack_exit (SrvCommandEnd end, guint8 code, const char *reason)
{
  const gsize length = reason != NULL ? strlen (reason) : 0;
  GByteArray *payload = g_byte_array_new ();
  const guint8 head[2] = { (guint8) end, code };

  g_byte_array_append (payload, head, sizeof head);
  g_byte_array_append (payload, (const guint8 *) reason,
                       (guint) MIN (length, MAX_REASON_LENGTH));
  return g_byte_array_free_to_bytes (payload);
}

/**
 * srv_command_frame_unpack_exit:
 * @payload: (array length=length) (element-type guint8): the payload of a
 *   %SRV_COMMAND_FRAME_EXIT
 * @length: how many bytes
 * @end: (out): how the command ended
 * @code: (out): exit status or number of the signal
 * @reason: (out) (transfer full): why the server ended or refused it, escaped;
 *   empty if it ended by itself
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes the last frame of an answer apart.
 *
 * Fails with %G_IO_ERROR_INVALID_DATA.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it can be understood, %FALSE with @error set otherwise
 */
gboolean
srv_command_frame_unpack_exit (const guint8 *payload,
                               gsize length,
                               SrvCommandEnd *end,
                               guint8 *code,
                               char **reason,
                               GError **error)
{
  g_return_val_if_fail (payload != NULL || length == 0, FALSE);
  g_return_val_if_fail (end != NULL && code != NULL && reason != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (length < 2 || length > 2 + MAX_REASON_LENGTH)
    return fail (error, "wrong length of an exit frame");
  if (payload[0] > SRV_COMMAND_END_REFUSED)
    return fail (error, "unknown kind of end");
  *end = (SrvCommandEnd) payload[0];
  *code = payload[1];
  *reason = srv_escape ((const char *) payload + 2, (gssize) length - 2);
  return TRUE;
}
