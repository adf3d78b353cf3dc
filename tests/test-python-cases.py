# test-python-cases.py - Python's own test cases
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# CPython's Lib/test/test_socketserver.py, case by case and under its names, with
# classes of the library.

import contextlib
import os
import signal
import socket
import sys
import threading

# It asks for the version of the typelib, before the typelib is asked for.
from library import (HELLO, LIMIT, Case, FailingHandler, LineHandler,
                     LoggingServer, PacketHandler, ask, connect, is_error,
                     main, make, make_logging, n_descriptors,
                     serve_until_signal, stop_error, wait_for)
from gi.repository import Gio, GLib, GObject, SocketServer  # noqa: E402


class SocketServerTest(Case):
    """CPython's SocketServerTest."""

    def run_server(self, server_class, endpoint, handler):
        server = make(server_class, endpoint, handler)
        with socket.socket(fileno=os.dup(server.fileno())) as real:
            self.assertIn(str(real.getsockname()[-1]).lstrip('\0'),
                          server.dup_endpoint())
        with self.serving(server) as bound:
            for _ in range(3):
                self.assertEqual(ask(bound), HELLO + b'\n')
        self.assertEqual(server.fileno(), -1)

    def run_forking(self, transport):
        child = self.in_child('fork', transport, self.directory)
        endpoint = child.stdout.readline().strip()
        for _ in range(3):
            self.assertEqual(ask(endpoint), HELLO + b'\n')
        output, errors = self.finish_child(child)
        self.assertEqual(errors, '')
        # An unrelated child is the program's to wait for, and none is left.
        self.assertEqual(output, ['unrelated', '72', 'active', '0',
                                  'left', 'none'])

    def at(self, name):
        return os.path.join(self.directory, name)

    def test_TCPServer(self):
        self.run_server(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                        LineHandler)

    def test_ThreadingTCPServer(self):
        self.run_server(SocketServer.ThreadingTCPServer, 'tcp:127.0.0.1:0',
                        LineHandler)

    def test_ForkingTCPServer(self):
        self.run_forking('tcp')

    def test_UnixStreamServer(self):
        self.run_server(SocketServer.UnixStreamServer,
                        'unix:' + self.at('s'), LineHandler)

    def test_ThreadingUnixStreamServer(self):
        self.run_server(SocketServer.ThreadingUnixStreamServer,
                        'unix:' + self.at('s'), LineHandler)

    def test_ForkingUnixStreamServer(self):
        self.run_forking('unix')

    def test_UDPServer(self):
        self.run_server(SocketServer.UDPServer, 'udp:127.0.0.1:0',
                        PacketHandler)

    def test_ThreadingUDPServer(self):
        self.run_server(SocketServer.ThreadingUDPServer, 'udp:127.0.0.1:0',
                        PacketHandler)

    def test_ForkingUDPServer(self):
        self.run_forking('udp')

    def test_UnixDatagramServer(self):
        self.run_server(SocketServer.UnixDatagramServer,
                        'unixgram:' + self.at('d'), PacketHandler)

    def test_ThreadingUnixDatagramServer(self):
        self.run_server(SocketServer.ThreadingUnixDatagramServer,
                        'unixgram:' + self.at('d'), PacketHandler)

    def test_ForkingUnixDatagramServer(self):
        self.run_forking('unixgram')

    def test_shutdown(self):
        for _ in range(20):
            server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                          LineHandler)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            server.shutdown()
            thread.join(LIMIT)
            self.assertFalse(thread.is_alive())
            server.server_close()

    def test_close_immediately(self):
        server = make(SocketServer.ThreadingTCPServer, 'tcp:127.0.0.1:0',
                      LineHandler)
        self.assertEqual(server.server_close(), 0)

    # Python's port -1 is refused by our parser already, before there is a
    # socket; an address that is not ours gets as far as bind().
    def test_tcpserver_bind_leak(self):
        for endpoint in ('tcp:127.0.0.1:-1', 'tcp:192.0.2.1:1'):
            before = n_descriptors()
            for _ in range(1024):
                with self.assertRaises(GLib.Error):
                    make(SocketServer.TCPServer, endpoint, LineHandler)
            self.assertEqual(n_descriptors(), before)

    def test_context_manager(self):
        with contextlib.ExitStack() as stack:
            server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                          LineHandler)
            stack.callback(server.server_close)
            self.assertGreaterEqual(server.fileno(), 0)
        self.assertEqual(server.fileno(), -1)


