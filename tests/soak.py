# soak.py - servers under load for long: nothing may pile up
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run: SRV_BUILDDIR=DIR python3 tests/soak.py [Soak.test_fibers_tcp ...]
#
# SOAK_SECONDS (10) is the time of all servers together: an hour is 3600. The
# clients of each server are chosen by random numbers from SOAK_SEED (1).
#
# A server is looked at through /proc twice, when no client is connected: after
# a warm-up and at the end. All that is counted is of the server and its
# children together. Every wait has a limit.

import contextlib
import errno
import functools
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
SECONDS = float(os.environ.get('SOAK_SECONDS', 10))
SEED = int(os.environ.get('SOAK_SEED', 1))
BUILD = os.environ.get('SRV_BUILDDIR', '.')
ECHO_SERVER = os.path.join(BUILD, 'samples', 'echo-server')

N_CLIENTS = 6      # threads that play clients
LARGEST_CROWD = 32  # clients at once; forking takes 40
N_WORKERS = 4

# Name, options, how many clients are served at once. A crowd of so many is the
# most that a server ever sees; it comes before both looks, so that stacks and
# threads that are kept for the next clients are as many both times.
MIX_INS = (
    ('inline', [], 1),
    ('threading', [], LARGEST_CROWD),
    ('thread-pool', ['--workers', str(N_WORKERS)], N_WORKERS),
    ('forking', [], LARGEST_CROWD),
    ('prefork', ['--workers', str(N_WORKERS)], N_WORKERS),
    ('fibers', ['--workers', '2'], LARGEST_CROWD),
)
DATAGRAM_MIX_INS = ('inline', 'threading', 'fibers')

# What may be more at the end than after the warm-up.
#
# Memory: a leak of 64 bytes a request shall be found in a run of an hour, so
# half of that is allowed, and beside it what is kept once. For each server, an
# hour has some 180 seconds after the warm-up; from 32,768 connections in that
# time on (threading: 131,072; datagrams: 163,840; both: 262,144), 64 bytes for
# each are more than the bound. It is printed what leak a run would have found.
BYTES_PER_REQUEST = 32
BYTES_ONCE = 1024 * 1024  # what malloc has kept
# With a thread for each request, nobody can say how many there were at once: a
# client has its answer before its thread has ended. The C library keeps 40 MiB
# of stacks, of 256 KiB each, and has up to eight heaps a processor; each of
# these is two mappings. Of a stack less than 20 KiB is used.
MAPPINGS_OF_THREADS = 2 * (160 + 8 * os.cpu_count())
BYTES_OF_THREADS = 3 * 1024 * 1024
# A worker takes in 32 datagrams at a time, of 64 KiB. The room for the last of
# them is used late and seldom, since a socket does not hold so much, but once
# used it stays. This is for two workers.
BYTES_OF_DATAGRAMS = 4 * 1024 * 1024


class Server:
    """An echo server that is ready, and what /proc says about it."""

    def __init__(self, mix_in, options, listen):
        self.errors = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            [ECHO_SERVER, '--quiet', '--mix-in', mix_in, *options,
             '--listen', listen],
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.pid = self.process.pid
        line = ''
        if select.select([self.process.stdout], [], [], LIMIT)[0]:
            line = self.process.stdout.readline()
        self.endpoint = line.strip().partition('listening on ')[2]
        if not self.endpoint:
            self.close()
            raise AssertionError('the server does not listen')

    def family(self):
        """Process ids of the server and of its children."""
        with open(f'/proc/{self.pid}/task/{self.pid}/children') as file:
            return [self.pid, *map(int, file.read().split())]

    def look(self):
        return Figures(self.family())

    def close(self):
        if self.process.poll() is None:
            for pid in reversed(self.family()):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self.errors.seek(0)
        sys.stderr.write(self.errors.read(10000))
        self.errors.close()
        self.process.stdout.close()


