# test-chat-client.py - the terminal of the chat, on a pseudo-terminal and in scripts
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# With the real server, and with one that is written here from the protocol and
# does what the real one does not: ask for passwords, cut off, talk nonsense.

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import tap
from terminal import LIMIT, SAMPLES, on_terminal

PROGRAM = os.path.join(SAMPLES, 'chat-client')
QUICK = '--retry-delay=0.05'


def has_editor():
    with open(PROGRAM, 'rb') as file:
        return b'libedit.so' in file.read()


def environment(**changes):
    """No settings of whoever runs the tests; None takes one away."""
    result = {'PATH': os.environ['PATH'], 'HOME': '/nonexistent',
              'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}
    for name in os.environ:
        if name.startswith(('ASAN', 'LSAN', 'UBSAN', 'G_', 'TSAN')):
            result[name] = os.environ[name]
    result.update(changes)
    return {name: value for name, value in result.items() if value is not None}


@contextlib.contextmanager
def time_limit(problem):
    """For reads that have none; in the main thread."""
    def give_up(*_):
        raise AssertionError(f'{problem} in time')

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(LIMIT))
    try:
        yield
    finally:
        signal.alarm(0)


class Server:
    """The chat server, at a path so that it can come back to its place."""

    def __init__(self, path, *options):
        self.endpoint = 'unix:' + path
        self.process = subprocess.Popen(
            [os.path.join(SAMPLES, 'chat-server'), '--quiet', '--protocol=jim',
             '--listen', self.endpoint, *options], stdout=subprocess.PIPE)
        assert b'listening' in self.process.stdout.readline()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT) == 0
        self.process.stdout.close()


