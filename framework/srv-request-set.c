/* srv-request-set.c - the requests that a server is serving
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-request-set-private.h"

#include "srv-connection-private.h"
#include "srv-datagram-private.h"

SrvRequestLink *
srv_request_get_link (SrvRequest *request)
{
  if (SRV_IS_CONNECTION (request))
    return &((SrvConnection *) request)->link;
  if (SRV_IS_DATAGRAM (request))
    return srv_datagram_get_link ((SrvDatagram *) request);
  return NULL;
}

void
srv_request_drop (SrvRequest *request)
{
  SrvRequestLink *link = srv_request_get_link (request);

  if (link != NULL && !link->in_batch)
    g_clear_object (&link->handler);
  g_object_unref (request);
}

static void
add_other (SrvRequestSet *self, SrvRequest *request)
{
  if (self->others == NULL)
    self->others = g_hash_table_new (NULL, NULL);
  if (g_hash_table_add (self->others, request))
    g_object_ref (request);
  g_atomic_int_set (&self->n_others, (int) g_hash_table_size (self->others));
}

void
srv_request_set_add (SrvRequestSet *self, SrvRequest *request)
{
  SrvRequestLink *link = srv_request_get_link (request);

  if (link != NULL &&
      g_atomic_pointer_compare_and_exchange (&link->set, NULL, self))
    {
      link->link = (GList){ .data = g_object_ref (request) };
      g_queue_push_tail_link (&self->linked, &link->link);
    }
  else
    add_other (self, request);
}

static gboolean
remove_other (SrvRequestSet *self, SrvRequest *request)
{
  if (self->others == NULL || !g_hash_table_remove (self->others, request))
    return FALSE;
  g_atomic_int_set (&self->n_others, (int) g_hash_table_size (self->others));
  return TRUE;
}

static gboolean
is_linked (SrvRequestSet *self, SrvRequest *request)
{
  SrvRequestLink *link = srv_request_get_link (request);

  return link != NULL && g_atomic_pointer_get (&link->set) == self;
}

/* Whether it was there. The caller gets the set's reference. */
gboolean
srv_request_set_remove (SrvRequestSet *self, SrvRequest *request)
{
  if (!is_linked (self, request))
    return remove_other (self, request);
  g_queue_unlink (&self->linked, &srv_request_get_link (request)->link);
  g_atomic_pointer_set (&srv_request_get_link (request)->set, NULL);
  return TRUE;
}

/* The caller frees the list; the requests in it are the set's. */
GList *
srv_request_set_list (SrvRequestSet *self)
{
  GList *others = self->others != NULL ? g_hash_table_get_keys (self->others)
                                       : NULL;

  return g_list_concat (g_list_copy (self->linked.head), others);
}

guint
srv_request_set_size (const SrvRequestSet *self)
{
  return self->linked.length + (guint) g_atomic_int_get (&self->n_others);
}

/* Frees what an empty set has. */
void
srv_request_set_clear (SrvRequestSet *self)
{
  g_clear_pointer (&self->others, g_hash_table_unref);
}

gboolean
srv_request_set_contains (SrvRequestSet *self,
                          SrvRequest *request,
                          GMutex *lock)
{
  gboolean found;

  if (is_linked (self, request))
    return TRUE;
  if (g_atomic_int_get (&self->n_others) == 0)
    return FALSE;
  g_mutex_lock (lock);
  found = g_hash_table_contains (self->others, request);
  g_mutex_unlock (lock);
  return found;
}
