/* srv-scoreboard.c - what worker processes do
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-scoreboard.h"

#include "srv-errno-private.h"
#include "srv-scoreboard-private.h"

#include <errno.h>
#include <sys/mman.h>

#define LONGEST_DOMAIN  64
#define LONGEST_MESSAGE 512

/* Why the loop of a worker failed. The first is kept. */
typedef struct
{
  int claimed; /* atomic: somebody writes it, or has */
  int is_set;  /* atomic: it can be read */
  int code;
  char domain[LONGEST_DOMAIN];
  char message[LONGEST_MESSAGE];
} Failure;

typedef struct
{
  SrvScoreboardSlot slots[SRV_SCOREBOARD_SIZE];
  int n_used; /* atomic: no slot from here on has ever been taken */
  Failure failure;
} Shared;

struct _SrvScoreboard
{
  gatomicrefcount ref_count;
  Shared *shared;
};

G_DEFINE_ENUM_TYPE (SrvWorkerState,
                    srv_worker_state,
                    G_DEFINE_ENUM_VALUE (SRV_WORKER_STATE_IDLE, "idle"),
                    G_DEFINE_ENUM_VALUE (SRV_WORKER_STATE_BUSY, "busy"),
                    G_DEFINE_ENUM_VALUE (SRV_WORKER_STATE_LEAVING, "leaving"))

G_DEFINE_BOXED_TYPE (SrvWorkerInfo,
                     srv_worker_info,
                     srv_worker_info_copy,
                     srv_worker_info_free)

/**
 * srv_worker_info_copy:
 * @self: a line of the scoreboard
 *
 * Copies it.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the copy
 */
SrvWorkerInfo *
srv_worker_info_copy (const SrvWorkerInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_memdup2 (self, sizeof *self);
}

/**
 * srv_worker_info_free:
 * @self: a line of the scoreboard
 *
 * Frees it.
 *
 * Threads: any.
 */
void
srv_worker_info_free (SrvWorkerInfo *self)
{
  g_free (self);
}

