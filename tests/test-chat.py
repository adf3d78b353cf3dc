# test-chat.py - the chat server, by clients that know nothing of the library
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The clients here are as simple as people write them: one read is one object.

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

import tap

PROGRAM = os.path.join(os.environ.get('SRV_BUILDDIR', '.'),
                       'samples/chat-server')
LIMIT = tap.scale(30)


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, '--quiet', '--listen', 'tcp:127.0.0.1:0', *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(':', 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(LIMIT)
        self.process.stdout.close()
        return status

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), LIMIT)


class Jim:
    """A client that takes what one read gives for one object."""

    def __init__(self, server, name):
        self.socket = server.connect()
        self.name = name
        self.send(action='presence', user={'account_name': name})
        self.reply = self.read()

    def send(self, **fields):
        fields['time'] = 1795224873.997142
        self.socket.sendall(json.dumps(fields).encode())

    def read(self):
        return json.loads(self.socket.recv(1024))

    def ask(self, **fields):
        self.send(**fields)
        return self.read()['response']

    def close(self):
        self.socket.close()


class ChatTest(unittest.TestCase):
    options = ()

    def setUp(self):
        if '--protocol=jim' in self.options and usage(*self.options):
            self.skipTest('built without jansson')
        self.server = Server(*self.options)

    def tearDown(self):
        if hasattr(self, 'server'):
            self.assertEqual(self.server.stop(), 0)


def usage(*options):
    """Whether the options are refused before anything is served."""
    with subprocess.Popen([PROGRAM, '--listen=tcp:1:2:3', *options],
                          stderr=subprocess.PIPE, text=True) as process:
        return 'jansson' in process.communicate(timeout=LIMIT)[1]


class JimOverThreads(ChatTest):
    options = ('--protocol=jim', '--default-room=#default')

    def test_room(self):
        alice, bob = Jim(self.server, 'alice'), Jim(self.server, 'bob')
        self.assertEqual(alice.reply['response'], 200)
        self.assertEqual(alice.ask(action='msg', to='#default',
                                   message='привет {}'), 202)
        heard = bob.read()
        self.assertEqual(heard['message'], 'привет {}')
        self.assertEqual(heard['from'], 'alice')
        self.assertEqual(heard['to'], '#default')
        self.assertEqual(heard['time'], 1795224873.997142)
        alice.close()
        bob.close()

    # The server leaves a gap between objects. A reader that the system keeps
    # waiting for longer than that gets two at a time all the same, so on a
    # loaded machine some of the reads may.
    def test_one_object_a_read_in_a_burst(self):
        alice, bob = Jim(self.server, 'alice'), Jim(self.server, 'bob')
        reads = []

        def read():
            while b''.join(reads).count(b'}') < 50:
                reads.append(bob.socket.recv(65536))

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(50):
            alice.send(action='msg', to='bob', message=str(number))
        reader.join()
        objects = b''.join(reads).replace(b'}{', b'}\n{').splitlines()
        self.assertEqual([json.loads(one)['message'] for one in objects],
                         [str(number) for number in range(50)])
        self.assertGreater(len(reads), 25)
        # Those that nobody read have piled up.
        pile = b''
        while pile.count(b'}') < 50:
            pile += alice.socket.recv(1024)
        self.assertEqual(pile.count(b'{"response":202'), 50)
        alice.close()
        bob.close()

    def test_codes(self):
        alice = Jim(self.server, 'alice')
        twin = Jim(self.server, 'ALICE')
        self.assertEqual(twin.reply['response'], 409)
        self.assertEqual(twin.ask(action='msg', to='alice', message='x'), 401)
        twin.close()
        self.assertEqual(alice.ask(action='msg', to='nobody', message='x'), 404)
        self.assertEqual(alice.ask(action='join', room='#tea'), 201)
        self.assertEqual(alice.ask(action='create', room='#tea'), 409)
        self.assertEqual(alice.ask(action='leave', room='#tea'), 200)
        alice.send(action='quit')
        self.assertEqual(alice.socket.recv(100), b'')
        alice.close()
        bob = Jim(self.server, 'bob')
        self.assertEqual(bob.ask(action='msg', to='alice', message='x'), 410)
        bob.close()

    # Clients that send lengths take the text of a reply for granted.
    def test_length_frames(self):
        with self.server.connect() as client:
            for name, code, text in (('#dave', 400, 'this cannot be a name'),
                                     ('dave', 200, '')):
                request = json.dumps({'action': 'presence',
                                      'user': name}).encode()
                client.sendall(len(request).to_bytes(4, 'big') + request)
                length = int.from_bytes(client.recv(4, socket.MSG_WAITALL),
                                        'big')
                reply = json.loads(client.recv(length, socket.MSG_WAITALL))
                self.assertEqual(reply['response'], code)
                self.assertEqual(reply['message'], text)

    def test_a_client_that_never_reads_harms_nobody(self):
        sleeper = Jim(self.server, 'sleeper')
        talkers = [Jim(self.server, f'talker {i}') for i in range(5)]
        for number in range(20):
            for talker in talkers:
                self.assertEqual(
                    talker.ask(action='msg', to='sleeper', message='x' * 400),
                    202)
        for client in [sleeper, *talkers]:
            client.close()

    def test_not_jim(self):
        for noise in (b'GET / HTTP/1.1\r\n\r\n', b'\x80\x04\x95', b'[' * 100000,
                      b'{"a":"' + b'x' * 200000, b'{"action":"\xff"}' * 3):
            with self.server.connect() as client:
                client.sendall(noise)
                client.shutdown(socket.SHUT_WR)
                try:
                    answer = client.recv(1000)
                except ConnectionResetError:
                    continue
                self.assertTrue(answer.startswith(b'{"response":400'), noise)
        with self.server.connect() as client:
            client.sendall(b'\x16\x03\x01\x02\x00')
            self.assertEqual(client.recv(1000), b'')


