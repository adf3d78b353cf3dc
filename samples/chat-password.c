/* chat-password.c - a password from a terminal or a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Never from the command line, which everybody on the machine can read.
 */

#include "chat-password.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_PASSWORD 256 /* bytes, with the end of the line */

static char *
fail (GError **error, const char *what, int number)
{
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
               "could not read the password from %s: %s", what,
               number != 0 ? g_strerror (number)
                           : "there is none, or more "
                             "than 255 bytes");
  return NULL;
}

/* The first line. */
static char *
read_line (int fd, const char *what, GError **error)
{
  char line[MAX_PASSWORD + 1] = "";
  gsize length = 0;
  gssize n = 0;
  char *password = NULL;

  while (length < MAX_PASSWORD && strchr (line, '\n') == NULL &&
         (n = read (fd, line + length, MAX_PASSWORD - length)) > 0)
    length += (gsize) n;
  if (n < 0)
    return fail (error, what, errno);
  if (length < MAX_PASSWORD || strchr (line, '\n') != NULL)
    password = g_strndup (line, strcspn (line, "\r\n"));
  explicit_bzero (line, sizeof line);
  if (password != NULL && *password != '\0')
    return password;
  g_free (password);
  return fail (error, what, 0);
}

/* What is typed is not shown. The input of a program may be a file; then it is
 * asked on the terminal from which it was started. */
char *
chat_password_ask (const char *question, GError **error)
{
  const int fd = open (isatty (STDIN_FILENO) ? "/dev/stdin" : "/dev/tty",
                       O_RDONLY | O_CLOEXEC);
  struct termios original;
  struct termios silent;
  char *password;

  if (fd < 0 || tcgetattr (fd, &original) != 0)
    return fail (error, "the terminal", errno);
  silent = original;
  silent.c_lflag &= ~(tcflag_t) (ECHO | ISIG);
  tcsetattr (fd, TCSAFLUSH, &silent);
  g_printerr ("%s: ", question);
  password = read_line (fd, "the terminal", error);
  tcsetattr (fd, TCSAFLUSH, &original);
  g_printerr ("\n");
  close (fd);
  return password;
}

char *
chat_password_read (const char *path, GError **error)
{
  const int fd = open (path, O_RDONLY | O_CLOEXEC);
  char *password;

  if (fd < 0)
    return fail (error, path, errno);
  password = read_line (fd, path, error);
  close (fd);
  return password;
}

/* Leaves nothing of it in memory. */
void
chat_password_free (char *password)
{
  if (password != NULL)
    explicit_bzero (password, strlen (password));
  g_free (password);
}
