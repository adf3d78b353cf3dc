/* post-test.h - what the tests of posts share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

static inline gboolean
post_text (SrvConnection *connection, const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return srv_connection_post (connection, bytes, error);
}

static inline gboolean
post_filled (SrvConnection *connection, gsize length, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (length), length);

  return srv_connection_post (connection, bytes, error);
}

static inline void
read_exactly (int fd, gsize length)
{
  char buffer[4096];

  while (length > 0)
    {
      gssize n = srv_test_receive (fd, buffer, MIN (length, sizeof buffer));

      ck_assert_int_gt (n, 0);
      length -= (gsize) n;
    }
}