class ErrorHandlerTest(Case):
    """CPython's ErrorHandlerTest; its SystemExit is our SRV_ERROR_STOP."""

    failure = GLib.Error.new_literal(Gio.io_error_quark(), 'on purpose',
                                     Gio.IOErrorEnum.FAILED)

    def one_request(self, failure, mix_in=None):
        server = make_logging(self.path, failure, mix_in)
        with connect(server.dup_endpoint()) as client:
            try:
                result = server.handle_request(LIMIT * 1000, None)
            finally:
                self.assertEqual(client.recv(100), b'')
                server.server_close()
        return result

    def forked_request(self, failure):
        child = self.in_child('errors', self.path, failure)
        self.assertEqual(ask(child.stdout.readline().strip()), b'')
        return self.finish_child(child)[0]

    def test_sync_handled(self):
        self.assertEqual(self.one_request(self.failure),
                         SocketServer.HandleResult.HANDLED)
        self.assertEqual(self.read_log(), ['handler', 'error', 'shutdown'])

    def test_sync_not_handled(self):
        with self.assertRaises(GLib.Error) as caught:
            self.one_request(stop_error())
        self.assertTrue(is_error(caught.exception, SocketServer.Error.STOP))
        self.assertEqual(self.read_log(), ['handler', 'shutdown'])

    def test_threading_handled(self):
        self.one_request(self.failure, SocketServer.ThreadingMixIn())
        self.assertEqual(self.read_log(), ['handler', 'error', 'shutdown'])

    def test_threading_not_handled(self):
        self.one_request(stop_error(), SocketServer.ThreadingMixIn())
        self.assertEqual(self.read_log(), ['handler', 'shutdown'])

    def test_forking_handled(self):
        self.assertEqual(self.forked_request('failure'), ['exited', '1'])
        self.assertEqual(self.read_log()[:2], ['handler', 'error'])

    def test_forking_not_handled(self):
        self.assertEqual(self.forked_request('stop'), ['exited', '1'])
        self.assertNotIn('error', self.read_log())


class SocketWriterTest(Case):
    """CPython's SocketWriterTest."""

    def test_basics(self):
        found = []

        class Handler(SocketServer.StreamRequestHandler):
            def do_handle(self):
                found.append(isinstance(self.get_wfile(), Gio.OutputStream))
                found.append(self.get_connection().get_fd() ==
                             self.get_request().fileno())
                return True

        server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0', Handler)
        with connect(server.dup_endpoint()):
            server.handle_request(LIMIT * 1000, None)
        server.server_close()
        self.assertEqual(found, [True, True])

    # What was written goes out when the reader would have to wait, so that
    # nobody has to flush; and a large write is whole, whatever signals come.
    def test_write(self):
        size = 16 * 1024 * 1024 + 1
        got = []

        class Handler(SocketServer.StreamRequestHandler):
            def do_handle(self):
                got.append(self.get_wfile().write_string('write data\n'))
                got.append(self.get_rfile().read_line(100).get_data())
                big = GLib.Bytes.new(bytes(size))
                got.append(self.get_wfile().write_bytes(big))
                return True

        server = make(SocketServer.TCPServer, 'tcp:127.0.0.1:0', Handler)
        main = threading.main_thread().ident

        def talk():
            with connect(server.dup_endpoint()) as client:
                got.append(client.recv(100))
                client.sendall(b'client response\n')
                total = 0
                while True:
                    chunk = client.recv(100000)
                    if not chunk:
                        break
                    total += len(chunk)
                    signal.pthread_kill(main, signal.SIGUSR1)
                got.append(total)

        before = signal.signal(signal.SIGUSR1, lambda *_: None)
        client = threading.Thread(target=talk)
        client.start()
        server.handle_request(LIMIT * 1000, None)
        client.join(LIMIT)
        signal.signal(signal.SIGUSR1, before)
        server.server_close()
        self.assertCountEqual(got, [True, b'write data\n',
                                    b'client response\n', True, size])


