# test-service.py - how a sample server lives with the machine that runs it
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Its PID file, what it tells a service manager and gets from it, and where its
# log goes: what the manual pages promise to who puts a server into service.

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
SAMPLES = os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples')
SERVER = os.path.join(SAMPLES, 'echo-server')
LISTEN = '--listen=tcp:127.0.0.1:0'
MIX_INS = ('inline', 'threading', 'thread-pool', 'forking', 'prefork',
           'fibers')
HOSTILE = b'\x1b[2J"\nMESSAGE=forged\n<0>forged\n'
ESCAPED = r'text="\x1b[2J\"\nMESSAGE=forged\n<0>forged\n"'

# A process of its own takes the number that LISTEN_PID has to be, and puts the
# sockets where they have to be.
ACTIVATE = '''
import fcntl, os, sys
count, pid = int(sys.argv[1]), sys.argv[2]
fds = [int(fd) for fd in sys.argv[3:3 + count]]
fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
for number, fd in enumerate(fds):
    os.dup2(fd, 3 + number, inheritable=True)
    os.close(fd)
os.environ['LISTEN_FDS'] = str(count)
os.environ['LISTEN_PID'] = pid or str(os.getpid())
os.execv(sys.argv[3 + count], sys.argv[3 + count:])
'''


def eventually(check, what):
    """For what gives no event."""
    end = time.monotonic() + LIMIT
    while not (found := check()):
        assert time.monotonic() < end, f'never: {what}'
        time.sleep(0.01)
    return found


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class Server:
    """A server that has said where it listens."""

    def __init__(self, *options, command=(SERVER,), lines=1, **more):
        self.process = subprocess.Popen(
            [*command, *options], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.addresses = []
        for _ in range(lines):
            line = self.process.stdout.readline().decode()
            assert line.startswith('listening on '), self.read_errors()
            self.addresses.append(line.split()[-1])
        self.endpoint = self.addresses[0]

    def connect(self, number=0):
        kind, rest = self.addresses[number].split(':', 1)
        client = socket.socket(
            type=socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
        client.settimeout(LIMIT)
        host, port = rest.rsplit(':', 1)
        client.connect((host, int(port)))
        return client

    def say(self, text, number=0):
        """One client."""
        with self.connect(number) as client:
            exchange(client, text)

    def read_errors(self):
        return self.process.stderr.read().decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT) == 0

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def exchange(client, text):
    """Says it, and hears it."""
    client.sendall(text)
    data = b''
    while len(data) < len(text):
        more = client.recv(65536)
        assert more, f'the end after {data!r}'
        data += more
    assert data == text, data


class ServiceTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix='srv-service.')
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def path(self, name):
        return os.path.join(self.scratch, name)

    @contextlib.contextmanager
    def server(self, *options, **more):
        server = Server(*options, **more)
        try:
            yield server
        finally:
            server.end()

    def fails(self, status, *options, command=(SERVER,), **more):
        """Gives what it says."""
        result = subprocess.run(
            [*command, LISTEN, *options], stdin=subprocess.DEVNULL, text=True,
            capture_output=True, timeout=LIMIT, check=False, **more)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, '')
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        return result.stderr


