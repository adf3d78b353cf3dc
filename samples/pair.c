/* pair.c - two processes, a pair of connections, and open files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: one process that may open files, and one that reads them and can open
 *        none: it gets descriptors over a pair of connections. What is hostile
 *        in a file meets a process that has nothing.
 * Run:   pair README.md
 * See:   README.md: 61 lines, 2840 bytes
 *
 * In Python:
 *
 *   ours, theirs = socket.socketpair()
 *   if os.fork() == 0:
 *       while fds := socket.recv_fds(theirs, 1, 1)[1]:
 *           theirs.sendall(count(fds[0]))
 *       os._exit(0)
 *   with open(name) as file:
 *       socket.send_fds(ours, b"f", [file.fileno()])
 */

#include <errno.h>
#include <fcntl.h>
#include <socketserver.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define MAX_ANSWER 100
#define TIME_LIMIT (60 * 1000)

static char *
count (int fd)
{
  char buffer[65536];
  guint64 n_lines = 0;
  guint64 n_bytes = 0;
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    {
      n_bytes += (guint64) n;
      for (gssize i = 0; i < n; i++)
        n_lines += buffer[i] == '\n';
    }
  if (n < 0)
    return g_strdup_printf ("%s\n", g_strerror (errno));
  return g_strdup_printf ("%" G_GUINT64_FORMAT " lines, %" G_GUINT64_FORMAT
                          " bytes\n",
                          n_lines, n_bytes);
}

/* The child: counts what it is given, until the parent has nothing more. It has
 * room for one descriptor more than it has, so that it can take a file and open
 * none beside it. */
static gboolean
count_for_parent (SrvConnection *parent, GError **error)
{
  const rlim_t n_fds = (rlim_t) srv_connection_get_fd (parent) + 2;
  const struct rlimit few = { n_fds, n_fds };
  char mark;
  gssize n;

  setrlimit (RLIMIT_NOFILE, &few);
  for (;;)
    {
      g_autoptr (GUnixFDList) fds = NULL;
      g_autofree char *answer = NULL;

      n = srv_recv_fds (parent, &mark, 1, 1, &fds, error);
      if (n <= 0 || g_unix_fd_list_get_length (fds) != 1)
        return n == 0;
      answer = count (g_unix_fd_list_peek_fds (fds, NULL)[0]);
      if (!srv_connection_send_all (parent, answer, strlen (answer), NULL,
                                    error))
        return FALSE;
    }
}

/* The descriptor is closed with the list, when the child has its own. */
static gboolean
send_file (SrvConnection *child, int fd, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array (&fd, 1);

  return srv_send_fds (child, "f", 1, fds, error);
}

static int
ask_child (SrvConnection *child, SrvReader *answers, const char *name)
{
  g_autofree char *shown = srv_escape (name, -1);
  g_autofree char *said = NULL;
  g_autoptr (GError) error = NULL;
  const char *answer;
  gssize length;
  int fd = open (name, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    {
      g_printerr ("%s: could not open %s: %s\n", g_get_prgname (), shown,
                  g_strerror (errno));
      return EX_NOINPUT;
    }
  if (!send_file (child, fd, &error) ||
      (length = srv_reader_read_line (answers, &answer, MAX_ANSWER, &error)) <=
        0)
    {
      g_printerr ("%s: the child has gone: %s\n", g_get_prgname (),
                  error != NULL ? error->message : "it ended");
      return EX_SOFTWARE;
    }
  said = srv_escape (answer, length - 1);
  printf ("%s: %s\n", shown, said);
  return EX_OK;
}

static int
ask_all (SrvConnection *child, char **names)
{
  g_autoptr (SrvReader) answers =
    srv_reader_new (g_io_stream_get_input_stream (G_IO_STREAM (child)), -1);
  int worst = EX_OK;

  srv_connection_set_timeout (child, TIME_LIMIT, NULL);
  for (char **name = names; *name != NULL && worst != EX_SOFTWARE; name++)
    {
      const int status = ask_child (child, answers, *name);

      worst = MAX (worst, status);
    }
  return worst;
}

static int
run (char **names)
{
  SrvConnection *ours;
  SrvConnection *theirs;
  g_autoptr (GError) error = NULL;
  pid_t child;
  int status = EX_OSERR;

  if (!srv_socketpair (&ours, &theirs, &error) || (child = fork ()) < 0)
    {
      g_printerr ("%s: %s\n", g_get_prgname (),
                  error != NULL ? error->message : g_strerror (errno));
      return status;
    }
  /* Each keeps its end alone: the end of one is the end for the other. */
  g_object_unref (child == 0 ? ours : theirs);
  if (child == 0)
    _exit (count_for_parent (theirs, NULL) ? EX_OK : EX_SOFTWARE);
  status = ask_all (ours, names);
  g_object_unref (ours);
  waitpid (child, NULL, 0);
  return status;
}

int
main (int argc, char **argv)
{
  gboolean version = FALSE;
  g_auto (GStrv) names = NULL;
  const GOptionEntry entries[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Show the version and exit",
      NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &names, NULL,
      "FILE..." },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (
    context, "Counts lines in a process that can open no file itself.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) ||
      (names == NULL && !version))
    {
      g_printerr ("%s: %s\n", g_get_prgname (),
                  error != NULL ? error->message : "no file; try --help");
      return EX_USAGE;
    }
  if (version)
    {
      g_print ("%s %s\n", g_get_prgname (), SRV_VERSION_S);
      return EX_OK;
    }
  return run (names);
}
