# test-command-samples.py - a command server and its client, looked at from outside
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Commands that misbehave, clients that do, and the dialogues. All commands are
# scripts in the test's directory, so that whatever is left of them is found by
# its command line.

import contextlib
import os
import pty
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
BUILD = os.environ.get('SRV_BUILDDIR', '.')
SERVER = os.path.join(BUILD, 'samples', 'command-server')
CLIENT = os.path.join(BUILD, 'samples', 'command-client')
NOBODY = 65534
IS_SANITIZED = os.environ.get('SRV_SANITIZERS', 'no') != 'no'

SCRIPTS = {
    'say': 'printf %s "$1"',
    'both': 'echo out; echo err >&2; exit 7',
    'bytes': r"printf 'a\000\377\033[2Jb\n'",
    'kill': 'kill -KILL $$',
    'sleep': 'echo begun; sleep 1000',
    'endless': 'exec yes',
    'stubborn': 'trap "" TERM; echo begun; while :; do sleep 1; done',
    'silent': 'echo begun; exec >&- 2>&-; sleep 1000',
    'leave': 'sleep 1000 & setsid sleep 1000 & exit 3',
    'fork': '''echo begun
        for i in 1 2 3 4 5 6 7 8
        do
          setsid sh -c 'setsid sh "$0" & exit' "${0%/*}/stubborn" >/dev/null &
        done
        sleep 1000''',
    'bomb': 'bomb () { bomb | bomb & }; echo begun; bomb; sleep 1000',
    'busy': 'while :; do :; done',
    'large': 'exec dd if=/dev/zero of="${0%/*}/large.out" bs=64k count=64',
    'hungry': 'exec python3 -c "bytearray(1 << 32)"',
    'look': 'ls /proc/self/fd; env; pwd; cat; umask >/dev/null; echo done',
    'count': 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done',
}


def frame(kind, payload):
    return struct.pack('>IB', len(payload), ord(kind)) + payload


class Connection:
    """A client that speaks in frames."""

    def __init__(self, endpoint):
        kind, _, address = endpoint.partition(':')
        if kind == 'unix':
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(LIMIT)
            self.socket.connect(address)
        else:
            host, _, port = address.rpartition(':')
            self.socket = socket.create_connection((host, int(port)), LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *argv):
        self.socket.sendall(frame('R', b'\0'.join(a.encode() for a in argv)))

    def read(self, length):
        data = b''
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def read_frame(self):
        length, kind = struct.unpack('>IB', self.read(5))
        return chr(kind), self.read(length)

    def answer(self):
        """Output, error output, how, code, reason."""
        parts = {'o': b'', 'e': b''}
        while True:
            kind, payload = self.read_frame()
            if kind == 'x':
                return (parts['o'], parts['e'], payload[0], payload[1],
                        payload[2:].decode())
            parts[kind] += payload

    def run(self, *argv):
        self.send(*argv)
        return self.answer()

    def ends(self):
        """The server closes, in order or not."""
        try:
            return self.socket.recv(1) == b''
        except ConnectionError:
            return True