class LogFile(ServiceTest):
    """--log FILE, and a program that renames it when it has grown."""

    def rotate(self, server, log, number):
        os.rename(log, f'{log}.{number}')
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: os.path.exists(log), 'a new log')

    def events(self, path):
        return [line.split(' ')[1] for line in read(path).splitlines()]

    def test_O4_renamed_file_is_opened_anew(self):
        for mix_in in MIX_INS:
            with self.subTest(mix_in):
                self.renamed_file(mix_in)

    def renamed_file(self, mix_in):
        log = self.path(mix_in)
        with self.server(LISTEN, '--mix-in', mix_in, '--log', log) as server:
            with server.connect() as client:
                exchange(client, b'before\n')
                # A client that has come before, perhaps in a child that was
                # there before: it was told nothing. (Inline, SIGHUP comes in
                # the midst of its read.)
                eventually(lambda: 'sent' in self.events(log), 'the echo')
                self.rotate(server, log, 1)
                exchange(client, b'after\n')
            server.stop()
            self.assertEqual(server.read_errors(), '')
        self.assertEqual(self.events(log + '.1'),
                         ['start', 'listening', 'connected', 'received',
                          'sent'])
        self.assertEqual(self.events(log), ['received', 'sent',
                                            'disconnected', 'stopped'])
        self.assertIn(r'text="after\n"', read(log))

    def test_O4_no_record_is_lost(self):
        log, n_lines = self.path('log'), 200
        with self.server(LISTEN, '--mix-in=threading', '--log', log) as server:
            clients = [server.connect() for _ in range(2)]
            for number in range(n_lines):
                for client in clients:
                    exchange(client, b'%d\n' % number)
                if number % 20 == 19:
                    self.rotate(server, log, number)
            for client in clients:
                client.close()
            server.stop()
        text = ''.join(read(os.path.join(self.scratch, name))
                       for name in os.listdir(self.scratch))
        for event in 'received', 'sent':
            self.assertEqual(text.count(f' {event} '), 2 * n_lines)
        self.assertEqual(len(re.findall(
            r'(?m)^[0-9T:.-]{26}Z [a-z]+ tcp:.*$', text)), text.count('\n'))

    def test_O4_old_file_serves_until_there_is_a_new_one(self):
        folder, elsewhere = self.path('folder'), self.path('elsewhere')
        os.mkdir(folder)
        log = os.path.join(folder, 'log')
        with self.server(LISTEN, '--log', log) as server:
            os.rename(folder, elsewhere)
            server.process.send_signal(signal.SIGHUP)
            heard = lambda: select.select([server.process.stderr], [], [], 0)[0]
            eventually(lambda: server.say(b'one\n') or heard(), 'a warning')
            # The server may try at any time, to say that a client has gone.
            os.rename(os.path.join(elsewhere, 'log'),
                      os.path.join(elsewhere, 'log.1'))
            os.rename(elsewhere, folder)
            server.say(b'two\n')
            server.stop()
            self.assertEqual(server.read_errors().count(
                'could not open the event log'), 1)
        self.assertIn(r'text="one\n"', read(log + '.1'))
        self.assertIn(r'text="two\n"', read(log))


