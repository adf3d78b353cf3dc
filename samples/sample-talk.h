/* sample-talk.h - standard input to a stream, its replies to standard output
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-client.h"

G_BEGIN_DECLS

gboolean sample_talk (SampleClient *client, GError **error);

G_END_DECLS
