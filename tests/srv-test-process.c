/* srv-test-process.c - what a process has, and what it must not keep
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test-private.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define MAX_DESCRIPTORS 4096

static gboolean descriptors_before[MAX_DESCRIPTORS];
static guint threads_before;

/* Calls FUNCTION for every number that names a file of DIRECTORY, except the
 * descriptor of the directory itself. */
static guint
for_each_number (const char *directory, gboolean *seen, guint n_seen)
{
  DIR *dir = opendir (directory);
  const struct dirent *entry;
  guint count = 0;

  ck_assert_msg (dir != NULL, "%s: %s", directory, g_strerror (errno));
  while ((entry = readdir (dir)) != NULL)
    {
      guint number;

      if (!g_ascii_isdigit (entry->d_name[0]))
        continue;
      number = (guint) strtoul (entry->d_name, NULL, 10);
      if (seen != NULL && number == (guint) dirfd (dir))
        continue;
      count++;
      if (seen != NULL && number < n_seen)
        seen[number] = TRUE;
    }
  closedir (dir);

  return count;
}

guint
srv_test_count_descriptors (void)
{
  gboolean seen[MAX_DESCRIPTORS] = { FALSE };

  return for_each_number ("/proc/self/fd", seen, MAX_DESCRIPTORS);
}

guint
srv_test_count_threads (void)
{
  return for_each_number ("/proc/self/task", NULL, 0);
}

gboolean
srv_test_has_children (void)
{
  siginfo_t info;

  return waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
         errno != ECHILD;
}

guint64
srv_test_thread_status (pid_t tid, const char *key)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/status", tid);
  g_autofree char *text = NULL;
  const char *line;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  line = strstr (text, key);
  ck_assert_ptr_nonnull (line);

  return g_ascii_strtoull (line + strlen (key) + 1, NULL, 10);
}

static gint64
processor_time (void)
{
  struct timespec used;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);

  return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

void
srv_test_assert_idle (void)
{
  const gint64 span = 100 * 1000;
  gint64 used = span;

  /* Nothing is waited for here: the time itself is what is measured. */
  for (guint i = 0; i < SRV_TEST_TRIES && used > span / 5; i++)
    {
      gint64 before = processor_time ();

      g_usleep (span);
      used = processor_time () - before;
    }
  ck_assert_int_le (used, span / 5);
}

/* How often a thread, or all but the caller, have waited so far. */
static guint64
count_waits (pid_t tid)
{
  const char *key = "\nvoluntary_ctxt_switches:";
  g_autoptr (GDir) tasks = NULL;
  guint64 n_waits = 0;
  const char *name;

  if (tid != 0)
    return srv_test_thread_status (tid, key);

  tasks = g_dir_open ("/proc/self/task", 0, NULL);
  while ((name = g_dir_read_name (tasks)) != NULL)
    {
      pid_t other = (pid_t) g_ascii_strtoull (name, NULL, 10);

      if (other != (pid_t) syscall (SYS_gettid))
        n_waits += srv_test_thread_status (other, key);
    }

  return n_waits;
}

gboolean
srv_test_stays_asleep (pid_t tid, int span_ms, guint64 most)
{
  for (guint i = 0; i < SRV_TEST_TRIES; i++)
    {
      guint64 before = count_waits (tid);

      g_usleep ((gulong) span_ms * 1000);
      if (count_waits (tid) - before <= most)
        return TRUE;
    }

  return FALSE;
}

static void
check_descriptors (void)
{
  gboolean now[MAX_DESCRIPTORS] = { FALSE };

  for_each_number ("/proc/self/fd", now, MAX_DESCRIPTORS);
  for (guint i = 0; i < MAX_DESCRIPTORS; i++)
    if (now[i] && !descriptors_before[i])
      {
        g_autofree char *path = g_strdup_printf ("/proc/self/fd/%u", i);
        g_autofree char *target = g_file_read_link (path, NULL);

        ck_abort_msg ("descriptor %u was left open: %s", i, target);
      }
}

static void
check_threads (void)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  /* A joined thread may stay in /proc for a moment. */
  while (srv_test_count_threads () > threads_before &&
         g_get_monotonic_time () < deadline)
    g_usleep (500);

  ck_assert_uint_le (srv_test_count_threads (), threads_before);
}

static void
check_children (void)
{
  siginfo_t info = { 0 };

  if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    return;

  if (info.si_pid == 0)
    ck_abort_msg ("a child was left running");
  ck_abort_msg ("child %d was left as a zombie", info.si_pid);
}

void
srv_test_remember_process (void)
{
  memset (descriptors_before, 0, sizeof descriptors_before);
  for_each_number ("/proc/self/fd", descriptors_before, MAX_DESCRIPTORS);
  threads_before = srv_test_count_threads ();
}

void
srv_test_check_process (void)
{
  check_children ();
  check_threads ();
  check_descriptors ();
}
