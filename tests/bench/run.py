# run.py - the library against hand-written servers and Python's socketserver
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run: tests/bench/run.py --build DIR [--rounds N] [--seconds S]
#                         [--only CASE]... [--output FILE]
#
# The server runs on core 0, the load on core 1. Rounds are interleaved (a, b,
# c, a, b, c), each with a fresh server, and medians are compared: differences
# below 10 % are noise. The processor time of the server for a message depends
# less than the rate on what else the machine does.

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

SERVER_CORE, LOAD_CORE = 0, 1
TICK = os.sysconf('SC_CLK_TCK')
HERE = os.path.dirname(os.path.abspath(__file__))

# Of each case: options of the load, then the servers. The first one is what
# the others are measured by.
CASES = {
    'threading, 64 connections, 64 bytes': (
        ['-c', '64', '-s', '64'],
        ['pthread-echo', 'our threading', 'cpython threading']),
    'threading, 64 connections, 1 KiB': (
        ['-c', '64', '-s', '1024'],
        ['pthread-echo', 'our threading', 'cpython threading']),
    'threading, 1 connection, 64 bytes': (
        ['-c', '1', '-s', '64'],
        ['pthread-echo', 'our threading', 'cpython threading']),
    'threading, 64 connections, depth 16': (
        ['-c', '64', '-s', '64', '-d', '16'],
        ['pthread-echo', 'our threading', 'cpython threading']),
    'threading, unix, 64 connections': (
        ['-c', '64', '-s', '64'],
        ['pthread-echo unix', 'our threading unix']),
    'threading, connects': (
        ['-c', '8', '--connect'],
        ['pthread-echo', 'our threading', 'cpython threading']),
    'inline, connects': (
        ['-c', '8', '--connect'],
        ['iterative-echo', 'our inline', 'cpython inline']),
    'forking, connects': (
        ['-c', '8', '--connect'],
        ['fork-echo', 'our forking', 'cpython forking']),
    'inline, udp, 4 sockets': (
        ['-c', '4', '-s', '64'],
        ['udp-echo', 'our inline udp', 'cpython udp']),
}


def command(build, server):
    """The command line of a server by its name in the table."""
    words = server.split()
    path = f'/tmp/srv-bench-{os.getpid()}.socket'
    if 'unix' in words and os.path.exists(path):
        os.unlink(path)
    if words[0] == 'cpython':
        return [sys.executable, os.path.join(HERE, 'cpython-echo.py'),
                words[1]]
    if words[0] == 'our':
        listen = {'unix': f'unix:{path}', 'udp': 'udp:127.0.0.1:0'}.get(
            words[-1], 'tcp:127.0.0.1:0')
        return [f'{build}/samples/echo-server', '--quiet', '--mix-in',
                words[1], '--listen', listen]
    return [f'{build}/tests/bench/{words[0]}', *(
        [path] if 'unix' in words else [])]


def pin(core):
    return lambda: os.sched_setaffinity(0, {core})


def cpu_seconds(pid):
    """Of a process, its children, and those that it has waited for."""
    with open(f'/proc/{pid}/stat') as file:
        ticks = sum(map(int, file.read().rpartition(')')[2].split()[11:15]))
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        children = file.read().split()
    total = ticks / TICK
    for child in children:
        try:
            total += cpu_seconds(child)
        except OSError:
            pass  # it has ended; the parent has its time, or is about to
    return total


def sample(build, server, load, seconds):
    """One fresh server, one run of the load."""
    process = subprocess.Popen(command(build, server), text=True,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL,
                               preexec_fn=pin(SERVER_CORE))
    try:
        endpoint = process.stdout.readline().split()[-1]
        before = cpu_seconds(process.pid)
        output = subprocess.run(
            [f'{build}/tests/bench/load', *load, '-t', str(seconds),
             endpoint],
            check=True, stdout=subprocess.PIPE, text=True,
            preexec_fn=pin(LOAD_CORE)).stdout
        time.sleep(0.05)
        used = cpu_seconds(process.pid) - before
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    result = json.loads(output)
    result['cpu'] = used / result['messages'] * 1e6
    return result


def measure(build, case, rounds, seconds):
    load, servers = CASES[case]
    results = {server: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            results[server].append(sample(build, server, load, seconds))
    return {server: {key: statistics.median(one[key] for one in samples)
                     for key in samples[0]}
            for server, samples in results.items()}


def table(case, medians):
    first = next(iter(medians.values()))
    lines = [f'### {case}', '',
             '| server | messages/s | ratio | CPU µs/message | ratio '
             '| p50 µs | p99 | p99.9 |',
             '|---|---|---|---|---|---|---|---|']
    for server, values in medians.items():
        lines.append(
            f'| {server} | {values["rate"]:.0f} '
            f'| {values["rate"] / first["rate"]:.2f} '
            f'| {values["cpu"]:.2f} | {values["cpu"] / first["cpu"]:.2f} '
            f'| {values["p50"]:.0f} | {values["p99"]:.0f} '
            f'| {values["p99.9"]:.0f} |')
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(
        description='The library against hand-written servers and Python.')
    parser.add_argument('--build', default=os.environ.get('SRV_BUILDDIR', '.'),
                        help='the build directory')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=1)
    parser.add_argument('--only', action='append', metavar='TEXT',
                        help='only cases with this in their name')
    parser.add_argument('--output', type=argparse.FileType('w'),
                        default=sys.stdout)
    options = parser.parse_args()
    for case in CASES:
        if options.only and not any(part in case for part in options.only):
            continue
        print(table(case, measure(options.build, case, options.rounds,
                                  options.seconds)),
              file=options.output, flush=True)


if __name__ == '__main__':
    main()
