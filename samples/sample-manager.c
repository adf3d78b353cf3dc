/* sample-manager.c - what a service manager gives, and what it is told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The two protocols of systemd, which need no library of its: LISTEN_FDS, the
 * number of sockets that are open from descriptor 3 on, and NOTIFY_SOCKET, to
 * which a datagram tells a state. Other managers agree on a descriptor that
 * gets a newline.
 */

#include "sample-manager.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3

/* What is meant for another process, or is no number, counts as nothing. */
static guint64
get_number (const char *variable, guint64 max)
{
  const char *text = g_getenv (variable);
  guint64 number = 0;

  if (text == NULL ||
      !g_ascii_string_to_unsigned (text, 10, 1, max, &number, NULL))
    return 0;
  return number;
}

static char **
take_endpoints (void)
{
  g_autoptr (GPtrArray) endpoints = g_ptr_array_new_with_free_func (g_free);
  const int n_fds = (int) get_number ("LISTEN_FDS", G_MAXINT32 - FIRST_FD);
  gboolean is_open = TRUE;

  if (n_fds == 0 ||
      get_number ("LISTEN_PID", G_MAXINT32) != (guint64) getpid ())
    return NULL;
  /* Whoever serves the first that is not open will say so. */
  for (int fd = FIRST_FD; fd < FIRST_FD + n_fds && is_open; fd++)
    {
      is_open = fcntl (fd, F_SETFD, FD_CLOEXEC) == 0;
      g_ptr_array_add (endpoints, g_strdup_printf ("fd:%d", fd));
    }
  g_ptr_array_add (endpoints, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&endpoints), FALSE);
}

/* A path, or @ and a name that is no path; of other forms we know nothing. */
static void
take_address (SampleManager *self)
{
  const char *name = g_getenv ("NOTIFY_SOCKET");
  const gsize length = name != NULL ? strlen (name) : 0;

  if (length < 2 || length >= sizeof self->address.sun_path ||
      (name[0] != '/' && name[0] != '@'))
    return;
  self->address.sun_family = AF_UNIX;
  memcpy (self->address.sun_path, name, length);
  if (name[0] == '@')
    self->address.sun_path[0] = '\0';
  self->length = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
}

void
sample_manager_init (SampleManager *self, char ***endpoints)
{
  static const char *const variables[] = {
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
  };

  *self = (SampleManager){ .length = 0 };
  take_address (self);
  *endpoints = take_endpoints ();
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

/* A manager that does not listen is no reason to do anything else. */
void
sample_manager_tell (const SampleManager *self, const char *state)
{
  int fd;

  if (self->length == 0)
    return;
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  sendto (fd, state, strlen (state), MSG_NOSIGNAL,
          (const struct sockaddr *) &self->address, self->length);
  close (fd);
}

gboolean
sample_manager_check_fd (int fd, GError **error)
{
  if (fd >= FIRST_FD && fcntl (fd, F_SETFD, FD_CLOEXEC) == 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "descriptor %d is not open", fd);
  return FALSE;
}

/* Who has gone does not wait any more. */
void
sample_manager_tell_fd (int fd)
{
  while (write (fd, "\n", 1) < 0 && errno == EINTR)
    ;
  close (fd);
}
