/* srv-check-private.h - quick checks of types
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Public functions check what they are given, and a request passes two dozen of
 * them. GObject looks through all ancestors each time; here the class that has
 * passed last passes at once, and a type that nobody can derive from is compared.
 * In files that include this the macros stand in the place of the functions that
 * the headers declare.
 */

#pragma once

#include "srv-base-request-handler.h"
#include "srv-base-server.h"
#include "srv-connection.h"
#include "srv-datagram-request-handler.h"
#include "srv-datagram.h"
#include "srv-mix-in.h"
#include "srv-stream-request-handler.h"

G_BEGIN_DECLS

/* Classes that have passed last; atomic. */
typedef struct
{
  gpointer server;
  gpointer mix_in;
  gpointer handler;
  gpointer stream_handler;
  gpointer datagram_handler;
} SrvPassed;

extern SrvPassed srv_passed;

gboolean srv_check_slowly (gpointer instance,
                           gpointer *passed,
                           gboolean (*check) (gpointer instance));

static inline gboolean
srv_check (gpointer instance,
           gpointer *passed,
           gboolean (*check) (gpointer instance))
{
  return (instance != NULL && ((GTypeInstance *) instance)->g_class ==
                                __atomic_load_n (passed, __ATOMIC_RELAXED)) ||
         srv_check_slowly (instance, passed, check);
}

/* Atomic; 0 before the first instance. */
extern G_GNUC_INTERNAL GType srv_connection_type;
extern G_GNUC_INTERNAL GType srv_datagram_type;

static inline gboolean
srv_has_type (gpointer instance, const GType *type)
{
  return instance != NULL && G_TYPE_FROM_INSTANCE (instance) ==
                               __atomic_load_n (type, __ATOMIC_RELAXED);
}

#define SRV_IS_CONNECTION(instance) \
  srv_has_type ((instance), &srv_connection_type)

#define SRV_IS_DATAGRAM(instance) srv_has_type ((instance), &srv_datagram_type)

/* SRV_IS_REQUEST (), which a request of the library passes much faster. */
static inline gboolean
srv_is_request (gpointer instance)
{
  return SRV_IS_CONNECTION (instance) || SRV_IS_DATAGRAM (instance) ||
         SRV_IS_REQUEST (instance);
}

#define SRV_IS_BASE_SERVER(instance) \
  srv_check ((instance), &srv_passed.server, SRV_IS_BASE_SERVER)

#define SRV_IS_MIX_IN(instance) \
  srv_check ((instance), &srv_passed.mix_in, SRV_IS_MIX_IN)

#define SRV_IS_BASE_REQUEST_HANDLER(instance) \
  srv_check ((instance), &srv_passed.handler, SRV_IS_BASE_REQUEST_HANDLER)

#define SRV_IS_STREAM_REQUEST_HANDLER(instance)      \
  srv_check ((instance), &srv_passed.stream_handler, \
             SRV_IS_STREAM_REQUEST_HANDLER)

#define SRV_IS_DATAGRAM_REQUEST_HANDLER(instance)      \
  srv_check ((instance), &srv_passed.datagram_handler, \
             SRV_IS_DATAGRAM_REQUEST_HANDLER)

G_END_DECLS
