# test-operator.py - the chat with an operator, on a pseudo-terminal
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The test is the person at the keyboard, and a small terminal shows what that
# person would see. Tutorials' clients and servers are written from the text,
# with all that it leaves undone; the names of these tests are the rows of
# docs/tutorial-systems.md.

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import tap
from terminal import LIMIT, SAMPLES, on_terminal

PEER = r'127\.0\.0\.1:\d+'


@contextlib.contextmanager
def operator(*options, columns=80):
    """The server on a terminal; gives it and its address."""
    options = '--mix-in', 'threading', *options
    with on_terminal('operator-server', '--listen', 'tcp:127.0.0.1:0',
                     *options, columns=columns) as terminal:
        terminal.wait('listening on tcp:' + PEER)
        terminal.wait_for_row('>>> ')
        port = int(terminal.screen.rows[0].rsplit(':', 1)[1])
        yield terminal, ('127.0.0.1', port)


@contextlib.contextmanager
def scripted(*options):
    """The server without a terminal; gives process and address."""
    process = subprocess.Popen(
        [os.path.join(SAMPLES, 'operator-server'), '--quiet', '--listen',
         'tcp:127.0.0.1:0', *options], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, bufsize=0)
    try:
        port = process.stdout.readline().rsplit(b':', 1)[1]
        yield process, ('127.0.0.1', int(port))
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def connected(address):
    client = socket.create_connection(address, LIMIT)
    client.settimeout(LIMIT)
    return client


def hears(client, text):
    """Reads exactly TEXT."""
    data = b''
    while len(data) < len(text.encode()):
        more = client.recv(len(text.encode()) - len(data))
        assert more, f'the end after {data!r}'
        data += more
    assert data.decode() == text, data


def is_quiet(client):
    return not select.select([client], [], [], 0)[0]


def read_all(client):
    while client.recv(65536):
        pass


