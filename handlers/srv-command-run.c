/* srv-command-run.c - runs a command for a client, to its end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Waits for whatever comes first: output, a report of the supervisor, the end
 * of the client, a drain. One epoll descriptor stands for all of them, so that
 * the wait is one that every mix-in understands. A piece of output is read when
 * the one before it has been taken: nothing is kept, and a client that does not
 * read makes the command wait.
 */

#include "config.h"

#include "srv-command-run-private.h"

#include "srv-command-process-private.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE_SIZE 16384

/* More than two pipes hold. */
#define MAX_REST_PIECES 256

/* What a supervisor may need beyond its own limits on a busy machine. */
#define SLACK_MS (2 * SRV_COMMAND_KILL_MS + 5000)

typedef struct
{
  const SrvCommandPlan *plan;
  SrvCommandProcess process;
  int epoll_fd;
  int client_fd;
  gint64 deadline; /* until when the supervisor must have answered */
  SrvCommandSink sink;
  gpointer sink_data;
  guint64 n_output;
  gboolean is_discarding;
  SrvCommandCause cause;
  gboolean has_ended;
  int exec_errno;
  SrvCommandReport report; /* the last */
  GError *error;           /* of the sink; the first */
} Run;

void
srv_command_result_clear (SrvCommandResult *result)
{
  g_clear_pointer (&result->reason, g_free);
}

static gint64
deadline_in (guint64 timeout_ms)
{
  return g_get_monotonic_time () + (gint64) timeout_ms * 1000;
}

static void
end_command (Run *run, SrvCommandCause cause)
{
  if (run->cause != SRV_COMMAND_CAUSE_NONE)
    return;
  run->cause = cause;
  run->deadline = deadline_in ((guint64) run->plan->limits.grace_ms + SLACK_MS);
  srv_command_process_end (&run->process, cause);
}

static void
note_client_gone (Run *run)
{
  epoll_ctl (run->epoll_fd, EPOLL_CTL_DEL, run->client_fd, NULL);
  run->is_discarding = TRUE;
  if (run->error == NULL)
    g_set_error_literal (&run->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                         "the client went away while its command ran");
  end_command (run, SRV_COMMAND_CAUSE_CLIENT);
}

/* What is above the limit is cut off, and the command ended. */
static void
pass_on (Run *run, SrvCommandFrame kind, const guint8 *data, gsize length)
{
  const guint64 limit = run->plan->limits.max_output_bytes;
  const gboolean is_too_much = limit > 0 && length > limit - run->n_output;

  if (run->is_discarding)
    return;
  if (is_too_much)
    length = (gsize) (limit - run->n_output);
  run->n_output += length;
  if (length > 0 &&
      !run->sink (run->sink_data, kind, data, length, &run->error))
    {
      run->is_discarding = TRUE;
      end_command (run, SRV_COMMAND_CAUSE_CLIENT);
    }
  else if (is_too_much)
    {
      run->is_discarding = TRUE;
      end_command (run, SRV_COMMAND_CAUSE_OUTPUT);
    }
}

/* One piece; FALSE when there is none. At its end a pipe is closed, since it
 * would be reported for ever. */
static gboolean
read_piece (Run *run, int *fd, SrvCommandFrame kind)
{
  guint8 piece[PIECE_SIZE];
  gssize n;

  if (*fd < 0)
    return FALSE;
  do
    n = read (*fd, piece, sizeof piece);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    pass_on (run, kind, piece, (gsize) n);
  else if (n == 0 || errno != EAGAIN)
    {
      close (*fd);
      *fd = -1;
    }
  return n > 0;
}

static gboolean
read_output (Run *run, int fd)
{
  if (fd == run->process.out)
    return read_piece (run, &run->process.out, SRV_COMMAND_FRAME_OUTPUT);
  return read_piece (run, &run->process.err, SRV_COMMAND_FRAME_ERROR_OUTPUT);
}

static void
read_report (Run *run)
{
  if (!srv_command_process_read_report (&run->process, &run->report))
    {
      run->has_ended = TRUE;
      run->report.kind = SRV_COMMAND_REPORT_STARTED;
    }
  else if (run->report.kind == SRV_COMMAND_REPORT_ENDED)
    run->has_ended = TRUE;
  else if (run->report.kind == SRV_COMMAND_REPORT_FAILED)
    run->exec_errno = run->report.number;
}

