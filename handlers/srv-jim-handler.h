/* srv-jim-handler.h - a chat that speaks JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-handler.h"

G_BEGIN_DECLS

/**
 * SrvJimFraming:
 * @SRV_JIM_FRAMING_BARE: objects back to back, with or without space between
 * @SRV_JIM_FRAMING_LINES: the same, and each that is sent ends with a newline
 * @SRV_JIM_FRAMING_LEN32: four bytes of length, the highest first, before each
 * @SRV_JIM_FRAMING_AUTO: lengths if the first byte that comes is zero, otherwise
 *   bare
 *
 * How objects are told apart on the wire.
 */
typedef enum
{
  SRV_JIM_FRAMING_BARE,
  SRV_JIM_FRAMING_LINES,
  SRV_JIM_FRAMING_LEN32,
  SRV_JIM_FRAMING_AUTO,
} SrvJimFraming;

#define SRV_TYPE_JIM_FRAMING (srv_jim_framing_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_jim_framing_get_type (void);

/**
 * SrvJimDialect:
 * @SRV_JIM_DIALECT_AUTO: takes all known names for things, and uses those that
 *   the client has used; before that, the most common ones side by side
 * @SRV_JIM_DIALECT_TEMPLATE: the same, but uses `message`, `sender`,
 *   `destination` and `message_text` before the client has shown its own
 * @SRV_JIM_DIALECT_SPEC: the names of the protocol's text, and no other
 *
 * What things are called.
 */
typedef enum
{
  SRV_JIM_DIALECT_AUTO,
  SRV_JIM_DIALECT_TEMPLATE,
  SRV_JIM_DIALECT_SPEC,
} SrvJimDialect;

#define SRV_TYPE_JIM_DIALECT (srv_jim_dialect_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_jim_dialect_get_type (void);

/**
 * SrvJimAuth:
 * @SRV_JIM_AUTH_OFF: whoever comes first has the name
 * @SRV_JIM_AUTH_OPTIONAL: registered names need their password, others none
 * @SRV_JIM_AUTH_REQUIRED: only registered people, with their passwords
 *
 * Who may have a name.
 */
typedef enum
{
  SRV_JIM_AUTH_OFF,
  SRV_JIM_AUTH_OPTIONAL,
  SRV_JIM_AUTH_REQUIRED,
} SrvJimAuth;

#define SRV_TYPE_JIM_AUTH (srv_jim_auth_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_jim_auth_get_type (void);

#define SRV_TYPE_JIM_HANDLER (srv_jim_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvJimHandler,
                      srv_jim_handler,
                      SRV,
                      JIM_HANDLER,
                      SrvChatHandler)

SRV_AVAILABLE_IN_ALL
gboolean srv_jim_handler_is_supported (void);

G_END_DECLS