class OperatorTest(unittest.TestCase):
    def join(self, terminal, address, number):
        client = connected(address)
        self.addCleanup(client.close)
        terminal.wait(rf'\[{number}\] {PEER} is here')
        return client

    def test_incoming_lines_do_not_garble_what_is_typed(self):
        with operator() as (terminal, address):
            one = self.join(terminal, address, 1)
            two = self.join(terminal, address, 2)
            one.sendall(b'hello\n')
            terminal.wait(r'\[1\] hello')
            terminal.wait_for_row('[1] >>> ')
            typed = ''
            for character in 'Привет!':
                typed += character
                terminal.type(character)
                terminal.wait_for_row('[1] >>> ' + typed)
                two.sendall(f'at {len(typed)}\n'.encode())
                terminal.wait(rf'\[2\] at {len(typed)}')
                terminal.wait_for_row('[1] >>> ' + typed)
            terminal.type('\r')
            hears(one, 'Привет!\n')
            self.assertTrue(is_quiet(two))
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)
        shown = [row for row in terminal.screen.rows if row.startswith('[2] a')]
        self.assertEqual(shown, [f'[2] at {n}' for n in range(1, 8)])

    def test_long_lines_stay_on_one_row(self):
        with operator(columns=40) as (terminal, address):
            client = self.join(terminal, address, 1)
            client.sendall(b'hello\n')
            terminal.wait_for_row('[1] >>> ')
            text = ''.join(chr(ord('a') + n % 26) for n in range(200))
            terminal.type(text)
            terminal.wait_for_row('[1] >>> ' + text[-30:])
            client.sendall(b'short\n')
            terminal.wait(r'\[1\] short')
            terminal.wait_for_row('[1] >>> ' + text[-30:])
            terminal.type('\x01>\x05<\r')
            hears(client, f'>{text}<\n')
            terminal.type('\x04')
            self.assertEqual(terminal.end(), 0)
            self.assertFalse(terminal.screen.has_wrapped)

    def test_line_editing(self):
        with operator() as (terminal, address):
            client = self.join(terminal, address, 1)
            client.sendall(b'hello\n')
            terminal.wait_for_row('[1] >>> ')
            for keys, line in (
                    ('abc\x1b[D\x1b[D\x7fX\r', 'Xbc'),  # left, backspace
                    ('wrong\x15right\r', 'right'),      # Ctrl-U
                    ('one two three\x17\x174\r', 'one 4'),  # Ctrl-W
                    ('bc\x1b[Ha\x1b[F!\r', 'abc!'),     # home, end
                    ('abc\x1b[D\x1b[3~d\r', 'abd'),     # delete
                    ('\x1b[A\x1b[A!\r', 'abc!!'),       # history
                    ('я\x7fж\x1b[Dы\r', 'ыж'),          # whole characters
                    ('\x1b[5~\x1bOP\x00\x07ok\r', 'ok')):  # ignored
                terminal.type(keys)
                hears(client, line + '\n')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)

    def test_clients_cannot_steer_the_terminal(self):
        with operator() as (terminal, address):
            client = self.join(terminal, address, 1)
            client.sendall(b'\x1b[2J\x1b]0;title\x07\r\x9b1m\xff\n')
            client.sendall('\u202egnp\n'.encode())
            terminal.wait(r'\[1\] \\x1b\[2J\\x1b\]0;title\\x07\\r'
                          r'\\x9b1m\\xff')
            terminal.wait(r'\[1\] \\u\{202e\}gnp')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)

    def test_answers_go_where_they_are_addressed(self):
        with operator() as (terminal, address):
            clients = [self.join(terminal, address, n) for n in (1, 2, 3)]
            terminal.type('to nobody\r')
            terminal.wait('nobody is chosen: .*')
            terminal.type('@2 for two\r')
            hears(clients[1], 'for two\n')
            terminal.type('/to 3\r')
            terminal.wait_for_row('[3] >>> ')
            clients[0].sendall(b'and me?\n')
            terminal.wait(r'\[1\] and me\?')
            terminal.type('for three\r')
            hears(clients[2], 'for three\n')
            terminal.type('/list\r')
            terminal.wait(rf'\[1\] {PEER}, 1 unanswered')
            terminal.type('/all everybody\r')
            for client in clients:
                hears(client, 'everybody\n')
            for wrong in '@4 x', '@x', '/to 0', '/bye 99999999999999999999':
                terminal.type(wrong + '\r')
                terminal.wait('there is no conversation ' +
                              wrong.split()[-1 if '/' in wrong else 0][
                                  wrong.startswith('@'):])
            terminal.type('/bye 2\r')
            self.assertEqual(clients[1].recv(10), b'')
            terminal.wait(r'\[2\] has left: .*')
            terminal.type('/nonsense\r')
            terminal.wait('/to 3, /all TEXT, .*')
            self.assertTrue(is_quiet(clients[0]) and is_quiet(clients[2]))
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)

    def test_an_answer_for_one_who_left_goes_to_nobody(self):
        with operator() as (terminal, address):
            one = self.join(terminal, address, 1)
            two = self.join(terminal, address, 2)
            one.sendall(b'hello\n')
            terminal.wait_for_row('[1] >>> ')
            terminal.type('secret')
            terminal.wait_for_row('[1] >>> secret')
            one.close()
            terminal.wait(r'\[1\] has left: it hung up')
            two.sendall(b'hello\n')
            terminal.wait(r'\[2\] hello')
            terminal.wait_for_row('>>> secret')
            terminal.type('\r')
            terminal.wait('nobody is chosen: .*')
            terminal.type('@2 for two\r')
            hears(two, 'for two\n')
            terminal.type('/quit\r')
            self.assertEqual(terminal.end(), 0)

    def test_who_does_not_read_is_cut_off(self):
        with scripted('--mix-in', 'threading') as (process, address):
            with connected(address) as deaf, connected(address) as client:
                for _ in deaf, client:
                    self.assertIn(b'is here', process.stdout.readline())
                reader = threading.Thread(target=read_all, args=(client,))
                reader.start()
                said, line = b'', b'/all ' + b'x' * 3000 + b'\n'
                for _ in range(20000):
                    process.stdin.write(line)
                    if select.select([process.stdout], [], [], 0)[0]:
                        said = process.stdout.readline()
                        break
                self.assertIn(b'does not read; it is cut off', said)
                process.stdin.write(b'/quit\n')
                self.assertEqual(process.wait(LIMIT), 0)
                reader.join(LIMIT)
                self.assertFalse(reader.is_alive())

    def test_without_commands_the_service_goes_on(self):
        with scripted() as (process, address):
            process.stdin.close()
            with connected(address) as client:
                client.sendall(b'anybody there?\n')
                while b'anybody there?' not in process.stdout.readline():
                    pass
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(LIMIT), 0)

    def test_an_idle_client_does_not_hold_up_the_end(self):
        for mix_in in 'inline', 'threading', 'fibers':
            with scripted('--mix-in', mix_in) as (process, address):
                with connected(address) as client:
                    process.stdout.readline()  # it is here
                    process.send_signal(signal.SIGTERM)
                    self.assertEqual(process.wait(LIMIT), 0)
                    self.assertEqual(client.recv(1), b'')


