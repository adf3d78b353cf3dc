# test-upload.py - the upload server and client, as programs
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a user sees: transcripts, exit statuses, the progress bar; the tutorial's
# own client and server; a full disk; and a server that is killed at any moment
# (20 times, or as often as SRV_KILLS says).

import contextlib
import fcntl
import hashlib
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
import urllib.parse

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
BUILD = os.environ.get('SRV_BUILDDIR', '.')
CLIENT = os.path.abspath(os.path.join(BUILD, 'samples', 'upload-client'))
SERVER = os.path.abspath(os.path.join(BUILD, 'samples', 'upload-server'))
N_KILLS = int(os.environ.get('SRV_KILLS', '20'))
MIX_INS = ('inline', 'threading', 'forking', 'fibers')
EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT = 0, 64, 65, 66
EX_UNAVAILABLE, EX_CANTCREAT, EX_IOERR = 69, 73, 74
EX_TEMPFAIL, EX_PROTOCOL = 75, 76


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Server:
    """A server in a session of its own, so that it can be killed with its
    children."""

    def __init__(self, directory, *options, wrapper=()):
        self.process = subprocess.Popen(
            [*wrapper, SERVER, '--quiet', '--listen', 'tcp:127.0.0.1:0',
             '--directory', directory, *options],
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        line = self.process.stdout.readline().strip()
        self.endpoint = line.partition('listening on ')[2]
        if not self.endpoint:
            self.kill()
            raise AssertionError('the server did not start')
        self.port = int(self.endpoint.rpartition(':')[2])

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), LIMIT)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(LIMIT)
        self.process.stdout.close()
        return status

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT)
        self.process.stdout.close()


class FakeServer:
    """A server that does what FUNCTION does with each connection."""

    def __init__(self, function, count=1):
        self.function = function
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.listener.settimeout(LIMIT)
        self.endpoint = 'tcp:127.0.0.1:%d' % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, args=(count,))
        self.thread.start()

    def run(self, count):
        with contextlib.suppress(OSError):
            for _ in range(count):
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(LIMIT)
                    self.function(connection)

    def close(self):
        self.listener.close()
        self.thread.join()


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='srv-upload-')
        self.store = self.path('store')
        os.mkdir(self.store)
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            if isinstance(server, FakeServer):
                server.close()
            elif server.process.poll() is None:
                server.kill()
        shutil.rmtree(self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, *options, **arguments):
        self.servers.append(Server(self.store, *options, **arguments))
        return self.servers[-1]

    def fake(self, function, count=1):
        self.servers.append(FakeServer(function, count))
        return self.servers[-1]

    def make_file(self, name, content):
        with open(self.path(name), 'wb') as file:
            file.write(content)
        return self.path(name)

    def client(self, *arguments, **options):
        """The client's result; not a terminal."""
        options = {'input': '', **options}
        return subprocess.run([CLIENT, *arguments], capture_output=True,
                              text=True, timeout=LIMIT, cwd=self.directory,
                              **options)

    def stored(self, name):
        with open(os.path.join(self.store, name), 'rb') as file:
            return file.read()

    def names(self):
        return sorted(name for name in os.listdir(self.store)
                      if name != '.srv-upload-lock')


def read_line(connection):
    line = b''
    while not line.endswith(b'\n'):
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line.decode()


