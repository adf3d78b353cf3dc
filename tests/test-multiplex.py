# test-multiplex.py - the multiplexed echo, in both of its ways
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# 200 clients at once, some of which do not read until the others are served.
# Nothing waits for time to pass: that a client is held up shows when the others
# have gone round and it still cannot send.

import contextlib
import functools
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import tap

LIMIT = 60  # seconds; any single wait
SAMPLES = os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples')
WAYS = {'fibers': [], 'threads': ['--mix-in=threading'],
        'context': ['--context']}
QUEUE = 16 * 4096

N_CLIENTS = 200
N_SLOW = 20
PAYLOAD = 4 * 1024 * 1024  # of each slow client; far more than any buffer


class Server:
    def __init__(self, process, address):
        self.process = process
        self.address = address
        self.stopped = False

    def connect(self):
        family = (socket.AF_UNIX if isinstance(self.address, str)
                  else socket.AF_INET)
        client = socket.socket(family)
        client.settimeout(LIMIT)
        client.connect(self.address)
        return client

    def memory(self):
        """The most memory that it had so far, in KiB."""
        with open(f'/proc/{self.process.pid}/status') as status:
            return next(int(line.split()[1]) for line in status
                        if line.startswith('VmHWM:'))

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def stop(self):
        """Once: a second signal would end it at once."""
        if not self.stopped:
            self.process.send_signal(signal.SIGTERM)
        self.stopped = True


