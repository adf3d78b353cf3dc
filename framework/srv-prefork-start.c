/* srv-prefork-start.c - how a worker process is made
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-prefork-private.h"

#include "srv-base-server-private.h"
#include "srv-connection.h"
#include "srv-datagram.h"
#include "srv-log-private.h"
#include "srv-process-private.h"
#include "srv-worker-process-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Makes ready what every request needs, once instead of in each worker. A
 * worker then need not ask the type system for it, one of whose locks another
 * thread may have held at the fork. */
void
srv_prefork_warm_up (SrvBaseServer *server)
{
  const GType types[] = {
    SRV_TYPE_CONNECTION,
    SRV_TYPE_DATAGRAM,
    SRV_BASE_SERVER_GET_CLASS (server)->default_handler_type,
    srv_base_server_get_handler_type (server),
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i] != G_TYPE_INVALID)
      g_type_class_unref (g_type_class_ref (types[i]));
}

gboolean
srv_prefork_check_threads (SrvPrefork *self,
                           SrvBaseServer *server,
                           GError **error)
{
  SrvForkGuard guard = self->settings->fork_guard;

  if (guard == SRV_FORK_GUARD_IGNORE || !srv_process_has_threads ())
    return TRUE;
  if (guard == SRV_FORK_GUARD_REFUSE)
    {
      g_set_error_literal (error, SRV_ERROR, SRV_ERROR_THREADS,
                           "could not fork: the process has other threads");
      return FALSE;
    }
  if (!self->warned)
    srv_log (
      G_LOG_LEVEL_WARNING, "fork-guard", server, NULL,
      "forking in a process that has other threads: a worker can hang on a "
      "lock that one of them held");
  self->warned = TRUE;
  return TRUE;
}

/* A limit of recycling and some more, so that workers that were started
 * together do not all end together. */
static guint64
spread (SrvPrefork *self, guint64 limit)
{
  double share = self->settings->recycle_spread / 100.0;

  return limit + (guint64) ((double) limit * share * g_random_double ());
}

guint
srv_prefork_count_wanted (const SrvPreforkSettings *settings)
{
  guint n = settings->workers > 0 ? settings->workers : g_get_num_processors ();

  return MIN (n, SRV_SCOREBOARD_SIZE / 2);
}

static SrvWorkerProcess
describe_worker (SrvPrefork *self,
                 SrvBaseServer *server,
                 SrvScoreboardSlot *slot,
                 int leash_fd)
{
  const SrvPreforkSettings *settings = self->settings;

  return (SrvWorkerProcess){
    .server = server,
    .inner = settings->inner,
    .scoreboard = self->scoreboard,
    .slot = slot,
    .leash_fd = leash_fd,
    .news_fd = self->news_fd,
    .stop_fd = self->stop_fd,
    .max_requests = spread (self, settings->max_requests),
    .max_memory = spread (self, settings->max_memory),
    .is_elastic = settings->max_workers > srv_prefork_count_wanted (settings),
    .min_spare = settings->min_spare,
    .max_spare = settings->max_spare,
  };
}

/* In a child: only the parent may hold the leashes, or its end would go
 * unnoticed. */
static void
drop_parents_things (SrvPrefork *self)
{
  g_hash_table_remove_all (self->workers);
  srv_children_drop (&self->children);
  close (self->epoll_fd);
  close (self->timer_fd);
}

/* No handler of the parent's may run in the child, where it would reach for
 * what both share; so signals wait until the child has its own. */
static pid_t
fork_worker (SrvPrefork *self, const int leash[2], SrvWorkerProcess *process)
{
  sigset_t all, before;
  pid_t pid;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  /* Or the child would print it once more. */
  fflush (stdout);
  fflush (stderr);
  pid = fork ();
  if (pid == 0)
    {
      close (leash[1]);
      g_atomic_int_set (&process->slot->pid, getpid ());
      drop_parents_things (self);
      srv_worker_process_run (process);
    }
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return pid;
}

static gboolean
fail_limit (GError **error, const char *why)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a worker process: %s", why);
  return FALSE;
}

static gboolean
start_in_slot (SrvPrefork *self,
               SrvBaseServer *server,
               SrvScoreboardSlot *slot,
               GError **error)
{
  SrvWorkerProcess process;
  SrvPreforkWorker *worker;
  int leash[2];
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, leash) != 0)
    return fail_limit (error, g_strerror (errno));
  process = describe_worker (self, server, slot, leash[0]);
  srv_base_server_prepare_fork (server, NULL);
  pid = fork_worker (self, leash, &process);
  close (leash[0]);
  if (pid < 0)
    {
      close (leash[1]);
      return fail_limit (error, g_strerror (errno));
    }
  g_atomic_int_set (&slot->pid, pid);
  worker = g_new0 (SrvPreforkWorker, 1);
  worker->pid = pid;
  worker->slot = slot;
  worker->leash_fd = leash[1];
  g_hash_table_insert (self->workers, GINT_TO_POINTER (pid), worker);
  srv_children_watch (&self->children, pid);
  return TRUE;
}

gboolean
srv_prefork_start_worker (SrvPrefork *self,
                          SrvBaseServer *server,
                          GError **error)
{
  SrvScoreboardSlot *slot = srv_scoreboard_take_slot (self->scoreboard);

  if (slot == NULL)
    return fail_limit (error, "the scoreboard is full");
  if (start_in_slot (self, server, slot, error))
    return TRUE;
  srv_scoreboard_free_slot (slot);
  return FALSE;
}
