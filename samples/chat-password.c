/* chat-password.c - a password from a terminal or a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Never from the command line, which everybody on the machine can read.
 */

#include "chat-password.h"

#include "sample-secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_PASSWORD 255 /* bytes: an object has 640 characters */

static char *
read_from (const char *path, const char *question, GError **error)
{
  const int fd = open (path, O_RDONLY | O_CLOEXEC);
  char *password;

  if (fd < 0)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   "could not read the password from %s: %s", path,
                   g_strerror (errno));
      return NULL;
    }
  password = question != NULL ? sample_secret_ask (fd, question, error)
                              : sample_secret_read (fd, error);
  close (fd);
  if (password != NULL && strlen (password) > MAX_PASSWORD)
    {
      g_clear_pointer (&password, sample_secret_free);
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "the password has more than %d bytes", MAX_PASSWORD);
    }
  if (password == NULL)
    g_prefix_error (error, "%s: ", path);
  return password;
}

/* What is typed is not shown. The input of a program may be a file; then it is
 * asked on the terminal from which it was started. */
char *
chat_password_ask (const char *question, GError **error)
{
  return read_from (isatty (STDIN_FILENO) ? "/dev/stdin" : "/dev/tty", question,
                    error);
}

/* The first line of a file. */
char *
chat_password_read (const char *path, GError **error)
{
  return read_from (path, NULL, error);
}
