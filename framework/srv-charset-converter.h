/* srv-charset-converter.h - text of another character set, to UTF-8 and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

/**
 * SrvCharsetPolicy:
 * @SRV_CHARSET_POLICY_REJECT: the conversion fails; Python's `strict`
 * @SRV_CHARSET_POLICY_REPLACE: U+FFFD stands for a bad byte, and `?` for a
 *   character that the set does not have; Python's `replace`
 * @SRV_CHARSET_POLICY_ESCAPE: `\xHH`, `\uHHHH` or `\UHHHHHHHH`; Python's
 *   `backslashreplace`
 *
 * What becomes of text that cannot be converted.
 */
typedef enum
{
  SRV_CHARSET_POLICY_REJECT,
  SRV_CHARSET_POLICY_REPLACE,
  SRV_CHARSET_POLICY_ESCAPE,
} SrvCharsetPolicy;

#define SRV_TYPE_CHARSET_POLICY (srv_charset_policy_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_charset_policy_get_type (void);

#define SRV_TYPE_CHARSET_CONVERTER (srv_charset_converter_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvCharsetConverter,
                      srv_charset_converter,
                      SRV,
                      CHARSET_CONVERTER,
                      GObject)

SRV_AVAILABLE_IN_ALL
SrvCharsetConverter *srv_charset_converter_new_decoder (const char *charset,
                                                        SrvCharsetPolicy policy,
                                                        GError **error);

SRV_AVAILABLE_IN_ALL
SrvCharsetConverter *srv_charset_converter_new_encoder (const char *charset,
                                                        SrvCharsetPolicy policy,
                                                        GError **error);

G_END_DECLS
