# test-chat-client.py - the terminal of the chat, on a pseudo-terminal
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import signal
import sys

import tap
from chat import QUICK, ChatClientTest, Script, has_editor
from terminal import LIMIT


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
            bob.wait(r'\* alice, bob')
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


if __name__ == '__main__':
    sys.exit(tap.main(300))
