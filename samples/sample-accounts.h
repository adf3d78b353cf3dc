/* sample-accounts.h - what the samples about accounts have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-client.h"

G_BEGIN_DECLS

char *sample_accounts_receive_line (SampleClient *client,
                                    GString *buffer,
                                    gint64 deadline,
                                    GError **error);
gboolean sample_accounts_recite (SampleClient *client,
                                 const char *const *answers,
                                 GError **error);

G_END_DECLS
