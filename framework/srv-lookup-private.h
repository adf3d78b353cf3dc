/* srv-lookup-private.h - questions to the system that cannot be given up
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The C library looks up names without a time limit. A lookup does so in a
 * thread of its own, so that whoever asks can wait as long as he wants and no
 * longer. What he has given up ends by itself later: until then the thread has
 * a reference, and all that it works on is part of the lookup.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _SrvLookup SrvLookup;

/* The first part of what is looked up. */
struct _SrvLookup
{
  void (*run) (SrvLookup *self);   /* asks; in another thread */
  void (*clear) (SrvLookup *self); /* frees the rest */
  gboolean done;                   /* under the lock of srv-lookup.c */
};

gpointer srv_lookup_new (gsize size,
                         void (*run) (SrvLookup *self),
                         void (*clear) (SrvLookup *self));
void srv_lookup_unref (gpointer lookup);

/* TRUE when it has run. */
gboolean srv_lookup_wait (gpointer lookup,
                          gint64 deadline,
                          GCancellable *cancellable,
                          GError **error);

/* What getaddrinfo () and getnameinfo () fail with, as an error. */
void srv_lookup_set_error (GError **error,
                           int code,
                           int saved_errno,
                           const char *what);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvLookup, srv_lookup_unref)

G_END_DECLS