class Transcripts(Case):
    def test_of_a_session(self):
        for mix_in in MIX_INS:
            with self.subTest(mix_in=mix_in):
                server = self.start('--mix-in', mix_in)
                self.make_file(f'{mix_in} hello.txt', b'hello, world')
                self.make_file(f'{mix_in}-empty', b'')
                result = self.client(server.endpoint, f'{mix_in} hello.txt',
                                     f'{mix_in}-empty')
                self.assertEqual(result.returncode, EX_OK)
                self.assertEqual(
                    result.stdout,
                    f'stored 12 {mix_in} hello.txt {sha256(b"hello, world")}\n'
                    f'stored 0 {mix_in}-empty {sha256(b"")}\n')
                told = re.sub(r'[\d.]+ ([kMG]?B|bytes)/s', 'RATE',
                              result.stderr)
                n_sent = len(f'upload 1 12 {mix_in}%20hello.txt \n'
                             f'upload 1 0 {mix_in}-empty \n') + 140
                n_received = len(f'go 0\nstored 12 {mix_in}%20hello.txt \n'
                                 f'go 0\nstored 0 {mix_in}-empty \n') + 128
                self.assertEqual(
                    told,
                    f'connected to {server.endpoint}\n'
                    f'{mix_in} hello.txt: 100 %  RATE  00:00:00 left\n'
                    f'disconnected, {n_sent} bytes sent, {n_received} bytes '
                    f'received\n')
                self.assertEqual(server.stop(), 0)
                self.assertEqual(self.stored(f'{mix_in} hello.txt'),
                                 b'hello, world')

    def test_of_a_refusal(self):
        server = self.start()
        self.make_file('a', b'x')
        self.client('-q', server.endpoint, 'a')
        result = self.client('-q', server.endpoint, 'a', 'missing')
        self.assertEqual(result.returncode, EX_CANTCREAT)
        self.assertEqual(result.stdout, '')
        self.assertEqual(
            result.stderr,
            'upload-client: a: refused exists could not store the file: the '
            'name is taken\n'
            'upload-client: could not open missing: No such file or '
            'directory\n')

    def test_of_paths_on_standard_input(self):
        server = self.start()
        self.make_file('a', b'x')
        self.make_file('b', b'y')
        result = self.client('-q', server.endpoint,
                             input='a\n\npost|b\nexit\nc\n')
        self.assertEqual((result.returncode, result.stderr), (EX_OK, ''))
        self.assertEqual(self.names(), ['a', 'b'])


class Prompts(Case):
    def test_on_a_terminal(self):
        """Paths are asked for, as the tutorial's client does."""
        server = self.start()
        self.make_file('f', b'x')
        main, side = pty.openpty()
        process = subprocess.Popen(
            [CLIENT, '-q', server.endpoint], stdin=side, stdout=side,
            stderr=side, cwd=self.directory)
        os.close(side)
        output = b''
        for expected, answer in ((b'>>> ', b'post|f\n'), (b'>>> ', b'exit\n')):
            while not output.endswith(expected):
                self.assertTrue(select.select([main], [], [], LIMIT)[0], output)
                output += os.read(main, 1)
            os.write(main, answer)
            output += b'\n'
        self.assertEqual(process.wait(LIMIT), EX_OK)
        os.close(main)
        self.assertIn(b'stored 1 f ', output)
        self.assertEqual(self.names(), ['f'])


