/* srv-test.c - the program around the tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test-private.h"

#include <stdlib.h>
#include <sys/syscall.h>

static char *program_directory;
static char *test_directory;

int
srv_test_scale (int limit_ms)
{
  const char *multiplier = g_getenv ("CK_TIMEOUT_MULTIPLIER");
  double factor = multiplier != NULL ? g_ascii_strtod (multiplier, NULL) : 1;

  return (int) (limit_ms * MAX (factor, 1));
}

gboolean
srv_test_is_short (void)
{
  return g_getenv ("SRV_TEST_SHORT") != NULL;
}

gint64
srv_test_deadline_in (int timeout_ms)
{
  return g_get_monotonic_time () + (gint64) timeout_ms * 1000;
}

void
srv_test_assert_took (gint64 before, int at_least_ms)
{
  gint64 took = g_get_monotonic_time () - before;

  ck_assert_int_ge (took, (gint64) at_least_ms * 1000);
  ck_assert_int_lt (took, (gint64) (at_least_ms + SRV_TEST_AT_ONCE) * 1000);
}

void
srv_test_assert_error_at (const GError *error,
                          GQuark domain,
                          int code,
                          const char *file,
                          int line)
{
  if (g_error_matches (error, domain, code))
    return;

  ck_abort_msg ("%s:%d: expected %s %d, got %s %d: %s", file, line,
                g_quark_to_string (domain), code,
                error != NULL ? g_quark_to_string (error->domain) : "nothing",
                error != NULL ? error->code : 0,
                error != NULL ? error->message : "");
}

const char *
srv_test_directory (void)
{
  return test_directory;
}

char *
srv_test_path (const char *name)
{
  return g_build_filename (test_directory, name, NULL);
}

/* The program. */

static void
check_directory (void)
{
  g_autoptr (GDir) dir = g_dir_open (test_directory, 0, NULL);
  const char *name = g_dir_read_name (dir);

  ck_assert_msg (name == NULL, "the file %s was left behind", name);
}

static void
set_up (void)
{
  srv_test_reset_shared ();
  srv_test_forget_faults ();

  test_directory = g_build_filename (program_directory, "XXXXXX", NULL);
  ck_assert_ptr_nonnull (g_mkdtemp (test_directory));
  srv_test_remember_process ();
}

static void
tear_down (void)
{
  srv_test_check_process ();
  check_directory ();

  g_rmdir (test_directory);
  g_clear_pointer (&test_directory, g_free);
}

/* Valgrind translates what a process runs; most of the time of a short process
 * is for that. What has run before the tests are forked, they inherit. */
static void
warm_up (void)
{
  static gboolean is_warm;

  for (int i = 0; i < SRV_TEST_N_TRANSPORTS && !is_warm; i++)
    {
      SrvBaseServer *server;
      SrvTestRun *run;

      set_up ();
      server = srv_test_server_new ((SrvTestTransport) i, SRV_TEST_THREADING);
      run = srv_test_run (server);
      srv_test_echo (server, "hello\n");
      srv_test_finish (run);
      tear_down ();
    }
  is_warm = TRUE;
}

TCase *
srv_test_case (Suite *suite, const char *name)
{
  TCase *tcase = tcase_create (name);

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  if (g_getenv ("SRV_VALGRIND") != NULL)
    tcase_add_unchecked_fixture (tcase, warm_up, NULL);
  tcase_set_timeout (tcase, 30);
  suite_add_tcase (suite, tcase);

  return tcase;
}

/* What failed tests left. */
static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_remove (child) < 0)
        remove_tree (child);
    }
  g_rmdir (path);
}

int
srv_test_main (Suite *suite)
{
  SRunner *runner;
  int failures;

  /* The environment of "make check", for those who start a program alone. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", FALSE);
  g_setenv ("GIO_USE_VFS", "local", FALSE);
  g_setenv ("GSETTINGS_BACKEND", "memory", FALSE);
  g_log_set_always_fatal (
    (GLogLevelFlags) (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  g_log_set_writer_func (srv_test_write_log, NULL, NULL);

  srv_test_map_shared ();
  program_directory = g_dir_make_tmp ("srv-test-XXXXXX", NULL);
  g_assert_nonnull (program_directory);

  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failures = srunner_ntests_failed (runner);
  srunner_free (runner);

  remove_tree (program_directory);
  g_free (program_directory);
  srv_test_unmap_shared ();

  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Valgrind and ThreadSanitizer are many times as slow, and look at the same code
 * in every run of a long loop: there a few of them are run, and others for each
 * test. Five and the number of the mix-ins have no common divisor, so that each
 * mix-in and each transport is among the few. */
static int
step_of (int n)
{
  if (!srv_test_is_short () || n <= 6)
    return 1;
  if (n <= 18)
    return 3;
  return n <= 100 ? 5 : 17;
}

static void
add_runs (TCase *tcase, const SrvTestEntry *entry, guint number)
{
  int step = step_of (entry->n);

  for (int i = (int) number % step; i < entry->n; i += step)
    tcase_add_loop_test (tcase, entry->test, i, i + 1);
}

int
srv_test_run_entries (const char *suite,
                      const SrvTestEntry *entries,
                      guint n_entries)
{
  Suite *made = suite_create (suite);
  TCase *tcase = NULL;

  for (guint i = 0; i < n_entries; i++)
    {
      if (i == 0 || !g_str_equal (entries[i].group, entries[i - 1].group))
        tcase = srv_test_case (made, entries[i].group);
      add_runs (tcase, &entries[i], i);
    }

  return srv_test_main (made);
}

#ifdef SRV_COVERAGE
void __gcov_dump (void);

/* Forked children leave by _exit (), which writes no coverage data; what they
 * have run through would count as never run. */
void
_exit (int status)
{
  __gcov_dump ();
  syscall (SYS_exit_group, status);
  __builtin_unreachable ();
}
#endif
