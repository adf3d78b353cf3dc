# cases.py - what is measured, against whom, and the goals
#
# SPDX-License-Identifier: LGPL-2.1-or-later

from dataclasses import dataclass, field

# What a goal is about: its word in the table, and its name in a sample. All but
# `memory` are ratios.
METRICS = {'rate': 'rate', 'CPU': 'cpu', 'p99.9': 'p99.9', 'memory': 'rss'}


@dataclass
class Goal:
    """SERVER's METRIC shall be at least or at most BOUND.

    It is a ratio to the same of AGAINST (by default the first server of the
    case), or for memory KiB per connection.
    """
    server: str
    metric: str
    at_least: float = None
    at_most: float = None
    against: str = None

    def __str__(self):
        unit = ' KiB' if self.metric == 'memory' else ' ×'
        if self.at_least is not None:
            return f'{self.metric} ≥ {self.at_least:g}{unit}'
        return f'{self.metric} ≤ {self.at_most:g}{unit}'

    def is_met(self, value):
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most


@dataclass
class Case:
    """A load, and the servers under it; ratios are to the first of them."""
    name: str
    servers: list
    goals: list = field(default_factory=list)
    connections: int = 64
    depth: int = 1
    connect: bool = False
    idle: int = 0
    greet: bool = False
    transport: str = 'tcp'  # or unix, udp, lines, chat
    layout: str = 'pin'  # or free
    work: int = 0  # KiB that our server hashes for each line
    short: bool = False  # is in `make bench`
    note: str = ''

    @property
    def n_connections(self):
        return self.connections + self.idle

    @property
    def load(self):
        words = ['-c', str(self.connections), '-d', str(self.depth)]
        if self.idle:
            words += ['-i', str(self.idle)]
        if self.greet:
            words += ['--greet']
        if self.connect:
            words += ['--connect']
        if self.transport == 'chat':
            words += ['--fan-out']
        if self.transport == 'lines':
            words += ['--lines']
        return words


EVENT_LOOPS = ['Boost.Asio', 'State Threads', 'Go', 'libuv', 'libevent',
               'asyncio']

