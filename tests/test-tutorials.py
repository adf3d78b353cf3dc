# test-tutorials.py - the tutorials' clients and servers against ours
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Each client and server is written from the tutorial's text, with all that it
# leaves undone: one read is taken for one message, nothing has a limit. The
# names of the tests are the rows of docs/tutorial-systems.md.

import contextlib
import os
import queue
import select
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
SAMPLES = os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples')
GREETING = 'Привет, сервер'
ANSWER = 'Привет, клиент'


@contextlib.contextmanager
def our_server(program, *options, listen='tcp:127.0.0.1:0'):
    """One of our servers; gives the address that a socket understands."""
    process = subprocess.Popen(
        [os.path.join(SAMPLES, program), '--quiet', '--listen', listen,
         *options], stdout=subprocess.PIPE, text=True)
    try:
        endpoint = process.stdout.readline().split()[-1]
        kind, rest = endpoint.split(':', 1)
        if kind.startswith('unix'):
            yield rest.replace('@', '\0', 1)
        else:
            host, port = rest.rsplit(':', 1)
            yield host, int(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def their_server(serve, kind=socket.SOCK_STREAM):
    """A tutorial's server: SERVE gets a bound socket, in a thread."""
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(('127.0.0.1', 0))
        server.settimeout(LIMIT)
        if kind == socket.SOCK_STREAM:
            server.listen(5)
        failures = []

        def run():
            try:
                serve(server)
            except Exception as error:  # shown by the test
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1]
        thread.join(LIMIT)
        assert not thread.is_alive()
        assert not failures, failures


