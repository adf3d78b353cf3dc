/* sample-manager.h - what a service manager gives, and what it is told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <sys/socket.h>
#include <sys/un.h>

G_BEGIN_DECLS

typedef struct
{
  struct sockaddr_un address;
  socklen_t length; /* 0: nobody wants to know */
} SampleManager;

/* Takes it all out of the environment, which children inherit: to be called
 * while there is one thread. @endpoints gets the sockets that the manager has
 * opened, and NULL if there are none. */
void sample_manager_init (SampleManager *self, char ***endpoints);

/* Tells a state, such as "READY=1". */
void sample_manager_tell (const SampleManager *self, const char *state);

/* Tells who waits at the other end of a pipe that the service is ready. */
gboolean sample_manager_check_fd (int fd, GError **error);
void sample_manager_tell_fd (int fd);

G_END_DECLS
