/* srv-test-shared.c - what a test and its forked children both see
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test-private.h"

#include "srv-task-private.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MAX_ENTRIES 16384

typedef struct
{
  char name[24];
  pid_t pid;
  pid_t tid;
} Entry;

/* What forked children share with the test. The lock guards everything. */
typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pid_t test_pid;
  pid_t loop_pid;
  pid_t loop_tid;
  guint n_entries;
  Entry entries[MAX_ENTRIES];
  char error_message[1024];
  char error_domain[64];
  int error_code;
  int verdict;
  gboolean gates[SRV_TEST_N_GATES];
  gint64 numbers[SRV_TEST_N_NUMBERS];
  int child_says;
} Shared;

static Shared *shared;

void
srv_test_map_shared (void)
{
  shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert (shared != MAP_FAILED);
}

void
srv_test_unmap_shared (void)
{
  munmap (shared, sizeof *shared);
}

void
srv_test_reset_shared (void)
{
  pthread_mutexattr_t mutex_attributes;
  pthread_condattr_t cond_attributes;

  memset (shared, 0, sizeof *shared);

  /* Robust, because a test may kill a child at any moment. */
  pthread_mutexattr_init (&mutex_attributes);
  pthread_mutexattr_setpshared (&mutex_attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust (&mutex_attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init (&shared->lock, &mutex_attributes);
  pthread_mutexattr_destroy (&mutex_attributes);

  pthread_condattr_init (&cond_attributes);
  pthread_condattr_setpshared (&cond_attributes, PTHREAD_PROCESS_SHARED);
  pthread_condattr_setclock (&cond_attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&shared->changed, &cond_attributes);
  pthread_condattr_destroy (&cond_attributes);

  shared->test_pid = getpid ();
}

static void
shared_lock (void)
{
  if (pthread_mutex_lock (&shared->lock) == EOWNERDEAD)
    pthread_mutex_consistent (&shared->lock);
}

static void
shared_unlock (void)
{
  pthread_cond_broadcast (&shared->changed);
  pthread_mutex_unlock (&shared->lock);
}

/* Waits for a change, with the lock held. FALSE when DEADLINE is over. */
static gboolean
shared_wait (gint64 deadline)
{
  struct timespec until = {
    .tv_sec = deadline / G_USEC_PER_SEC,
    .tv_nsec = deadline % G_USEC_PER_SEC * 1000,
  };
  int result;

  result = pthread_cond_timedwait (&shared->changed, &shared->lock, &until);
  if (result == EOWNERDEAD)
    pthread_mutex_consistent (&shared->lock);

  return result != ETIMEDOUT;
}

void
srv_test_open_gate (guint gate)
{
  shared_lock ();
  shared->gates[gate] = TRUE;
  shared_unlock ();
}

/* A fiber that waited for the condition would keep all others waiting. */
static gboolean
wait_shared (gint64 deadline)
{
  if (srv_task_fiber () == NULL)
    return shared_wait (deadline);
  shared_unlock ();
  srv_sleep (1, NULL, NULL);
  shared_lock ();
  return g_get_monotonic_time () < deadline;
}

gboolean
srv_test_wait_at_gate (guint gate)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  gboolean open;

  shared_lock ();
  while (!shared->gates[gate] && wait_shared (deadline))
    continue;
  open = shared->gates[gate];
  shared_unlock ();

  return open;
}

void
srv_test_set_number (guint slot, gint64 value)
{
  shared_lock ();
  shared->numbers[slot] = value;
  shared_unlock ();
}

void
srv_test_add_number (guint slot, gint64 value)
{
  shared_lock ();
  shared->numbers[slot] += value;
  shared_unlock ();
}

gint64
srv_test_get_number (guint slot)
{
  gint64 value;

  shared_lock ();
  value = shared->numbers[slot];
  shared_unlock ();

  return value;
}

void
srv_test_wait_for_number (guint slot, gint64 value)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  gint64 found;

  shared_lock ();
  while (shared->numbers[slot] < value && shared_wait (deadline))
    continue;
  found = shared->numbers[slot];
  shared_unlock ();

  ck_assert_msg (found >= value,
                 "number %u stayed at %" G_GINT64_FORMAT
                 ", waited for %" G_GINT64_FORMAT,
                 slot, found, value);
}