class ExitStatus(Case):
    def says(self, reply, expected, *options):
        def answer(connection):
            read_line(connection)
            connection.sendall(reply)

        server = self.fake(answer)
        result = self.client(*options, server.endpoint, self.make_file('f', b'x'))
        self.assertEqual(result.returncode, expected, result.stderr)
        return result.stderr

    def test_of_each_verdict(self):
        for reply, expected in (
                (b'refused bad-name x\n', EX_CANTCREAT),
                (b'refused too-large x\n', EX_CANTCREAT),
                (b'refused quota x\n', EX_CANTCREAT),
                (b'refused no-space x\n', EX_CANTCREAT),
                (b'refused checksum x\n', EX_DATAERR),
                (b'refused busy x\n', EX_TEMPFAIL),
                (b'refused stopping x\n', EX_TEMPFAIL),
                (b'refused failed x\n', EX_IOERR),
                (b'refused nonsense\n', EX_PROTOCOL),
                (b'go 2\n', EX_PROTOCOL),
                (b'go -1\n', EX_PROTOCOL),
                (b'HTTP/1.1 400 Bad Request\r\n', EX_PROTOCOL),
                (b'x' * 10000, EX_PROTOCOL),
                (b'', EX_PROTOCOL),
                (b'go 0\nnonsense\n', EX_PROTOCOL),
                (b'go 0\n', EX_PROTOCOL)):
            with self.subTest(reply=reply):
                self.says(reply, expected)

    def test_text_of_the_server_cannot_steer_the_terminal(self):
        told = self.says(b'refused exists \033[2J\n', EX_CANTCREAT)
        self.assertIn('\\x1b[2J', told)
        self.assertNotIn('\033', told)

    def test_of_a_refusal_in_the_middle(self):
        """The server has had enough, and the rest of the file meets a reset:
        its word still counts."""
        def answer(connection):
            read_line(connection)
            connection.sendall(b'go 0\n')
            connection.recv(65536)
            connection.sendall(b'refused no-space disk full\n')
            connection.recv(65536)

        server = self.fake(answer)
        result = self.client(server.endpoint,
                             self.make_file('f', bytes(20_000_000)))
        self.assertEqual(result.returncode, EX_CANTCREAT, result.stderr)
        self.assertIn('disk full', result.stderr)

    def test_of_a_silent_server(self):
        server = self.start('--mix-in', 'threading')
        os.kill(server.process.pid, signal.SIGSTOP)
        result = self.client('--timeout=0.2', server.endpoint,
                             self.make_file('f', b'x'))
        self.assertEqual(result.returncode, EX_TEMPFAIL, result.stderr)
        os.kill(server.process.pid, signal.SIGCONT)

    def test_of_usage_and_connecting(self):
        server = self.start()
        for expected, arguments in (
                (EX_OK, ('--help',)),
                (EX_OK, ('--version',)),
                (EX_USAGE, ('--nonsense',)),
                (EX_USAGE, ('nonsense', 'f')),
                (EX_USAGE, ('--name', 'a', server.endpoint, 'f', 'g')),
                (EX_NOINPUT, (server.endpoint, 'missing')),
                (EX_NOINPUT, (server.endpoint, '/')),
                (EX_NOINPUT, (server.endpoint, '/dev/null')),
                (EX_UNAVAILABLE, ('unix:' + self.path('nowhere'), 'f'))):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.client(*arguments).returncode, expected)

    def test_of_the_server(self):
        for expected, arguments in (
                (EX_OK, ('--help',)),
                (EX_OK, ('--version',)),
                (EX_USAGE, ('--nonsense',)),
                (EX_USAGE, ('--existing=maybe',)),
                (EX_USAGE, ('--quota=-1',)),
                (EX_USAGE, ('--stall-timeout=0',)),
                (EX_USAGE, ('--listen=udp:127.0.0.1:0',)),
                (EX_CANTCREAT, ('--directory', self.path('nowhere')))):
            with self.subTest(arguments=arguments):
                status = subprocess.run(
                    [SERVER, *arguments], cwd=self.store, timeout=LIMIT,
                    stdout=subprocess.DEVNULL).returncode
                self.assertEqual(status, expected)


