/* srv-event-sink-private.h - where the records of an event log go
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-event-log.h"

G_BEGIN_DECLS

typedef struct _SrvEventSink SrvEventSink;

/* Standard error. */
SrvEventSink *srv_event_sink_new_console (void);
SrvEventSink *srv_event_sink_new_file (const char *path, GError **error);
SrvEventSink *srv_event_sink_new_func (SrvEventLogFunc func,
                                       gpointer user_data,
                                       GDestroyNotify destroy);
void srv_event_sink_free (SrvEventSink *self);

/* @record is a line without its end. Takes it. */
void srv_event_sink_write (SrvEventSink *self, GString *record);

/* Async-signal-safe. */
void srv_event_sink_reopen (SrvEventSink *self);

G_END_DECLS
