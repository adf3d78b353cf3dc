# test-accounts.py - the programs for accounts, from outside
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Transcripts, exit statuses, a password that nobody sees; the tutorials' own
# clients and servers; hostile clients; and an auth server that is killed at any
# moment (20 times, or as often as SRV_KILLS says).

import contextlib
import os
import pty
import random
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import termios
import threading
import time
import unittest

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
SAMPLES = os.path.abspath(
    os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples'))
N_KILLS = int(os.environ.get('SRV_KILLS', '20'))
PASSWORD = 'correct horse'
EX_OK, EX_USAGE, EX_DATAERR = 0, 64, 65
EX_UNAVAILABLE, EX_CANTCREAT, EX_NOPERM = 69, 73, 77
CHEAP = '--hash-memory', '8'


def program(name):
    return os.path.join(SAMPLES, name)


def supported():
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [program('chat-admin'), os.path.join(folder, 'a'), 'list'],
            stderr=subprocess.PIPE, text=True, timeout=LIMIT)
    return result.stderr if 'built without' in result.stderr else None


class Server:
    """One of our servers, in a session of its own."""

    def __init__(self, name, store, *options, listen='tcp:127.0.0.1:0'):
        self.process = subprocess.Popen(
            [program(name), '--quiet', '--listen', listen, '--store', store,
             *options],
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        line = self.process.stdout.readline().strip()
        self.endpoint = line.partition('listening on ')[2]
        if not self.endpoint:
            self.kill()
            raise AssertionError('the server did not start')

    def connect(self):
        host, port = self.endpoint.removeprefix('tcp:').rsplit(':', 1)
        return Talk(socket.create_connection((host, int(port)), LIMIT))

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


class Talk:
    """A client of lines."""

    def __init__(self, connection):
        self.socket = connection
        self.file = connection.makefile('rb')

    def ask(self, command):
        self.socket.sendall(command.encode() + b'\n')
        return self.file.readline().decode().rstrip('\n')

    def close(self):
        self.file.close()
        self.socket.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='srv-accounts-')
        self.store = self.path('store')
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        shutil.rmtree(self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def serve(self, name, *options, **settings):
        server = Server(name, self.store, *options, **settings)
        self.servers.append(server)
        return server

    def run_program(self, name, *arguments, status=EX_OK, secrets=()):
        """What it prints; SECRETS go through a descriptor."""
        reading, writing = os.pipe()
        os.write(writing, ''.join(s + '\n' for s in secrets).encode())
        os.close(writing)
        options = ['--password-fd', str(reading)] if secrets else []
        result = subprocess.run(
            [program(name), *options, *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=LIMIT, pass_fds=[reading])
        os.close(reading)
        self.assertEqual(result.returncode, status, result.stderr)
        self.errors = result.stderr
        return result.stdout

    def admin(self, *arguments, **settings):
        return self.run_program('chat-admin', self.store, *arguments,
                                **settings)

    def client(self, server, *arguments, name='auth-client', **settings):
        return self.run_program(name, '--quiet', *arguments, server.endpoint,
                                **settings)

    def assert_sound(self):
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            check = store.execute('PRAGMA integrity_check').fetchall()
            strays = store.execute('PRAGMA foreign_key_check').fetchall()
        self.assertEqual(check, [('ok',)])
        self.assertEqual(strays, [])


class Programs(Case):
    def test_help_and_version(self):
        for name in ('chat-admin', 'auth-client', 'auth-server',
                     'identity-client', 'identity-server'):
            self.assertIn('Usage:', self.run_program(name, '--help'))
            self.assertRegex(self.run_program(name, '--version'),
                             rf'^{name} \d+\.\d+\.\d+\n$')
            self.run_program(name, '--nonsense', status=EX_USAGE)
            page = os.path.join(os.environ['SRV_SRCDIR'], 'samples',
                                name + '.1')
            with open(page, encoding='utf-8') as file:
                self.assertIn('.SH EXIT STATUS', file.read())

    def test_admin(self):
        self.admin('add', 'Ada', secrets=[PASSWORD])
        self.admin('add', 'ADA', secrets=[PASSWORD], status=EX_DATAERR)
        self.admin('add', 'Bob', secrets=['short'], status=EX_DATAERR)
        self.admin('add', 'Bob', status=EX_USAGE)  # no terminal
        self.admin('ban', 'ada')
        self.assertRegex(
            self.admin('list'),
            r'^Ada\tcreated=\S+Z\tlogin=never\tsessions=0\tbanned\n$')
        self.admin('unban', 'ada')
        self.admin('password', 'ada', secrets=['battery staple'])
        self.admin('revoke', 'ada', 'all')
        self.admin('revoke', 'ada', '7', status=EX_DATAERR)
        self.admin('remove', 'ada')
        self.assertEqual(self.admin('list'), '')
        self.admin('frobnicate', status=EX_USAGE)
        self.admin('ban', status=EX_USAGE)

    def test_damaged_store(self):
        with open(self.store, 'w', encoding='utf-8') as file:
            file.write('no database ' * 100)
        self.admin('list', status=74)
        self.assertIn('not a database', self.errors)
        self.run_program('auth-server', '--store', self.store,
                         '--listen', 'tcp:127.0.0.1:0', status=EX_CANTCREAT)

    def test_password_is_not_echoed(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(program('chat-admin'),
                     ['chat-admin', self.store, 'add', 'Ada'])
        seen = b''
        for question in b'Password: ', b'Again: ':
            while not seen.endswith(question):
                self.assertTrue(select.select([terminal], [], [], LIMIT)[0])
                seen += os.read(terminal, 1000)
            os.write(terminal, PASSWORD.encode() + b'\n')
        with contextlib.suppress(OSError):  # the terminal is gone
            while data := os.read(terminal, 1000):
                seen += data
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        os.close(terminal)
        self.assertNotIn(PASSWORD.encode(), seen)
        self.assertIn('Ada', self.admin('list'))

    def ask_on_terminal(self, number):
        """chat-admin, where it asks for a password: it gets a signal."""
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.close, end)
        # In a group of its own, or it could not be stopped; and with signals
        # that a shell may have ignored.
        def prepare():
            os.setpgrp()
            signal.signal(number, signal.SIG_DFL)

        process = subprocess.Popen(
            [program('chat-admin'), self.store, 'add', 'Ada'], stdin=end,
            stdout=end, stderr=end, preexec_fn=prepare)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_for_question(terminal, end, b'Password: ')
        process.send_signal(number)
        return terminal, end, process

    def wait_for_question(self, terminal, end, question):
        seen = b''
        while not seen.endswith(question):
            self.assertTrue(select.select([terminal], [], [], LIMIT)[0])
            seen += os.read(terminal, 1000)
        self.assertFalse(self.echoes(end))

    def echoes(self, end):
        return bool(termios.tcgetattr(end)[3] & termios.ECHO)

    def test_signal_leaves_the_terminal_as_it_was(self):
        for number in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
            with self.subTest(number):
                _, end, process = self.ask_on_terminal(number)
                self.assertEqual(process.wait(LIMIT), -number)
                self.assertTrue(self.echoes(end))

    def test_stopped_program_asks_again(self):
        terminal, end, process = self.ask_on_terminal(signal.SIGTSTP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        self.assertTrue(self.echoes(end))
        process.send_signal(signal.SIGCONT)
        for question in b'Password: ', b'Again: ':
            self.wait_for_question(terminal, end, question)
            os.write(terminal, PASSWORD.encode() + b'\n')
        self.assertEqual(process.wait(LIMIT), 0)
        self.assertTrue(self.echoes(end))
        self.assertIn('Ada', self.admin('list'))

    def test_session(self):
        self.admin('add', 'Ada', secrets=[PASSWORD])
        server = self.serve('auth-server', '--mix-in', 'fibers')
        token, options = self.path('token'), []
        options = ['--token-file', token]
        self.assertEqual(
            self.client(server, '--login', 'Ada', secrets=['wrong'],
                        status=EX_NOPERM), 'refused login\n')
        self.assertEqual(
            self.client(server, '--login', 'Eve', secrets=[PASSWORD],
                        status=EX_NOPERM), 'refused login\n')
        self.assertEqual(
            self.client(server, '--register', 'Eve', secrets=[PASSWORD],
                        status=EX_NOPERM), 'refused closed\n')
        self.assertEqual(
            self.client(server, '--login', 'ada', *options,
                        secrets=[PASSWORD]), '')
        self.assertEqual(os.stat(token).st_mode & 0o777, 0o600)
        self.assertEqual(self.client(server, '--whoami', *options), 'Ada\n')
        self.assertRegex(self.client(server, '--sessions', *options),
                         r'^session 1 \d+ \d+ \d+ 127\.0\.0\.1 current\n$')
        self.assertRegex(
            self.admin('sessions', 'ada'),
            r'^1\t127\.0\.0\.1\tcreated=\S+\tused=\S+\texpires=\S+\n$')
        self.client(server, '--rotate', *options)
        self.assertEqual(self.client(server, '--revoke', '9', *options,
                                     status=EX_NOPERM), 'refused missing\n')
        self.assertEqual(self.client(server, '--logout', *options), 'ok\n')
        self.assertEqual(self.client(server, '--whoami', *options,
                                     status=EX_NOPERM), 'refused session\n')
        self.client(server, '--login', 'ada', *options, secrets=[PASSWORD])
        self.assertEqual(
            self.client(server, '--new-password', *options,
                        secrets=[PASSWORD, 'battery staple']), 'ok\n')
        self.client(server, '--login', 'ada', *options,
                    secrets=['battery staple'])
        answer = ''
        while not answer.startswith('wait'):
            answer = self.client(server, '--login', 'ada', secrets=['wrong'],
                                 status=EX_NOPERM)
        self.admin('forgive', 'ada')
        self.client(server, '--login', 'ada', *options,
                    secrets=['battery staple'])
        self.admin('ban', 'ada')
        self.client(server, '--whoami', *options, status=EX_NOPERM)
        self.assertEqual(server.stop(), 0)
        self.client(server, '--whoami', *options, status=EX_UNAVAILABLE)

    def test_identity(self):
        server = self.serve('identity-server', '--disclose')
        options = {'name': 'identity-client'}
        self.assertEqual(self.client(server, **options), 'unknown\n')
        self.assertEqual(self.client(server, '--name', 'Ada', **options),
                         'unknown\nnamed Ada\n')
        self.assertEqual(self.client(server, '--name', '#', status=EX_NOPERM,
                                     **options).split('\n')[0], 'known Ada')
        self.assertEqual(self.client(server, '--forget', **options),
                         'known Ada\nforgotten\n')
        self.assertEqual(server.stop(), 0)


class Hostile(Case):
    def test_insecure(self):
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(('192.0.2.1', 9))
                address = probe.getsockname()[0]
            except OSError:
                self.skipTest('this machine has no address but loopback')
        if address.startswith('127.'):
            self.skipTest('this machine has no address but loopback')
        for option, answer in ((), 'refused insecure'), (
                ('--allow-insecure',), 'refused login'):
            server = self.serve('auth-server', *CHEAP, *option,
                                listen=f'tcp:{address}:0')
            talk = server.connect()
            self.assertEqual(talk.ask('login Ada x'), answer)
            self.assertEqual(talk.ask('resume x'), 'refused insecure'
                             if not option else 'refused session')
            talk.close()
            server.stop()

    def test_crowd_of_guesses(self):
        """A hundred at once: few are looked at, and others are served."""
        self.admin('add', 'Ada', secrets=[PASSWORD])
        server = self.serve('auth-server', '--mix-in', 'fibers', *CHEAP)
        talks = [server.connect() for _ in range(100)]
        for i, talk in enumerate(talks):
            talk.socket.sendall(b'login Ada guess%d\n' % i)
        answers = [talk.file.readline().decode().split()[0] for talk in talks]
        # The first wait is a second, which may be over.
        self.assertIn(answers.count('refused'), range(5, 8))
        self.assertEqual(answers.count('refused') + answers.count('wait'), 100)
        for talk in talks:
            talk.close()
        self.assertEqual(server.stop(), 0)

    def test_slow_clients(self):
        server = self.serve('auth-server', '--mix-in', 'fibers',
                            '--login-time', '1')
        begun = time.monotonic()
        talks = [server.connect() for _ in range(20)]
        while talks:
            self.assertLess(time.monotonic() - begun, LIMIT)
            for talk in list(talks):
                try:
                    talk.socket.send(b'x')
                except OSError:
                    talk.close()
                    talks.remove(talk)
            time.sleep(0.02)
        self.assertGreater(time.monotonic() - begun, 0.9)
        self.assertEqual(server.stop(), 0)


def dialogue(address, *answers):
    """The tutorials' client: one read, one answer, in turn."""
    with socket.create_connection(address, LIMIT) as client:
        replies = [client.recv(1024).decode()]
        for answer in answers:
            client.send(answer.encode())
            replies.append(client.recv(1024).decode())
    return replies


class Tutorials(Case):
    def address(self, server):
        host, port = server.endpoint.removeprefix('tcp:').rsplit(':', 1)
        return host, int(port)

    def test_A1_their_client(self):
        server = self.serve('identity-server', '--tutorial')
        address = self.address(server)
        self.assertEqual(dialogue(address, 'Ада'),
                         ['What is your name?\n', 'Nice to meet you, Ада!\n'])
        self.assertEqual(dialogue(address), ['Hello, Ада!\n'])
        self.assertEqual(server.stop(), 0)

    def test_A2_their_client(self):
        server = self.serve('auth-server', '--tutorial', '--allow-register',
                            *CHEAP)
        address = self.address(server)
        replies = dialogue(address, 'Ada', PASSWORD)
        self.assertEqual(replies[:2], ['What is your name?\n', 'Password?\n'])
        greeting, token = replies[2].splitlines()
        self.assertEqual(greeting, 'Nice to meet you, Ada!')
        self.assertEqual(dialogue(address, 'wrong')[1],
                         'Refused: wrong name or password.\n')
        self.assertIn('Hello, Ada!', dialogue(address, PASSWORD)[1])
        self.assertEqual(dialogue(address, token)[1], 'Hello, Ada!\n')
        self.assertEqual(server.stop(), 0)

    def their_server(self, handle):
        listener = socket.create_server(('127.0.0.1', 0))
        listener.settimeout(LIMIT)

        def run():
            for _ in range(2):
                connection, address = listener.accept()
                with connection:
                    handle(connection, address[0])
            listener.close()

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return 'tcp:127.0.0.1:%d' % listener.getsockname()[1]

    def test_A1_their_server(self):
        names = {}

        def handle(connection, address):
            if address not in names:
                connection.send(b'Who are you? ')
                names[address] = connection.recv(1024).decode()
            connection.send(f'Hello, {names[address]}'.encode())

        endpoint = self.their_server(handle)
        for expected in 'Who are you? Hello, Ada', 'Hello, Ada':
            self.assertEqual(
                self.run_program('identity-client', '--quiet', '--tutorial',
                                 '--name', 'Ada', endpoint), expected)

    def test_A2_their_server(self):
        passwords = {}

        def handle(connection, address):
            connection.send(b'Name: ')
            name = connection.recv(1024).decode()
            connection.send(b'Password: ')
            password = connection.recv(1024).decode()
            known = passwords.setdefault(name, password)
            connection.send(b'Welcome' if known == password else b'Go away')

        endpoint = self.their_server(handle)
        for secret, verdict in (PASSWORD, 'Welcome'), ('wrong', 'Go away'):
            self.assertEqual(
                self.run_program('auth-client', '--quiet', '--tutorial',
                                 '--login', 'Ada', endpoint,
                                 secrets=[secret]),
                'Name: Password: ' + verdict)


class Worker(threading.Thread):
    """Makes accounts and ends sessions, and keeps what was promised."""

    def __init__(self, server, prefix):
        super().__init__()
        self.server, self.prefix = server, prefix
        self.accounts, self.good, self.revoked = [], [], []

    def run(self):
        # The server dies in the middle: what was not answered is open.
        with contextlib.suppress(OSError, EOFError):
            self.work(self.server.connect())

    def demand(self, talk, command):
        answer = talk.ask(command)
        if not answer:
            raise EOFError
        assert answer.startswith('ok'), answer
        return answer[3:]

    def work(self, talk):
        with contextlib.closing(talk):
            for i in range(1000):
                name = f'{self.prefix}-{i}'
                self.demand(talk, f'register {name} correct%20horse')
                self.accounts.append(name)
                token = self.demand(talk, f'login {name} correct%20horse')
                if i % 2:
                    self.good.append(token)
                    continue
                # From the question on it may be over.
                self.demand(talk, 'logout')
                self.revoked.append(token)


class Killed(Case):
    def test_nothing_is_lost(self):
        # A login that is cut off by a kill counts as one that failed.
        patience = ('--free-attempts-address', '1000000', '--registrations',
                    '1000000', '--registrations-address', '1000000')
        accounts, good, revoked = set(), [], []
        for i in range(N_KILLS):
            mix_in = ('threading', 'fibers')[i % 2]
            server = self.serve('auth-server', '--allow-register', '--mix-in',
                                mix_in, *CHEAP, *patience)
            workers = [Worker(server, f'n{i}-{j}') for j in range(3)]
            for worker in workers:
                worker.start()
            time.sleep(random.uniform(0, 0.3))  # a moment, not a wait
            server.kill()
            for worker in workers:
                worker.join(LIMIT)
                accounts.update(worker.accounts)
                good += worker.good
                revoked += worker.revoked
        server = self.serve('auth-server', '--mix-in', 'threading', *CHEAP,
                            *patience)
        listed = {line.split('\t')[0]
                  for line in self.admin('list').splitlines()}
        self.assertLessEqual(accounts, listed)
        talk = server.connect()
        for token in random.sample(good, min(len(good), 200)):
            self.assertRegex(talk.ask('resume ' + token), '^ok ')
        for token in random.sample(revoked, min(len(revoked), 200)):
            other = server.connect()
            self.assertEqual(other.ask('resume ' + token), 'refused session')
            other.close()
        for name in random.sample(sorted(accounts), min(len(accounts), 10)):
            self.assertRegex(talk.ask(f'login {name} correct%20horse'), '^ok ')
        talk.close()
        self.assertEqual(server.stop(), 0)
        self.assert_sound()
        tap.note(f'{N_KILLS} kills, {len(accounts)} accounts, '
                 f'{len(good)} sessions, {len(revoked)} revoked')
        self.assertTrue(accounts and good and revoked)


if __name__ == '__main__':
    reason = supported()
    if reason:
        print('1..0 # SKIP', reason.strip())
    else:
        raise SystemExit(tap.main(60 + 20 * N_KILLS))
