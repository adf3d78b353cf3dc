# test-chat-client-scripts.py - the chat client in scripts, and its protocol
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import contextlib
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import time

import tap
from chat import PROGRAM, QUICK, ChatClientTest, Peer, Script, environment
from terminal import LIMIT, on_terminal


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

    def test_a_server_that_does_not_tell_who_is_there(self):
        listener, endpoint = self.fake()
        with Script(endpoint, 'alice') as alice:
            with Peer(listener) as peer:
                peer.expect('presence', 200)
                peer.send(action='msg', to='alice', message='hello', time=1,
                          **{'from': 'bob'})
                alice.read(action='msg', message='hello')
                alice.send(action='get_users')
                peer.expect('get_users', 400)
                self.assertEqual(alice.read(event='heard')['text'],
                                 'the server does not tell; heard so far: bob')
                alice.send(action='quit')
                peer.expect('quit')
            self.assertEqual(alice.end()[0], 0)

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

    def test_signal_leaves_the_terminal_as_it_was(self):
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        self.addCleanup(os.close, end)
        process = subprocess.Popen([PROGRAM, '--ask-password', 'unix:/nowhere'],
                                   stdin=end, stdout=end, stderr=end)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        seen = b''
        while not seen.endswith(b'Password: '):
            self.assertTrue(select.select([terminal], [], [], LIMIT)[0])
            seen += os.read(terminal, 1000)
        self.assertFalse(termios.tcgetattr(end)[3] & termios.ECHO)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(LIMIT), -signal.SIGTERM)
        self.assertTrue(termios.tcgetattr(end)[3] & termios.ECHO)

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
