/* srv-spawn.c - more than one thing at a time in a handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Beside a thread runs another thread, and beside a fiber another fiber of the
 * same worker.
 */

#include "config.h"

#include "srv-spawn-private.h"

#include "fiber/srv-fiber-private.h"
#include "srv-gate-private.h"
#include "srv-wait-list-private.h"

#include <errno.h>
#include <pthread.h>

/* So many functions run outside of fibers at a time; more wait for their turn.
 */
#define MAX_OFFLOADED 64

/* What one task has spawned. It belongs to that task, which waits for all of
 * it, so the others may borrow it. */
typedef struct
{
  GMutex lock; /* of the rest */
  SrvWaitList ended;
  guint n_fibers;
  GArray *threads; /* of pthread_t: to be joined */
} Family;

typedef struct
{
  SrvTaskFunc func;
  gpointer user_data;
  GDestroyNotify destroy; /* nullable */
  Family *family;
  gpointer slots[SRV_TASK_N_SLOTS]; /* what the new task has from its parent */
} Job;

static Family *
get_family (void)
{
  Family *family = srv_task_get (SRV_TASK_SPAWNED);

  if (family != NULL)
    return family;
  family = g_new0 (Family, 1);
  g_mutex_init (&family->lock);
  family->threads = g_array_new (FALSE, FALSE, sizeof (pthread_t));
  srv_task_set (SRV_TASK_SPAWNED, family);
  return family;
}

/* The new task serves the same request: it may close the server and is not
 * waited for. */
static void
inherit (Job *job)
{
  static const SrvTaskSlot inherited[] = { SRV_TASK_REQUEST, SRV_TASK_MIX_IN };

  for (guint i = 0; i < G_N_ELEMENTS (inherited); i++)
    job->slots[inherited[i]] = srv_task_get (inherited[i]);
  job->slots[SRV_TASK_SPAWNER] = job->family;
}

static void
run_job (Job *job)
{
  for (guint i = 0; i < SRV_TASK_N_SLOTS; i++)
    srv_task_set ((SrvTaskSlot) i, job->slots[i]);
  job->func (job->user_data);
  srv_spawn_join ();
  if (job->destroy != NULL)
    job->destroy (job->user_data);
}

static void *
run_in_thread (void *data)
{
  run_job (data);
  g_free (data);
  return NULL;
}

static void
run_in_fiber (gpointer data)
{
  Job *job = data;
  Family *family = job->family;

  run_job (job);
  g_free (job);
  g_mutex_lock (&family->lock);
  family->n_fibers--;
  srv_wait_list_wake_all (&family->ended);
  g_mutex_unlock (&family->lock);
}

/* Once it runs, the thread frees the job. */
static int
start_thread (Job *job)
{
  Family *family = job->family;
  pthread_t thread;
  int code = pthread_create (&thread, NULL, run_in_thread, job);

  if (code == 0)
    g_array_append_val (family->threads, thread);
  return code;
}

static int
start_fiber (Job *job)
{
  Family *family = job->family;

  g_mutex_lock (&family->lock);
  family->n_fibers++;
  g_mutex_unlock (&family->lock);
  if (srv_fiber_spawn (srv_fiber_worker_self (), run_in_fiber, job))
    return 0;
  g_mutex_lock (&family->lock);
  family->n_fibers--;
  g_mutex_unlock (&family->lock);
  return errno;
}

/**
 * srv_spawn:
 * @func: (scope notified) (closure user_data) (destroy destroy): what to do
 * @user_data: passed to @func
 * @destroy: (nullable): frees @user_data when @func has returned
 * @error: return location for a [struct@GLib.Error]
 *
 * Does something beside the calling handler, in the way of its mix-in: in
 * another fiber of the same worker, and otherwise in another thread.
 *
 * A handler uses it to read from its client and to write to it at the same time.
 * What was spawned is waited for when `handle` has returned, before `finish`;
 * it should then come to its end by itself.
 *
 * Fails with %SRV_ERROR_LIMIT; @destroy is not called then.
 *
 * Threads: any. Outside of handlers call [func@SocketServer.spawn_join].
 *
 * Returns: %TRUE if @func runs or will run, %FALSE with @error set otherwise
 */
