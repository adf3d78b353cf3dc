/* epoll-broadcast.c - every line to all others, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One thread, level-triggered epoll. What a client's socket does not take at
 * once waits in a buffer of its own. A line that begins with a slash is a
 * command of the chat that this is compared with, and all that this server
 * knows of one: the client takes part from then on. It has one room; those who
 * go into another hear nothing.
 */

#include "peer.h"

#include <errno.h>
#include <sys/epoll.h>

#define N_EVENTS  256
#define N_CLIENTS 20000
#define MAX_LINE  1024
#define NAME      "[#load] mload0: "

typedef struct
{
  int fd;
  size_t length; /* of what is there of a line */
  char line[MAX_LINE];
  char *waiting; /* what could not be sent yet */
  size_t n_waiting;
} Client;

static Client *room[N_CLIENTS];
static int n_in_room;
static int epoll_fd;

static void
watch (Client *client, int how, uint32_t events)
{
  struct epoll_event event = { .events = events, .data.ptr = client };

  epoll_ctl (epoll_fd, how, client->fd, &event);
}

static void
drop (Client *client)
{
  for (int i = 0; i < n_in_room; i++)
    if (room[i] == client)
      room[i] = room[--n_in_room];
  close (client->fd);
  free (client->waiting);
  free (client);
}

static void
keep (Client *client, const char *data, size_t length)
{
  client->waiting = realloc (client->waiting, client->n_waiting + length);
  memcpy (client->waiting + client->n_waiting, data, length);
  if (client->n_waiting == 0)
    watch (client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  client->n_waiting += length;
}

static void
tell (Client *client, const char *data, size_t length)
{
  ssize_t n = 0;

  if (client->n_waiting == 0)
    n = send (client->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN)
    return;
  n = n < 0 ? 0 : n;
  if ((size_t) n < length)
    keep (client, data + n, length - (size_t) n);
}

static void
send_waiting (Client *client)
{
  ssize_t n = send (client->fd, client->waiting, client->n_waiting,
                    MSG_NOSIGNAL | MSG_DONTWAIT);

  if (n <= 0)
    return;
  client->n_waiting -= (size_t) n;
  memmove (client->waiting, client->waiting + n, client->n_waiting);
  if (client->n_waiting == 0)
    watch (client, EPOLL_CTL_MOD, EPOLLIN);
}

static void
take_line (Client *client, size_t length)
{
  char out[sizeof NAME + MAX_LINE];
  size_t size = sizeof NAME - 1;

  if (client->line[0] == '/')
    {
      if (length >= 11 && memcmp (client->line, "/join #load", 11) == 0)
        room[n_in_room++] = client;
      return;
    }
  memcpy (out, NAME, size);
  memcpy (out + size, client->line, length);
  for (int i = 0; i < n_in_room; i++)
    if (room[i] != client)
      tell (room[i], out, size + length);
}

static void
receive (Client *client)
{
  ssize_t n = recv (client->fd, client->line + client->length,
                    sizeof client->line - client->length, MSG_DONTWAIT);
  char *end;

  if (n <= 0)
    {
      if (n == 0 || errno != EAGAIN)
        drop (client);
      return;
    }
  client->length += (size_t) n;
  while ((end = memchr (client->line, '\n', client->length)) != NULL)
    {
      size_t length = (size_t) (end + 1 - client->line);

      take_line (client, length);
      client->length -= length;
      memmove (client->line, end + 1, client->length);
    }
}

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);
  struct epoll_event event = { .events = EPOLLIN };
  struct epoll_event events[N_EVENTS];

  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  epoll_ctl (epoll_fd, EPOLL_CTL_ADD, listener, &event);
  for (;;)
    {
      int n = epoll_wait (epoll_fd, events, N_EVENTS, -1);

      for (int i = 0; i < n; i++)
        {
          Client *client = events[i].data.ptr;

          if (client == NULL)
            {
              client = calloc (1, sizeof *client);
              client->fd = peer_accept (listener);
              watch (client, EPOLL_CTL_ADD, EPOLLIN);
            }
          else if (events[i].events & EPOLLOUT)
            send_waiting (client);
          else
            receive (client);
        }
    }
}
