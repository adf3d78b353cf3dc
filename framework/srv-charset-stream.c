/* srv-charset-stream.c - a connection on which text has another character set
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-charset-stream.h"

/**
 * srv_charset_stream_new:
 * @base: a stream, such as a [class@SocketServer.Connection]
 * @charset: the name of the character set that is spoken there, such as `KOI8-R`
 * @policy: what becomes of text that cannot be converted, in both directions
 * @error: return location for a [struct@GLib.Error]
 *
 * Lays a stream of UTF-8 over a stream of another character set: what is read
 * has been converted to UTF-8, what is written is converted from it. So the
 * character set stays at the edge of a service, and its handler is the same for
 * all of them:
 *
 * ```c
 * static gboolean
 * koi8_setup (SrvBaseRequestHandler *handler, GError **error)
 * {
 *   SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
 *   g_autoptr (GIOStream) stream = NULL;
 *
 *   if (!SRV_BASE_REQUEST_HANDLER_CLASS (koi8_parent_class)
 *          ->setup (handler, error))
 *     return FALSE;
 *   stream = srv_charset_stream_new (
 *     srv_stream_request_handler_get_stream (self), "KOI8-R",
 *     SRV_CHARSET_POLICY_REPLACE, error);
 *   if (stream == NULL)
 *     return FALSE;
 *   srv_stream_request_handler_set_stream (self, stream);
 *   return TRUE;
 * }
 * ```
 *
 * A character that has come in part is held back until the rest is there. When
 * the stream is closed, what ends a text in the character set is written, and
 * the streams of @base are closed; to close those of a connection does not close
 * the connection.
 *
 * Fails with %G_IO_ERROR_NOT_SUPPORTED for an unknown character set. Reads and
 * writes fail with %G_IO_ERROR_INVALID_DATA under %SRV_CHARSET_POLICY_REJECT.
 *
 * Threads: any; then the one that @base belongs to. In Python:
 * `socket.makefile()` with an encoding.
 *
 * Returns: (transfer full): a new stream, or %NULL with @error set
 */
GIOStream *
srv_charset_stream_new (GIOStream *base,
                        const char *charset,
                        SrvCharsetPolicy policy,
                        GError **error)
{
  g_autoptr (SrvCharsetConverter) decoder = NULL;
  g_autoptr (SrvCharsetConverter) encoder = NULL;
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GOutputStream) output = NULL;
  GIOStream *stream;

  g_return_val_if_fail (G_IS_IO_STREAM (base), NULL);
  g_return_val_if_fail (charset != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  decoder = srv_charset_converter_new_decoder (charset, policy, error);
  if (decoder == NULL)
    return NULL;
  encoder = srv_charset_converter_new_encoder (charset, policy, error);
  if (encoder == NULL)
    return NULL;
  input = g_converter_input_stream_new (g_io_stream_get_input_stream (base),
                                        G_CONVERTER (decoder));
  output = g_converter_output_stream_new (g_io_stream_get_output_stream (base),
                                          G_CONVERTER (encoder));
  stream = g_simple_io_stream_new (input, output);
  /* A base that goes would close under it. */
  g_object_set_data_full (G_OBJECT (stream), "srv-base", g_object_ref (base),
                          g_object_unref);
  return stream;
}