gboolean
srv_spawn (SrvTaskFunc func,
           gpointer user_data,
           GDestroyNotify destroy,
           GError **error)
{
  Job *job;
  int code;

  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  job = g_new0 (Job, 1);
  job->func = func;
  job->user_data = user_data;
  job->destroy = destroy;
  job->family = get_family ();
  inherit (job);
  code = srv_task_fiber () != NULL ? start_fiber (job) : start_thread (job);
  if (code == 0)
    return TRUE;
  if (job->family->n_fibers == 0 && job->family->threads->len == 0)
    srv_spawn_join ();
  g_free (job);
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start another task: %s", g_strerror (code));
  return FALSE;
}

/**
 * srv_spawn_join:
 *
 * Waits until everything that the caller has spawned has ended. For handlers it
 * is called by itself, when `handle` has returned.
 *
 * Threads: any.
 */
void
srv_spawn_join (void)
{
  Family *family = srv_task_get (SRV_TASK_SPAWNED);

  if (family == NULL)
    return;
  g_mutex_lock (&family->lock);
  while (family->n_fibers > 0)
    srv_wait_list_wait (&family->ended, &family->lock, SRV_DEADLINE_NEVER);
  g_mutex_unlock (&family->lock);
  for (guint i = 0; i < family->threads->len; i++)
    pthread_join (g_array_index (family->threads, pthread_t, i), NULL);
  srv_task_set (SRV_TASK_SPAWNED, NULL);
  g_array_unref (family->threads);
  g_mutex_clear (&family->lock);
  g_free (family);
}

gboolean
srv_spawn_is_alone (void)
{
  return srv_task_get (SRV_TASK_SPAWNER) == NULL &&
         srv_task_get (SRV_TASK_SPAWNED) == NULL;
}

/* For functions that run outside of fibers. */
static SrvGate offload_gate = { .most = MAX_OFFLOADED };

typedef struct
{
  SrvTaskFunc func;
  gpointer user_data;
  SrvTask *waiting;
  gboolean done; /* atomic */
} Offload;

static void *
run_offload (void *data)
{
  Offload *self = data;
  SrvTask *waiting = self->waiting;

  self->func (self->user_data);
  g_atomic_int_set (&self->done, TRUE);
  srv_task_unpark (waiting);
  return NULL;
}

/* The thread has nothing left to do when it is joined. */
static int
offload (SrvTaskFunc func, gpointer user_data)
{
  Offload self = { func, user_data, srv_task_self (), FALSE };
  pthread_t thread;
  int code = pthread_create (&thread, NULL, run_offload, &self);

  if (code != 0)
    return code;
  while (!g_atomic_int_get (&self.done))
    srv_task_park (SRV_DEADLINE_NEVER);
  pthread_join (thread, NULL);
  return 0;
}

/**
 * srv_offload:
 * @func: (scope call) (closure user_data): what to do
 * @user_data: passed to @func
 * @error: return location for a [struct@GLib.Error]
 *
 * Runs a function that blocks, and waits for it. A fiber has it run in a thread
 * of its own, with a stack of the usual size, and its worker serves others
 * meanwhile; in a thread the function is just called.
 *
 * It is for what waits in another way than through this library: look-ups of
 * names, files, handshakes of TLS, databases, hashing of passwords. Up to 64 run
 * at a time; more wait for their turn.
 *
 * @func must not use thread-local things of its caller, and the caller's request
 * is its own business as long as it lasts.
 *
 * Fails with %SRV_ERROR_LIMIT when no thread can be had.
 *
 * Threads: any. In Python: `asyncio.to_thread()` is the nearest relative.
 *
 * Returns: %TRUE when @func has returned, %FALSE with @error set if it never ran
 */
gboolean
srv_offload (SrvTaskFunc func, gpointer user_data, GError **error)
{
  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return srv_offload_until (func, user_data, SRV_DEADLINE_NEVER, error);
}

/* Fails with G_IO_ERROR_TIMED_OUT if it is not its turn before the deadline. */
gboolean
srv_offload_until (SrvTaskFunc func,
                   gpointer user_data,
                   gint64 deadline,
                   GError **error)
{
  int code;

  if (srv_task_fiber () == NULL)
    {
      func (user_data);
      return TRUE;
    }
  if (!srv_gate_enter (&offload_gate, deadline))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   "%u other functions that block run already", MAX_OFFLOADED);
      return FALSE;
    }
  code = offload (func, user_data);
  srv_gate_leave (&offload_gate);
  if (code == 0)
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread for a function that blocks: %s",
               g_strerror (code));
  return FALSE;
}
