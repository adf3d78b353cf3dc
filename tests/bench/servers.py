# servers.py - the servers of the bench: ours and others', built and started
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every server prints `listening on ENDPOINT` when it is ready. What cannot be
# built or started is skipped, with the reason.

import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
START_LIMIT = 10  # seconds
END_LIMIT = 3


class Skip(Exception):
    """A server that is not there; says why."""


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else 'no reason given'


def run_tool(*words, **environment):
    """Output of a command that builds or asks something."""
    try:
        done = subprocess.run(words, text=True, capture_output=True,
                              env={**os.environ, **environment}, check=False)
    except OSError as error:
        raise Skip(f'{words[0]}: {error.strerror}') from error
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if 'rror' in line]
        raise Skip(f'{words[0]}: ' +
                   (errors[0].strip() if errors else last_line(done.stderr)))
    return done.stdout.strip()


def pkg_config(*words):
    return run_tool(os.environ.get('PKG_CONFIG') or 'pkg-config', *words)


class Server:
    """One row of a table. PROGRAM is the command before its arguments."""

    version = ''

    def __init__(self, name):
        self.name = name
        self.program = []

    def prepare(self, build):
        """Builds what has to be built. Raises Skip."""

    def command(self, case, path):
        """The command line that serves a case; PATH is for a Unix socket."""
        return self.program + ([path] if case.transport == 'unix' else [])


class Compiled(Server):
    """One file in C or C++, and the packages that it is linked to."""

    def __init__(self, name, source, *packages):
        super().__init__(name)
        self.source = source
        self.packages = packages

    def prepare(self, build):
        plus = self.source.endswith('.cc')
        compiler = (os.environ.get('CXX') or 'c++' if plus else
                    os.environ.get('CC') or 'cc')
        output = os.path.join(build, self.name.replace(' ', '-'))
        flags = []
        for package in self.packages:
            self.version = f'{package} {pkg_config("--modversion", package)}'
            flags += shlex.split(pkg_config('--cflags', '--libs', package))
        run_tool(*shlex.split(compiler), '-O2', '-Wall', '-pthread',
                 *(['-std=c++17'] if plus else []), '-o', output,
                 os.path.join(HERE, self.source), '-Wl,--no-as-needed', *flags)
        self.program = [output]


class Go(Server):
    def prepare(self, build):
        output = os.path.join(build, 'go-echo')
        run_tool('go', 'build', '-o', output, os.path.join(HERE, 'go-echo.go'),
                 GOCACHE=os.path.join(build, 'go-cache'), GO111MODULE='off')
        self.version = run_tool('go', 'version').removeprefix('go version ')
        self.program = [output]

    def command(self, case, path):
        if case.transport == 'udp':
            return [*self.program, 'udp']
        return super().command(case, path)


class Python(Server):
    """cpython-echo.py NAME, or another script."""

    def __init__(self, name, script, *words):
        super().__init__(name)
        self.version = f'Python {sys.version.split()[0]}'
        self.program = [sys.executable, os.path.join(HERE, script), *words]

    def command(self, case, path):
        if len(self.program) == 2:
            return self.program
        return [*self.program,
                {'tcp': 'stream'}.get(case.transport, case.transport)]


class Perl(Server):
    def prepare(self, build):
        self.version = 'Net::Server ' + run_tool(
            'perl', '-MNet::Server', '-e', 'print Net::Server->VERSION')
        self.program = ['perl', os.path.join(HERE, 'net-server-echo.pl')]


class Ours(Server):
    """samples/echo-server, or line-server, under a mix-in.

    WORKERS are as many as the server has that it is compared with. SETTINGS
    are of its environment, NAME=VALUE.
    """

    def __init__(self, name, mix_in, workers=0, insist=False, settings=()):
        super().__init__(name)
        self.prefix = ['env', *settings] if settings else []
        self.options = ['--quiet', '--mix-in', mix_in]
        self.workers = workers
        self.insist = insist

    def prepare(self, build):
        top = os.path.dirname(os.path.dirname(os.path.dirname(build)))
        self.echo = os.path.join(top, 'samples', 'echo-server')
        self.lines = os.path.join(top, 'tests', 'bench', 'line-server')
        if not self.workers:
            self._start()
            return
        plain = self.options
        self.options = [*plain, '--workers', str(self.workers)]
        try:
            self._start()
        except Skip:
            if self.insist:
                raise
            self.options = plain
            self._start()
            self.version = f'{self.name}: default number of workers'

    def _start(self):
        with running([*self.prefix, self.echo, *self.options, '--listen',
                      'tcp:127.0.0.1:0']):
            pass

    def command(self, case, path):
        program = self.lines if case.transport == 'lines' else self.echo
        endpoint = {'unix': f'unix:{path}',
                    'udp': 'udp:127.0.0.1:0'}.get(case.transport,
                                                  'tcp:127.0.0.1:0')
        work = ['--work', str(case.work)] if case.work else []
        return [*self.prefix, program, *self.options, *work, '--listen',
                endpoint]


