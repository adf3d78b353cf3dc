# test-python.py - the library from Python
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Everything goes through the typelib: classes of the library are subclassed
# in Python, and Python's socket module is the client. Python's own test cases
# are in test-python-cases.py.
#
# A hook returns True when it succeeded and raises GLib.Error when it failed.

import os
import socket
import sys

# It asks for the version of the typelib, before the typelib is asked for.
from library import (HELLO, LIMIT, Case, LineHandler, PacketHandler, ask,
                     connect, is_error, main, make, serve_until_signal)
from gi.repository import Gio, GLib, SocketServer  # noqa: E402


class FromPython(Case):
    """How the library is used from Python."""

    def test_a_handler_in_python_serves_in_threads(self):
        mix_in = SocketServer.ThreadingMixIn()
        with self.serving(make(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                               LineHandler, mix_in=mix_in)) as endpoint:
            with connect(endpoint) as idle:
                for i in range(20):
                    self.assertEqual(ask(endpoint, b'%d\n' % i), b'%d\n' % i)
                idle.sendall(b'last\n')
                self.assertEqual(idle.recv(100), b'last\n')

    def test_constructors(self):
        server = SocketServer.ThreadingTCPServer.new(
            '127.0.0.1', 0, LineHandler)
        self.assertIsInstance(server, SocketServer.ThreadingTCPServer)
        with self.serving(server) as endpoint:
            self.assertEqual(ask(endpoint), HELLO + b'\n')
        server = SocketServer.create_server('udp:127.0.0.1:0', PacketHandler,
                                            None)
        self.assertIsInstance(server, SocketServer.UDPServer)
        with self.serving(server) as endpoint:
            self.assertEqual(ask(endpoint), HELLO + b'\n')

    def test_a_function_as_handler(self):
        def handle(handler, *_):
            line = handler.get_rfile().read_line(100)
            return handler.get_wfile().write_string(
                bytes(line.get_data()).decode().upper())

        server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                      SocketServer.StreamRequestHandler)
        server.set_handler_func(handle)
        with self.serving(server) as endpoint:
            self.assertEqual(ask(endpoint, b'loud\n'), b'LOUD\n')
            self.assertEqual(ask(endpoint, b'again\n'), b'AGAIN\n')

    def test_setup_and_finish_surround_handle(self):
        calls = []

        class Handler(LineHandler):
            def do_setup(self):
                calls.append('setup')
                self.set_wbufsize(0)
                return SocketServer.StreamRequestHandler.do_setup(self)

            def do_handle(self):
                calls.append('handle')
                return LineHandler.do_handle(self)

            def do_finish(self):
                calls.append('finish')
                return SocketServer.StreamRequestHandler.do_finish(self)

        with self.serving(make(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                               Handler)) as endpoint:
            self.assertEqual(ask(endpoint), HELLO + b'\n')
        self.assertEqual(calls, ['setup', 'handle', 'finish'])

    def test_a_server_in_python_decides(self):
        errors = []

        class Server(SocketServer.TCPServer):
            def do_verify_request(self, request):
                return request.get_client_address().get_port() != refused

            def do_handle_error(self, request, error):
                errors.append((request.describe_client(), error))

        class Handler(LineHandler):
            def do_handle(self):
                LineHandler.do_handle(self)
                raise GLib.Error.new_literal(
                    Gio.io_error_quark(), 'disk full',
                    Gio.IOErrorEnum.NO_SPACE)

        server = make(Server, 'tcp:127.0.0.1:0', Handler)
        refused = 0
        with self.serving(server) as endpoint:
            self.assertEqual(ask(endpoint), HELLO + b'\n')
            # Whether a refusal is over is seen in the counters alone.
            with socket.socket() as client:
                client.bind(('127.0.0.1', 0))
                refused = client.getsockname()[1]
                client.settimeout(LIMIT)
                client.connect(('127.0.0.1', int(endpoint.split(':')[-1])))
                self.assertEqual(client.recv(100), b'')
        self.assertEqual(len(errors), 1)
        self.assertIn('127.0.0.1', errors[0][0])
        self.assertTrue(errors[0][1].matches(Gio.io_error_quark(),
                                             Gio.IOErrorEnum.NO_SPACE))
        self.assertEqual(server.props.n_accepted, 2)
        self.assertEqual(server.props.n_refused, 1)
        self.assertEqual(server.props.n_failed, 1)

    def test_properties(self):
        server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0', LineHandler,
                      timeout=5, drain_timeout=100, request_queue_size=7)
        self.assertEqual(server.props.timeout, 5)
        self.assertEqual(server.get_drain_timeout(), 100)
        self.assertEqual(server.props.request_queue_size, 7)
        self.assertTrue(server.props.allow_reuse_address)
        self.assertEqual(server.props.handler_type, LineHandler.__gtype__)
        self.assertIsNone(server.props.mix_in)
        self.assertEqual(server.props.server_address.get_port(),
                         int(server.dup_endpoint().split(':')[-1]))
        self.assertEqual(server.handle_request(-1, None),
                         SocketServer.HandleResult.TIMED_OUT)
        server.server_close()

    def test_state_is_told(self):
        state = SocketServer.ServerState
        server = SocketServer.TCPServer(
            endpoint=SocketServer.Endpoint.parse('tcp:127.0.0.1:0'),
            handler_type=LineHandler)
        seen = [server.get_state()]
        server.connect('notify::state',
                       lambda *_: seen.append(server.get_state()))
        server.init(None)
        with self.serving(server) as endpoint:
            self.assertTrue(server.wait_until_serving(LIMIT * 1000))
            self.assertEqual(ask(endpoint), HELLO + b'\n')
        self.assertEqual(seen, [state.NEW, state.BOUND, state.ACTIVE,
                                state.SERVING, state.STOPPING, state.ACTIVE,
                                state.CLOSED])

    def test_endpoints(self):
        parse = SocketServer.Endpoint.parse
        for string in ('tcp:127.0.0.1:80', 'tcp:[::1]:80', 'udp:localhost:53',
                       'unix:/run/a%20b', 'unix:@name', 'unixgram:/run/x',
                       'fd:3'):
            endpoint = parse(string)
            self.assertEqual(parse(endpoint.to_string()).to_string(),
                             endpoint.to_string())
        self.assertEqual(parse('tcp:[::1]:80').get_host(), '::1')
        self.assertEqual(parse('tcp:[::1]:80').get_service(), '80')
        self.assertEqual(parse('fd:3').get_fd(), 3)

    def test_errors_are_glib_errors(self):
        with self.assertRaises(GLib.Error) as caught:
            SocketServer.Endpoint.parse('nonsense')
        self.assertTrue(is_error(caught.exception,
                                 SocketServer.Error.BAD_ENDPOINT))
        server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0', LineHandler,
                      allow_reuse_address=False)
        with self.assertRaises(GLib.Error) as caught:
            make(SocketServer.TCPServer, server.dup_endpoint(), LineHandler)
        self.assertTrue(caught.exception.matches(
            Gio.io_error_quark(), Gio.IOErrorEnum.ADDRESS_IN_USE))
        server.server_close()
        with self.assertRaises(GLib.Error) as caught:
            server.serve_forever()
        self.assertTrue(is_error(caught.exception, SocketServer.Error.CLOSED))

    def test_lines_have_a_limit(self):
        errors = []

        class Server(SocketServer.TCPServer):
            def do_handle_error(self, request, error):
                errors.append(error)

        with self.serving(make(Server, 'tcp:127.0.0.1:0',
                               LineHandler)) as endpoint:
            self.assertEqual(ask(endpoint, b'x' * 5000 + b'\n'), b'')
        self.assertTrue(is_error(errors[0], SocketServer.Error.TOO_LONG))

    def test_the_last_reference_closes(self):
        server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0', LineHandler)
        endpoint = server.dup_endpoint()
        connect(endpoint).close()
        del server
        with self.assertRaises(ConnectionRefusedError):
            connect(endpoint)

    # Python's own exceptions have no place in a GError. The request fails,
    # the traceback is printed, and the server goes on.
    def test_other_exceptions_fail_the_request_only(self):
        environment = {**os.environ, 'G_DEBUG': ''}
        child = self.in_child('exceptions', environment=environment)
        endpoint = child.stdout.readline().strip()
        self.assertEqual(ask(endpoint, b'raise\n'), b'')
        self.assertEqual(ask(endpoint, b'nothing\n'), b'nothing\n')
        self.assertEqual(ask(endpoint, b'well\n'), b'well\n')
        output, errors = self.finish_child(child)
        self.assertEqual(output, ['failed', '2'])
        self.assertIn("ValueError: on purpose", errors)


# Services that run in a process of their own


def service_exceptions():
    """What is no GLib.Error, and a hook that forgets to return True."""
    class Handler(LineHandler):
        def do_handle(self):
            line = self.get_rfile().read_line(100)
            if line.get_data() == b'raise\n':
                raise ValueError('on purpose')
            self.get_wfile().write_bytes(line)
            if line.get_data() != b'nothing\n':
                return True

    server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0', Handler)
    serve_until_signal(server)
    print('failed', server.props.n_failed)


if __name__ == '__main__':
    sys.exit(main(globals()))
