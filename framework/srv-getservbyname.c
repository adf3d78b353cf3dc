/* srv-getservbyname.c - ports of services and back, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The table of services is a file, or whatever else the system is set up to
 * ask: a directory on another machine may take its time.
 */

#include "config.h"

#include "srv-getservbyname.h"

#include "srv-deadline-private.h"
#include "srv-escape.h"
#include "srv-lookup-private.h"

#include <netdb.h>
#include <netinet/in.h>

/* Room for one entry of the table with its other names. */
#define ENTRY_SIZE 4096

typedef struct
{
  SrvLookup lookup;

  char *service; /* owned; NULL: look for the port */
  guint16 port;
  char *protocol; /* owned, nullable */
  char entry[ENTRY_SIZE];
  struct servent found;
  struct servent *result; /* NULL, or found */
  int code;
} Lookup;

static void
run_lookup (SrvLookup *lookup)
{
  Lookup *self = (Lookup *) lookup;

  if (self->service != NULL)
    self->code = getservbyname_r (self->service, self->protocol, &self->found,
                                  self->entry, sizeof self->entry,
                                  &self->result);
  else
    self->code = getservbyport_r (htons (self->port), self->protocol,
                                  &self->found, self->entry, sizeof self->entry,
                                  &self->result);
}

static void
clear_lookup (SrvLookup *lookup)
{
  Lookup *self = (Lookup *) lookup;

  g_free (self->service);
  g_free (self->protocol);
}

static SrvLookup *
make_lookup (const char *service, guint16 port, const char *protocol)
{
  Lookup *lookup = srv_lookup_new (sizeof *lookup, run_lookup, clear_lookup);

  lookup->service = g_strdup (service);
  lookup->port = port;
  lookup->protocol = g_strdup (protocol);
  return &lookup->lookup;
}

static gboolean
find (Lookup *lookup, int timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autofree char *wanted = lookup->service != NULL
                              ? g_strdup (lookup->service)
                              : g_strdup_printf ("port %u", lookup->port);
  g_autofree char *name = srv_escape (wanted, -1);

  if (!srv_lookup_wait (lookup, srv_deadline_from_ms (timeout_ms), cancellable,
                        error))
    {
      g_prefix_error (error, "could not find %s: ", name);
      return FALSE;
    }
  if (lookup->result != NULL)
    return TRUE;
  if (lookup->code != 0)
    g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (lookup->code),
                 "could not find %s: %s", name, g_strerror (lookup->code));
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 "could not find %s: no such service", name);
  return FALSE;
}

/**
 * srv_getservbyname:
 * @service: the name of a service, such as `http`
 * @protocol: (nullable): `tcp` or `udp`; %NULL for any
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the port of a service. Endpoints do it by themselves: `tcp:HOST:http`
 * is one.
 *
 * Fails with %G_IO_ERROR_NOT_FOUND, %G_IO_ERROR_TIMED_OUT,
 * %G_IO_ERROR_CANCELLED, and %SRV_ERROR_LIMIT when no thread can be had.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.getservbyname()`.
 *
 * Returns: the port, 1 to 65535, or -1 with @error set
 */
int
srv_getservbyname (const char *service,
                   const char *protocol,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (SrvLookup) owned = NULL;
  Lookup *lookup;

  g_return_val_if_fail (service != NULL, -1);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  owned = make_lookup (service, 0, protocol);
  lookup = (Lookup *) owned;
  if (!find (lookup, timeout_ms, cancellable, error))
    return -1;
  return ntohs ((guint16) lookup->found.s_port);
}

/**
 * srv_getservbyport:
 * @port: a port
 * @protocol: (nullable): `tcp` or `udp`; %NULL for any
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the service that a port is meant for.
 *
 * Fails as [func@SocketServer.getservbyname] does.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.getservbyport()`.
 *
 * Returns: (transfer full): the name of the service, or %NULL with @error set
 */
char *
srv_getservbyport (guint16 port,
                   const char *protocol,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (SrvLookup) owned = NULL;
  Lookup *lookup;

  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  owned = make_lookup (NULL, port, protocol);
  lookup = (Lookup *) owned;
  if (!find (lookup, timeout_ms, cancellable, error))
    return NULL;
  return g_utf8_make_valid (lookup->found.s_name, -1);
}