class Script:
    """A client without a terminal; by default one that speaks JSON."""

    def __init__(self, endpoint, name, *options, output='--json'):
        options = [output, '--name', name, *options, endpoint]
        self.process = subprocess.Popen(
            [PROGRAM, *filter(None, options)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment())

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.process.kill()
        self.process.communicate()

    def write(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def send(self, **fields):
        self.write(json.dumps(fields))

    def read(self, **wanted):
        """The next object that has what is wanted."""
        with time_limit(f'no {wanted}'):
            while True:
                line = self.process.stdout.readline()
                assert line, f'no {wanted} before the end'
                found = json.loads(line)
                if wanted.items() <= found.items():
                    return found

    def say(self, to, text):
        self.send(action='msg', to=to, message=text)

    def hang_up(self):
        self.process.stdin.close()
        self.process.stdin = None

    def end(self):
        """Takes leave; gives the status and what was not read."""
        output = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, *output


class Peer:
    """A connection of the fake server."""

    def __init__(self, listener):
        self.socket = listener.accept()[0]
        self.socket.settimeout(LIMIT)
        self.text = ''

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.socket.close()

    def read(self):
        while True:
            try:
                found, end = json.JSONDecoder().raw_decode(self.text)
            except ValueError:
                more = self.socket.recv(1024).decode()
                assert more, f'the end after {self.text!r}'
                self.text += more
            else:
                self.text = self.text[end:]
                return found

    def send(self, **fields):
        self.socket.sendall(json.dumps(fields).encode())

    def expect(self, action, response=None, **fields):
        found = self.read()
        assert found['action'] == action, found
        if response is not None:
            self.send(response=response, time=1, **fields)
        return found

    def is_at_end(self):
        return self.socket.recv(1) == b''


class ChatClientTest(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(PROGRAM):
            self.skipTest('built without jansson: there is no chat-client')
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, *options):
        server = Server(self.path('chat'), *options)
        self.addCleanup(server.process.kill)
        self.addCleanup(server.process.stdout.close)
        return server

    def fake(self):
        """A listener, and its endpoint."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path('fake'))
        listener.listen()
        listener.settimeout(LIMIT)
        return listener, 'unix:' + self.path('fake')

    def client(self, server, name, *options):
        """A script that is where it wants to be."""
        script = Script(server.endpoint, name, *options)
        self.addCleanup(script.__exit__)
        script.read(event='entered')
        if '--room' in options:
            script.joined = script.read(request='join')['response']
        return script

    @contextlib.contextmanager
    def person(self, server, name, *options, columns=80, **changes):
        """Somebody at a terminal, in #tea."""
        with on_terminal('chat-client', '--name', name, '--room', '#tea',
                         *options, server.endpoint, columns=columns,
                         environment=environment(**changes)) as terminal:
            terminal.wait(r'\* you (are in|have made) #tea *')
            yield terminal


class OnTerminal(ChatClientTest):
    changes = {'NO_COLOR': '1'}

    def test_what_is_typed_stays_whole(self):
        server = self.serve()
        with self.person(server, 'alice', **self.changes) as terminal:
            bob = self.client(server, 'bob', '--room', '#tea')
            typed = ''
            for character in 'Привет!':
                typed += character
                terminal.type(character)
                terminal.wait_for_row('#tea> ' + typed)
                bob.say('#tea', f'at {len(typed)}')
                terminal.wait(rf'\[#tea\] bob: at {len(typed)}')
                terminal.wait_for_row('#tea> ' + typed)
            terminal.type('\r')
            self.assertEqual(bob.read(action='msg')['message'], 'Привет!')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)
            rows = terminal.screen.rows
        self.assertEqual([row for row in rows if 'bob: at' in row],
                         [f'[#tea] bob: at {n}' for n in range(1, 8)])
        self.assertEqual([row for row in rows if 'Привет' in row],
                         ['#tea> Привет!'])
        self.assertFalse(terminal.screen.has_colours)

    def test_two_people_talk(self):
        server = self.serve()
        with self.person(server, 'alice', **self.changes) as alice, \
                self.person(server, 'bob', **self.changes) as bob:
            alice.type('hello\r')
            bob.wait(r'\[#tea\] alice: hello')
            bob.type('/msg alice psst\r')
            alice.wait(r'\[private\] bob: psst')
            alice.type('/msg nobody x\r')
            alice.wait('! msg nobody: there is nobody with this name .404.')
            alice.type('/create #milk\rwhite\r')
            alice.wait(r'\* you have made #milk')
            alice.type('/rooms\r')
            alice.wait(r'\* #tea, #milk')
            bob.type('/join milk\r')
            bob.wait(r'\* you are in #milk')
            alice.type('//black\r')
            bob.wait(r'\[#milk\] alice: /black')
            bob.type('/leave\r')
            bob.wait(r'\* you have left #milk')
            bob.wait_for_row('#tea> ')
            bob.type('/who\r')
            bob.wait(r'\* .*heard so far: alice')
            bob.type('/history\r')
            bob.wait(r'\[private\] bob: psst')
            bob.type('/nonsense\r')
            bob.wait('! there is no such command: /help')
            bob.type('/help\r')
            bob.wait(r'\* /quit +leave; so does Ctrl-D')
            alice.type('\x04')
            bob.type('/quit\r')
            self.assertEqual((alice.end(), bob.end()), (0, 0))

    def test_others_cannot_steer_the_terminal(self):
        server = self.serve()
        with self.person(server, 'alice', **self.changes) as terminal:
            eve = self.client(server, 'eve', '--room', '#tea')
            eve.say('#tea', '\x1b[2J\x1b]0;title\x07\r\n\x9b1m\u202egnp')
            terminal.wait(r'\[#tea\] eve: \\x1b\[2J\\x1b\]0;title\\x07\\r\\n'
                          r'\\u\{9b\}1m\\u\{202e\}gnp')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)

    def test_a_signal_takes_leave(self):
        server = self.serve()
        with self.person(server, 'alice', **self.changes) as terminal:
            bob = self.client(server, 'bob', '--room', '#tea')
            terminal.type('half a li')
            terminal.wait_for_row('#tea> half a li')
            terminal.process.send_signal(signal.SIGINT)
            self.assertEqual(terminal.end(), 0)
            bob.send(action='msg', to='alice', message='x')
            self.assertEqual(bob.read(request='msg')['response'], 410)

    def test_it_comes_back_while_somebody_types(self):
        server = self.serve()
        with self.person(server, 'alice', QUICK, '--retries=1000',
                         **self.changes) as terminal:
            terminal.type('am I here')
            terminal.wait_for_row('#tea> am I here')
            server.stop()
            terminal.wait(r'\* .*; trying again in .*')
            terminal.wait_for_row('#tea? am I here')
            server = self.serve()
            terminal.wait_for_row('#tea> am I here')
            bob = self.client(server, 'bob', '--room', '#tea')
            terminal.type('?\r')
            bob.read(action='msg', message='am I here?', to='#tea')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)


class OnTerminalWithoutEditor(OnTerminal):
    """What is there without libedit, or on a terminal that nobody knows."""

    changes = {'NO_COLOR': '1', 'TERM': None}


