# test-python.py - the library from Python, and Python's own test cases
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Everything goes through the typelib: classes of the library are subclassed
# in Python, and Python's socket module is the client. The second half is
# CPython's Lib/test/test_socketserver.py, case by case and under its names.
#
# A hook returns True when it succeeded and raises GLib.Error when it failed.
#
# Forking servers run in the main thread of a process of their own: this file
# again, with the name of a service (see the end).

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import gi
import tap

gi.require_version('SocketServer', '1.0')
from gi.repository import Gio, GLib, GObject, SocketServer  # noqa: E402

LIMIT = tap.scale(30)  # seconds; any single wait
HELLO = b'Hello, world'


def stop_error(message='enough'):
    return GLib.Error.new_literal(SocketServer.error_quark(), message,
                                  SocketServer.Error.STOP)


def is_error(error, code):
    return error.matches(SocketServer.error_quark(), code)


# Services


class LineHandler(SocketServer.StreamRequestHandler):
    """Sends one line back."""

    def do_handle(self):
        line = self.get_rfile().read_line(4096)
        return self.get_wfile().write_bytes(line)


class PacketHandler(SocketServer.DatagramRequestHandler):
    """Sends a datagram back."""

    def do_handle(self):
        return self.write(self.get_packet())


class FailingHandler(SocketServer.StreamRequestHandler):
    """Tells its server that it ran, and raises what the server says."""

    def do_handle(self):
        server = self.get_server()
        server.log('handler')
        if server.failure is not None:
            raise server.failure
        return True


class LoggingServer(SocketServer.TCPServer):
    """Writes down what is called; to a file, because children do it too."""

    def log(self, word):
        with open(self.path, 'a') as file:
            file.write(word + '\n')

    def do_handle_error(self, request, error):
        self.log('error')

    def do_shutdown_request(self, request):
        SocketServer.TCPServer.do_shutdown_request(self, request)
        self.log('shutdown')


def make(server_class, endpoint, handler, **properties):
    """A bound and active server of a class that Python may have derived."""
    server = server_class(endpoint=SocketServer.Endpoint.parse(endpoint),
                          handler_type=handler, **properties)
    server.init(None)
    return server


def make_logging(path, failure, mix_in=None):
    server = LoggingServer(
        endpoint=SocketServer.Endpoint.parse('tcp:127.0.0.1:0'),
        handler_type=FailingHandler, mix_in=mix_in)
    server.path = path
    server.failure = failure
    server.init(None)
    return server


# Clients


def connect(endpoint):
    """A client's socket for an endpoint string of the library."""
    kind, _, rest = endpoint.partition(':')
    stream = kind in ('tcp', 'unix')
    if kind in ('tcp', 'udp'):
        host, port = rest.rsplit(':', 1)
        family = socket.AF_INET6 if host[0] == '[' else socket.AF_INET
        address = (host.strip('[]'), int(port))
    else:
        family = socket.AF_UNIX
        address = '\0' + rest[1:] if rest[0] == '@' else rest
    client = socket.socket(
        family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    client.settimeout(LIMIT)
    if kind == 'unixgram':
        client.bind('')  # the kernel picks an abstract name
    client.connect(address)
    return client


def ask(endpoint, data=HELLO + b'\n'):
    """Sends, and reads up to the newline or the end."""
    with connect(endpoint) as client:
        client.sendall(data)
        reply = b''
        while not reply.endswith(b'\n'):
            chunk = client.recv(4096)
            if not chunk:
                break
            reply += chunk
        return reply


def wait_for(condition):
    """Waits until something is true; for what nothing can be waited on."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('did not come true in time')
        time.sleep(0.002)


def n_descriptors():
    return len(os.listdir('/proc/self/fd'))


class Case(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix='srv-python.')
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name
        self.path = os.path.join(self.directory, 'log')

    def read_log(self):
        with open(self.path) as file:
            return file.read().split()

    @contextlib.contextmanager
    def serving(self, server):
        """Runs the loop in a thread, and closes the server afterwards."""
        result = []
        thread = threading.Thread(
            target=lambda: result.append(server.serve_forever()))
        thread.start()
        try:
            yield server.dup_endpoint()
        finally:
            server.shutdown()
            thread.join(LIMIT)
            server.server_close()
        self.assertEqual(result, [True])

    def in_child(self, service, *arguments, environment=None):
        """A service in the main thread of a process of its own."""
        process = subprocess.Popen(
            [sys.executable, __file__, service, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def finish_child(self, process):
        """What the process printed, on standard output and error."""
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=LIMIT)
        print(errors, file=sys.stderr)
        self.assertEqual(process.returncode, 0)
        return output.split(), errors


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


def serve_until_signal(server):
    SocketServer.signals_bind(server)
    print(server.dup_endpoint(), flush=True)
    server.serve_forever()
    server.server_close()


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


def main():
    service = globals().get('service_' + ''.join(sys.argv[1:2]))
    if service is None:
        return tap.main(limit=240)
    signal.alarm(3 * LIMIT)  # no thread, which the fork guard would see
    service(*sys.argv[2:])
    return 0


if __name__ == '__main__':
    sys.exit(main())
