/* srv-charset-stream.h - a connection on which text has another character set
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-charset-converter.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
GIOStream *srv_charset_stream_new (GIOStream *base,
                                   const char *charset,
                                   SrvCharsetPolicy policy,
                                   GError **error);

G_END_DECLS