class WithEditor(ChatClientTest):
    def setUp(self):
        super().setUp()
        if not has_editor():
            self.skipTest('built without libedit')

    # The cursor is before the end, in a row before the last one.
    def test_a_line_of_several_rows_stays_whole(self):
        server = self.serve()
        with self.person(server, 'alice', columns=40,
                         NO_COLOR='1') as terminal:
            bob = self.client(server, 'bob', '--room', '#tea')
            text = ''.join(chr(ord('a') + n % 26) for n in range(120))
            number = 0

            def is_whole(rows, typed):
                last = f'[#tea] bob: at {number}'
                return last in rows and ''.join(
                    rows[rows.index(last) + 1:]).strip() == '#tea>' + typed

            for length in (33, 34, 35, 73, 74, 75, 120):
                typed = text[:length]
                terminal.type(typed)
                for keys in ('', '\x01', '\x06' * 32, '\x06', '\x05'):
                    number += 1
                    terminal.type(keys)
                    bob.say('#tea', f'at {number}')
                    terminal.wait_until(
                        lambda rows: is_whole(rows, ' ' + typed),
                        (number, typed))
                terminal.type('\x05\x15')
                terminal.wait_until(lambda rows: is_whole(rows, ''), number)
            terminal.type(text + '\x01>\x05<\r')
            self.assertEqual(bob.read(action='msg')['message'], f'>{text}<')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)
            shown = [row for row in terminal.screen.rows if 'bob: at' in row]
            self.assertEqual(shown, [f'[#tea] bob: at {n + 1}'
                                     for n in range(number)])

    # After Escape, and in a search, an editor waits for the next key.
    def test_messages_come_in_the_middle_of_a_key(self):
        server = self.serve()
        with self.person(server, 'alice', NO_COLOR='1') as terminal:
            bob = self.client(server, 'bob', '--room', '#tea')
            for keys in ('abc\x1b', 'b', '\x12', 'a', '\x07', '\x16', 'x'):
                terminal.type(keys)
                bob.say('#tea', f'after {keys!r}')
                terminal.wait_until(
                    lambda rows: any(repr(keys).replace('\\', r'\\') in row
                                     for row in rows), keys)
            self.assertFalse(terminal.process.poll())
            terminal.type('\x15/quit\r')
            terminal.process.wait(LIMIT)

    def test_history_of_lines(self):
        server = self.serve()
        with self.person(server, 'alice', NO_COLOR='1') as terminal:
            bob = self.client(server, 'bob', '--room', '#tea')
            for keys, line in (('one\r', 'one'), ('two three\x17four\r',
                                                  'two four'),
                               ('\x1b[A\x1b[A!\r', 'one!'),
                               ('bc\x1b[Dж\r', 'bжc')):
                terminal.type(keys)
                self.assertEqual(bob.read(action='msg')['message'], line)
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)


class Colours(ChatClientTest):
    def test_colours_on_a_terminal(self):
        server = self.serve()
        for changes, wanted in (({}, True), ({'NO_COLOR': '1'}, False),
                                ({'NO_COLOR': ''}, True)):
            with self.subTest(changes), \
                    self.person(server, 'alice', **changes) as terminal:
                terminal.type('/quit\r')
                self.assertEqual(terminal.end(), 0)
                self.assertEqual(terminal.screen.has_colours, wanted)

    def test_no_escape_elsewhere(self):
        server = self.serve()
        eve = self.client(server, 'eve')
        with Script(server.endpoint, 'alice', '--room', '#tea',
                    output=None) as alice:
            alice.write('/help')
            said = ''
            while not said.endswith('* you have made #tea\n'):
                said += alice.process.stderr.readline()
            eve.send(action='join', room='#tea')
            eve.read(request='join')
            eve.say('#tea', '\x1b[31mred')
            eve.read(request='msg', response=202)
            self.assertEqual(alice.process.stdout.readline(),
                             '[#tea] eve: \\x1b[31mred\n')
            status, output, errors = alice.end()
            self.assertEqual(status, 0)
            self.assertIn('* you are alice\n', said)
            self.assertNotIn('\x1b', said + output + errors)