class Figures:
    """What some processes have, all together."""

    counted = ('descriptors', 'threads', 'children', 'mappings')

    def __init__(self, pids):
        self.descriptors = self.threads = self.mappings = self.resident = 0
        self.children = len(pids) - 1
        for pid in pids:
            # A child may be gone before it is looked at.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self.add(f'/proc/{pid}')

    def add(self, proc):
        self.descriptors += len(os.listdir(f'{proc}/fd'))
        self.threads += len(os.listdir(f'{proc}/task'))
        with open(f'{proc}/maps') as file:
            self.mappings += sum(1 for _ in file)
        with open(f'{proc}/status') as file:
            for line in file:
                if line.startswith('VmRSS:'):
                    self.resident += int(line.split()[1]) * 1024

    def counts(self):
        return [getattr(self, name) for name in self.counted]

    def has_more_than(self, other):
        """Names of what is more than the other has."""
        return [name for name in self.counted
                if getattr(self, name) > getattr(other, name)]

    def __str__(self):
        counts = ', '.join(f'{getattr(self, name)} {name}'
                           for name in self.counted)
        return f'{counts}, {self.resident // 1024} KiB'


def wait_for(condition, seconds=LIMIT):
    """What the condition gave at last; nothing true when it was too late."""
    end = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return result


def settled(server):
    """Its figures when they no longer change."""
    seen = [server.look()]

    def is_same():
        seen.append(server.look())
        last = seen[-10:]
        return len(last) == 10 and all(
            figures.counts() == last[0].counts() for figures in last)

    if not wait_for(is_same):
        raise AssertionError(f'does not come to rest: {seen[-1]}')
    return seen[-1]


# Clients. Each of the functions is one kind; none waits for another client,
# since some servers have one at a time.


def set_limit(client):
    """A limit on each call. Not as settimeout () has it: without blocking, a
    Unix socket does not wait for room in the server's queue."""
    limit = struct.pack('ll', LIMIT, 0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def connect(endpoint):
    """A blocking socket with a limit on each call."""
    kind, _, rest = endpoint.partition(':')
    host, _, port = rest.rpartition(':')
    family = socket.AF_UNIX if kind == 'unix' else socket.AF_INET
    address = rest if kind == 'unix' else (host, int(port))
    type_ = socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM
    end = time.monotonic() + LIMIT
    while True:
        client = socket.socket(family, type_)
        try:
            set_limit(client)
            client.connect(address)
            return client
        except OSError as error:
            client.close()
            # The system has a port again when an old connection is forgotten.
            if (error.errno != errno.EADDRNOTAVAIL or
                    time.monotonic() > end):
                raise
            time.sleep(0.02)


def read_all(client, size):
    """So many bytes, or fewer if the connection ends."""
    got = bytearray()
    while len(got) < size and (chunk := client.recv(size - len(got))):
        got += chunk
    return bytes(got)


def check(got, data):
    if got != data:
        raise AssertionError(f'{len(got)} bytes came back for {len(data)}, '
                             'or others')


def echo(client, data):
    client.sendall(data)
    check(read_all(client, len(data)), data)


def exchange(client, data, late):
    """Sends much and reads it back: at once, or when the server, which cannot
    get rid of it, has taken nothing for a while."""
    client.setblocking(False)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        readers, writers = select.select(
            [] if late else [client], [client] if sent < len(data) else [],
            [], 0.05 if late else LIMIT)[:2]
        if late:
            late = writers and sent < len(data)
        elif not readers and not writers:
            raise AssertionError(f'stuck: {len(got)} of {len(data)} bytes')
        if writers:
            sent += client.send(data[sent:sent + 65536])
        if readers:
            chunk = client.recv(65536)
            if not chunk:
                break
            got += chunk
    check(bytes(got), data)


def be_plain(endpoint, rng):
    with connect(endpoint) as client:
        for _ in range(rng.randint(1, 10)):
            echo(client, rng.randbytes(rng.randint(1, 3000)))
    return 1


def leave(endpoint, rng):
    connect(endpoint).close()
    return 1


def reset(endpoint, rng):
    """In the middle of a message; of the echo, something or nothing has been
    read."""
    with connect(endpoint) as client:
        client.sendall(rng.randbytes(rng.randint(1, 20000)))
        if rng.random() < 0.5:
            client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack('ii', 1, 0))
    return 1


