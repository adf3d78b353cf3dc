/* sample-secret.c - passwords that nobody sees
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Not on a terminal, not on a command line, which all users of a machine can
 * read, and not in memory that was given back.
 *
 * While a terminal is silent, a signal that ends or stops the program must not
 * leave it so: it is noted, the terminal is as before, and then the signal does
 * what it does. They are blocked but while the program waits, so that none can
 * come between a look at the note and the wait.
 */

#include "sample-secret.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#define MAX_SECRET 1024

static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };

static volatile sig_atomic_t noted; /* the last signal; 0: none */

/* What is as before afterwards. */
typedef struct
{
  int fd;
  struct termios settings;
  struct sigaction actions[G_N_ELEMENTS (signals)];
  sigset_t mask;
} Terminal;

static void
note (int number)
{
  noted = number;
}

static gssize
fail (GError **error, int number)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number),
               "could not read a password: %s", g_strerror (number));
  return -1;
}

static int
wait_for_input (int fd, const sigset_t *mask)
{
  fd_set waiting;

  FD_ZERO (&waiting);
  FD_SET (fd, &waiting);
  return pselect (fd + 1, &waiting, NULL, NULL, NULL, mask);
}

/* One byte: what follows the line is not ours. 0 at the end. @mask: the signals
 * that are blocked while it waits, NULL for those that are anyway. */
static gssize
read_byte (int fd, char *byte, const sigset_t *mask, GError **error)
{
  gssize n;

  do
    {
      n = mask != NULL ? wait_for_input (fd, mask) : 1;
      if (n > 0)
        n = read (fd, byte, 1);
    }
  while (n < 0 && errno == EINTR && noted == 0);
  return n >= 0 ? n : fail (error, errno);
}

static char *
read_line (int fd, const sigset_t *mask, GError **error)
{
  char line[MAX_SECRET + 1] = "";
  gsize length = 0;
  gssize n = 1;
  char *secret = NULL;

  while (length < MAX_SECRET &&
         (n = read_byte (fd, line + length, mask, error)) > 0 &&
         line[length] != '\n')
    length++;
  line[length] = '\0';
  if (length > 0 && line[length - 1] == '\r')
    line[--length] = '\0';
  if (n >= 0 && length > 0 && length < MAX_SECRET)
    secret = g_strdup (line);
  else if (n >= 0)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                         "there is no password, or one that is too long");
  explicit_bzero (line, sizeof line);
  return secret;
}

/* Who ignores a signal goes on ignoring it. */
static void
catch_signals (Terminal *self)
{
  struct sigaction action = { .sa_handler = note };
  sigset_t blocked;

  sigemptyset (&blocked);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaddset (&blocked, signals[i]);
  sigprocmask (SIG_BLOCK, &blocked, &self->mask);
  noted = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      sigaction (signals[i], &action, &self->actions[i]);
      if (self->actions[i].sa_handler == SIG_IGN)
        sigaction (signals[i], &self->actions[i], NULL);
    }
}

/* The signal that came does now what it would have done. */
static void
release_signals (Terminal *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &self->actions[i], NULL);
  if (noted != 0)
    raise (noted);
  sigprocmask (SIG_SETMASK, &self->mask, NULL);
}

static char *
ask_once (int fd, const char *question, GError **error)
{
  Terminal terminal = { .fd = fd };
  struct termios silent;
  char *secret;

  catch_signals (&terminal);
  tcgetattr (fd, &terminal.settings);
  silent = terminal.settings;
  silent.c_lflag &= ~(tcflag_t) ECHO;
  tcsetattr (fd, TCSAFLUSH, &silent);
  g_printerr ("%s: ", question);
  secret = read_line (fd, &terminal.mask, error);
  tcsetattr (fd, TCSAFLUSH, &terminal.settings);
  g_printerr ("\n");
  release_signals (&terminal);
  return secret;
}

/* From a terminal, which does not show it, or what else @fd is. A program that
 * was stopped asks again. */
char *
sample_secret_ask (int fd, const char *question, GError **error)
{
  GError *local = NULL;
  char *secret = NULL;

  if (!isatty (fd))
    return read_line (fd, NULL, error);
  do
    {
      g_clear_error (&local);
      secret = ask_once (fd, question, &local);
    }
  while (secret == NULL && noted == SIGTSTP);
  if (local != NULL)
    g_propagate_error (error, local);
  return secret;
}

/* The first line of a file or a pipe. */
char *
sample_secret_read (int fd, GError **error)
{
  return read_line (fd, NULL, error);
}

/* As programs have it for an option: -1 is standard input. */
char *
sample_secret_get (int fd, const char *question, GError **error)
{
  return fd >= 0 ? sample_secret_read (fd, error)
                 : sample_secret_ask (STDIN_FILENO, question, error);
}

void
sample_secret_free (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}