class Chat(Ours):
    """samples/chat-server, for lines, under a mix-in."""

    def prepare(self, build):
        super().prepare(build)
        self.chat = os.path.join(os.path.dirname(self.echo), 'chat-server')

    def command(self, case, path):
        return [self.chat, *self.options, '--protocol', 'line', '--rate', '0',
                '--listen', 'tcp:127.0.0.1:0']


SERVERS = {server.name: server for server in (
    Ours('our inline', 'inline'),
    Ours('our threading', 'threading'),
    # As with GLib 2.76 and later, which has no cache of memory for each thread.
    Ours('our threading, no GSlice', 'threading',
         settings=['G_SLICE=always-malloc']),
    Ours('our forking', 'forking'),
    Ours('our thread pool', 'thread-pool', workers=8),
    Ours('our prefork', 'prefork', workers=8),
    Ours('our fibers', 'fibers', workers=1),
    Ours('our fibers, 2 workers', 'fibers', workers=2, insist=True),
    Chat('our chat, fibers', 'fibers', workers=1),
    Chat('our chat, threading', 'threading'),
    Compiled('broadcast by hand', 'epoll-broadcast.c'),
    Compiled('epoll by hand', 'epoll-echo.c'),
    Compiled('iterative by hand', 'iterative-echo.c'),
    Compiled('pthread by hand', 'pthread-echo.c'),
    Compiled('fork by hand', 'fork-echo.c'),
    # What the kernel takes for each child of a process with more libraries.
    Compiled('fork by hand, with GIO', 'fork-echo.c', 'gio-2.0'),
    Compiled('pool by hand', 'pool-echo.c'),
    Compiled('prefork by hand', 'prefork-echo.c'),
    Compiled('recvfrom by hand', 'udp-echo.c'),
    Compiled('recvmmsg by hand', 'udp-batch-echo.c'),
    Compiled('GThreadedSocketService', 'gio-echo.c', 'gio-2.0'),
    Compiled('libevent', 'libevent-echo.c', 'libevent'),
    Compiled('libuv', 'libuv-echo.c', 'libuv'),
    Compiled('State Threads', 'st-echo.c', 'st'),
    Compiled('Boost.Asio', 'asio-echo.cc'),
    Go('Go'),
    Python('CPython inline', 'cpython-echo.py', 'inline'),
    Python('CPython threading', 'cpython-echo.py', 'threading'),
    Python('CPython forking', 'cpython-echo.py', 'forking'),
    Python('asyncio', 'asyncio-echo.py'),
    Perl('Net::Server::PreFork'),
)}


class running:
    """A server from its line `listening on ...` to its end, for `with`.

    It is in a process group of its own, so that its children end with it.
    """

    def __init__(self, command, cores=None):
        self.command = command
        self.cores = cores

    def __enter__(self):
        self.errors = tempfile.TemporaryFile('w+')
        try:
            self.process = subprocess.Popen(
                self.command, text=True, stdout=subprocess.PIPE,
                stderr=self.errors, start_new_session=True,
                preexec_fn=self._pin)
        except OSError as error:
            raise Skip(f'{self.command[0]}: {error.strerror}') from error
        self.pid = self.process.pid
        line = ''
        if select.select([self.process.stdout], [], [], START_LIMIT)[0]:
            line = self.process.stdout.readline()
        if not line.startswith('listening on '):
            self.end()
            raise Skip(self.reason)
        self.endpoint = line.split()[-1]
        return self

    def _pin(self):
        if self.cores:
            os.sched_setaffinity(0, self.cores)

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.terminate()
        deadline = time.monotonic() + END_LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.errors.seek(0)
        self.reason = last_line(self.errors.read(100000))
        self.errors.close()


def prepare(names, build):
    """The servers of these names that can run, and why the others cannot."""
    os.makedirs(build, exist_ok=True)
    ready, skipped = {}, {}
    for name in names:
        try:
            SERVERS[name].prepare(build)
            ready[name] = SERVERS[name]
        except Skip as skip:
            skipped[name] = str(skip)
    return ready, skipped
