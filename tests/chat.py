# chat.py - the client of the chat, its server, and one that is not the real one
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
import tempfile
import unittest

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
