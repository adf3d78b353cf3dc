/* srv-ascii-private.h - upper case, byte by byte
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* Bytes that are no ASCII letters stay as they are, so a character of several
 * bytes survives being cut in two, and the length never changes. */
static inline void
srv_ascii_to_upper (guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8) g_ascii_toupper ((char) bytes[i]);
}