def end_own_half(endpoint, rng):
    with connect(endpoint) as client:
        data = rng.randbytes(rng.randint(0, 3000))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        check(read_all(client, len(data) + 1), data)
    return 1


def send_much(endpoint, rng):
    with connect(endpoint) as client:
        exchange(client, rng.randbytes(rng.randint(50000, 200000)), False)
    return 1


def read_late(endpoint, rng):
    with connect(endpoint) as client:
        exchange(client, rng.randbytes(rng.randint(100000, 1500000)), True)
    return 1


def be_several(endpoint, rng):
    """They are served in any order, even one after the other: each has ended
    its half before the first is read."""
    with contextlib.ExitStack() as stack:
        several = []
        for _ in range(rng.randint(2, 5)):
            client = stack.enter_context(connect(endpoint))
            data = rng.randbytes(rng.randint(1, 3000))
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            several.append((client, data))
        rng.shuffle(several)
        for client, data in several:
            check(read_all(client, len(data) + 1), data)
    return len(several)


STREAM_CLIENTS = {be_plain: 8, leave: 4, reset: 4, end_own_half: 4,
                  send_much: 2, read_late: 1, be_several: 2}


def ask(client, packets):
    """Sends datagrams and takes the answers, in any order. What was lost is
    sent again."""
    missing = list(packets)
    begins = {packet[:8] for packet in packets}
    end = time.monotonic() + LIMIT
    while missing:
        if time.monotonic() > end:
            raise AssertionError(f'{len(missing)} datagrams are not answered')
        for packet in missing:
            client.send(packet)
        while missing and select.select([client], [], [], 1)[0]:
            # What was sent twice may be answered twice, and an answer may be
            # for somebody who had this port before.
            packet = client.recv(65536)
            if packet in missing:
                missing.remove(packet)
            elif packet not in packets and packet[:8] in begins:
                raise AssertionError('an answer with other bytes')


def send_datagrams(endpoint, rng):
    with connect(endpoint) as client:
        n_packets = rng.randint(1, 10)
        for _ in range(n_packets):
            ask(client, [rng.randbytes(rng.randint(0, 1400))])
    return n_packets


def send_large_datagram(endpoint, rng):
    with connect(endpoint) as client:
        ask(client, [rng.randbytes(rng.randint(10000, 65507))])
    return 1


def send_many_datagrams(endpoint, rng):
    with connect(endpoint) as client:
        packets = [rng.randbytes(rng.randint(4, 500))
                   for _ in range(rng.randint(2, 5))]
        ask(client, packets)
    return len(packets)


def leave_with_datagrams(endpoint, rng):
    """The answers find nobody."""
    with connect(endpoint) as client:
        client.send(rng.randbytes(rng.randint(0, 500)))
    return 1


DATAGRAM_CLIENTS = {send_datagrams: 8, leave_with_datagrams: 2,
                    send_many_datagrams: 2, send_large_datagram: 1}


class Load:
    """Threads that play clients, one after the other, for a time."""

    def __init__(self, endpoint, name):
        self.endpoint = endpoint
        is_datagram = endpoint.startswith('udp')
        self.clients = DATAGRAM_CLIENTS if is_datagram else STREAM_CLIENTS
        self.rngs = [random.Random(f'{SEED}/{name}/{number}')
                     for number in range(N_CLIENTS)]
        self.problems = []

    def play(self, seconds):
        """How many requests there were. Each kind comes at least once."""
        end = time.monotonic() + seconds
        counts = [0] * N_CLIENTS

        def run(number):
            rng = self.rngs[number]
            to_come = list(self.clients)
            rng.shuffle(to_come)
            try:
                while not self.problems and (
                        to_come or time.monotonic() < end):
                    kind = to_come.pop() if to_come else rng.choices(
                        list(self.clients), self.clients.values())[0]
                    counts[number] += kind(self.endpoint, rng)
            except Exception as error:
                self.problems.append(f'{kind.__name__}: {error!r}')

        threads = [threading.Thread(target=run, args=[number], daemon=True)
                   for number in range(N_CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, end - time.monotonic()) + 3 * LIMIT)
            if thread.is_alive():
                self.problems.append('a client does not come to its end')
        if self.problems:
            raise AssertionError('; '.join(self.problems))
        return sum(counts)