/* Pages that nobody touches cost nothing, so there is room for many. */
SrvScoreboard *
srv_scoreboard_new (GError **error)
{
  SrvScoreboard *self;
  void *shared = mmap (NULL, sizeof (Shared), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  if (shared == MAP_FAILED)
    {
      srv_set_errno_error (error, errno, "could not make a scoreboard");
      return NULL;
    }
  self = g_new0 (SrvScoreboard, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->shared = shared;
  return self;
}

SrvScoreboard *
srv_scoreboard_ref (SrvScoreboard *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
srv_scoreboard_unref (SrvScoreboard *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  munmap (self->shared, sizeof (Shared));
  g_free (self);
}

static guint
count_used (SrvScoreboard *self)
{
  return (guint) g_atomic_int_get (&self->shared->n_used);
}

static guint64
read_number (const guint64 *number)
{
  return __atomic_load_n (number, __ATOMIC_RELAXED);
}

static gint64
read_time (const gint64 *when)
{
  return __atomic_load_n (when, __ATOMIC_RELAXED);
}

static void
set_since (SrvScoreboardSlot *slot)
{
  __atomic_store_n (&slot->since, g_get_monotonic_time (), __ATOMIC_RELAXED);
}

static void
write_number (guint64 *number, guint64 value)
{
  __atomic_store_n (number, value, __ATOMIC_RELAXED);
}

/* Others read it meanwhile, so no part is ever half written. */
static void
reset_slot (SrvScoreboardSlot *slot, int pid)
{
  gint64 now = g_get_monotonic_time ();

  write_number (&slot->tally.n_accepted, 0);
  write_number (&slot->tally.n_refused, 0);
  write_number (&slot->tally.n_failed, 0);
  write_number (&slot->tally.n_accept_failures, 0);
  write_number (&slot->n_served, 0);
  __atomic_store_n (&slot->started, now, __ATOMIC_RELAXED);
  __atomic_store_n (&slot->since, now, __ATOMIC_RELAXED);
  g_atomic_int_set (&slot->n_active, 0);
  g_atomic_int_set (&slot->is_leaving, FALSE);
  g_atomic_int_set (&slot->has_left, FALSE);
  g_atomic_int_set (&slot->pid, pid);
}

/* NULL when all are taken. The caller writes the pid when it knows it; until
 * then the slot counts as a worker's already. */
SrvScoreboardSlot *
srv_scoreboard_take_slot (SrvScoreboard *self)
{
  for (guint i = 0; i < SRV_SCOREBOARD_SIZE; i++)
    {
      SrvScoreboardSlot *slot = &self->shared->slots[i];

      if (slot->pid != 0)
        continue;
      reset_slot (slot, -1);
      if ((int) i >= self->shared->n_used)
        g_atomic_int_set (&self->shared->n_used, (int) i + 1);
      return slot;
    }
  return NULL;
}

void
srv_scoreboard_free_slot (SrvScoreboardSlot *slot)
{
  reset_slot (slot, 0);
}

/* TRUE if the worker was idle. */
gboolean
srv_scoreboard_slot_begin (SrvScoreboardSlot *self)
{
  if (g_atomic_int_add (&self->n_active, 1) > 0)
    return FALSE;
  set_since (self);
  return TRUE;
}

/* TRUE if the worker is idle now. */
gboolean
srv_scoreboard_slot_end (SrvScoreboardSlot *self)
{
  __atomic_add_fetch (&self->n_served, 1, __ATOMIC_RELAXED);
  if (g_atomic_int_add (&self->n_active, -1) > 1)
    return FALSE;
  set_since (self);
  return TRUE;
}

void
srv_scoreboard_slot_leave (SrvScoreboardSlot *self)
{
  if (!g_atomic_int_exchange (&self->is_leaving, TRUE))
    set_since (self);
}

void
srv_scoreboard_put_failure (SrvScoreboard *self, const GError *error)
{
  Failure *failure = &self->shared->failure;

  if (!g_atomic_int_compare_and_exchange (&failure->claimed, FALSE, TRUE))
    return;
  failure->code = error->code;
  g_strlcpy (failure->domain, g_quark_to_string (error->domain),
             sizeof failure->domain);
  g_strlcpy (failure->message, error->message, sizeof failure->message);
  g_atomic_int_set (&failure->is_set, TRUE);
}

/* NULL if there is none. */
GError *
srv_scoreboard_take_failure (SrvScoreboard *self)
{
  Failure *failure = &self->shared->failure;
  GError *error;

  if (!g_atomic_int_get (&failure->is_set))
    return NULL;
  error = g_error_new_literal (g_quark_from_string (failure->domain),
                               failure->code, failure->message);
  g_atomic_int_set (&failure->is_set, FALSE);
  g_atomic_int_set (&failure->claimed, FALSE);
  return error;
}

void
srv_tally_add (SrvTally *self, const SrvTally *other)
{
  self->n_accepted += read_number (&other->n_accepted);
  self->n_refused += read_number (&other->n_refused);
  self->n_failed += read_number (&other->n_failed);
  self->n_accept_failures += read_number (&other->n_accept_failures);
}

void
srv_scoreboard_add_up (SrvScoreboard *self, SrvTally *sum)
{
  for (guint i = 0; i < count_used (self); i++)
    srv_tally_add (sum, &self->shared->slots[i].tally);
}

guint64
srv_scoreboard_count_served (SrvScoreboard *self)
{
  guint64 n = 0;

  for (guint i = 0; i < count_used (self); i++)
    n += read_number (&self->shared->slots[i].n_served);
  return n;
}

guint
srv_scoreboard_count_active (SrvScoreboard *self)
{
  guint n = 0;

  for (guint i = 0; i < count_used (self); i++)
    n += (guint) g_atomic_int_get (&self->shared->slots[i].n_active);
  return n;
}

static gboolean
is_staying (SrvScoreboardSlot *slot)
{
  return g_atomic_int_get (&slot->pid) != 0 &&
         !g_atomic_int_get (&slot->is_leaving);
}

/* How many workers have nothing to do; who needs to know only whether there are
 * more than a few does not look at all of them. */
guint
srv_scoreboard_count_idle (SrvScoreboard *self, guint enough)
{
  guint n = 0;

  for (guint i = 0; i < count_used (self) && n < enough; i++)
    if (is_staying (&self->shared->slots[i]) &&
        g_atomic_int_get (&self->shared->slots[i].n_active) == 0)
      n++;
  return n;
}

guint
srv_scoreboard_count_staying (SrvScoreboard *self)
{
  guint n = 0;

  for (guint i = 0; i < count_used (self); i++)
    if (is_staying (&self->shared->slots[i]))
      n++;
  return n;
}

static SrvWorkerInfo *
read_slot (SrvScoreboardSlot *slot)
{
  SrvWorkerInfo *info = g_new (SrvWorkerInfo, 1);

  *info = (SrvWorkerInfo){
    .pid = g_atomic_int_get (&slot->pid),
    .n_active = (guint) g_atomic_int_get (&slot->n_active),
    .n_accepted = read_number (&slot->tally.n_accepted),
    .n_served = read_number (&slot->n_served),
    .n_refused = read_number (&slot->tally.n_refused),
    .n_failed = read_number (&slot->tally.n_failed),
    .started = read_time (&slot->started),
    .since = read_time (&slot->since),
  };
  if (g_atomic_int_get (&slot->is_leaving))
    info->state = SRV_WORKER_STATE_LEAVING;
  else if (info->n_active > 0)
    info->state = SRV_WORKER_STATE_BUSY;
  return info;
}

/* Of SrvWorkerInfo. */
GPtrArray *
srv_scoreboard_list (SrvScoreboard *self)
{
  GPtrArray *list =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_worker_info_free);

  for (guint i = 0; i < count_used (self); i++)
    if (g_atomic_int_get (&self->shared->slots[i].pid) > 0)
      g_ptr_array_add (list, read_slot (&self->shared->slots[i]));
  return list;
}

/* Seconds with one digit behind the point. */
static void
print_line (GString *text, const SrvWorkerInfo *info, gint64 now)
{
  static const char *const names[] = { "idle", "busy", "leaving" };

  g_string_append_printf (text,
                          "%9d  %-7s %8.1f %6u %10" G_GUINT64_FORMAT
                          " %8" G_GUINT64_FORMAT " %8" G_GUINT64_FORMAT
                          " %10.1f\n",
                          info->pid, names[info->state],
                          (double) (now - info->since) / G_USEC_PER_SEC,
                          info->n_active, info->n_served, info->n_refused,
                          info->n_failed,
                          (double) (now - info->started) / G_USEC_PER_SEC);
}

/* What a list looks like as text. */
char *
srv_scoreboard_print (GPtrArray *list)
{
  GString *text = g_string_new ("      pid  state      for/s active     served"
                                "  refused   failed      age/s\n");
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < list->len; i++)
    print_line (text, list->pdata[i], now);
  return g_string_free (text, FALSE);
}