int
srv_test_in_child (int (*function) (gpointer data), gpointer data)
{
  pid_t pid;

  shared->child_says = -1;
  pid = fork ();
  ck_assert_int_ge (pid, 0);
  if (pid == 0)
    {
      shared->child_says = function (data);
      /* Valgrind looks for leaks even at _exit (). */
      if (g_getenv ("SRV_VALGRIND") != NULL)
        raise (SIGKILL);
      _exit (0);
    }
  ck_assert_int_eq (waitpid (pid, NULL, 0), pid);

  return shared->child_says;
}

/* The trace. */

void
srv_test_trace (const char *name)
{
  shared_lock ();
  if (shared->n_entries < MAX_ENTRIES)
    {
      Entry *entry = &shared->entries[shared->n_entries++];

      g_strlcpy (entry->name, name, sizeof entry->name);
      entry->pid = getpid ();
      entry->tid = (pid_t) syscall (SYS_gettid);
      if (g_str_equal (name, "get_request"))
        {
          shared->loop_pid = entry->pid;
          shared->loop_tid = entry->tid;
        }
    }
  shared_unlock ();
}

void
srv_test_clear_trace (void)
{
  shared_lock ();
  shared->n_entries = 0;
  shared_unlock ();
}

static gboolean
entry_matches (const Entry *entry, SrvTestWho who)
{
  gboolean in_test = entry->pid == shared->test_pid;

  switch (who)
    {
    case SRV_TEST_EVERYBODY:
      return TRUE;
    case SRV_TEST_LOOP:
      return entry->pid == shared->loop_pid && entry->tid == shared->loop_tid;
    case SRV_TEST_WORKERS:
      return in_test && entry->tid != shared->loop_tid;
    case SRV_TEST_CHILDREN:
      return entry->pid != shared->loop_pid;
    default:
      g_assert_not_reached ();
    }
}

char *
srv_test_get_trace (SrvTestWho who)
{
  g_autoptr (GString) trace = g_string_new (NULL);

  shared_lock ();
  for (guint i = 0; i < shared->n_entries; i++)
    {
      if (!entry_matches (&shared->entries[i], who))
        continue;
      if (trace->len > 0)
        g_string_append_c (trace, ' ');
      g_string_append (trace, shared->entries[i].name);
    }
  shared_unlock ();

  return g_string_free (g_steal_pointer (&trace), FALSE);
}

static guint
count_trace_locked (const char *name)
{
  guint count = 0;

  for (guint i = 0; i < shared->n_entries; i++)
    if (g_str_equal (shared->entries[i].name, name))
      count++;

  return count;
}

guint
srv_test_count_trace (const char *name)
{
  guint count;

  shared_lock ();
  count = count_trace_locked (name);
  shared_unlock ();

  return count;
}

void
srv_test_wait_for_trace (const char *name, guint count)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  g_autofree char *trace = NULL;
  guint found;

  shared_lock ();
  while (count_trace_locked (name) < count && shared_wait (deadline))
    continue;
  found = count_trace_locked (name);
  shared_unlock ();

  trace = srv_test_get_trace (SRV_TEST_EVERYBODY);
  /* Check dies of messages that are too long. */
  ck_assert_msg (found >= count, "%s came %u times instead of %u: %.2000s",
                 name, found, count, trace);
}

void
srv_test_assert_trace (SrvTestWho who, const char *expected)
{
  g_autofree char *trace = srv_test_get_trace (who);

  ck_assert_str_eq (trace, expected);
}

char *
srv_test_get_error_message (void)
{
  char *message;

  shared_lock ();
  message = g_strdup (shared->error_message);
  shared_unlock ();

  return message;
}

GQuark
srv_test_get_error_domain (void)
{
  return g_quark_from_string (shared->error_domain);
}

int
srv_test_get_error_code (void)
{
  return shared->error_code;
}

int
srv_test_get_verdict (void)
{
  return shared->verdict;
}

void
srv_test_note_error (const GError *error)
{
  shared_lock ();
  if (error != NULL)
    {
      g_strlcpy (shared->error_message, error->message,
                 sizeof shared->error_message);
      g_strlcpy (shared->error_domain, g_quark_to_string (error->domain),
                 sizeof shared->error_domain);
      shared->error_code = error->code;
    }
  shared_unlock ();
}

void
srv_test_note_verdict (int verdict)
{
  shared_lock ();
  shared->verdict = verdict;
  shared_unlock ();
}
