/* operator-desk.h - one operator, many conversations
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-console.h"

#include <socketserver.h>

G_BEGIN_DECLS

typedef struct _OperatorDesk OperatorDesk;

OperatorDesk *operator_desk_new (SampleConsole *console);
void operator_desk_free (OperatorDesk *self);

guint operator_desk_join (OperatorDesk *self, SrvRequest *request);
void operator_desk_say (OperatorDesk *self,
                        guint id,
                        const char *text,
                        gsize length);
void operator_desk_leave (OperatorDesk *self, guint id, const char *reason);

gboolean operator_desk_obey (OperatorDesk *self,
                             guint chosen,
                             const char *line);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OperatorDesk, operator_desk_free)

G_END_DECLS
