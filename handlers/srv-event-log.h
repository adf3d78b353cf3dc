/* srv-event-log.h - the seven events of a service, a line each
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_EVENT_LOG (srv_event_log_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvEventLog, srv_event_log, SRV, EVENT_LOG, GObject)

typedef void (*SrvEventLogFunc) (const char *record, gpointer user_data);

SRV_AVAILABLE_IN_ALL
SrvEventLog *srv_event_log_new_for_console (void);

SRV_AVAILABLE_IN_ALL
SrvEventLog *srv_event_log_new_for_file (const char *path, GError **error);

SRV_AVAILABLE_IN_ALL
SrvEventLog *srv_event_log_new_for_func (SrvEventLogFunc func,
                                         gpointer user_data,
                                         GDestroyNotify destroy);

SRV_AVAILABLE_IN_ALL
void srv_event_log_reopen (SrvEventLog *self);

SRV_AVAILABLE_IN_ALL
void srv_event_log_set_excerpt_length (SrvEventLog *self, guint excerpt_length);

SRV_AVAILABLE_IN_ALL
guint srv_event_log_get_excerpt_length (SrvEventLog *self);

SRV_AVAILABLE_IN_ALL
void srv_event_log_watch (SrvEventLog *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
SrvEventLog *srv_event_log_for_server (SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
void srv_event_log_start (SrvEventLog *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
void srv_event_log_listening (SrvEventLog *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
void srv_event_log_stopped (SrvEventLog *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
void srv_event_log_connected (SrvEventLog *self,
                              SrvBaseRequestHandler *handler);

SRV_AVAILABLE_IN_ALL
void srv_event_log_received (SrvEventLog *self,
                             SrvBaseRequestHandler *handler,
                             const guint8 *data,
                             gsize length);

SRV_AVAILABLE_IN_ALL
void srv_event_log_sent (SrvEventLog *self,
                         SrvBaseRequestHandler *handler,
                         gsize length);

SRV_AVAILABLE_IN_ALL
void srv_event_log_disconnected (SrvEventLog *self,
                                 SrvBaseRequestHandler *handler,
                                 guint64 n_received,
                                 guint64 n_sent,
                                 const GError *error);

G_END_DECLS