def connected(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    client = socket.socket(family, kind)
    client.settimeout(LIMIT)
    client.connect(address)
    return client


def our_client(program, port, *options, text='', transport='tcp'):
    """Runs one of our clients; gives what it prints."""
    return subprocess.run(
        [os.path.join(SAMPLES, program), '--quiet', *options,
         f'{transport}:127.0.0.1:{port}'], input=text, text=True,
        stdout=subprocess.PIPE, timeout=LIMIT, check=True).stdout


class TheirClients(unittest.TestCase):
    """A tutorial's client, our server."""

    def test_T2_time(self):
        with our_server('time-server') as address:
            with connected(address) as client:
                text = client.recv(1024).decode()
        then = time.mktime(time.strptime(text.strip()))
        self.assertLess(abs(time.time() - then), LIMIT)
        self.assertEqual(text, time.ctime(then) + '\n')

    def test_T3_greeting(self):
        options = '--read-first', '--greeting', ANSWER
        with our_server('greeting-server', *options) as address:
            with connected(address) as client:
                client.send(GREETING.encode())
                data = client.recv(1000000)
        self.assertEqual(data.decode(), ANSWER)

    def test_T4_banner(self):
        with our_server('greeting-server') as address:
            client = connected(address)  # never closed by name
            self.assertIn(b'Thank you', client.recv(1024))
        client.close()

    def test_T5_datagram(self):
        with our_server('echo-server', listen='udp:127.0.0.1:0') as address:
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                client.settimeout(LIMIT)
                client.sendto(b'hello', address)
                data, sender = client.recvfrom(65536)
        self.assertEqual((data, sender), (b'hello', address))

    def test_T5_time_by_datagram(self):
        listen = 'udp:127.0.0.1:0'
        with our_server('time-server', '--format=rfc-868', '--answer-all',
                        listen=listen) as address:
            with connected(address, kind=socket.SOCK_DGRAM) as client:
                client.send(b'')
                data = client.recv(1024)
        seconds = int.from_bytes(data, 'big') - 2208988800
        self.assertLess(abs(time.time() - seconds), LIMIT)

    def test_O8_finger(self):
        with tempfile.NamedTemporaryFile('w', encoding='utf-8') as plans:
            plans.write('[plans]\nada=I write programs.\\nIn Zürich.\n')
            plans.flush()
            with our_server('simple-server', '--service=finger', '--plans',
                            plans.name) as address:
                with connected(address) as client:
                    client.send(b'ada\r\n')
                    data = b''.join(iter(lambda: client.recv(1024), b''))
        self.assertEqual(data.decode(),
                         'I write programs.\r\nIn Zürich.\r\n')

    def test_E2_lab_echo(self):
        with our_server('echo-server') as address:
            with connected(address) as client:
                client.send(input_line := b'one line')
                self.assertEqual(client.recv(1024), input_line)

    def test_E3_upper_case(self):
        with our_server('echo-server', '--upper') as address:
            client = connected(address)
            client.send(b'hello, world!')
            data = client.recv(1024)
            client.close()
        self.assertEqual(data, b'HELLO, WORLD!')

    def test_E5_sixteen_bytes(self):
        message, received = b'Hello World!', []
        with our_server('upper-server') as address:
            client = connected(address)
            try:
                client.sendall(message)
                while sum(map(len, received)) < len(message):
                    received.append(client.recv(16))
            finally:
                client.close()
        self.assertEqual(b''.join(received), b'HELLO WORLD!')

    def test_E6_blocking_echo(self):
        with our_server('echo-server') as address:
            with connected(address) as client:
                client.sendall(b'Hello, world')
                data = client.recv(1024)
        self.assertEqual(data, b'Hello, world')

    def test_E7_many_at_once(self):
        with our_server('echo-server', '--mix-in=threading') as address:
            clients = [connected(address) for _ in range(3)]
            for message in b'first', b'second':
                for client in clients:
                    client.send(message)
                for client in clients:
                    self.assertEqual(client.recv(1024), message)
            for client in clients:
                client.close()

    def test_E8_lines_until_exit(self):
        with our_server('echo-server', '--mix-in=threading') as address:
            client = connected(address)
            for line in 'one', 'два', 'exit':
                client.sendall(line.encode())
                if line == 'exit':
                    break
                self.assertEqual(client.recv(1024).decode(), line)
            client.close()

    def test_E9_unix(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'socket')
            with our_server('echo-server', listen='unix:' + path) as address:
                with connected(address, socket.AF_UNIX) as client:
                    client.sendall(b'local')
                    self.assertEqual(client.recv(1024), b'local')
            self.assertFalse(os.path.exists(path))


class TheirServers(unittest.TestCase):
    """Our client, a tutorial's server."""

    def test_T1_time(self):
        def serve(server):
            client, _ = server.accept()
            client.send((time.ctime() + '\n').encode('utf-8'))
            client.close()

        with their_server(serve) as port:
            line = our_client('time-client', port)
        self.assertRegex(line, r'^current time: \w{3} \w{3} .. \S{8} \d{4}\n$')

    def test_T3_greeting(self):
        heard = []

        def serve(server):
            client, _ = server.accept()
            heard.append(client.recv(1000000).decode('utf-8'))
            client.send(ANSWER.encode('utf-8'))
            client.close()

        with their_server(serve) as port:
            text = our_client('greeting-client', port, '--say', GREETING)
        self.assertEqual(heard, [GREETING])
        self.assertEqual(text, ANSWER + '\n26 bytes, 14 characters\n')

    def test_T4_banner(self):
        def serve(server):
            client, _ = server.accept()
            client.send(b'Thank you for connecting')
            client.close()

        with their_server(serve) as port:
            text = our_client('greeting-client', port)
        self.assertEqual(text, 'Thank you for connecting\n'
                               '24 bytes, 24 characters\n')

    def test_T5_datagram(self):
        def serve(server):
            data, sender = server.recvfrom(1024)
            server.sendto(data, sender)

        with their_server(serve, socket.SOCK_DGRAM) as port:
            text = our_client('echo-client', port, text='hello\n',
                              transport='udp')
        self.assertEqual(text, 'hello\n')

    def echoes(self, serve, text='hello, world!\n', expected=None):
        with their_server(serve) as port:
            reply = our_client('echo-client', port, text=text)
        self.assertEqual(reply, expected or text)

    def test_E1_lab_echo(self):
        def serve(server):
            client, _ = server.accept()
            while data := client.recv(1024):
                client.send(data)
            client.close()

        self.echoes(serve)

    def test_E3_upper_case(self):
        def serve(server):
            client, _ = server.accept()
            while True:
                data = client.recv(1024)
                if not data:
                    break
                client.send(data.upper())
            client.close()

        self.echoes(serve, expected='HELLO, WORLD!\n')

    def test_E4_sixteen_bytes(self):
        def serve(server):
            client, _ = server.accept()
            try:
                while data := client.recv(16):
                    client.sendall(data.upper())
            finally:
                client.close()

        with their_server(serve) as port:
            text = our_client('upper-client', port)
        self.assertEqual(text, 'sending: Hello World!\n'
                               'received: HELLO WORLD!\nclosing socket\n')

    def test_E6_blocking_echo(self):
        def serve(server):
            client, _ = server.accept()
            client.sendall(client.recv(1024))
            client.close()

        self.echoes(serve)

    def test_E7_select_echo(self):
        def serve(server):
            server.setblocking(False)
            inputs, outputs, queues, n_left = [server], [], {}, 3
            while n_left:
                readable, writable, _ = select.select(inputs, outputs, inputs,
                                                      LIMIT)
                for sock in readable:
                    if sock is server:
                        client, _ = server.accept()
                        client.setblocking(False)
                        inputs.append(client)
                        queues[client] = queue.Queue()
                    elif data := sock.recv(1024):
                        queues[sock].put(data)
                        if sock not in outputs:
                            outputs.append(sock)
                    else:
                        n_left -= 1
                        inputs.remove(sock)
                        if sock in outputs:
                            outputs.remove(sock)
                            writable = [w for w in writable if w is not sock]
                            while not queues[sock].empty():
                                sock.send(queues[sock].get_nowait())
                        sock.close()
                for sock in writable:
                    if queues[sock].empty():
                        outputs.remove(sock)
                    else:
                        sock.send(queues[sock].get_nowait())

        with their_server(serve) as port:
            for text in 'one\n', 'two\n', 'three\n':
                self.assertEqual(our_client('echo-client', port, text=text),
                                 text)

    def test_E8_threading_echo(self):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                while data := self.request.recv(1024):
                    self.request.sendall(data)

        with socketserver.ThreadingTCPServer(('127.0.0.1', 0),
                                             Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            text = our_client('echo-client', server.server_address[1],
                              text='one\ntwo\nexit\nthree\n')
            server.shutdown()
            thread.join()
        self.assertEqual(text, 'one\ntwo\n')


if __name__ == '__main__':
    sys.exit(tap.main(limit=240))