class CommandCase(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.directory = self.stack.enter_context(
            tempfile.TemporaryDirectory(prefix='srv-command-'))
        os.chmod(self.directory, 0o755)
        for name, text in SCRIPTS.items():
            with open(f'{self.directory}/{name}', 'w') as file:
                file.write(text + '\n')
        self.server = None

    def tearDown(self):
        if self.server is not None:
            self.stop()
        self.eventually(lambda: not self.processes(), 'processes are left')
        self.stack.close()

    def write_policy(self, **limits):
        limits = {'timeout': 60000, 'grace-time': 300,
                  **{k.replace('_', '-'): v for k, v in limits.items()}}
        path = f'{self.directory}/commands.conf'
        with open(path, 'w') as file:
            file.write('[policy]\n')
            file.writelines(f'{k}={v}\n' for k, v in limits.items())
            for name in SCRIPTS:
                file.write(f'[command {name}]\n'
                           f'argv=/bin/sh;{self.directory}/{name}')
                file.write(';{1}\npattern-1=(?s).*\n' if name == 'say'
                           else '\n')
        return path

    def start(self, *options, mix_in='threading', listen='tcp:127.0.0.1:0',
              prefix=(), **limits):
        path = self.write_policy(**limits)
        self.server = subprocess.Popen(
            [*prefix, SERVER, '--quiet', '--commands', path, '--mix-in',
             mix_in, '--listen', listen, *options],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.kill)
        self.endpoint = self.server.stdout.readline().strip().partition(
            'listening on ')[2]
        self.assertTrue(self.endpoint)
        with self.connect() as connection:  # everything is loaded now
            connection.run('say', 'x')
        self.eventually(lambda: not self.processes(), 'the first is left')
        self.before = self.settled_possessions()

    def stop(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()
        self.server = None

    def connect(self):
        return Connection(self.endpoint)

    def possessions(self):
        proc = f'/proc/{self.server.pid}'
        return (len(os.listdir(f'{proc}/fd')), len(os.listdir(f'{proc}/task')))

    def settled_possessions(self):
        """Once the connection before has gone, and its thread, which may wait a
        tenth of a second for another: the same for longer than that."""
        seen = [self.possessions()]
        while len(seen) < 15 or len(set(seen[-15:])) > 1:
            time.sleep(0.02)
            seen.append(self.possessions())
        return seen[-1]

    def processes(self):
        """All that have to do with the test, but the server."""
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            with contextlib.suppress(OSError):
                with open(f'/proc/{pid}/cmdline', 'rb') as file:
                    if (self.directory.encode() in file.read() and
                            not (self.server and
                                 int(pid) == self.server.pid)):
                        found.append(int(pid))
        return found

    def eventually(self, check, what, limit=LIMIT):
        deadline = time.monotonic() + limit
        while not check():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def nothing_is_left(self, limit=LIMIT):
        self.eventually(lambda: not self.processes(), 'processes are left',
                        limit)
        self.eventually(lambda: self.possessions() == self.before,
                        'descriptors or threads are left')
        with self.connect() as connection:
            self.assertEqual(connection.run('say', 'still here')[0],
                             b'still here')

    def client(self, text, *options):
        return subprocess.run([CLIENT, '--quiet', *options, self.endpoint],
                              input=text, capture_output=True, timeout=LIMIT)


class Commands(CommandCase):
    """Under every mix-in, with the same results."""

    def try_all(self, mix_in):
        self.start(mix_in=mix_in, max_output_bytes=300000, max_cpu_seconds=1,
                   max_memory_bytes=256 << 20,
                   max_file_bytes=100000)
        nasty = '; $(touch x) `id` | \'"\\ \n*?{1} -rf'
        with self.connect() as one:
            self.assertEqual(one.run('say', nasty),
                             (nasty.encode(), b'', 0, 0, ''))
            self.assertEqual(one.run('both'), (b'out\n', b'err\n', 0, 7, ''))
            self.assertEqual(one.run('bytes')[0], b'a\0\xff\x1b[2Jb\n')
            self.assertEqual(one.run('kill')[2:], (1, signal.SIGKILL, ''))
            self.assertEqual(one.run('busy')[2:4], (1, signal.SIGXCPU))
            self.assertEqual(one.run('large')[2:4], (1, signal.SIGXFSZ))
            self.assertEqual(
                os.path.getsize(f'{self.directory}/large.out'), 100000)
            self.assertIn(b'MemoryError', one.run('hungry')[1])
            out, _, how, _, reason = one.run('endless')
            self.assertEqual((len(out), how, reason),
                             (300000, 1, 'output limit reached'))
            self.assertEqual(one.run('leave')[2:], (0, 3, ''))
            self.assertEqual(one.run('unknown')[2:], (2, 0, 'unknown command'))
            self.assertEqual(one.run('say')[2], 2)
            self.assertEqual(len(one.run('count')[0].splitlines()), 20000)
        self.nothing_is_left()
        self.stop()
        self.start(mix_in=mix_in, timeout=1500)
        for name in 'sleep', 'stubborn', 'silent', 'fork':
            with self.subTest(name), self.connect() as one:
                out, _, how, code, reason = one.run(name)
                self.assertEqual((out, how, reason),
                                 (b'begun\n', 1, 'time limit reached'))
                self.assertEqual(code, signal.SIGKILL if name == 'stubborn'
                                 else signal.SIGTERM)
            self.nothing_is_left()

    def test_inline(self):
        self.try_all('inline')

    def test_threading(self):
        self.try_all('threading')

    def test_forking(self):
        self.try_all('forking')

    def test_fibers(self):
        self.try_all('fibers')

    def test_inherit_nothing(self):
        self.start()
        os.environ['SECRET'] = 'secret'
        with self.connect() as one:
            lines = one.run('look')[0].decode().split()
        self.assertEqual(lines[:4], ['0', '1', '2', '3'])  # 3 is ls's own
        self.assertEqual(sorted(w for w in lines if '=' in w),
                         ['HOME=/', 'LANG=C.UTF-8',
                          'PATH=/usr/local/bin:/usr/bin:/bin', 'PWD=/'])
        self.assertEqual(lines[-2:], ['/', 'done'])

    @unittest.skipUnless(os.geteuid() == 0 and not IS_SANITIZED,
                         'needs root, to run a server as somebody else, '
                         'and no sanitizer')
    def test_a_fork_bomb_is_limited_and_killed(self):
        self.start(timeout=1000, max_processes=60, prefix=(
            'setpriv', f'--reuid={NOBODY}', '--clear-groups'))
        with self.connect() as one:
            self.assertEqual(one.run('bomb')[4], 'time limit reached')
        self.nothing_is_left()


class Clients(CommandCase):
    def begin(self, name, mix_in):
        self.start(mix_in=mix_in, write_timeout=500, request_timeout=2000)
        connection = self.connect()
        connection.send(name)
        self.assertEqual(connection.read_frame()[0], 'o')
        return connection

    def test_vanish_in_mid_output(self):
        for mix_in in 'inline', 'threading', 'forking', 'fibers':
            for name in 'endless', 'sleep', 'silent', 'fork':
                with self.subTest(mix_in=mix_in, name=name):
                    self.begin(name, mix_in).socket.close()
                    self.nothing_is_left()
                self.stop()

    def test_never_read(self):
        with self.begin('endless', 'threading') as one:
            self.eventually(lambda: not self.processes(),
                            'it runs although nobody reads')
            with open(f'/proc/{self.server.pid}/status') as file:
                rss = next(int(line.split()[1]) for line in file
                           if line.startswith('VmRSS'))
            if not IS_SANITIZED:
                self.assertLess(rss, 40000)
        self.nothing_is_left()

    def test_make_the_command_wait(self):
        self.start(write_timeout=20000)
        with self.connect() as one:
            one.send('endless')
            one.read_frame()
            yes = self.wait_for_sleeping_writer()
            self.assertIsNotNone(yes)
            for _ in range(200):
                one.read_frame()
        self.nothing_is_left()

    def wait_for_sleeping_writer(self):
        """Until the supervised `yes` is not given the processor any more."""
        used = None
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            for pid in filter(str.isdigit, os.listdir('/proc')):
                with contextlib.suppress(OSError, IndexError):
                    with open(f'/proc/{pid}/stat') as file:
                        text = file.read()
                    fields = text.rpartition(')')[2].split()
                    if '(yes)' in text and fields[0] == 'S':
                        now = (pid, fields[11], fields[12])
                        if now == used:
                            return pid
                        used = now
            time.sleep(0.1)
        return None

    def test_send_what_is_no_request(self):
        self.start(request_timeout=1000)
        for what, reply in ((b'\xff\xff\xff\xffR', True),
                            (frame('R', b'x' * 5000), True),
                            (frame('z', b''), True), (frame('o', b''), True),
                            (b'GET / HTTP/1.1\r\n\r\n', True),
                            (b'\0\0', False), (b'\0\0\0\x09Rsay', False)):
            with self.subTest(what=what[:20]), self.connect() as one:
                one.socket.sendall(what)
                if reply:
                    self.assertEqual(one.answer()[2], 2)
                self.assertTrue(one.ends())
        for payload in b'', b'\0', b'say\0\xff', b'say\0a\0b', b'x' * 4096:
            with self.subTest(payload=payload[:20]), self.connect() as one:
                one.socket.sendall(frame('R', payload))
                self.assertEqual(one.answer()[2], 2)
                self.assertEqual(one.run('say', 'a')[0], b'a')
        self.nothing_is_left()

    def test_trickle(self):
        self.start(request_timeout=1500)
        request = frame('R', b'say\0' + b'x' * 1000)
        began = time.monotonic()
        with self.connect() as one, contextlib.suppress(ConnectionError):
            for byte in request:
                one.socket.sendall(bytes([byte]))
                if select.select([one.socket], [], [], 0.05)[0]:
                    break
            self.assertTrue(one.ends())
        self.assertLess(time.monotonic() - began, LIMIT)
        with self.connect() as one:  # slow, but in time
            for byte in frame('R', b'say\0x'):
                one.socket.sendall(bytes([byte]))
            self.assertEqual(one.answer()[0], b'x')
        self.nothing_is_left()

    def test_send_several_requests_at_once(self):
        self.start()
        with self.connect() as one:
            one.socket.sendall(frame('R', b'say\0a') + frame('R', b'both') +
                               frame('R', b'say\0b'))
            self.assertEqual([one.answer()[0] for _ in range(3)],
                             [b'a', b'out\n', b'b'])

    def test_many_at_once(self):
        self.start(timeout=5000)
        with contextlib.ExitStack() as stack:
            all_of_them = [stack.enter_context(self.connect())
                           for _ in range(12)]
            for one in all_of_them:
                one.send('count')
            for one in all_of_them:
                self.assertEqual(len(one.answer()[0].splitlines()), 20000)
        self.nothing_is_left()


class Ends(CommandCase):
    def test_a_server_that_closes_ends_commands(self):
        for mix_in in 'threading', 'forking', 'fibers':
            for name, code in (('sleep', signal.SIGTERM),
                               ('stubborn', signal.SIGKILL)):
                with self.subTest(mix_in=mix_in, name=name):
                    self.start(mix_in=mix_in)
                    with self.connect() as one:
                        one.send(name)
                        one.read_frame()
                        self.server.terminate()
                        self.assertEqual(one.answer()[2:],
                                         (1, code, 'the server is stopping'))
                    self.assertEqual(self.server.wait(LIMIT), 0)
                    self.server.stdout.close()
                    self.assertEqual(self.processes(), [])

    def test_a_server_that_is_killed_leaves_nothing(self):
        self.start()
        with self.connect() as one:
            one.send('fork')
            one.read_frame()
            self.server.kill()
            self.server.wait()
            self.eventually(lambda: not self.processes(), 'left')

    def test_a_supervisor_that_is_killed_is_told(self):
        self.start()
        with self.connect() as one:
            one.send('sleep')
            one.read_frame()
            with open(f'/proc/{self.server.pid}/stat') as file:
                session = file.read().rpartition(')')[2].split()[3]
            for pid in self.processes():
                with open(f'/proc/{pid}/stat') as file:
                    fields = file.read().rpartition(')')[2].split()
                if int(fields[1]) == self.server.pid:
                    self.assertNotEqual(fields[3], session)
                    os.kill(pid, signal.SIGKILL)
            self.assertEqual(one.answer()[2:],
                             (1, signal.SIGKILL, 'its supervisor was lost'))


class Shell(CommandCase):
    def shell(self, connection, line):
        connection.socket.sendall(frame('S', line.encode()))
        return connection.answer()

    def test_not_without_the_flag(self):
        self.start()
        with self.connect() as one:
            self.assertEqual(self.shell(one, 'id')[2:],
                             (2, 0, 'the shell is not allowed'))

    def test_on_loopback(self):
        self.start('--allow-shell')
        with self.connect() as one:
            self.assertEqual(self.shell(one, 'echo a | tr a b; exit 5'),
                             (b'b\n', b'', 0, 5, ''))
            self.assertEqual(self.shell(one, 'a\0b')[2], 2)

    def test_not_from_elsewhere(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(('192.0.2.1', 9))
            except OSError:
                self.skipTest('no address but loopback')
            address = probe.getsockname()[0]
        self.start('--allow-shell', listen=f'tcp:{address}:0')
        with self.connect() as one:
            self.assertEqual(self.shell(one, 'id')[2], 2)
            self.assertEqual(one.run('say', 'a')[0], b'a')

    def test_on_a_unix_socket_for_its_user(self):
        self.start('--allow-shell', listen=f'unix:{self.directory}/s')
        with self.connect() as one:
            self.assertEqual(self.shell(one, 'echo a')[0], b'a\n')

    @unittest.skipUnless(os.geteuid() == 0,
                         'needs root, to connect as somebody else')
    def test_on_a_unix_socket_for_others(self):
        others = ['setpriv', f'--reuid={NOBODY}', '--clear-groups']
        for path in (CLIENT, self.directory):
            if subprocess.run([*others, 'test', '-x', path]).returncode != 0:
                self.skipTest(f'others cannot reach {path}')
        for options, expected in ((), 77), (('--allow-uid', str(NOBODY)), 0):
            path = f'{self.directory}/s'
            self.start('--allow-shell', *options, listen=f'unix:{path}')
            os.chmod(path, 0o777)
            done = subprocess.run(
                [*others, CLIENT, '--quiet', '--shell', self.endpoint],
                input=b'id -u\n', capture_output=True, timeout=LIMIT)
            self.assertEqual(done.returncode, expected, done.stderr)
            self.server.terminate()
            self.server.wait(LIMIT)
            self.server.stdout.close()


class Programs(CommandCase):
    def test_transcript(self):
        self.start()
        done = self.client(b'say "two words"\n\nboth\nsay \'$HOME\'\nboth\n'
                           b'exit\nkill\n')
        self.assertEqual((done.stdout, done.stderr, done.returncode),
                         (b'two wordsout\n$HOMEout\n', b'err\nerr\n', 7))

    def test_exit_statuses(self):
        self.start()
        for text, expected in ((b'kill\n', 137), (b'nothing\n', 77),
                               (b'say "\n', 65),
                               (b'say ' + b'a' * 5000 + b'\n', 65), (b'', 0), (b'both\nsay a', 0)):
            with self.subTest(text=text):
                self.assertEqual(self.client(text).returncode, expected)
        self.assertEqual(self.client(b'sleep\n', '--wait=0.2').returncode, 75)
        self.nothing_is_left()
        self.server.kill()
        self.server.wait()
        self.assertEqual(self.client(b'say a\n').returncode, 69)

    def on_a_terminal(self, *options):
        """What a terminal shows while `bytes` is typed, then `exit`."""
        mine, its = pty.openpty()
        process = subprocess.Popen([CLIENT, '--quiet', *options,
                                    self.endpoint], stdin=its, stdout=its,
                                   stderr=its)
        os.close(its)
        os.write(mine, b'bytes\nexit\n')
        shown = b''
        with contextlib.suppress(OSError):
            while piece := os.read(mine, 4096):
                shown += piece
        os.close(mine)
        self.assertEqual(process.wait(LIMIT), 0)
        return shown

    def test_a_terminal_is_not_steered(self):
        self.start()
        shown = self.on_a_terminal()
        self.assertIn(rb'a\x00\xff\x1b[2Jb', shown)
        self.assertEqual(shown.count(b'>>> '), 2)
        self.assertNotIn(b'\x1b', shown)
        self.assertIn(b'\x1b[2J', self.on_a_terminal('--raw'))

    def test_wrong_usage(self):
        path = self.write_policy()
        for options in ([], ['--commands', '/nonexistent'],
                        ['--commands', path, '--allow-uid', 'root'],
                        ['--commands', path, '--listen', 'udp:127.0.0.1:0']):
            done = subprocess.run([SERVER, *options], capture_output=True,
                                  timeout=LIMIT)
            self.assertEqual(done.returncode, 64, done.stderr)
        os.chmod(path, 0o666)
        done = subprocess.run([SERVER, '--commands', path],
                              capture_output=True, timeout=LIMIT)
        self.assertIn(b'everybody may write', done.stderr)
        for text in '[policy]\ntimeuot=1', '[command a]', '[comand a]', \
                '[command a]\nargv=true', '[policy]\nallow-shell=true', \
                '[policy]\nmax-request-bytes=0', \
                '[command a]\nargv=/bin/true;{2}', \
                '[command a]\nargv=/bin/true;{1}\npattern-2=x', \
                '[command a]\nargv=/bin/true;{1}\npattern-1=(':
            with open(path, 'w') as file:
                file.write(text)
            os.chmod(path, 0o644)
            with self.subTest(text=text):
                done = subprocess.run([SERVER, '--commands', path],
                                      capture_output=True, timeout=LIMIT)
                self.assertEqual(done.returncode, 64, done.stderr)

    def test_the_example_is_understood(self):
        path = os.path.join(os.environ.get('SRV_SRCDIR', '.'), 'samples',
                            'commands.conf')
        self.server = subprocess.Popen(
            [SERVER, '--quiet', '--commands', path, '--listen',
             'tcp:127.0.0.1:0'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.kill)
        self.endpoint = self.server.stdout.readline().split()[-1]
        with self.connect() as one:
            self.assertEqual(one.run('date')[2:], (0, 0, ''))
            self.assertEqual(one.run('usage', '../etc')[2], 2)
            self.assertEqual(one.run('log', '-1', 'dpkg')[2], 2)


def tutorial_client(port, commands):
    """The tutorial's client, with a list in place of its input."""
    shown = []
    client = socket.socket()
    client.connect(('127.0.0.1', port))
    for command in commands:
        client.send(command.encode())
        length = int(client.recv(1024).decode())
        client.send(b'ok')
        received = b''
        while len(received) != length:
            received += client.recv(1024)
        shown.append(received.decode())
    client.close()
    return shown


def tutorial_server(listener, n_clients):
    """The tutorial's server, which is gone after some clients."""
    for _ in range(n_clients):
        connection, _ = listener.accept()
        while command := connection.recv(1024):
            output = subprocess.Popen(command.decode(), shell=True,
                                      stdout=subprocess.PIPE).stdout
            with output:
                text = output.read()
            connection.send(str(len(text)).encode())
            connection.recv(1024)
            connection.send(text)
        connection.close()


class Tutorial(CommandCase):
    def start(self, *options, **settings):
        path = self.write_policy(max_output_bytes=200000)
        self.server = subprocess.Popen(
            [SERVER, '--quiet', '--tutorial', '--commands', path, '--listen',
             'tcp:127.0.0.1:0', *options], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.kill)
        self.endpoint = self.server.stdout.readline().split()[-1]
        self.port = int(self.endpoint.rpartition(':')[2])

    def test_its_client_against_our_server(self):
        self.start('--allow-shell')
        self.assertEqual(
            tutorial_client(self.port,
                            ['echo a b', 'true', 'seq 20000 | wc -l',
                             'true', 'say "a  b"', 'echo lost >&2']),
            ['a b\n', '', '20000\n', '', 'a  b', ''])

    def test_its_client_and_an_allow_list(self):
        self.start()
        said = tutorial_client(self.port, ['say a', 'id; id', 'both', 'endless'])
        self.assertEqual(said[:3], ['a', 'unknown command\n', 'out\n'])
        self.assertEqual(len(said[3]), 200000)

    def test_our_client_against_both_servers(self):
        commands = b'say hello\n\nboth\nexit\n'
        self.start()
        done = self.client(commands, '--tutorial')
        self.assertEqual((done.stdout, done.returncode), (b'helloout\n', 0))
        with socket.create_server(('127.0.0.1', 0)) as listener:
            thread = threading.Thread(target=tutorial_server,
                                      args=(listener, 1))
            thread.start()
            self.endpoint = f'tcp:127.0.0.1:{listener.getsockname()[1]}'
            done = self.client(b'echo hello\ntrue\nseq 3\nexit\n',
                               '--tutorial')
            thread.join(LIMIT)
        self.assertEqual((done.stdout, done.returncode),
                         (b'hello\n1\n2\n3\n', 0))

    def test_a_browser_is_refused(self):
        self.start('--allow-shell')
        with self.connect() as one:
            one.socket.sendall(b'POST / HTTP/1.1\r\ntouch x\r\n')
            self.assertTrue(one.ends())

    def test_a_client_that_goes_before_its_output(self):
        self.start()
        with self.connect() as one:
            one.socket.sendall(b'count')
            self.assertEqual(int(one.socket.recv(100)), 200000)
        self.assertEqual(tutorial_client(self.port, ['say a']), ['a'])


if __name__ == '__main__':
    sys.exit(tap.main(limit=300))