CASES = [
    Case('fibers, 64 connections',
         ['epoll by hand', 'our fibers', *EVENT_LOOPS], short=True,
         goals=[Goal('our fibers', 'rate', at_least=0.97),
                Goal('our fibers', 'CPU', at_most=1.05),
                Goal('our fibers', 'p99.9', at_most=1.3)]),
    Case('fibers, 1,000 connections',
         ['epoll by hand', 'our fibers', *EVENT_LOOPS], connections=1000,
         goals=[Goal('our fibers', 'rate', at_least=0.97),
                Goal('our fibers', 'CPU', at_most=1.08)]),
    Case('fibers, 64 connections, 16 messages deep',
         ['epoll by hand', 'our fibers', *EVENT_LOOPS], depth=16,
         goals=[Goal('our fibers', 'rate', at_least=1.2)]),
    Case('fibers, Unix stream, 64 connections',
         ['epoll by hand', 'our fibers', 'Boost.Asio', 'State Threads', 'Go',
          'libuv', 'libevent'], transport='unix',
         goals=[Goal('our fibers', 'rate', at_least=0.95),
                Goal('our fibers', 'CPU', at_most=1.10)]),
    Case('fibers, 64 connections beside 10,000 idle ones',
         ['epoll by hand', 'our fibers', 'Boost.Asio', 'Go', 'libuv'],
         idle=10000,
         goals=[Goal('our fibers', 'rate', at_least=1.0),
                Goal('our fibers', 'memory', at_most=8)]),
    Case('threading, 64 connections beside 10,000 idle ones',
         ['pthread by hand', 'our threading', 'our threading, no GSlice',
          'GThreadedSocketService', 'CPython threading'], idle=10000,
         goals=[Goal('our threading', 'memory', at_most=14),
                Goal('our threading, no GSlice', 'memory', at_most=14)],
         note='GLib before 2.76 keeps some 4 KiB of freed memory for each '
              'thread, unless G_SLICE=always-malloc is in the environment.'),
    Case('64 connections beside 10,000 that fell idle after one message',
         ['epoll by hand', 'our fibers', 'our threading', 'Go',
          'pthread by hand'], idle=10000, greet=True,
         note='What a connection keeps once it has been used.'),
    Case('lines, 64 connections, 16 lines deep',
         ['epoll by hand', 'our fibers', 'our threading', 'CPython threading'],
         transport='lines', depth=16, short=True,
         goals=[Goal('our fibers', 'rate', at_least=0.85)],
         note='Ours and CPython\'s read and write line by line; the server by '
              'hand sends back what comes, without looking.'),
    Case('fibers, connect + echo + close',
         ['epoll by hand', 'our fibers', *EVENT_LOOPS], connections=8,
         connect=True, short=True,
         goals=[Goal('our fibers', 'rate', at_least=0.97),
                Goal('our fibers', 'CPU', at_most=1.08)]),
    Case('inline, connect + echo + close',
         ['iterative by hand', 'our inline', 'CPython inline'], connections=8,
         connect=True, short=True,
         goals=[Goal('our inline', 'CPU', at_most=1.1)]),
    Case('inline, connect + echo + close, one client',
         ['iterative by hand', 'our inline', 'CPython inline'], connections=1,
         connect=True,
         goals=[Goal('our inline', 'CPU', at_most=1.1)]),
    Case('threading, 64 connections',
         ['pthread by hand', 'our threading', 'GThreadedSocketService',
          'CPython threading'],
         goals=[Goal('our threading', 'rate', at_least=0.95)]),
    Case('threading, connect + echo + close',
         ['pthread by hand', 'our threading', 'GThreadedSocketService',
          'CPython threading'], connections=8, connect=True, short=True,
         goals=[Goal('our threading', 'rate', at_least=0.95),
                Goal('our threading', 'rate', at_least=3,
                     against='CPython threading')]),
    Case('thread pool, connect + echo + close',
         ['pool by hand', 'our thread pool'], connections=8, connect=True,
         short=True,
         goals=[Goal('our thread pool', 'rate', at_least=0.95)]),
    Case('prefork, connect + echo + close',
         ['prefork by hand', 'our prefork', 'Net::Server::PreFork'],
         connections=8, connect=True, short=True,
         goals=[Goal('our prefork', 'rate', at_least=0.95),
                Goal('our prefork', 'rate', at_least=4,
                     against='Net::Server::PreFork')]),
    Case('forking, connect + echo + close',
         ['fork by hand', 'fork by hand, with GIO', 'our forking',
          'CPython forking'], connections=8, connect=True, short=True,
         note='To fork costs by what a process has mapped: the second one is '
              'the first, linked to the libraries that ours is linked to.',
         goals=[Goal('our forking', 'CPU', at_most=1.15),
                Goal('our forking', 'rate', at_least=6,
                     against='CPython forking')]),
    Case('UDP, 4 sockets, a window of 16 datagrams each',
         ['recvmmsg by hand', 'recvfrom by hand', 'our inline', 'our fibers',
          'our threading', 'Go', 'CPython inline', 'CPython threading'],
         transport='udp', connections=4, depth=16, short=True,
         goals=[Goal('our inline', 'rate', at_least=0.9),
                Goal('our fibers', 'rate', at_least=0.9),
                Goal('our threading', 'rate', at_least=20,
                     against='CPython threading')]),
    Case('chat, one of 1,000 members speaks',
         ['broadcast by hand', 'our chat, fibers', 'our chat, threading'],
         transport='chat', connections=1000, depth=4, short=True,
         goals=[Goal('our chat, fibers', 'rate', at_least=0.8),
                Goal('our chat, threading', 'rate', at_least=0.8)],
         note='A message is a line that has reached one member.'),
    Case('chat, one of 100 members speaks beside 10,000 idle ones',
         ['broadcast by hand', 'our chat, fibers', 'our chat, threading'],
         transport='chat', connections=100, depth=4, idle=10000,
         note='The idle ones sit in rooms of 100.'),
    Case('two workers on two cores, lines that cost work',
         ['our fibers', 'our fibers, 2 workers', 'our threading'],
         transport='lines', layout='free', work=64,
         goals=[Goal('our fibers, 2 workers', 'rate', at_least=1.6)],
         note='The server may use two cores. For each line it hashes 64 KiB, '
              'so that nearly all time is the server\'s.'),
    Case('two workers on two cores, 64 connections',
         ['our fibers', 'our fibers, 2 workers', 'our threading', 'Go'],
         layout='free',
         note='The server may use two cores. On a machine with no third one '
              'the load runs on one of them and takes about as much as the '
              'server: no server can then be much faster with two.'),
]


def chosen(only, short):
    """The cases with one of these texts in their names."""
    return [case for case in CASES
            if (not short or case.short) and
            (not only or any(text in case.name for text in only))]