@contextlib.contextmanager
def our_server(way, *options, listen='tcp:127.0.0.1:0'):
    process = subprocess.Popen(
        [os.path.join(SAMPLES, 'multiplex-server'), '--quiet',
         '--listen', listen, *WAYS[way], *options],
        stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith('listening on '), line
        kind, rest = line.split()[-1].split(':', 1)
        if kind == 'unix':
            address = rest
        else:
            host, port = rest.rsplit(':', 1)
            address = host, int(port)
        server = Server(process, address)
        yield server
        server.stop()
        assert process.wait(LIMIT) == 0
        assert process.stdout.read() == ''
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def pattern(number, length):
    """Bytes that tell whose they are, and which."""
    unit = b''.join(b'%d:%d ' % (number, i) for i in range(1000))
    return (unit * (length // len(unit) + 1))[:length]


class Slow:
    """A client that sends without reading, and reads when it is told to."""

    def __init__(self, server, number, length):
        self.data = memoryview(pattern(number, length))
        self.socket = server.connect()
        self.socket.setblocking(False)
        self.sent = 0
        self.received = bytearray()

    def push(self):
        """Sends until the system takes no more; whether it took anything."""
        before = self.sent
        with contextlib.suppress(BlockingIOError):
            while self.sent < len(self.data):
                self.sent += self.socket.send(self.data[self.sent:])
        return self.sent > before

    def pull(self):
        with contextlib.suppress(BlockingIOError):
            while data := self.socket.recv(65536):
                self.received += data


def finish(slow_clients):
    """All of them send the rest and read everything."""
    poll = select.poll()
    by_fd = {slow.socket.fileno(): slow for slow in slow_clients}
    for fd in by_fd:
        poll.register(fd, select.POLLIN | select.POLLOUT)
    while by_fd:
        ready = poll.poll(LIMIT * 1000)
        assert ready, 'nothing happens any more'
        for fd, _ in ready:
            slow = by_fd[fd]
            slow.pull()
            slow.push()
            if slow.sent == len(slow.data):
                poll.modify(fd, select.POLLIN)
            if len(slow.received) == len(slow.data):
                poll.unregister(fd)
                del by_fd[fd]


def each_way(test):
    """The test once for each way to serve."""
    @functools.wraps(test)
    def run(self):
        for way in WAYS:
            with self.subTest(way=way):
                test(self, way)
    return run


class Multiplex(unittest.TestCase):
    def exchange(self, client, message):
        client.sendall(message)
        answer = b''
        while len(answer) < len(message):
            data = client.recv(65536)
            self.assertTrue(data)
            answer += data
        self.assertEqual(answer, message)

    def go_round(self, clients, number):
        for i, client in enumerate(clients):
            self.exchange(client, b'client %d, round %d\n' % (i, number))

    def hold_up(self, slow_clients, quick):
        """Lets the slow ones send until none can any more."""
        rounds = quiet = 0
        while quiet < 3:
            moved = [slow.push() for slow in slow_clients]
            self.go_round(quick, rounds)
            rounds += 1
            quiet = 0 if any(moved) else quiet + 1
        return rounds

    @each_way
    def test_transcript(self, way):
        with our_server(way) as server:
            client = subprocess.run(
                [os.path.join(SAMPLES, 'echo-client'), '--quiet',
                 'tcp:%s:%d' % server.address],
                input='one\ntwo\nпривет\n', text=True, timeout=LIMIT,
                stdout=subprocess.PIPE, check=True)
            self.assertEqual(client.stdout, 'one\ntwo\nпривет\n')

    def test_options(self):
        for option, status, text in (('--help', 0, '--context'),
                                     ('--version', 0, 'multiplex-server '),
                                     ('--queue=0', 64, '--queue'),
                                     ('--timeout=-1', 64, '--timeout'),
                                     ('surplus', 64, 'surplus')):
            with self.subTest(option=option):
                run = subprocess.run(
                    [os.path.join(SAMPLES, 'multiplex-server'), option],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    text=True, timeout=LIMIT)
                self.assertEqual(run.returncode, status)
                self.assertIn(text, run.stdout)

    @each_way
    def test_200_clients_some_of_them_slow(self, way):
        """Slow ones are held up and lose nothing; the others notice nothing."""
        with tempfile.TemporaryDirectory() as folder, \
                our_server(way, listen=f'unix:{folder}/socket') as server:
            self.serve_crowd(way, server)

    def serve_crowd(self, way, server):
        quick = [server.connect() for _ in range(N_CLIENTS - N_SLOW)]
        self.go_round(quick, 0)
        before = server.memory()
        slow = [Slow(server, i, PAYLOAD) for i in range(N_SLOW)]
        rounds = self.hold_up(slow, quick)
        most = max(client.sent for client in slow)
        grown = server.memory() - before
        tap.note(f'{way}: held up after {most} bytes and {rounds} rounds of '
                 f'the others; {grown} KiB more memory')
        # Back-pressure: the rest is still with the client. What was taken is
        # in the system's buffers, but for the queue.
        self.assertLess(most, PAYLOAD // 2)
        if os.environ.get('SRV_SANITIZERS', 'no') in ('', 'no'):
            # The queues, and as much again for fibers, chunks and the rest.
            self.assertLess(grown, 2 * N_SLOW * QUEUE // 1024 + 8192)
        finish(slow)
        for client in slow:
            self.assertEqual(client.received, client.data)
            client.socket.close()
        self.go_round(quick, 1)
        for client in quick:
            client.close()

    @each_way
    def test_200_clients_over_tcp(self, way):
        with our_server(way, '--queue=1') as server:
            slow = [Slow(server, i, 100 * 1000) for i in range(N_CLIENTS)]
            for client in slow:
                client.push()
            finish(slow)
            for client in slow:
                self.assertEqual(client.received, client.data)
                client.socket.close()

    @each_way
    def test_flood_leaves_the_others_their_turn(self, way):
        """One that sends and reads as fast as it can does not own the loop."""
        with our_server(way) as server:
            flood = Slow(server, 0, 32 * 1024 * 1024)
            quick = [server.connect() for _ in range(10)]
            rounds = 0
            while flood.sent < len(flood.data):
                flood.push()
                self.go_round(quick, rounds)
                flood.pull()
                rounds += 1
            finish([flood])
            self.assertEqual(flood.received, flood.data)
            self.assertGreater(rounds, 1)
            flood.socket.close()
            for client in quick:
                client.close()

    @each_way
    def test_half_close_is_answered_to_the_end(self, way):
        with our_server(way) as server, server.connect() as client:
            client.sendall(b'x' * 50000)
            client.shutdown(socket.SHUT_WR)
            received = b''
            while data := client.recv(65536):
                received += data
            self.assertEqual(received, b'x' * 50000)

    @each_way
    def test_reset_leaves_nothing(self, way):
        """Clients that vanish with a full queue, and others as if nothing."""
        with tempfile.TemporaryDirectory() as folder, \
                our_server(way, listen=f'unix:{folder}/socket') as server:
            with server.connect() as first:
                self.exchange(first, b'first')
                before = server.descriptors()
                slow = [Slow(server, i, PAYLOAD) for i in range(N_SLOW)]
                self.hold_up(slow, [first])
                for client in slow:
                    client.socket.close()
                while server.descriptors() > before:
                    self.exchange(first, b'still there')

    @each_way
    def test_stop_answers_what_was_sent(self, way):
        """All that the server's system has, when the stop comes."""
        with tempfile.TemporaryDirectory() as folder, \
                our_server(way, listen=f'unix:{folder}/socket') as server:
            idle, client = server.connect(), server.connect()
            self.go_round([idle, client], 0)  # both have been accepted
            client.sendall(pattern(1, 200 * 1000))
            server.stop()
            received = b''
            while data := client.recv(65536):
                received += data
            self.assertEqual(received, pattern(1, 200 * 1000))
            self.assertEqual(idle.recv(1), b'')
            client.close()
            idle.close()

    @each_way
    def test_who_does_nothing_is_cut_off(self, way):
        with our_server(way, '--timeout=1') as server, \
                server.connect() as client:
            self.exchange(client, b'hello')
            try:
                self.assertEqual(client.recv(1), b'')
            except ConnectionResetError:
                pass


if __name__ == '__main__':
    sys.exit(tap.main(limit=900))