class TheirClients(unittest.TestCase):
    """A tutorial's client, our server; the operator is a script."""

    def read_until(self, process, wanted):
        line = b''
        while wanted not in line:
            line = process.stdout.readline()
            self.assertTrue(line)

    def dialogue(self, process, client, number, lines):
        """One line each way, in turn; no newline ends them."""
        for line, answer in lines:
            client.send(line.encode())
            self.read_until(process, f'[{number}] {line}'.encode())
            process.stdin.write(f'@{number} {answer}\n'.encode())
            self.assertEqual(client.recv(1024).decode().strip(), answer)

    def test_C1_good_bye_ends_both(self):
        with scripted('--once', '--bye', 'bye') as (process, address):
            with connected(address) as client:
                self.dialogue(process, client, 1, [('hello', 'who is it?'),
                                                   ('me', 'I see')])
                client.send(b'bye')
            self.assertEqual(process.wait(LIMIT), 0)

    def test_C2_one_message_each(self):
        with scripted('--once') as (process, address):
            with connected(address) as client:
                self.dialogue(process, client, 1, [('Hello!!', 'Gun!!')])
            self.assertEqual(process.wait(LIMIT), 0)

    def test_C2_by_script(self):
        with tempfile.NamedTemporaryFile('w', encoding='utf-8') as script:
            script.write('# C2\n<\n> Gun!!\n')
            script.flush()
            for mix_in in 'inline', 'threading', 'forking', 'prefork', 'fibers':
                with self.subTest(mix_in), \
                     scripted('--once', '--mix-in', mix_in, '--script',
                              script.name) as (process, address):
                    with connected(address) as client:
                        client.send(b'Hello!!')
                        self.assertEqual(client.recv(1024), b'Gun!!\n')
                        self.assertEqual(client.recv(1024), b'')
                    self.assertEqual(process.wait(LIMIT), 0)

    def test_C2_transcript(self):
        with tempfile.NamedTemporaryFile('w', encoding='utf-8') as script:
            script.write('> Who are you?\n<\n! You are not the one.\n'
                         '> What is the word?\n< swordfish\n> Come in.\n')
            script.flush()
            with scripted('--script', script.name) as (_process, address):
                for word, end in (('swordfish', 'Come in.'),
                                  ('Swordfish', 'You are not the one.')):
                    with connected(address) as client:
                        hears(client, 'Who are you?\n')
                        client.sendall('Müller\n'.encode())
                        hears(client, 'What is the word?\n')
                        client.sendall(f'{word}\r\n'.encode())
                        hears(client, end + '\n')
                        self.assertEqual(client.recv(1), b'')

    def test_C2_bad_script(self):
        with tempfile.NamedTemporaryFile('w', encoding='utf-8') as script:
            script.write('> well\nHello\n')
            script.flush()
            for path in script.name, script.name + '/nowhere':
                result = subprocess.run(
                    [os.path.join(SAMPLES, 'operator-server'), '--script',
                     path], stderr=subprocess.PIPE, text=True, check=False,
                    timeout=LIMIT)
                self.assertEqual(result.returncode, 66, result.stderr)

    def test_C3_only_the_exact_word_is_good_bye(self):
        with scripted('--once') as (process, address):
            with connected(address) as client:
                self.dialogue(process, client, 1, [('byebye', 'what?'),
                                                   (' ByeBye', 'what?'),
                                                   ('ByeBye!', 'go on')])
                client.send(b'Bye')
                client.send(b'Bye')  # in two pieces, it is still one word
                self.assertEqual(client.recv(1), b'')
            self.assertEqual(process.wait(LIMIT), 0)

    def test_C4_one_after_the_other(self):
        with scripted('--mix-in', 'inline') as (process, address):
            first, second = connected(address), connected(address)
            self.dialogue(process, first, 1, [('I am first', 'welcome')])
            second.send(b'I wait')
            first.close()
            self.read_until(process, b'[1] has left: it hung up')
            self.read_until(process, b'[2] I wait')
            process.stdin.write(b'@2 your turn\n')
            self.assertEqual(second.recv(1024), b'your turn\n')
            second.close()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(LIMIT), 0)

    def test_C5_all_at_once(self):
        for mix_in in 'threading', 'fibers':
            with self.subTest(mix_in=mix_in):
                self.talk_with_three(mix_in)

    def talk_with_three(self, mix_in):
        with scripted('--mix-in', mix_in) as (process, address):
            clients = []
            for number in 1, 2, 3:
                clients.append(connected(address))
                self.read_until(process, f'[{number}] 127'.encode())
            for number in 3, 1, 2:
                self.dialogue(process, clients[number - 1], number,
                              [(f'I am {number}', f'hello {number}')])
            for client in clients:
                client.close()
            process.stdin.write(b'/quit\n')
            self.assertEqual(process.wait(LIMIT), 0)