@contextlib.contextmanager
def crowd(endpoint, size):
    """Clients that are all served at once."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(endpoint))
                   for _ in range(size)]
        for number, client in enumerate(clients):
            echo(client, b'%d' % number)
        yield clients


@contextlib.contextmanager
def crowd_of_datagrams(endpoint, size):
    """As many and as large as the server's socket may hold at once."""
    with connect(endpoint) as client:
        ask(client, [b'%d' % number for number in range(size)])
        ask(client, [bytes([number]) * 65507 for number in range(3)])
        yield [client]


class Soak(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix='srv-soak.')
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name

    def soak(self, mix_in, options, crowd_size, listen):
        server = Server(mix_in, options, listen.format(self.directory))
        self.addCleanup(server.close)
        is_datagram = server.endpoint.startswith('udp')
        is_threading = mix_in == 'threading'
        gather = crowd_of_datagrams if is_datagram else crowd
        self.wear(server, lambda: gather(server.endpoint, crowd_size),
                  MAPPINGS_OF_THREADS * is_threading,
                  BYTES_ONCE + BYTES_OF_THREADS * is_threading +
                  BYTES_OF_DATAGRAMS * is_datagram)
        with gather(server.endpoint, min(crowd_size, 4)) as clients:
            self.drain(server, clients)

    def wear(self, server, gather, spare_mappings, spare_bytes):
        """What the server has after the warm-up and at the end."""
        seconds = SECONDS / n_chosen()
        warm_up = min(seconds / 4, 60)
        load = Load(server.endpoint, self.id())
        with gather():
            pass
        n_before = load.play(warm_up)
        with gather():
            pass
        warm = settled(server)
        tap.note(f'{n_before} requests, then {warm}')
        warm.mappings += spare_mappings

        n_requests = load.play(seconds - warm_up)
        with gather():
            pass
        wait_for(lambda: not server.look().has_more_than(warm))
        last = server.look()
        tap.note(f'{n_requests} more, then {last}')
        self.assertEqual(last.has_more_than(warm), [])

        grown = last.resident - warm.resident
        bound = spare_bytes + BYTES_PER_REQUEST * n_requests
        tap.note(f'{grown / n_requests:.1f} bytes for each more; a leak of '
                 f'{bound / n_requests:.0f} would be found')
        self.assertLessEqual(grown, bound)

    def drain(self, server, clients):
        """It is told to end while clients are connected, of whom one has not
        been answered."""
        clients[0].send(b'last')
        server.process.send_signal(signal.SIGTERM)
        if clients[0].type == socket.SOCK_STREAM:
            self.read_ends(clients)
        self.assertEqual(server.process.wait(LIMIT), 0)

    def read_ends(self, clients):
        """What had come is answered. A server without a mix-in reads on until
        its client ends."""
        for client in clients:
            expected = b'last' if client is clients[0] else b''
            with contextlib.suppress(OSError):  # when the server was quicker
                client.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(client, 100), expected)


def add_tests():
    """One for each server."""
    for mix_in, options, crowd_size in MIX_INS:
        for kind, listen in (('tcp', 'tcp:127.0.0.1:0'),
                             ('unix', 'unix:{}/socket'),
                             ('udp', 'udp:127.0.0.1:0')):
            if kind == 'udp' and mix_in not in DATAGRAM_MIX_INS:
                continue
            name = f'test_{mix_in}_{kind}'.replace('-', '_')
            setattr(Soak, name, functools.partialmethod(
                Soak.soak, mix_in, options, crowd_size, listen))


def n_chosen():
    """How many servers share the time."""
    return len(sys.argv) - 1 or len(
        unittest.defaultTestLoader.getTestCaseNames(Soak))


if __name__ == '__main__':
    add_tests()
    tap.note(f'{SECONDS:g} seconds, SOAK_SEED={SEED}')
    sys.exit(tap.main(limit=SECONDS + 15 * LIMIT))
