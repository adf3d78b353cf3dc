/* srv-signals.c - SIGINT and SIGTERM stop the servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With sigaction () and not with a GLib source: that would start GLib's worker
 * thread, after which the process should not fork any more.
 */

#include "config.h"

#include "srv-signals.h"

#include "srv-base-server-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#define MAX_SERVERS 64

static const int bound_signals[] = { SIGINT, SIGTERM };

/* Guards what follows against other threads; the handler reads only `servers`,
 * one pointer at a time. */
static GMutex lock;
static SrvBaseServer *servers[MAX_SERVERS];
static guint n_servers;
static struct sigaction previous[G_N_ELEMENTS (bound_signals)];

/* Signals that this file has sent itself, and that only interrupt a system
 * call. */
static int n_forwarded;

static gboolean
is_forwarded (void)
{
  int n = g_atomic_int_get (&n_forwarded);

  while (n > 0)
    {
      if (g_atomic_int_compare_and_exchange (&n_forwarded, n, n - 1))
        return TRUE;
      n = g_atomic_int_get (&n_forwarded);
    }
  return FALSE;
}

/* The signal may have come to any thread; the one that is blocked in a read of
 * its client has to be interrupted, or it would not see its new limit. */
static void
on_signal (int signo)
{
  int saved_errno = errno;
  pthread_t blocked;

  if (is_forwarded ())
    return;
  for (guint i = 0; i < MAX_SERVERS; i++)
    {
      SrvBaseServer *server = g_atomic_pointer_get (&servers[i]);

      if (server == NULL || !srv_base_server_note_signal (server, &blocked) ||
          pthread_equal (blocked, pthread_self ()))
        continue;
      g_atomic_int_inc (&n_forwarded);
      pthread_kill (blocked, signo);
    }
  errno = saved_errno;
}

static void
install (void)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

  sigemptyset (&action.sa_mask);
  for (guint i = 0; i < G_N_ELEMENTS (bound_signals); i++)
    sigaction (bound_signals[i], &action, &previous[i]);
}

static void
uninstall (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bound_signals); i++)
    sigaction (bound_signals[i], &previous[i], NULL);
}

/* Takes a server out, whether it lives or not. */
static void
take_out (gpointer server)
{
  g_mutex_lock (&lock);
  for (guint i = 0; i < MAX_SERVERS; i++)
    if (servers[i] == server)
      {
        g_atomic_pointer_set (&servers[i], NULL);
        if (--n_servers == 0)
          uninstall ();
        break;
      }
  g_mutex_unlock (&lock);
}

static void
on_server_gone (G_GNUC_UNUSED gpointer data, GObject *where_it_was)
{
  take_out (where_it_was);
}

/* Where a server is, or where there is room if it is NULL; -1: nowhere. */
static int
find (SrvBaseServer *server)
{
  for (int i = 0; i < MAX_SERVERS; i++)
    if (servers[i] == server)
      return i;
  return -1;
}

/**
 * srv_signals_bind:
 * @server: a server
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes `SIGINT` and `SIGTERM` stop the server in order: the loop ends, and
 * closing the server drains it. A second signal makes the drain cut what still
 * runs at once.
 *
 * Without a mix-in the loop may be busy with a handler; then the client gets
 * the server's [property@SocketServer.BaseServer:drain-timeout] from the first
 * signal on, and the second one ends the connection.
 *
 * Up to 64 servers can be bound. A server is unbound when it goes; with the
 * last of them the process gets back the signal handlers that it had. Forked
 * children have the default ones.
 *
 * Fails with %SRV_ERROR_LIMIT.
 *
 * Threads: any.
 *
 * Returns: %TRUE when the signals are bound, %FALSE with @error set otherwise
 */
gboolean
srv_signals_bind (SrvBaseServer *server, GError **error)
{
  int slot;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (server), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_mutex_lock (&lock);
  if (find (server) >= 0)
    {
      g_mutex_unlock (&lock);
      return TRUE;
    }
  slot = find (NULL);
  if (slot >= 0)
    {
      g_atomic_pointer_set (&servers[slot], server);
      if (n_servers++ == 0)
        install ();
    }
  g_mutex_unlock (&lock);
  if (slot < 0)
    {
      g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
                   "signals can stop %d servers, and they are bound already",
                   MAX_SERVERS);
      return FALSE;
    }
  g_object_weak_ref (G_OBJECT (server), on_server_gone, NULL);
  return TRUE;
}

/**
 * srv_signals_unbind:
 * @server: a server
 *
 * Undoes [func@SocketServer.signals_bind].
 *
 * Threads: any.
 */
void
srv_signals_unbind (SrvBaseServer *server)
{
  gboolean bound;

  g_return_if_fail (SRV_IS_BASE_SERVER (server));

  g_mutex_lock (&lock);
  bound = find (server) >= 0;
  g_mutex_unlock (&lock);
  if (!bound)
    return;
  g_object_weak_unref (G_OBJECT (server), on_server_gone, NULL);
  take_out (server);
}
