/* asio-echo.cc - Boost.Asio: an object for each connection, one io_context
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#include <array>
#include <boost/asio.hpp>
#include <memory>

namespace asio = boost::asio;
using asio::ip::tcp;
using Unix = asio::local::stream_protocol;

template <typename Kind>
class Session : public std::enable_shared_from_this<Session<Kind>>
{
public:
  explicit Session (typename Kind::socket socket) : socket (std::move (socket))
  {
  }

  void read ()
  {
    auto self = this->shared_from_this ();
    socket.async_read_some (asio::buffer (chunk),
                            [this, self] (auto error, std::size_t n) {
                              if (!error)
                                write (n);
                            });
  }

private:
  void write (std::size_t length)
  {
    auto self = this->shared_from_this ();
    asio::async_write (socket, asio::buffer (chunk, length),
                       [this, self] (auto error, std::size_t) {
                         if (!error)
                           read ();
                       });
  }

  typename Kind::socket socket;
  std::array<char, PEER_CHUNK> chunk;
};

template <typename Kind>
void
accept (typename Kind::acceptor &acceptor)
{
  acceptor.async_accept (
    [&acceptor] (auto error, typename Kind::socket socket) {
      if (error)
        exit (1);
      if constexpr (std::is_same_v<Kind, tcp>)
        socket.set_option (tcp::no_delay (true));
      std::make_shared<Session<Kind>> (std::move (socket))->read ();
      accept<Kind> (acceptor);
    });
}

template <typename Kind>
void
serve (Kind kind, int fd)
{
  asio::io_context context (1);
  typename Kind::acceptor acceptor (context, kind, fd);

  accept<Kind> (acceptor);
  context.run ();
}

int
main (int argc, char **argv)
{
  int fd = peer_listen (argc, argv, SOCK_STREAM);

  if (argc > 1)
    serve (Unix (), fd);
  else
    serve (tcp::v4 (), fd);
}
