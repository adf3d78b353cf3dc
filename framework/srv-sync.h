/* srv-sync.h - mutex, condition and queue for handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

typedef struct _SrvMutex SrvMutex;
typedef struct _SrvCond SrvCond;
typedef struct _SrvQueue SrvQueue;

#define SRV_TYPE_MUTEX (srv_mutex_get_type ())
#define SRV_TYPE_COND  (srv_cond_get_type ())
#define SRV_TYPE_QUEUE (srv_queue_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_mutex_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvMutex *srv_mutex_new (void);

SRV_AVAILABLE_IN_ALL
SrvMutex *srv_mutex_ref (SrvMutex *self);

SRV_AVAILABLE_IN_ALL
void srv_mutex_unref (SrvMutex *self);

SRV_AVAILABLE_IN_ALL
void srv_mutex_lock (SrvMutex *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_mutex_trylock (SrvMutex *self);

SRV_AVAILABLE_IN_ALL
void srv_mutex_unlock (SrvMutex *self);

SRV_AVAILABLE_IN_ALL
GType srv_cond_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvCond *srv_cond_new (void);

SRV_AVAILABLE_IN_ALL
SrvCond *srv_cond_ref (SrvCond *self);

SRV_AVAILABLE_IN_ALL
void srv_cond_unref (SrvCond *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_cond_wait (SrvCond *self, SrvMutex *mutex, gint64 deadline);

SRV_AVAILABLE_IN_ALL
void srv_cond_signal (SrvCond *self);

SRV_AVAILABLE_IN_ALL
void srv_cond_broadcast (SrvCond *self);

SRV_AVAILABLE_IN_ALL
GType srv_queue_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvQueue *srv_queue_new (guint max_length, GDestroyNotify destroy);

SRV_AVAILABLE_IN_ALL
SrvQueue *srv_queue_ref (SrvQueue *self);

SRV_AVAILABLE_IN_ALL
void srv_queue_unref (SrvQueue *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_queue_push (SrvQueue *self,
                         gpointer item,
                         gint64 deadline,
                         GError **error);

SRV_AVAILABLE_IN_ALL
gpointer srv_queue_pop (SrvQueue *self, gint64 deadline, GError **error);

SRV_AVAILABLE_IN_ALL
void srv_queue_close (SrvQueue *self);

SRV_AVAILABLE_IN_ALL
guint srv_queue_get_length (SrvQueue *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvMutex, srv_mutex_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvCond, srv_cond_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvQueue, srv_queue_unref)

G_END_DECLS
