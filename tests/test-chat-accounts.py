# test-chat-accounts.py - a chat with accounts, from outside
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Accounts made by chat-admin, logins, messages that wait, history, bans, options
# from a file; and a server that is killed at any moment under load (20 times, or
# as often as SRV_KILL_ROUNDS says): what was answered 202 is delivered, what was
# delivered and acknowledged is not delivered again.

import collections
import contextlib
import functools
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

import tap

LIMIT = 30  # seconds; any single wait
SAMPLES = os.path.abspath(
    os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples'))
N_ROUNDS = int(os.environ.get('SRV_KILL_ROUNDS', '20'))
PASSWORD = 'correct horse'
TIME = 1795224873
EX_OK, EX_USAGE, EX_DATAERR, EX_CANTCREAT, EX_CONFIG = 0, 64, 65, 73, 78
# Cheap, for there are many; and wrong ones are not made to wait.
CHEAP = ('--hash-memory', '8', '--free-attempts', '1000',
         '--free-attempts-address', '1000')


def program(name):
    return os.path.join(SAMPLES, name)


def run(name, *arguments, text=None):
    return subprocess.run([program(name), *arguments], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=LIMIT)


@functools.cache
def missing():
    """The library that this build lacks, if any."""
    with tempfile.TemporaryDirectory() as folder:
        admin = run('chat-admin', os.path.join(folder, 'a'), 'list')
        server = run('chat-server', '--protocol=jim', '--listen=tcp:1:2:3')
    words = re.search('built without .*', admin.stderr + server.stderr)
    return words.group(0) if words else None


class Server:
    def __init__(self, endpoint, *options):
        self.process = subprocess.Popen(
            [program('chat-server'), '--quiet', '--protocol=jim', '--listen',
             endpoint, *CHEAP, *options],
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        line = self.process.stdout.readline().strip()
        self.endpoint = line.partition('listening on ')[2]
        if not self.endpoint:
            self.kill()
            raise AssertionError('the server did not start')

    def connect(self):
        kind, _, address = self.endpoint.partition(':')
        if kind == 'tcp':
            host, _, port = address.rpartition(':')
            return socket.create_connection((host, int(port)), LIMIT)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(LIMIT)
        client.connect(address)
        return client

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


class Jim:
    """A client that reads objects, however they come."""

    def __init__(self, server):
        self.socket = server.connect()
        self.rest = ''
        self.heard = []  # relayed messages that came before an answer

    def send(self, **fields):
        self.socket.sendall(json.dumps({'time': TIME, **fields}).encode())

    def read(self):
        """The next object, None at the end."""
        while True:
            with contextlib.suppress(json.JSONDecodeError):
                found, end = json.JSONDecoder().raw_decode(self.rest)
                self.rest = self.rest[end:].lstrip()
                return found
            data = self.socket.recv(65536)
            if not data:
                return None
            # ASCII is all that the tests send to be cut anywhere.
            self.rest += data.decode()

    def ask(self, **fields):
        self.send(**fields)
        while (found := self.read()) is not None:
            if 'response' in found:
                return found['response']
            self.heard.append(found)
        raise ConnectionError('no answer')

    def hear(self):
        return self.heard.pop(0) if self.heard else self.read()

    def presence(self, name):
        return self.ask(action='presence', user={'account_name': name})

    def authenticate(self, name, password=PASSWORD):
        return self.ask(action='authenticate',
                        user={'account_name': name, 'password': password})

    def message(self, to, text):
        return self.ask(action='msg', to=to, message=text)

    def ends(self):
        return self.read() is None

    def close(self):
        self.socket.close()


class Case(unittest.TestCase):
    def setUp(self):
        if lack := missing():
            self.skipTest(lack)
        self.directory = tempfile.mkdtemp(prefix='srv-chat-')
        self.addCleanup(shutil.rmtree, self.directory)
        self.store = self.path('store')
        self.clients = []
        self.servers = []
        self.addCleanup(self.close_all)

    def close_all(self):
        for client in self.clients:
            client.close()
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()

    def path(self, name):
        return os.path.join(self.directory, name)

    def serve(self, *options, endpoint=None):
        endpoint = endpoint or 'unix:' + self.path('socket')
        self.servers.append(Server(endpoint, '--store', self.store, *options))
        return self.servers[-1]

    def client(self, server):
        self.clients.append(Jim(server))
        return self.clients[-1]

    def come(self, server, name):
        client = self.client(server)
        self.assertEqual(client.presence(name), 200)
        return client

    def log_in(self, server, name):
        client = self.client(server)
        self.assertEqual(client.authenticate(name), 200)
        return client

    def admin(self, *arguments, text=None, status=EX_OK):
        result = run('chat-admin', self.store, *arguments, text=text)
        self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout

    def add(self, *names):
        for name in names:
            self.admin('add', name, text=PASSWORD + '\n')

    def waiting(self):
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            return store.execute('SELECT count(*) FROM offline').fetchone()[0]

    def await_acknowledged(self):
        """Once all is delivered, until the server has told the store."""
        pause = threading.Event()
        for _ in range(LIMIT * 100):
            if self.waiting() == 0:
                return
            pause.wait(0.01)
        self.fail('messages are still waiting')

    def assert_sound(self):
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            check = store.execute('PRAGMA integrity_check').fetchall()
        self.assertEqual(check, [('ok',)])


class Accounts(Case):
    mix_in = 'threading'

    def serve(self, *options, **settings):
        return super().serve('--mix-in', self.mix_in, *options, **settings)

    def test_login(self):
        self.add('Ada')
        server = self.serve('--auth=optional', endpoint='tcp:127.0.0.1:0')
        client = self.client(server)
        self.assertEqual(client.presence('ada'), 401)
        self.assertEqual(client.authenticate('ada', 'wrong'), 402)
        self.assertEqual(client.authenticate('nobody'), 402)
        self.assertEqual(client.authenticate('ADA'), 200)
        self.assertEqual(client.presence('Ada'), 200)
        twin = self.client(server)
        self.assertEqual(twin.authenticate('ada'), 409)
        guest = self.come(server, 'guest')
        self.assertEqual(guest.message('ada', 'hello'), 202)
        self.assertEqual(client.hear(), {
            'action': 'msg', 'time': TIME, 'to': 'ADA', 'receiver': 'ADA',
            'from': 'guest', 'sender': 'guest', 'message': 'hello',
            'message_text': 'hello'})
        self.assertEqual(server.stop(), 0)

    def test_required(self):
        self.add('Ada')
        server = self.serve('--auth=required', '--max-failed-logins=2')
        client = self.client(server)
        self.assertEqual(client.presence('guest'), 401)
        self.assertEqual(client.message('ada', 'x'), 401)
        self.assertEqual(client.authenticate('ada', 'wrong'), 402)
        self.assertEqual(client.authenticate('guest', 'wrong'), 402)
        self.assertTrue(client.ends())
        self.assertEqual(self.log_in(server, 'Ada').presence('Ada'), 200)

    def test_ban(self):
        self.add('Ada')
        server = self.serve('--auth=optional')
        guest = self.come(server, 'guest')
        self.admin('ban', 'ada')
        client = self.client(server)
        self.assertEqual(client.authenticate('ada', 'wrong'), 402)
        self.assertEqual(client.authenticate('ada'), 403)
        self.assertTrue(client.ends())
        client = self.client(server)
        self.assertEqual(client.presence('ada'), 403)
        self.assertTrue(client.ends())
        self.assertEqual(guest.message('ada', 'x'), 404)
        self.admin('unban', 'ada')
        self.log_in(server, 'ada')

    # Each code of a message to a person, with a store and without.
    def test_offline_transcript(self):
        self.add('Ada')
        server = self.serve('--auth=optional')
        bob = self.come(server, 'bob')
        self.come(server, 'gone').close()
        self.assertEqual(bob.message('ada', 'one'), 202)
        self.assertEqual(bob.message('Ada', 'two {}'), 202)
        self.assertEqual(bob.message('gone', 'x'), 404)
        self.assertEqual(bob.message('nobody', 'x'), 404)
        ada = self.client(server)
        self.assertEqual(ada.authenticate('ada'), 200)
        self.assertEqual([ada.hear()['message'] for _ in range(2)],
                         ['one', 'two {}'])
        self.await_acknowledged()
        self.assertEqual(ada.presence('ada'), 200)
        self.assertEqual(bob.message('ada', 'three'), 202)
        self.assertEqual(ada.hear()['message'], 'three')
        self.await_acknowledged()
        self.assertEqual(server.stop(), 0)
        # Once, and not after a restart either.
        server = self.serve('--auth=optional')
        ada = self.log_in(server, 'ada')
        self.assertEqual(ada.message('Ada', 'to myself'), 202)
        self.assertEqual(ada.hear()['message'], 'to myself')

    def test_off_needs_the_name_alone(self):
        self.add('Ada')
        server = self.serve('--auth=off')
        bob = self.come(server, 'bob')
        self.assertEqual(bob.message('ada', 'one'), 202)
        ada = self.come(server, 'ada')
        self.assertEqual(ada.hear()['message'], 'one')
        self.assertEqual(bob.message('ada', 'two'), 202)
        self.assertEqual(ada.hear()['message'], 'two')

    def test_offline_limit(self):
        self.add('Ada')
        server = self.serve('--max-offline=2')
        bob = self.come(server, 'bob')
        self.assertEqual([bob.message('ada', str(i)) for i in range(3)],
                         [202, 202, 403])
        ada = self.come(server, 'ada')
        self.assertEqual([ada.hear()['message'] for _ in range(2)], ['0', '1'])

    def test_many_wait(self):
        self.add('Ada')
        server = self.serve()
        bob = self.come(server, 'bob')
        texts = [str(i) for i in range(40)]
        for text in texts:
            self.assertEqual(bob.message('ada', text), 202)
        ada = self.come(server, 'ada')
        self.assertEqual([ada.hear()['message'] for _ in texts], texts)
        self.await_acknowledged()

    def test_stop_waits_for_nobody_who_does_not_read(self):
        self.add('Ada')
        server = self.serve('--rate=0', '--max-offline=1000')
        bob = self.come(server, 'bob')
        for _ in range(300):  # more than the system takes for a Unix socket
            self.assertEqual(bob.message('ada', 'x' * 500), 202)
        self.come(server, 'ada')
        self.assertEqual(bob.message('ada', 'y'), 202)
        self.assertEqual(server.stop(), 0)
        self.assertGreater(self.waiting(), 0)

    def test_history(self):
        server = self.serve('--history=2')
        alice = self.come(server, 'alice')
        self.assertEqual(alice.ask(action='join', room='#tea'), 201)
        for text in ('one', 'two', 'three'):
            self.assertEqual(alice.message('#tea', text), 202)
        self.assertEqual(server.stop(), 0)
        server = self.serve('--history=2')
        bob = self.come(server, 'bob')
        self.assertEqual(bob.ask(action='join', room='#tea'), 201)
        for text in ('two', 'three'):
            heard = bob.hear()
            self.assertEqual((heard['from'], heard['to'], heard['message'],
                              heard['time']), ('alice', '#tea', text, TIME))

    def test_passwords_are_checked_a_few_at_a_time(self):
        self.add('Ada')
        server = self.serve('--auth=optional', '--max-hashes=1')
        clients = [self.client(server) for _ in range(8)]
        for client in clients:
            client.send(action='authenticate',
                        user={'account_name': 'ada', 'password': 'wrong'})
        # Meanwhile others are accepted and served.
        guest = self.come(server, 'guest')
        self.assertEqual(guest.message('guest', 'x'), 202)
        for client in clients:
            self.assertEqual(client.read()['response'], 402)


class AccountsOverFibers(Accounts):
    mix_in = 'fibers'


class Lines(Case):
    def test_history(self):
        for is_later in (False, True):
            self.servers.append(Server('unix:' + self.path('socket'),
                                       '--protocol=line', '--store',
                                       self.store))
            client = self.servers[-1].connect()
            file = client.makefile('rw')
            file.readline()
            file.write('/nick bob\n/join #tea\nhello\n/quit\n')
            file.flush()
            lines = file.read().splitlines()
            file.close()
            client.close()
            self.assertEqual(lines, ['you are bob', 'you are in #tea'] +
                             ['[#tea] bob: hello'] * is_later)
            self.assertEqual(self.servers[-1].stop(), 0)


class Programs(Case):
    def test_admin(self):
        self.add('Ada', 'Bob')
        self.admin('add', 'ADA', text=PASSWORD, status=EX_DATAERR)
        self.admin('add', 'Eve', text='short\n', status=EX_DATAERR)
        self.admin('add', 'Eve', text='', status=EX_USAGE)
        self.admin('add', 'Eve', PASSWORD, text='', status=EX_USAGE)
        self.admin('ban', 'bob')
        self.assertRegex(self.admin('list'),
                         r'^Ada\t[^\n]*=0\nBob\t[^\n]*\tbanned\n$')
        self.admin('password', 'Ada', text='battery staple\n')
        server = self.serve('--auth=required')
        client = self.client(server)
        self.assertEqual(client.authenticate('ada'), 402)
        self.assertEqual(client.authenticate('ada', 'battery staple'), 200)

    def test_config(self):
        config = self.path('config')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('[chat-server]\nprotocol=jim\nmax-clients=1\n'
                       f'store={self.store}\ndefault-room=#lobby\n'
                       f'listen=unix:{self.path("other")};\nnotices=false\n')
        server = self.serve('--config', config)
        first = self.come(server, 'first')
        self.assertFalse(os.path.exists(self.path('other')))
        self.assertEqual(first.message('#lobby', 'x'), 202)
        self.assertEqual(self.client(server).read()['response'], 403)
        self.assertEqual(server.stop(), 0)
        # The command line goes over the file.
        server = self.serve('--config', config, '--max-clients=2')
        self.come(server, 'first')
        self.come(server, 'second')

    def test_options(self):
        config = self.path('config')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('[chat-server]\nnonsense=1\n')
        for status, options in (
                (EX_USAGE, ['--auth=required']),
                (EX_USAGE, ['--auth=optional', '--store=x',
                            '--protocol=line']),
                (EX_USAGE, ['--auth=nonsense']),
                (EX_USAGE, ['--hash-memory=1']),
                (EX_USAGE, ['--config', config]),
                (EX_CONFIG, ['--config', self.path('none')]),
                (EX_CANTCREAT, ['--store', self.path('no/where')])):
            result = run('chat-server', '--listen', 'tcp:127.0.0.1:0',
                         *options)
            self.assertEqual(result.returncode, status, options)
            self.assertIn('chat-server: ', result.stderr)


class Load(threading.Thread):
    """A sender: numbered messages to everybody in turn, until the server is
    gone."""

    def __init__(self, server, name, names, round_number):
        super().__init__()
        self.client = Jim(server)
        self.name = name
        self.names = names
        self.round_number = round_number
        self.accepted = []  # (to, text) that was answered 202
        self.codes = collections.Counter()
        self.has_begun = threading.Event()

    def run(self):
        number = 0
        with contextlib.suppress(OSError):
            self.client.authenticate(self.name)
            while True:
                to = self.names[number % len(self.names)]
                text = f'{self.round_number}-{self.name}-{number}'
                number += 1
                code = self.client.message(to, text)
                self.codes[code] += 1
                if code == 202:
                    self.accepted.append((to, text))
                    self.has_begun.set()
        self.client.close()


class Listener(threading.Thread):
    """Somebody who reads until the server is gone."""

    def __init__(self, server, name):
        super().__init__()
        self.client = Jim(server)
        self.name = name
        self.heard = []

    def run(self):
        with contextlib.suppress(OSError):
            self.client.authenticate(self.name)
            while (found := self.client.hear()) is not None:
                if 'message' in found:
                    self.heard.append(found['message'])
        self.client.close()


class Kill(Case):
    def serve(self, *options, **settings):
        return super().serve('--auth=required', '--rate=0', '--history=0',
                             '--max-offline=100000', *options, **settings)

    def waiting_texts(self):
        """What the store still keeps: what it does not was acknowledged."""
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            return collections.Counter(
                row[0] for row in store.execute('SELECT text FROM offline'))

    def collect(self, server, name, n_texts):
        client = self.log_in(server, name)
        heard = [client.hear()['message'] for _ in range(n_texts)]
        client.close()
        return heard

    def one_round(self, number):
        server = self.serve('--mix-in', random.choice(['threading', 'fibers']))
        # One listens all the time, two come only after the kill.
        listener = Listener(server, 'there')
        listener.start()
        loads = [Load(server, f'sender{i}', ['there', 'away', 'absent'], number)
                 for i in range(3)]
        for load in loads:
            load.start()
        for load in loads:
            self.assertTrue(load.has_begun.wait(LIMIT))
        threading.Event().wait(random.uniform(0, 0.5))
        server.kill()
        for thread in [listener, *loads]:
            thread.join(LIMIT)
            self.assertFalse(thread.is_alive())
        self.assert_sound()
        kept = self.waiting_texts()
        for load in loads:
            self.assertEqual(set(load.codes) - {202}, set())
            for to, text in load.accepted:
                self.accepted[to].add(text)
        for text in listener.heard:
            self.delivered['there'][text] += 1
        self.check_acknowledged(kept, listener.heard)

    def check_acknowledged(self, kept, heard):
        """Nothing is kept twice; what is gone from the store was written."""
        self.assertTrue(all(count == 1 for count in kept.values()))
        for text in self.accepted['there']:
            if text not in kept:
                self.assertIn(text, self.delivered['there'])
        # Acknowledged: delivered, and not in the store. Those must not come
        # again, whatever happens later.
        self.acknowledged |= {text for text in heard if text not in kept}

    def test_nothing_is_lost(self):
        names = ('there', 'away', 'absent')
        self.add(*names, *(f'sender{i}' for i in range(3)))
        self.accepted = collections.defaultdict(set)
        self.delivered = {name: collections.Counter() for name in names}
        self.acknowledged = set()
        n_again = 0
        for number in range(N_ROUNDS):
            before = collections.Counter(self.delivered['there'])
            done = set(self.acknowledged)
            self.one_round(number)
            again = {text for text, count in self.delivered['there'].items()
                     if count > before[text] > 0}
            self.assertEqual(again & done, set())
            n_again += len(again)
        server = self.serve()
        for name in names:
            with contextlib.closing(sqlite3.connect(self.store)) as store:
                n_texts = store.execute(
                    'SELECT count(*) FROM offline WHERE recipient = ?',
                    (name,)).fetchone()[0]
            for text in self.collect(server, name, n_texts):
                self.assertNotIn(text, self.acknowledged)
                self.delivered[name][text] += 1
        self.await_acknowledged()
        self.assertEqual(server.stop(), 0)
        self.assert_sound()
        for name in names:
            lost = self.accepted[name] - set(self.delivered[name])
            self.assertEqual(lost, set(), name)
        for name in ('away', 'absent'):
            twice = [t for t, n in self.delivered[name].items() if n > 1]
            self.assertEqual(twice, [], name)
        n_accepted = sum(map(len, self.accepted.values()))
        self.assertGreaterEqual(n_accepted, 3 * N_ROUNDS)
        tap.note(f'{N_ROUNDS} kills, {n_accepted} messages answered 202, none '
                 f'lost; {n_again} came again that were not acknowledged')


if __name__ == '__main__':
    sys.exit(tap.main(max(240, 6 * N_ROUNDS)))