@contextlib.contextmanager
def their_server(serve):
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(LIMIT)
        heard = []
        thread = threading.Thread(target=serve, args=(server, heard))
        thread.start()
        yield 'tcp:127.0.0.1:%d' % server.getsockname()[1], heard
        thread.join(LIMIT)
        assert not thread.is_alive()


class OurClient(unittest.TestCase):
    """Our client, a tutorial's server, and a person at the keyboard."""

    def chat(self, server, heard):
        client, _ = server.accept()
        while data := client.recv(1024):
            heard.append(data.decode())
            if data == b'ByeBye':
                break
            client.send(b'you said: ' + data)
        client.close()

    def test_C3_good_bye_is_sent_and_ends(self):
        with their_server(self.chat) as (endpoint, heard):
            with on_terminal('operator-client', '--no-newline',
                             endpoint) as terminal:
                terminal.wait_for_row('>>> ')
                terminal.type('привет\r')
                terminal.wait('you said: привет')
                terminal.type('ByeBye\r')
                self.assertEqual(terminal.end(), 0)
        self.assertEqual(heard, ['привет', 'ByeBye'])

    def test_C6_exit_is_not_sent_and_ends(self):
        with their_server(self.chat) as (endpoint, heard):
            with on_terminal('operator-client', '--no-newline',
                             endpoint) as terminal:
                terminal.wait_for_row('>>> ')
                for line in 'EXIT', ' exit ', 'do not exit':
                    terminal.type(line + '\r')
                    terminal.wait('you said: ' + line)
                terminal.type('exit\r')
                self.assertEqual(terminal.end(), 0)
        self.assertEqual(heard, ['EXIT', ' exit ', 'do not exit'])

    def test_O3_host_and_port_are_asked_for(self):
        with their_server(self.chat) as (endpoint, heard):
            with on_terminal('operator-client', '--no-newline') as terminal:
                for port in '70000', '0':  # three attempts in all
                    terminal.wait_for_row('Host [127.0.0.1]: ')
                    terminal.type('\n')
                    terminal.wait_for_row('Port [9999]: ')
                    terminal.type(port + '\n')
                terminal.wait_for_row('Host [127.0.0.1]: ')
                terminal.type('127.0.0.1\n')
                terminal.wait_for_row('Port [9999]: ')
                terminal.type(endpoint.rsplit(':', 1)[1] + '\n')
                terminal.wait_for_row('>>> ')
                terminal.type('ByeBye\r')
                self.assertEqual(terminal.end(), 0)
        self.assertIn("port 0 is nobody's", terminal.screen.rows)
        self.assertEqual(heard, ['ByeBye'])

    def test_lines_that_come_in_do_not_garble(self):
        def serve(server, heard):
            client, _ = server.accept()
            client.recv(1)
            client.sendall(b'one\ntwo \x1b[2J\nthree')
            while b'line\n' not in b''.join(heard):
                heard.append(client.recv(100))
            client.close()

        with their_server(serve) as (endpoint, heard):
            with on_terminal('operator-client', endpoint) as terminal:
                terminal.wait_for_row('>>> ')
                terminal.type('x\r')
                terminal.type('half a li')
                terminal.wait('three')
                terminal.wait_for_row('>>> half a li')
                terminal.type('ne\r')
                self.assertEqual(terminal.end(), 0)
        self.assertIn(r'two \x1b[2J', terminal.screen.rows)
        self.assertEqual(b''.join(heard).strip(), b'half a line')

    def test_a_server_that_goes_ends_it_in_mid_line(self):
        def serve(server, heard):
            client, _ = server.accept()
            heard.append(client.recv(100))
            client.close()

        with their_server(serve) as (endpoint, _):
            with on_terminal('operator-client', endpoint) as terminal:
                terminal.wait_for_row('>>> ')
                terminal.type('x\rnever sen')
                self.assertEqual(terminal.end(), 0)

    def test_a_server_that_stays_does_not_keep_it(self):
        def serve(server, heard):
            client, _ = server.accept()
            while client.recv(100):
                pass
            try:
                client.settimeout(LIMIT)
                while True:
                    client.send(b'x')
                    time.sleep(0.01)
            except OSError:
                client.close()

        with their_server(serve) as (endpoint, _):
            status = subprocess.run(
                [os.path.join(SAMPLES, 'operator-client'), '--quiet',
                 '--timeout', '0.3', endpoint], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, timeout=LIMIT).returncode
        self.assertEqual(status, 75)


if __name__ == '__main__':
    sys.exit(tap.main(limit=240))
