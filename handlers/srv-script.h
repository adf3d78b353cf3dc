/* srv-script.h - what to say and what to expect, line by line
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_SCRIPT_MAX_STEPS 1000
#define SRV_SCRIPT_MAX_TEXT  4096

typedef struct _SrvScript SrvScript;

#define SRV_TYPE_SCRIPT (srv_script_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_script_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvScript *srv_script_parse (const char *text, GError **error);

SRV_AVAILABLE_IN_ALL
SrvScript *srv_script_ref (SrvScript *self);

SRV_AVAILABLE_IN_ALL
void srv_script_unref (SrvScript *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvScript, srv_script_unref)

G_END_DECLS