class Scripts(ChatClientTest):
    def test_lines(self):
        server = self.serve()
        bob = self.client(server, 'bob', '--room', '#tea')
        self.assertEqual(bob.joined, 201)
        with Script(server.endpoint, 'alice', '--quiet', output=None) as alice:
            for line in ('/join #tea', 'hello', '/msg bob psst', '/leave',
                         'into the void', '/msg bob bye'):
                alice.write(line)
            for to, text in (('#tea', 'hello'), ('bob', 'psst'),
                             ('bob', 'bye')):
                found = bob.read(action='msg', **{'from': 'alice'})
                self.assertEqual((found['to'], found['message']), (to, text))
            self.assertEqual(alice.end(), (
                0, '', '! you are in no room: /join #ROOM, or /help\n'))

    def test_transcript_in_json(self):
        server = self.serve()
        with Script(server.endpoint, 'alice') as alice:
            alice.send(action='join', room='#tea', id='a')
            alice.send(action='msg', to='alice', message='жук \x1b', id=2)
            alice.send(action='msg', to='#milk', message='x')
            alice.send(action='presence')
            alice.write('nonsense')
            alice.send(action='quit')
            status, output, errors = alice.end()
        self.assertEqual((status, errors), (0, ''))
        self.assertTrue(output.isascii())
        found = [json.loads(line) for line in output.splitlines()]
        self.assertEqual([one['event'] for one in found if 'event' in one][-2:],
                         ['connected', 'entered'])
        self.assertEqual([one['text'] for one in found
                          if one.get('event') == 'error'],
                         ['the action can be msg, join, leave, create, '
                          'get_users or quit',
                          "this is no JSON: '[' or '{' expected near "
                          "'nonsense'"])
        answers = [(one['request'], one['response'], one.get('id'))
                   for one in found if 'response' in one]
        self.assertEqual(answers, [('join', 201, 'a'), ('msg', 202, 2),
                                   ('msg', 404, None)])
        heard = [one for one in found if one.get('action') == 'msg']
        self.assertEqual([(one['from'], one['message']) for one in heard],
                         [('alice', 'жук \x1b')])

    def test_limits_of_a_message(self):
        server = self.serve()
        bob = self.client(server, 'bob')
        for character in 'xж😀':
            bob.say('bob', character * 501)
            self.assertEqual(bob.read(event='error')['text'],
                             'nothing sent: 501 characters are more than 500')
            bob.say('bob', character * 500)
            self.assertEqual(bob.read(request='msg')['response'], 202)
        bob.say('bob', '"' * 300)
        self.assertIn('too long', bob.read(event='error')['text'])

    def test_rate(self):
        server = self.serve()
        with Script(server.endpoint, 'alice', '--rate=20') as alice:
            alice.read(event='entered')
            begin = time.monotonic()
            for number in range(30):
                alice.say('alice', str(number))
            for number in range(30):
                alice.read(action='msg', message=str(number))
            self.assertGreater(time.monotonic() - begin, 0.45)

    def test_more_lines_than_a_queue_holds(self):
        server = self.serve('--rate=0')
        with Script(server.endpoint, 'alice', '--rate=0') as alice:
            lines = [json.dumps({'action': 'msg', 'to': 'bob', 'message': 'x',
                                 'id': number}) for number in range(500)]
            output, _ = alice.process.communicate('\n'.join(lines), LIMIT)
        answers = [json.loads(line) for line in output.splitlines()]
        self.assertEqual([one['id'] for one in answers if 'id' in one],
                         list(range(500)))