static gboolean
watch (Run *run, int fd, guint32 events)
{
  struct epoll_event event = { .events = events, .data.fd = fd };

  return epoll_ctl (run->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* A client keeps its half of the connection open until it has its answer: over
 * TCP, one that has ended it cannot be told from one that has gone. */
static gboolean
watch_all (Run *run, GError **error)
{
  run->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (run->epoll_fd >= 0 && watch (run, run->process.control, EPOLLIN) &&
      watch (run, run->process.out, EPOLLIN) &&
      watch (run, run->process.err, EPOLLIN) &&
      watch (run, run->client_fd, EPOLLRDHUP))
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "could not watch a command: %s", g_strerror (errno));
  return FALSE;
}

static void
dispatch (Run *run)
{
  struct epoll_event events[4];
  const int n = epoll_wait (run->epoll_fd, events, G_N_ELEMENTS (events), 0);

  for (int i = 0; i < n; i++)
    if (events[i].data.fd == run->process.control)
      read_report (run);
    else if (events[i].data.fd == run->client_fd)
      note_client_gone (run);
    else
      read_output (run, events[i].data.fd);
}

/* What everybody who could write has left in the pipes: nothing comes after
 * it, but another process may have been given the other end. */
static void
read_rest (Run *run)
{
  for (guint i = 0; i < MAX_REST_PIECES; i++)
    if (!read_output (run, run->process.out) &&
        !read_output (run, run->process.err))
      return;
}

static void
wait_for_end (Run *run, GCancellable *drain)
{
  while (!run->has_ended)
    {
      g_autoptr (GError) local = NULL;

      if (srv_wait_fd (run->epoll_fd, G_IO_IN, run->deadline, drain, &local))
        dispatch (run);
      else if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          drain = NULL;
          end_command (run, SRV_COMMAND_CAUSE_DRAIN);
        }
      else
        {
          srv_command_process_kill (&run->process);
          run->has_ended = TRUE;
        }
    }
}

static const char *
describe (SrvCommandCause cause)
{
  switch (cause)
    {
    case SRV_COMMAND_CAUSE_TIME:
      return "time limit reached";
    case SRV_COMMAND_CAUSE_OUTPUT:
      return "output limit reached";
    case SRV_COMMAND_CAUSE_CLIENT:
      return "the client went away";
    case SRV_COMMAND_CAUSE_DRAIN:
    case SRV_COMMAND_CAUSE_SERVER_GONE:
      return "the server is stopping";
    case SRV_COMMAND_CAUSE_NONE:
    default:
      return NULL;
    }
}

static void
fill_result (const Run *run, SrvCommandResult *result)
{
  const int status = run->report.number;

  if (run->exec_errno != 0)
    {
      result->end = SRV_COMMAND_END_REFUSED;
      result->reason = g_strdup_printf ("could not start the command: %s",
                                        g_strerror (run->exec_errno));
    }
  else if (run->report.kind != SRV_COMMAND_REPORT_ENDED)
    {
      result->end = SRV_COMMAND_END_SIGNALED;
      result->code = SIGKILL;
      result->reason = g_strdup ("its supervisor was lost");
    }
  else
    {
      result->end = WIFSIGNALED (status) ? SRV_COMMAND_END_SIGNALED
                                         : SRV_COMMAND_END_EXITED;
      result->code = (guint8) (WIFSIGNALED (status) ? WTERMSIG (status)
                                                    : WEXITSTATUS (status));
      result->reason = g_strdup (describe (run->report.cause));
    }
}

static gboolean
run_to_the_end (Run *run, GCancellable *drain, GError **error)
{
  if (run->plan->limits.timeout_ms > 0)
    run->deadline = deadline_in ((guint64) run->plan->limits.timeout_ms +
                                 run->plan->limits.grace_ms + SLACK_MS);
  if (!watch_all (run, error))
    return FALSE;
  wait_for_end (run, drain);
  read_rest (run);
  return TRUE;
}

/* Runs a command and gives its output to the sink. TRUE with the result when
 * the client shall be told how it ended; FALSE when it is gone, or the system
 * could not do it. Nothing of the command is left in either case. */
gboolean
srv_command_run (const SrvCommandPlan *plan,
                 int client_fd,
                 GCancellable *drain,
                 SrvCommandSink sink,
                 gpointer user_data,
                 SrvCommandResult *result,
                 GError **error)
{
  Run run = {
    .plan = plan,
    .epoll_fd = -1,
    .client_fd = client_fd,
    .deadline = -1,
    .sink = sink,
    .sink_data = user_data,
  };
  gboolean ok;

  if (!srv_command_process_start (&run.process, plan, error))
    return FALSE;
  ok = run_to_the_end (&run, drain, error);
  srv_command_process_clear (&run.process);
  if (run.epoll_fd >= 0)
    close (run.epoll_fd);
  if (ok && run.error == NULL)
    fill_result (&run, result);
  else if (run.error != NULL)
    g_propagate_error (error, run.error);
  return ok && run.error == NULL;
}
