/* test-command.c - frames, policies and the running of single commands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What clients see of whole servers is in test-command-samples.py.
 */

#include "srv-test.h"

#include "srv-command-handler.h"
#include "srv-command-policy-private.h"
#include "srv-command-run-private.h"
#include "srv-command-template-private.h"

/* Frames. */

START_TEST (header_goes_there_and_back)
{
  static const guint8 wire[] = { 0, 1, 2, 3, 'o' };
  guint8 header[SRV_COMMAND_FRAME_HEADER_SIZE];
  g_autoptr (GError) error = NULL;
  SrvCommandFrame type;
  guint32 length;

  srv_command_frame_pack_header (header, SRV_COMMAND_FRAME_OUTPUT, 0x010203);
  ck_assert_mem_eq (header, wire, sizeof wire);
  ck_assert (
    srv_command_frame_unpack_header (header, 0x010203, &type, &length, &error));
  ck_assert_int_eq (type, SRV_COMMAND_FRAME_OUTPUT);
  ck_assert_uint_eq (length, 0x010203);
  ck_assert (!srv_command_frame_unpack_header (header, 0x010202, &type, &length,
                                               &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG);
}
END_TEST

START_TEST (other_types_are_no_frames)
{
  const guint8 header[] = { 0, 0, 0, 0, (guint8) _i };
  g_autoptr (GError) error = NULL;
  SrvCommandFrame type;
  guint32 length;
  const gboolean is_known = _i != 0 && strchr ("RSoex", _i) != NULL;

  ck_assert_int_eq (srv_command_frame_unpack_header (header, 10, &type, &length,
                                                     &error),
                    is_known);
  if (!is_known)
    srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}
END_TEST

/* Whatever is in an argument, it stays one argument. */
START_TEST (request_goes_there_and_back)
{
  const char *const argv[] = { "name", "", "a b\n", "$(x)", "\xd1\x8f", NULL };
  g_autoptr (GBytes) payload = srv_command_frame_pack_request (argv);
  g_autoptr (GError) error = NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (payload, &size);
  g_auto (GStrv) back = srv_command_frame_unpack_request (data, size, &error);

  srv_test_assert_no_error (error);
  ck_assert (g_strv_equal (argv, (const char *const *) back));
}
END_TEST

START_TEST (bad_request_is_refused)
{
  static const struct
  {
    const char *payload;
    gsize length;
  } bad[] = { { "", 0 }, { "\0a", 2 }, { "a\0\xff", 3 }, { "\xc3", 1 } };
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
    srv_command_frame_unpack_request ((const guint8 *) bad[_i].payload,
                                      bad[_i].length, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}
END_TEST

/* The reason may be shown on a terminal as it is. */
START_TEST (exit_goes_there_and_back_escaped)
{
  g_autoptr (GBytes) payload =
    srv_command_frame_pack_exit (SRV_COMMAND_END_SIGNALED, 9, "a\x1b[2J");
  g_autofree char *reason = NULL;
  g_autoptr (GError) error = NULL;
  SrvCommandEnd end;
  guint8 code;
  gsize size;
  const guint8 *data = g_bytes_get_data (payload, &size);

  ck_assert (
    srv_command_frame_unpack_exit (data, size, &end, &code, &reason, &error));
  ck_assert_int_eq (end, SRV_COMMAND_END_SIGNALED);
  ck_assert_int_eq (code, 9);
  ck_assert_str_eq (reason, "a\\x1b[2J");
  g_clear_pointer (&reason, g_free);
  ck_assert (
    !srv_command_frame_unpack_exit (data, 1, &end, &code, &reason, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}
END_TEST

/* Policies. */

/* An argument that is not wanted: of the wrong form, one too many. */
START_TEST (arguments_must_match_as_a_whole)
{
  static const struct
  {
    const char *argument;
    gboolean is_allowed;
  } cases[] = {
    { "abc", TRUE },     { "a.b-c_1", TRUE },  { "-rf", FALSE },
    { "../etc", FALSE }, { "/etc", FALSE },    { "", FALSE },
    { "abc\n", FALSE },  { "\nabc", FALSE },   { "a b", FALSE },
    { "a;b", FALSE },    { ".hidden", FALSE }, { "\xd1\x8f", FALSE },
  };
  const char *const argv[] = { "/bin/ls", "--x={1}", "{1}", NULL };
  const char *const arguments[] = { cases[_i].argument, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvCommandTemplate) template =
    srv_command_template_new (argv, NULL, &error);
  g_auto (GStrv) expanded = NULL;

  srv_test_assert_no_error (error);
  expanded = srv_command_template_expand (template, arguments, &error);
  if (!cases[_i].is_allowed)
    {
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      return;
    }
  srv_test_assert_no_error (error);
  ck_assert_str_eq (expanded[2], cases[_i].argument);
  ck_assert (g_str_has_prefix (expanded[1], "--x=") &&
             strcmp (expanded[1] + 4, cases[_i].argument) == 0);
  ck_assert_ptr_null (expanded[3]);
}
END_TEST

/* What a client gives is put in once, and not looked at again. */
START_TEST (placeholders_in_arguments_mean_nothing)
{
  const char *const argv[] = { "/bin/ls", "{1}{2}", NULL };
  const char *const patterns[] = { ".*", ".*", NULL };
  const char *const arguments[] = { "{2}", "{1}", NULL };
  g_autoptr (SrvCommandTemplate) template =
    srv_command_template_new (argv, patterns, NULL);
  g_auto (GStrv) expanded =
    srv_command_template_expand (template, arguments, NULL);

  ck_assert_str_eq (expanded[1], "{2}{1}");
}
END_TEST

START_TEST (bad_command_is_not_allowed)
{
  static const struct
  {
    const char *name;
    const char *argv[3];
    const char *patterns[3];
  } bad[] = {
    { "", { "/bin/ls" }, { NULL } },
    { "a b", { "/bin/ls" }, { NULL } },
    { "a/b", { "/bin/ls" }, { NULL } },
    { "a", { "ls" }, { NULL } },
    { "a", { NULL }, { NULL } },
    { "a", { "/bin/{1}" }, { NULL } },
    { "a", { "/bin/ls", "{2}" }, { NULL } },
    { "a", { "/bin/ls", "{1}" }, { "a", "b" } },
    { "a", { "/bin/ls", "{1}" }, { "(" } },
  };
  g_autoptr (SrvCommandPolicy) policy = srv_command_policy_new ();
  g_autoptr (GError) error = NULL;

  ck_assert (!srv_command_policy_add_command (policy, bad[_i].name,
                                              bad[_i].argv, bad[_i].patterns,
                                              &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_uint_eq (srv_command_policy_get_n_commands (policy), 0);
}
END_TEST

/* Nothing is allowed unless somebody said so, and no limit is missing. */
START_TEST (new_policy_allows_nothing)
{
  const char *const request[] = { "id", NULL };
  g_autoptr (SrvCommandPolicy) policy = srv_command_policy_new ();
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  guint n_properties;
  g_autofree GParamSpec **properties =
    g_object_class_list_properties (G_OBJECT_GET_CLASS (policy), &n_properties);
  int fds[2];

  ck_assert_ptr_null (srv_command_policy_plan (policy, request, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], &error);
  ck_assert_ptr_null (srv_command_policy_plan_shell (policy, "id",
                                                     SRV_REQUEST (connection),
                                                     &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  close (fds[1]);
  for (guint i = 0; i < n_properties; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;
      g_auto (GValue) number = G_VALUE_INIT;

      if (properties[i]->value_type != G_TYPE_UINT &&
          properties[i]->value_type != G_TYPE_UINT64)
        continue;
      g_value_init (&value, properties[i]->value_type);
      g_value_init (&number, G_TYPE_UINT64);
      g_object_get_property (G_OBJECT (policy), properties[i]->name, &value);
      ck_assert (g_value_transform (&value, &number));
      ck_assert_msg (g_value_get_uint64 (&number) > 0, "%s",
                     properties[i]->name);
    }
}
END_TEST

/* Commands, each run in this thread. */

typedef struct
{
  GString *output;
  GCancellable *drain; /* cancelled by the first output */
  gboolean fails;
} Taken;

static gboolean
take (gpointer user_data,
      G_GNUC_UNUSED SrvCommandFrame kind,
      const guint8 *data,
      gsize length,
      GError **error)
{
  Taken *taken = user_data;

  g_string_append_len (taken->output, (const char *) data, (gssize) length);
  if (taken->drain != NULL)
    g_cancellable_cancel (taken->drain);
  if (!taken->fails)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "gone");
  return FALSE;
}

/* Runs a line of shell; its client may be gone from the start. */
static gboolean
run_line (const char *line,
          Taken *taken,
          SrvCommandResult *result,
          gboolean is_gone,
          GError **error)
{
  const char *const argv[] = { "/bin/sh", "-c", line, NULL };
  const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };
  const SrvCommandPlan plan = {
    .argv = (char **) argv,
    .environment = (char **) environment,
    .directory = (char *) "/",
    .limits = { .grace_ms = 200, .max_output_bytes = 100000 },
  };
  int fds[2];
  gboolean ok;

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  if (is_gone)
    close (fds[1]);
  ok =
    srv_command_run (&plan, fds[0], taken->drain, take, taken, result, error);
  close (fds[0]);
  if (!is_gone)
    close (fds[1]);
  return ok;
}

/* All of the output comes, even what is written last of all, and nothing is
 * left: the fixture looks. */
START_TEST (all_output_comes_before_the_end)
{
  g_autoptr (GString) output = g_string_new (NULL);
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) error = NULL;
  Taken taken = { .output = output };

  ck_assert (run_line ("seq 10000; (sleep 0.05; echo late) & wait; exit 9",
                       &taken, &result, FALSE, &error));
  ck_assert_int_eq (result.end, SRV_COMMAND_END_EXITED);
  ck_assert_int_eq (result.code, 9);
  ck_assert_ptr_null (result.reason);
  ck_assert (g_str_has_suffix (output->str, "10000\nlate\n"));
  ck_assert_uint_eq (output->len, 48894 + 5);
}
END_TEST

START_TEST (drain_ends_a_command_without_a_time_limit)
{
  g_autoptr (GString) output = g_string_new (NULL);
  g_autoptr (GCancellable) drain = g_cancellable_new ();
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) error = NULL;
  Taken taken = { .output = output, .drain = drain };

  ck_assert (run_line ("echo x; setsid sleep 1000 & sleep 1000", &taken,
                       &result, FALSE, &error));
  ck_assert_int_eq (result.end, SRV_COMMAND_END_SIGNALED);
  ck_assert_int_eq (result.code, SIGTERM);
  ck_assert_str_eq (result.reason, "the server is stopping");
}
END_TEST

START_TEST (failed_sink_ends_the_command)
{
  g_autoptr (GString) output = g_string_new (NULL);
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) error = NULL;
  Taken taken = { .output = output, .fails = TRUE };

  ck_assert (
    !run_line ("while :; do echo x; done", &taken, &result, FALSE, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}
END_TEST

START_TEST (client_that_is_gone_ends_a_silent_command)
{
  g_autoptr (GString) output = g_string_new (NULL);
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) error = NULL;
  Taken taken = { .output = output };

  ck_assert (!run_line ("trap '' TERM; while :; do sleep 1; done", &taken,
                        &result, TRUE, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}
END_TEST

/* It is its supervisor that a command could hurt; then it is itself ended. */
START_TEST (killed_supervisor_takes_the_command_along)
{
  g_autoptr (GString) output = g_string_new (NULL);
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) error = NULL;
  Taken taken = { .output = output };
  char path[64];

  ck_assert (run_line ("echo $$; kill -KILL $PPID; while :; do sleep 1; done",
                       &taken, &result, FALSE, &error));
  ck_assert_int_eq (result.end, SRV_COMMAND_END_SIGNALED);
  ck_assert_str_eq (result.reason, "its supervisor was lost");
  g_snprintf (path, sizeof path, "/proc/%d/cmdline", atoi (output->str));
  srv_test_eventually (access (path, F_OK) != 0);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "frames", header_goes_there_and_back, 1 },
    { "frames", other_types_are_no_frames, 256 },
    { "frames", request_goes_there_and_back, 1 },
    { "frames", bad_request_is_refused, 4 },
    { "frames", exit_goes_there_and_back_escaped, 1 },
    { "policy", arguments_must_match_as_a_whole, 12 },
    { "policy", placeholders_in_arguments_mean_nothing, 1 },
    { "policy", bad_command_is_not_allowed, 9 },
    { "policy", new_policy_allows_nothing, 1 },
    { "run", all_output_comes_before_the_end, 1 },
    { "run", drain_ends_a_command_without_a_time_limit, 1 },
    { "run", failed_sink_ends_the_command, 1 },
    { "run", client_that_is_gone_ends_a_silent_command, 1 },
    { "run", killed_supervisor_takes_the_command_along, 1 },
  };

  return srv_test_run_entries ("CommandHandler", tests, G_N_ELEMENTS (tests));
}
