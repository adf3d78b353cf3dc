# terminal.py - a program on a pseudo-terminal, and what a person would see
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
SAMPLES = os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples')


class Screen:
    """A terminal as far as the samples use one; it knows no other codes, and
    every character is one column wide."""

    def __init__(self, columns):
        self.columns, self.rows = columns, ['']
        self.row = self.column = 0
        self.unknown, self.has_wrapped, self.has_colours = [], False, False
        self.held = ''

    def feed(self, text):
        text = self.held + text
        self.held = re.search(r'(\x1b(\[[\d;]*)?)?$', text)[0]
        text = text[:len(text) - len(self.held)]
        for token in re.findall(r'\x1b\[[\d;]*[A-Za-z@]|[^\x1b]|\x1b', text):
            if token.isprintable():
                self.put(token)
            elif token in '\r\n\b':
                self.move(token)
            elif len(token) > 1:
                self.control(token[-1], token[2:-1])
            else:
                self.unknown.append(token)

    def put(self, character):
        if self.column == self.columns:
            self.has_wrapped = True
            self.column = 0
            self.down()
        before, after = self.parts()
        self.rows[self.row] = before + character + after[1:]
        self.column += 1

    def parts(self):
        row = self.rows[self.row].ljust(self.column)
        return row[:self.column], row[self.column:]

    def down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append('')

    def move(self, token):
        if token == '\n':
            self.down()
        else:
            self.column = 0 if token == '\r' else self.column - 1

    def control(self, code, number):
        before, after = self.parts()
        count = int(number) if number.isdigit() else 1
        if code == 'A':
            self.row -= count
        elif code in 'CD':
            self.column += count if code == 'C' else -count
        elif code == 'G':
            self.column = count - 1
        elif code in 'KJ' and number == '':
            self.rows[self.row] = before
            if code == 'J':
                del self.rows[self.row + 1:]
        elif code == 'P':
            self.rows[self.row] = before + after[count:]
        elif code == '@':
            self.rows[self.row] = before + ' ' * count + after
        elif code == 'm':
            self.has_colours = True
        else:
            self.unknown.append(number + code)
        assert self.row >= 0 and 0 <= self.column <= self.columns


class Terminal:
    """The program; with wait() for what it shows."""

    def __init__(self, program, *options, columns=80, environment=None):
        self.master, self.slave = os.openpty()
        size = struct.pack('HHHH', 24, columns, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)
        self.modes = termios.tcgetattr(self.slave)
        self.screen, self.bytes = Screen(columns), b''
        self.process = subprocess.Popen(
            [os.path.join(SAMPLES, program), *options], stdin=self.slave,
            stdout=self.slave, stderr=self.slave, start_new_session=True,
            env=environment)

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self, wanted):
        """Until WANTED, a regular expression, matches a whole row."""
        self.wait_until(lambda rows: any(re.fullmatch(wanted, row)
                                         for row in rows), wanted)

    def wait_for_row(self, wanted):
        """Until the row of the line is WANTED."""
        self.wait_until(lambda rows: rows[-1] == wanted, wanted)

    def wait_until(self, is_well, wanted):
        deadline = time.monotonic() + LIMIT
        while not is_well(self.screen.rows):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f'no {wanted!r} in {self.screen.rows}')
            self.read()

    def read(self):
        self.bytes += os.read(self.master, 65536)
        try:
            text = self.bytes.decode()
        except UnicodeDecodeError:
            return
        self.bytes = b''
        self.screen.feed(text)

    def end(self):
        """Waits for the end of the program; gives its status."""
        status = self.process.wait(LIMIT)
        while select.select([self.master], [], [], 0)[0]:
            self.read()
        assert termios.tcgetattr(self.slave) == self.modes
        assert not self.screen.unknown, self.screen.unknown
        return status

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def on_terminal(program, *options, columns=80, environment=None):
    terminal = Terminal(program, *options, columns=columns,
                        environment=environment)
    try:
        yield terminal
    finally:
        terminal.close()
