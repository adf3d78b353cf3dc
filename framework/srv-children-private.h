/* srv-children-private.h - child processes, and when they end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* Inside of what has the children: what a forked child writes to is copied, so
 * all of it stands on one page. */
typedef struct
{
  GArray *all;      /* owned */
  gboolean dropped; /* this is a child: what stands there is its parent's */
  int epoll_fd;
  int sweep_fd; /* a timer, while some children have no pidfd; or -1 */
} SrvChildren;

/* How a child ended: a status as waitpid () gives it, -1 if nobody knows. */
typedef void (*SrvChildEnded) (gpointer user_data, pid_t pid, int wait_status);

void srv_children_init (SrvChildren *self);
void srv_children_clear (SrvChildren *self);
gboolean srv_children_open (SrvChildren *self, GError **error);
int srv_children_get_fd (SrvChildren *self);
void srv_children_watch (SrvChildren *self, pid_t pid);
guint srv_children_count (SrvChildren *self);
GArray *srv_children_list (SrvChildren *self);
guint srv_children_collect (SrvChildren *self,
                            SrvChildEnded ended,
                            gpointer user_data);
void srv_children_kill (SrvChildren *self, int signo);
gint64 srv_children_kill_for_good (SrvChildren *self, gint64 deadline);

/* In a process that was just forked: they are its parent's. */
void srv_children_drop (SrvChildren *self);

G_END_DECLS