class Progress(Case):
    def on_terminal(self, columns):
        """What the client writes to a terminal while the server takes the file
        step by step."""
        size = 30_000_000
        steps = 15

        def answer(connection):
            read_line(connection)
            connection.sendall(b'go 0\n')
            for _ in range(steps):
                left = size // steps
                while left > 0:
                    left -= len(connection.recv(min(left, 65536)))
                # So that there is something to see; nothing waits for it.
                time.sleep(0.03)
            connection.sendall(b'stored %d f %s\n' % (size, b'0' * 64))

        path = self.make_file('f', bytes(size))
        server = self.fake(answer)
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ,
                    struct.pack('HHHH', 25, columns, 0, 0))
        process = subprocess.Popen(
            [CLIENT, server.endpoint, path], stdin=side, stdout=side,
            stderr=side, env={**os.environ, 'TERM': 'xterm'})
        os.close(side)
        output = b''
        with contextlib.suppress(OSError):
            while select.select([main], [], [], LIMIT)[0]:
                chunk = os.read(main, 65536)
                if not chunk:
                    break
                output += chunk
        os.close(main)
        self.assertEqual(process.wait(LIMIT), EX_OK)
        return output.decode()

    def test_on_a_terminal(self):
        output = self.on_terminal(80)
        draws = [part for part in re.split(r'[\r\n]+', output) if '\033[K' in part]
        self.assertGreaterEqual(len(draws), 2)
        for draw in draws:
            self.assertRegex(
                draw, r'^\x1b\[Kf  \[#*-*\]  [ \d]{3} %  [\d.]+ ([kM]?B|bytes)/s  '
                      r'(\d\d:\d\d:\d\d|--:--) left$')
            self.assertLess(len(draw) - len('\033[K'), 80)
        filled = [draw.count('#') for draw in draws]
        self.assertEqual(filled, sorted(filled))
        self.assertIn('100 %', draws[-1])
        self.assertNotIn('-', draws[-1].partition(']')[0])
        self.assertIn('\nstored 30000000 f ', output.replace('\r', ''))

    def test_on_a_narrow_terminal(self):
        for draw in re.split(r'[\r\n]+', self.on_terminal(30)):
            if '\033[K' in draw:
                self.assertLess(len(draw) - len('\033[K'), 30)

    def test_elsewhere(self):
        server = self.start()
        result = self.client(server.endpoint,
                             self.make_file('f', bytes(5_000_000)))
        self.assertRegex(result.stderr, r'\nf: 100 %  .*/s  00:00:00 left\n')
        self.assertNotRegex(result.stderr, r'[\r\033]')

    def test_is_left_out_when_quiet(self):
        server = self.start()
        result = self.client('-q', server.endpoint, self.make_file('f', b'x'))
        self.assertEqual(result.stderr, '')


class Resuming(Case):
    def test_client_goes_on_where_it_was_cut_off(self):
        content = os.urandom(300_000)
        server = self.start('--mix-in', 'threading')
        with server.connect() as first:
            first.sendall(b'upload 1 %d f %s\n' %
                          (len(content), sha256(content).encode()))
            self.assertEqual(read_line(first), 'go 0\n')
            first.sendall(content[:100_000])
            first.shutdown(socket.SHUT_WR)
            self.assertRegex(read_line(first), '^refused truncated ')
        result = self.client(server.endpoint, self.make_file('f', content))
        self.assertEqual(result.returncode, EX_OK, result.stderr)
        self.assertIn('going on at byte 100000\n', result.stderr)
        self.assertEqual(self.stored('f'), content)

    def test_part_of_another_content_does_no_harm(self):
        """Somebody has sent something else under the file's checksum."""
        content = os.urandom(1000)
        server = self.start('--mix-in', 'threading')
        with server.connect() as first:
            first.sendall(b'upload 1 1000 f %s\n' % sha256(content).encode() +
                          bytes(500))
            first.shutdown(socket.SHUT_WR)
            while first.recv(1000):
                pass
        path = self.make_file('f', content)
        self.assertEqual(self.client(server.endpoint, path).returncode,
                         EX_DATAERR)
        self.assertEqual(self.client(server.endpoint, path).returncode, EX_OK)
        self.assertEqual(self.stored('f'), content)


