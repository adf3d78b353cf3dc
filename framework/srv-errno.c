/* srv-errno.c - failed system calls as errors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-errno-private.h"

gboolean
srv_set_errno_error (GError **error, int code, const char *format, ...)
{
  g_autofree char *tried = NULL;
  va_list args;

  va_start (args, format);
  tried = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (code), "%s: %s",
               tried, g_strerror (code));
  return FALSE;
}
