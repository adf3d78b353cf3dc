/* endpoint-test.h - what the tests of endpoints share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

static inline SrvEndpoint *
parse (const char *string)
{
  g_autoptr (GError) error = NULL;
  SrvEndpoint *endpoint = srv_endpoint_parse (string, &error);

  srv_test_assert_no_error (error);
  ck_assert_msg (endpoint != NULL, "%s gave nothing", string);

  return endpoint;
}

static inline GList *
resolve (const char *string, gboolean passive)
{
  g_autoptr (SrvEndpoint) endpoint = parse (string);
  g_autoptr (GError) error = NULL;
  GList *addresses = srv_endpoint_resolve (endpoint, passive, &error);

  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (addresses);

  return addresses;
}

static inline void
free_addresses (GList *addresses)
{
  g_list_free_full (addresses, g_object_unref);
}