class Hostile(Case):
    def test_nothing_leaves_the_directory(self):
        server = self.start('--mix-in', 'threading', '--allow-post')
        for name in (b'../../etc/passwd', b'../escaped', b'/etc/passwd', b'..',
                     b'.', b'', b'.hidden', b'a/b', b'a\0b', b'%2e%2e%2fescaped'):
            with self.subTest(name=name):
                with server.connect() as client:
                    client.sendall(b'upload 1 5 ' +
                                   urllib.parse.quote(name, '').encode() +
                                   b' -\nhello')
                    reply = read_line(client)
                if not name.startswith(b'%'):
                    self.assertRegex(reply, '^refused bad-')
                with server.connect() as client:
                    client.sendall(b'post|' + name + b'|5hello')
                    client.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(ConnectionError):
                        self.assertEqual(client.recv(1000), b'')
        self.assertEqual(sorted(os.listdir(self.directory)), ['store'])
        self.assertEqual(server.stop(), 0)
        # The last one is a name like any other, once its % is taken as it is.
        self.assertEqual(self.names(), ['%2e%2e%2fescaped'])

    def test_many_clients_of_one_name(self):
        for mix_in in MIX_INS[1:]:
            with self.subTest(mix_in=mix_in):
                server = self.start('--mix-in', mix_in)
                paths = [self.make_file(f'f{i}', bytes([i]) * 300_000)
                         for i in range(6)]
                clients = [subprocess.Popen(
                    [CLIENT, '-q', '--name', mix_in, server.endpoint, path],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                           for path in paths]
                ends = sorted(client.wait(LIMIT) for client in clients)
                self.assertEqual(ends, [EX_OK] + [EX_CANTCREAT] * 5)
                content = self.stored(mix_in)
                self.assertEqual(content, content[:1] * 300_000)

    def test_full_disk(self):
        """A small disk in a mount namespace of the server's own."""
        wrapper = ('unshare', '--mount', 'sh', '-c',
                   'mount -t tmpfs -o size=1m none "$0" && exec "$@"',
                   self.store)
        try:
            server = self.start('--keep-free=0', '--mix-in=threading',
                                wrapper=wrapper)
        except (AssertionError, OSError):
            self.skipTest('no file system can be mounted here')
        inside = f'/proc/{server.process.pid}/root{self.store}'
        with server.connect() as client:
            client.sendall(b'upload 1 2000000 a -\n')
            self.assertRegex(read_line(client), '^refused no-space ')
            client.sendall(b'upload 1 600000 b -\n')
            self.assertEqual(read_line(client), 'go 0\n')
            # Somebody else fills the rest: what was promised is kept.
            with contextlib.suppress(OSError):
                with open(f'{inside}/filler', 'wb', buffering=0) as filler:
                    for _ in range(100):
                        filler.write(bytes(10_000))
            client.sendall(bytes(600_000))
            self.assertRegex(read_line(client), '^stored 600000 b ')
            client.sendall(b'upload 1 100000 c -\n')
            self.assertRegex(read_line(client), '^refused no-space ')
        self.assertEqual(sorted(os.listdir(inside)),
                         ['.srv-upload-lock', 'b', 'filler'])
        self.assertEqual(server.stop(), 0)

    def test_quota_while_another_is_in_the_middle(self):
        server = self.start('--quota=100000', '--mix-in=forking')
        with server.connect() as first:
            first.sendall(b'upload 1 60000 a -\n')
            self.assertEqual(read_line(first), 'go 0\n')
            first.sendall(bytes(10))
            result = self.client('-q', server.endpoint,
                                 self.make_file('f', bytes(50_000)))
            self.assertEqual(result.returncode, EX_CANTCREAT)
            self.assertIn('refused quota', result.stderr)
            first.sendall(bytes(59_990))
            self.assertRegex(read_line(first), '^stored 60000 a ')
        self.assertEqual(self.names(), ['a'])


# The tutorial's own programs, written afresh: one send, one receive, no reply.


def tutorial_client(port, path):
    with socket.create_connection(('127.0.0.1', port)) as client:
        name, size = os.path.basename(path), os.stat(path).st_size
        client.sendall(f'post|{name}|{size}'.encode())
        sent = 0
        with open(path, 'rb') as file:
            while sent != size:
                data = file.read(1024)
                client.sendall(data)
                sent += len(data)


def tutorial_server(directory):
    def serve(connection):
        while header := connection.recv(1024):
            _, name, size = header.decode().split('|')
            received = 0
            with open(os.path.join(directory, name), 'ab') as file:
                while received != int(size):
                    data = connection.recv(1024)
                    file.write(data)
                    received += len(data)
    return serve


class Tutorial(Case):
    def test_its_client_against_our_server(self):
        for mix_in in MIX_INS:
            with self.subTest(mix_in=mix_in):
                content = b'\xff\xd8' + os.urandom(100_000)
                server = self.start('--allow-post', '--mix-in', mix_in)
                tutorial_client(server.port,
                                self.make_file(f'{mix_in}.jpg', content))
                end = time.monotonic() + LIMIT
                while f'{mix_in}.jpg' not in self.names():
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.002)
                self.assertEqual(self.stored(f'{mix_in}.jpg'), content)
                self.assertEqual(server.stop(), 0)

    def test_our_client_against_its_server(self):
        server = self.fake(tutorial_server(self.store))
        first = self.make_file('first.jpg', os.urandom(100_000))
        second = self.make_file('second.txt', b'0123456789')
        result = self.client('-q', '--post', server.endpoint, first, second)
        self.assertEqual(result.returncode, EX_OK, result.stderr)
        server.thread.join(LIMIT)
        for path in (first, second):
            with open(path, 'rb') as file:
                self.assertEqual(self.stored(os.path.basename(path)),
                                 file.read())