class SystemLog(ServiceTest):
    """--log syslog and --log journal, in a mount namespace where they are
    sockets of ours."""

    def setUp(self):
        super().setUp()
        self.enter = ['unshare', '--mount']
        if os.geteuid() != 0:
            self.enter.append('--map-root-user')
        try:
            subprocess.run([*self.enter, 'mount', '-t', 'tmpfs', 'none', '/run'],
                           stderr=subprocess.PIPE, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = str(getattr(error, 'stderr', None) or error).strip()
            self.skipTest(f'no mount namespace here: {reason}')

    def command(self, path, source=None):
        """How to run a server where SOURCE is at PATH, or nothing is."""
        top = '/' + path.split('/')[1]
        script = f'mount -t tmpfs none {top} && mkdir -p {os.path.dirname(path)}'
        if source is not None:
            script += f' && : >{path} && mount --bind {source} {path}'
        return [*self.enter, 'sh', '-c', script + ' && exec "$0" "$@"', SERVER]

    @contextlib.contextmanager
    def log(self, path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.settimeout(LIMIT)
            log.bind(self.path('log'))
            yield log, self.command(path, self.path('log'))

    def records(self, log, name, path, read_one):
        with self.log(path) as (log, command):
            with self.server(LISTEN, '--log', name, command=command) as server:
                pid = server.process.pid
                server.say(HOSTILE)
                server.process.send_signal(signal.SIGHUP)  # is harmless
                server.stop()
                self.assertEqual(server.read_errors(), '')
            found = []
            while not found or not found[-1].startswith('stopped'):
                found.append(read_one(log.recv(65536).decode(), pid))
        self.assertEqual([record.split(' ')[0] for record in found],
                         ['start', 'listening', 'connected', 'received', 'sent',
                          'disconnected', 'stopped'])
        self.assertIn(ESCAPED, found[3])

    def test_O4_syslog(self):
        def read_one(text, pid):
            match = re.fullmatch(
                r'<30>[A-Z][a-z]{2} [ \d]\d [\d:]{8} echo-server\[(\d+)\]: '
                r'(.*?)\n?', text)
            self.assertTrue(match, text)
            self.assertEqual(int(match[1]), pid)
            return match[2]
        self.records('log', 'syslog', '/dev/log', read_one)

    def test_O4_journal(self):
        def read_one(text, _pid):
            fields = dict(line.split('=', 1) for line in text.splitlines())
            self.assertEqual(fields['PRIORITY'], '6')
            self.assertEqual(fields['SYSLOG_IDENTIFIER'], 'echo-server')
            self.assertEqual(len(fields), 3, text)
            return fields['MESSAGE']
        self.records('log', 'journal', '/run/systemd/journal/socket', read_one)

    def test_O4_neither_is_there(self):
        for name, path in (('syslog', '/dev/log'),
                           ('journal', '/run/systemd/journal/socket')):
            text = self.fails(73, '--log', name, command=self.command(path))
            self.assertIn(f'could not log to the {name}: {path}: No such',
                          text)


class Datagrams(ServiceTest):
    def test_T5_sender_is_limited(self):
        for name in 'echo-server', 'time-server':
            with self.subTest(name), \
                 self.server('--quiet', '--listen=udp:127.0.0.1:0',
                             '--sender-rate=1',
                             command=[os.path.join(SAMPLES, name)]) as server, \
                 server.connect() as client:
                def send_many(server=server, client=client):
                    for _ in range(10):
                        client.send(b'x' * 64)
                    return select.select([server.process.stderr], [], [], 0)[0]
                client.send(b'x' * 64)
                self.assertTrue(client.recv(64))
                eventually(send_many, 'a warning')
                server.stop()
                self.assertRegex(server.read_errors(),
                                 'dropped 1 datagrams so far, of senders of '
                                 'more than 1 in a second')
        for rate in '-1', '1000001', 'x':
            self.fails(64, '--sender-rate', rate)


class PidFile(ServiceTest):
    def test_O6_file_is_there_while_the_server_is(self):
        path = self.path('pid')
        with self.server(LISTEN, '--pid-file', path) as server:
            self.assertEqual(read(path), f'{server.process.pid}\n')
            server.say(b'hello\n')
            server.stop()
        self.assertFalse(os.path.lexists(path))

    def test_O6_second_start_is_refused(self):
        path = self.path('pid')
        with self.server(LISTEN, '--pid-file', path) as server:
            before = read(path)
            self.assertIn(f'process {server.process.pid} has it',
                          self.fails(73, '--pid-file', path))
            self.assertEqual(read(path), before)
            server.say(b'still here\n')

    def test_O6_stale_file_is_taken_over(self):
        """Also while a child of the one that was killed is still there."""
        path = self.path('pid')
        with self.server(LISTEN, '--mix-in=forking', '--pid-file',
                         path) as server, server.connect() as client:
            exchange(client, b'hello\n')
            pid = server.process.pid
            child = int(read(f'/proc/{pid}/task/{pid}/children'))
            os.kill(child, signal.SIGSTOP)
            self.addCleanup(os.kill, child, signal.SIGKILL)
            server.process.kill()
            server.process.wait()
            with open(path, 'a', encoding='utf-8') as file:
                file.write('1\n')  # what is there is longer than what comes
            with self.server(LISTEN, '--pid-file', path) as second:
                self.assertEqual(read(path), f'{second.process.pid}\n')
                second.stop()
        self.assertFalse(os.path.lexists(path))

    def test_O6_what_is_no_pid_file_is_left_alone(self):
        path = self.path('precious')
        for text in 'precious', '1' * 17, 'a':
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
            self.assertIn('something else', self.fails(73, '--pid-file', path))
            self.assertEqual(read(path), text)
        os.symlink(path, self.path('link'))
        self.fails(73, '--pid-file', self.path('link'))
        self.fails(73, '--pid-file', self.scratch)
        self.fails(73, '--pid-file', self.path('nowhere/pid'))
        self.assertEqual(read(path), 'a')

    def test_O6_file_of_another_one_stays(self):
        path = self.path('pid')
        with self.server(LISTEN, '--pid-file', path) as server:
            os.unlink(path)
            with self.server(LISTEN, '--pid-file', path) as second:
                server.stop()
                self.assertEqual(read(path), f'{second.process.pid}\n')
                second.stop()
        self.assertFalse(os.path.lexists(path))


class Manager(ServiceTest):
    def test_O6_readiness_is_told(self):
        for name in self.path('notify'), f'@srv-service-{os.getpid()}':
            with self.subTest(name), \
                 socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(LIMIT)
                manager.bind(name.replace('@', '\0'))
                with self.server(LISTEN, env={**os.environ,
                                              'NOTIFY_SOCKET': name}) as server:
                    self.assertEqual(manager.recv(4096), b'READY=1')
                    server.say(b'hello\n')
                    self.assertFalse(select.select([manager], [], [], 0)[0])
                    server.stop()
                    self.assertEqual(manager.recv(4096), b'STOPPING=1')
                    self.assertFalse(select.select([manager], [], [], 0)[0])

    def test_O6_managers_that_do_not_listen_do_not_matter(self):
        for name in (self.path('nowhere'), 'relative', '@', 'vsock:2:1', '',
                     '/' * 200):
            with self.subTest(name), \
                 self.server(LISTEN, env={**os.environ,
                                          'NOTIFY_SOCKET': name}) as server:
                server.say(b'hello\n')
                server.stop()
                self.assertNotIn('NOTIFY', server.read_errors())

    def test_O6_descriptor_gets_a_newline(self):
        read_end, write_end = os.pipe()
        with open(read_end, 'rb') as pipe, \
             self.server(LISTEN, f'--ready-fd={write_end}',
                         pass_fds=[write_end]) as server:
            os.close(write_end)
            self.assertEqual(pipe.read(), b'\n')  # up to its end
            server.say(b'hello\n')
            server.stop()
        self.assertIn('descriptor 77', self.fails(64, '--ready-fd=77'))
        self.assertIn('descriptor 1 ', self.fails(64, '--ready-fd=1'))

    def activated(self, sockets, *options, pid='', **more):
        fds = [one.fileno() for one in sockets]
        command = [sys.executable, '-c', ACTIVATE, str(len(fds)), pid,
                   *map(str, fds), SERVER]
        return self.server(*options, command=command, pass_fds=fds, **more)

    def test_O6_sockets_of_a_manager_are_served(self):
        with socket.create_server(('127.0.0.1', 0)) as stream, \
             socket.socket(type=socket.SOCK_DGRAM) as datagram:
            datagram.bind(('127.0.0.1', 0))
            with self.activated([stream, datagram], lines=2) as server:
                self.assertEqual(server.addresses, [
                    f'{kind}:127.0.0.1:{one.getsockname()[1]}'
                    for kind, one in (('tcp', stream), ('udp', datagram))])
                server.say(b'hello\n', 0)
                server.say(b'hello\n', 1)
                server.stop()
            # The next start goes on with them.
            with self.activated([stream], '--quiet') as server:
                server.say(b'again\n')
                server.stop()

    def test_O6_sockets_of_others_are_not(self):
        with socket.create_server(('127.0.0.1', 0)) as stream:
            taken = f'tcp:127.0.0.1:{stream.getsockname()[1]}'
            with self.activated([stream], LISTEN) as server:
                self.assertNotEqual(server.endpoint, taken)
            for pid in str(os.getpid()), '0', '-1', 'x', f'{os.getpid()}x':
                with self.activated([stream], '--auto-port',
                                    pid=pid) as server:
                    self.assertNotEqual(server.endpoint, taken)


if __name__ == '__main__':
    sys.exit(tap.main(limit=240))