class JimBroadcast(ChatTest):
    options = ('--protocol=jim', '--default-room=#default', '--broadcast')

    def test_everybody(self):
        alice, bob = Jim(self.server, 'alice'), Jim(self.server, 'bob')
        for addressee in ({'to': ''}, {'destination': 'all'},
                          {'to': 'client'}, {}):
            self.assertEqual(alice.ask(action='msg', message='x', **addressee),
                             202)
            self.assertEqual(bob.read()['to'], '#default')
        alice.close()
        bob.close()


class JimUnprobed(ChatTest):
    options = ('--protocol=jim', '--probe-grace=0',
               '--unidentified-timeout=2000')

    # Longer than the usual grace; the end comes without a probe before it.
    def test_silence(self):
        with self.server.connect() as client:
            heard = client.makefile('rb').read()
            self.assertEqual(json.loads(heard)['response'], 401)


class JimTemplate(ChatTest):
    options = ('--protocol=jim', '--dialect=template')

    def test_who_has_said_nothing(self):
        alice, bob = Jim(self.server, 'alice'), Jim(self.server, 'bob')
        self.assertEqual(alice.ask(action='msg', to='bob', message='x'), 202)
        heard = bob.read()
        del heard['time']
        self.assertEqual(heard, {'action': 'message', 'destination': 'bob',
                                 'sender': 'alice', 'message_text': 'x'})
        alice.close()
        bob.close()


class JimOverFibers(JimOverThreads):
    options = (*JimOverThreads.options, '--mix-in=fibers')


class Lines(ChatTest):
    options = ('--protocol=line', '--default-room=#lobby')

    def expect(self, stream, text):
        self.assertEqual(stream.readline(), text + '\n')

    def test_transcript(self):
        with self.server.connect() as a, self.server.connect() as b:
            alice = a.makefile('rw', newline='\n')
            bob = b.makefile('rw', newline='\n')
            welcome = ('Welcome. Say /nick NAME, then /join #ROOM; '
                       '/help for more.')
            for who, name in ((alice, 'alice'), (bob, 'bob')):
                self.expect(who, welcome)
                who.write(f'/nick {name}\n')
                who.flush()
                self.expect(who, f'you are {name}')
            self.expect(alice, '* bob has come into #lobby')
            bob.write('hello\n/msg alice psst\n/quit\n')
            bob.flush()
            self.expect(alice, '[#lobby] bob: hello')
            self.expect(alice, '[private] bob: psst')
            self.expect(alice, '* bob has left #lobby')
            self.assertEqual(bob.readline(), '')


class Options(unittest.TestCase):
    def status(self, *options):
        return subprocess.run([PROGRAM, *options], timeout=LIMIT, check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE).returncode

    def test_options(self):
        self.assertEqual(self.status('--help'), 0)
        self.assertEqual(self.status('--version'), 0)
        for wrong in ('--protocol=irc', '--auth=required', '--rate=-1',
                      '--default-room=tea', '--mix-in=forking',
                      '--dialect=python', '--broadcast',
                      '--listen=udp:127.0.0.1:0', '--nonsense'):
            self.assertEqual(self.status(wrong), 64, wrong)


if __name__ == '__main__':
    sys.exit(tap.main(120))
