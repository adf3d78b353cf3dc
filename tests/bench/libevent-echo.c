/* libevent-echo.c - libevent's bufferevents
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void
on_read (struct bufferevent *buffers, void *data)
{
  (void) data;
  evbuffer_add_buffer (bufferevent_get_output (buffers),
                       bufferevent_get_input (buffers));
}

static void
on_event (struct bufferevent *buffers, short events, void *data)
{
  (void) data;
  if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
    bufferevent_free (buffers);
}

static void
on_accept (struct evconnlistener *listener,
           evutil_socket_t fd,
           struct sockaddr *address,
           int size,
           void *data)
{
  const int on = 1;
  struct bufferevent *buffers =
    bufferevent_socket_new (evconnlistener_get_base (listener), fd,
                            BEV_OPT_CLOSE_ON_FREE);

  (void) address, (void) size, (void) data;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bufferevent_setcb (buffers, on_read, NULL, on_event, NULL);
  bufferevent_enable (buffers, EV_READ | EV_WRITE);
}

int
main (int argc, char **argv)
{
  int fd = peer_listen (argc, argv, SOCK_STREAM);
  struct event_base *base = event_base_new ();

  evutil_make_socket_nonblocking (fd);
  if (evconnlistener_new (base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 0,
                          fd) == NULL)
    return 1;
  return event_base_dispatch (base);
}