# A server that dies at any moment.


def content_of(name):
    """The content that belongs to a name, so that every file can be judged."""
    source = random.Random(name)
    return source.randbytes(source.choice((10, 5_000, 70_000, 400_000)))


class Killed(Case):
    def upload_until_killed(self, server, prefix, acknowledged):
        with contextlib.suppress(OSError), server.connect() as client:
            for number in range(1000):
                name = f'{prefix}-{number}'
                content = content_of(name)
                digest = sha256(content) if number % 2 else '-'
                client.sendall(f'upload 1 {len(content)} {name} {digest}\n'
                               .encode())
                if read_line(client) != 'go 0\n':
                    return
                client.sendall(content)
                if read_line(client).startswith('stored '):
                    acknowledged.append(name)
                else:
                    return

    def kill_once(self, round_number):
        mix_in = ('threading', 'forking')[round_number % 2]
        server = self.start('--mix-in', mix_in, '--max-files=1000000')
        leftovers = [name for name in self.names()
                     if name.startswith('.srv-upload-t-')]
        self.assertEqual(leftovers, [])
        acknowledged = []
        threads = [threading.Thread(
            target=self.upload_until_killed,
            args=(server, f'{round_number}-{i}', acknowledged))
                   for i in range(3)]
        for thread in threads:
            thread.start()
        # The one wait that is not for an event: any moment is right.
        time.sleep(random.uniform(0, 0.08))
        server.kill()
        for thread in threads:
            thread.join(LIMIT)
        return acknowledged

    def test_no_acknowledged_file_is_lost_or_half_there(self):
        n_acknowledged = 0
        for round_number in range(N_KILLS):
            acknowledged = self.kill_once(round_number)
            found = [name for name in self.names() if name[0] != '.']
            self.assertEqual(set(acknowledged) - set(found), set())
            for name in found:
                self.assertEqual(sha256(self.stored(name)),
                                 sha256(content_of(name)), name)
                os.unlink(os.path.join(self.store, name))
            n_acknowledged += len(acknowledged)
        tap.note(f'{N_KILLS} kills, {n_acknowledged} files acknowledged, '
                 f'{len(self.names())} can be resumed')
        self.assertGreater(n_acknowledged, 0)
        # What can be resumed stays, and goes when its time is over.
        server = self.start('--partial-lifetime=0')
        self.assertEqual(self.names(), [])
        self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    sys.exit(tap.main(limit=240 + 2 * N_KILLS))