class MiscTestCase(Case):
    """CPython's MiscTestCase."""

    def test_all(self):
        for name in ('BaseServer', 'TCPServer', 'UDPServer',
                     'UnixStreamServer', 'UnixDatagramServer',
                     'ThreadingMixIn', 'ForkingMixIn',
                     'ThreadingTCPServer', 'ThreadingUDPServer',
                     'ThreadingUnixStreamServer',
                     'ThreadingUnixDatagramServer',
                     'ForkingTCPServer', 'ForkingUDPServer',
                     'ForkingUnixStreamServer', 'ForkingUnixDatagramServer',
                     'BaseRequestHandler', 'StreamRequestHandler',
                     'DatagramRequestHandler'):
            self.assertTrue(issubclass(getattr(SocketServer, name),
                                       GObject.Object), name)

    def test_shutdown_request_called_if_verify_request_false(self):
        class Server(LoggingServer):
            def do_verify_request(self, request):
                return False

        server = Server(endpoint=SocketServer.Endpoint.parse('tcp:127.0.0.1:0'),
                        handler_type=FailingHandler)
        server.path = self.path
        server.failure = None
        server.init(None)
        with connect(server.dup_endpoint()):
            self.assertEqual(server.handle_request(LIMIT * 1000, None),
                             SocketServer.HandleResult.REFUSED)
        server.server_close()
        self.assertEqual(self.read_log(), ['shutdown'])

    def test_threads_reaped(self):
        mix_in = SocketServer.ThreadingMixIn()
        with self.serving(make(SocketServer.TCPServer, 'tcp:127.0.0.1:0',
                               LineHandler, mix_in=mix_in)) as endpoint:
            for _ in range(10):
                ask(endpoint)
            wait_for(lambda: mix_in.get_n_threads() == 0)


# Services that run in a process of their own


def service_fork(transport, directory):
    """One request a process, next to a child that is none of its."""
    unrelated = os.fork()
    if unrelated == 0:
        os._exit(72)
    mix_in = SocketServer.ForkingMixIn()
    endpoint = {'tcp': 'tcp:127.0.0.1:0', 'udp': 'udp:127.0.0.1:0',
                'unix': f'unix:{directory}/f',
                'unixgram': f'unixgram:{directory}/f'}[transport]
    handler = (LineHandler if transport in ('tcp', 'unix')
               else PacketHandler)
    serve_until_signal(SocketServer.create_server(endpoint, handler, mix_in))
    _, status = os.waitpid(unrelated, 0)
    print('unrelated', os.waitstatus_to_exitcode(status))
    print('active', mix_in.get_n_active_children())
    try:
        os.waitpid(-1, os.WNOHANG)
        print('left some')
    except ChildProcessError:
        print('left none')


def service_errors(path, failure):
    """One forked request that fails, or that asks to stop."""
    mix_in = SocketServer.ForkingMixIn()
    mix_in.connect('child-exited', lambda _, pid, status: print(
        'exited', os.waitstatus_to_exitcode(status)))
    serve_until_signal(make_logging(
        path, stop_error() if failure == 'stop' else ErrorHandlerTest.failure,
        mix_in))


if __name__ == '__main__':
    sys.exit(main(globals()))