class Cuts(ChatClientTest):
    def test_it_comes_back_to_its_rooms(self):
        server = self.serve()
        alice = self.client(server, 'alice', QUICK, '--retries=1000')
        for room in '#tea', '#milk', '#jam':
            alice.send(action='join', room=room)
        alice.send(action='leave', room='#milk')
        alice.read(request='leave', response=200)
        server.stop()
        alice.read(event='lost')
        alice.send(action='msg', to='#jam', message='later', id='later')
        server = self.serve()
        alice.read(event='entered')
        alice.read(request='join', response=201)
        alice.read(request='join', response=201)
        alice.read(id='later', response=202)
        for room, code in ('#tea', 202), ('#milk', 404), ('#jam', 202):
            alice.send(action='msg', to=room, message='x', id=room)
            self.assertEqual(alice.read(id=room)['response'], code)
        self.assertEqual(alice.end()[0], 0)
        server.stop()

    def test_nothing_is_sent_twice(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', QUICK) as alice:
            alice.send(action='msg', to='bob', message='one', id=1)
            alice.send(action='msg', to='bob', message='two', id=2)
            with Peer(listener) as peer:
                peer.expect('presence', 200)
                self.assertEqual(peer.expect('msg')['message'], 'one')
            self.assertEqual(alice.read(event='unconfirmed')['id'], 1)
            with Peer(listener) as peer:
                peer.expect('presence', 200)
                self.assertEqual(peer.expect('msg', 202)['message'], 'two')
                alice.read(request='msg', response=202, id=2)
                alice.send(action='quit')
                peer.expect('quit')
            self.assertEqual(alice.end()[0], 0)

    def test_it_does_not_try_for_ever(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', QUICK, '--retries=3') as alice:
            for _ in range(4):
                with Peer(listener) as peer:
                    peer.expect('presence', 200)
            alice.process.wait(LIMIT)
            status, output, errors = alice.end()
        self.assertEqual(status, 76)
        self.assertEqual(errors, 'chat-client: the server hung up\n')
        delays = [float(json.loads(line)['text'].split()[-2])
                  for line in output.splitlines() if '"lost"' in line]
        self.assertEqual(len(delays), 3)
        self.assertTrue(delays[0] <= 0.1 and 0.05 <= delays[2] <= 0.3, delays)

    def test_the_name_may_still_be_taken(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', QUICK) as alice:
            with Peer(listener) as peer:
                peer.expect('presence', 200)
            with Peer(listener) as peer:
                peer.expect('presence', 409)
            with Peer(listener) as peer:
                peer.expect('presence', 200)
                alice.hang_up()
                peer.expect('quit')
                peer.socket.close()
                self.assertEqual(alice.process.wait(LIMIT), 0)


class Passwords(ChatClientTest):
    def file(self, text='s3cret, жук\nmore\n'):
        path = self.path('password')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return '--password-file=' + path

    def check(self, peer, password):
        found = peer.expect('presence', 401)
        self.assertEqual(found['user']['account_name'], 'alice')
        found = peer.expect('authenticate', 200)
        self.assertEqual(found['user'], {'account_name': 'alice',
                                         'password': password})
        peer.expect('presence', 200)

    def test_from_a_file(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', self.file(), '--status=here') as alice:
            with Peer(listener) as peer:
                self.check(peer, 's3cret, жук')
                alice.read(event='entered')
                alice.hang_up()
                peer.expect('quit')

    # Whoever gives one wants to be known, even where guests are welcome.
    def test_where_guests_are_welcome(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', self.file()) as alice:
            with Peer(listener) as peer:
                found = peer.expect('presence', 200)
                self.assertEqual(found['user'], {'account_name': 'alice'})
                peer.expect('authenticate', 200)
                peer.expect('presence', 200)
                alice.read(event='entered')

    def test_asked_without_echo(self):
        listener, endpoint = self.fake()
        with on_terminal('chat-client', '--name=alice', '--ask-password',
                         endpoint, environment=environment()) as terminal:
            terminal.wait('Password: ')
            terminal.type('s3cret\n')
            with Peer(listener) as peer:
                self.check(peer, 's3cret')
                terminal.wait('.* you are alice')
                terminal.type('/quit\r')
                peer.expect('quit')
            self.assertEqual(terminal.end(), 0)
            self.assertNotIn('s3cret', ''.join(terminal.screen.rows))

    def test_refusals(self):
        for codes, options, words in (
                ((401,), (), 'wants a password'),
                ((401, 402), (self.file(),), r'wrong \x1b (402)'),
                ((409,), (), r'wrong \x1b (409)'),
                ((403,), (), r'wrong \x1b (403)')):
            with self.subTest(codes):
                listener, endpoint = self.fake()
                with Script(endpoint, 'alice', *options) as alice:
                    with Peer(listener) as peer:
                        for code in codes:
                            peer.read()
                            peer.send(response=code, error='wrong \x1b')
                        status, _, errors = alice.end()
                self.assertEqual(status, 77)
                self.assertIn(words, errors)
                os.unlink(self.path('fake'))

    # Only to who is on this machine.
    def test_not_over_the_network(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(('192.0.2.1', 9))
            except OSError:
                self.skipTest('this machine has no address but loopback')
            address = probe.getsockname()[0]
        with socket.create_server((address, 0)) as listener:
            listener.settimeout(LIMIT)
            endpoint = f'tcp:{address}:{listener.getsockname()[1]}'
            with Script(endpoint, 'alice', self.file()) as alice:
                with Peer(listener) as peer:
                    peer.expect('presence', 401)
                    self.assertTrue(peer.is_at_end())
                    status, _, errors = alice.end()
            self.assertEqual(status, 77)
            self.assertIn('--insecure', errors)
            with Script(endpoint, 'alice', self.file(), '--insecure'):
                with Peer(listener) as peer:
                    self.check(peer, 's3cret, жук')

    def test_bad_files(self):
        for text in '', '\n', 'x' * 300:
            self.assertEqual(status_of(self.file(text), 'unix:/nowhere'), 64)
        self.assertEqual(status_of('--password-file=/nowhere'), 64)


class Protocol(ChatClientTest):
    def test_objects_in_pieces_and_together(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice') as alice, Peer(listener) as peer:
            peer.read()
            text = json.dumps({'response': 200, 'alert': r'}{"\ж'}) + '\r\n'
            for number in range(3):
                text += json.dumps({'action': 'msg', 'from': 'bob',
                                    'to': 'alice', 'message': f'{{"{number}'})
            for byte in text.encode():
                peer.socket.sendall(bytes([byte]))
            for number in range(3):
                alice.read(message=f'{{"{number}')

    def test_what_is_no_jim(self):
        for noise in (b'HTTP/1.1 400 Bad\r\n\r\n', b'{"a" 1}', b'{"a":1,"a":2}',
                      b'{"a":"' + b'x' * 70000, b'{' * 65537, b'{"a":"\xff"}',
                      b']', b'{"a":["b"}}'):
            with self.subTest(noise[:20]):
                listener, endpoint = self.fake()
                with Script(endpoint, 'alice') as alice:
                    with Peer(listener) as peer:
                        peer.read()
                        with contextlib.suppress(OSError):
                            peer.socket.sendall(noise)
                        status, _, errors = alice.end()
                self.assertEqual(status, 76)
                self.assertIn('does not speak JIM', errors)
                os.unlink(self.path('fake'))

    def test_probes_are_answered(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice') as alice, Peer(listener) as peer:
            peer.expect('presence', 200)
            alice.read(event='entered')
            for _ in range(3):
                peer.send(action='probe', time=1)
                peer.expect('presence', 200)
            alice.say('bob', 'x')
            peer.expect('msg')
            peer.send(action='probe', time=1)  # answered when it is its turn
            peer.send(response=100, alert='not an answer')
            peer.send(response=202)
            alice.read(response=100)
            alice.read(response=202, request='msg')
            peer.expect('presence', 200)

    def test_users(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', output=None) as alice:
            with Peer(listener) as peer:
                alice.write('/who')
                peer.expect('presence', 200)
                peer.expect('get_users', 202, data_list=['bob', 'e\x1bve'])
                alice.hang_up()
                peer.expect('quit')
            self.assertIn('* bob, e\\x1bve\n', alice.process.stderr.read())

    def test_messages_of_long_ago(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', output=None) as alice:
            with Peer(listener) as peer:
                peer.expect('presence', 200)
                for when in (86400, 1e300, -5, 'x', None):
                    peer.send(action='msg', time=when, to='alice', message='x',
                              **{'from': 'bob'})
                line = alice.process.stdout.readline()
                self.assertRegex(line, r'^1970-01-0\d \d\d:\d\d \[private\]')
                for _ in range(4):
                    self.assertEqual(alice.process.stdout.readline(),
                                     '[private] bob: x\n')


def status_of(*options):
    return subprocess.run([PROGRAM, *options], timeout=LIMIT, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).returncode


class ExitStatus(ChatClientTest):
    def test_options(self):
        self.assertEqual(status_of('--help'), 0)
        self.assertEqual(status_of('--version'), 0)
        for wrong in ('--nonsense', '--rate=-1', '--room=tea', '--name=',
                      '--retries=-1', '--retry-delay=0', '--timeout=0',
                      'tcp:1:2:3', 'nowhere'):
            self.assertEqual(status_of(wrong), 64, wrong)

    def test_nobody_there(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            port = listener.getsockname()[1]
        self.assertEqual(status_of(f'tcp:127.0.0.1:{port}'), 69)
        self.assertEqual(status_of('unix:' + self.path('none')), 69)

    def test_cut_off(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', '--retries=0') as alice:
            Peer(listener).socket.close()
            self.assertEqual(alice.end()[0], 76)

    def test_no_answer(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', '--retries=0',
                    '--timeout=0.2') as alice, Peer(listener) as peer:
            peer.read()
            self.assertEqual(alice.end()[0], 75)

    def test_no_good_bye(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice', '--timeout=2') as alice:
            with Peer(listener) as peer:
                peer.expect('presence', 200)
                alice.hang_up()
                peer.expect('quit')
                self.assertEqual(alice.process.wait(LIMIT), 75)


if __name__ == '__main__':
    sys.exit(tap.main(300))
