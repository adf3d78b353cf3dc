# library.py - the library from Python, for the tests of it
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Forking servers run in the main thread of a process of their own: the script
# again, with the name of a service, which is a function of its.

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
from gi.repository import GLib, SocketServer  # noqa: E402

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
            [sys.executable, sys.argv[0], service, *arguments],
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


# Services that run in a process of their own


def serve_until_signal(server):
    SocketServer.signals_bind(server)
    print(server.dup_endpoint(), flush=True)
    server.serve_forever()
    server.server_close()


def main(script):
    """Runs the tests of a script, which gives its globals, or one service."""
    service = script.get('service_' + ''.join(sys.argv[1:2]))
    if service is None:
        return tap.main(limit=240)
    signal.alarm(3 * LIMIT)  # no thread, which the fork guard would see
    service(*sys.argv[2:])
    return 0
