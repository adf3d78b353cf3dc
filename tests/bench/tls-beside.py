# tls-beside.py - do plain clients notice that others shake hands?
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run: make bench-tls, or tests/bench/tls-beside.py BUILD-DIR [SECONDS]
#
# One worker serves 1,000 plain connections in fibers. They are asked one after
# the other, and each answer is timed: alone, and while clients of TLS do
# nothing but shake hands. A handshake takes the processor for some
# milliseconds; on the worker, it would keep everybody waiting for as long.
# Client, server and handshakes share the machine, so the times are those of its
# scheduler too.

import os
import socket
import subprocess
import sys
import tempfile
import time

import servers

N_PLAIN = 1000
N_SHAKERS = 2
LIMIT = 30  # seconds, for anything
STALL = 5000  # µs


def make_certificate(folder):
    pem = os.path.join(folder, 'server.pem')
    servers.run_tool('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                     '-keyout', pem, '-out', pem + '.crt', '-days', '2',
                     '-subj', '/CN=localhost')
    with open(pem + '.crt') as file, open(pem, 'a') as whole:
        whole.write(file.read())
    return pem


def connect(port):
    return socket.create_connection(('127.0.0.1', port), timeout=LIMIT)


def ask(plain, seconds):
    """Asks in turn; returns how long the answers took, in µs, in order."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        client = plain[len(times) % len(plain)]
        before = time.perf_counter()
        client.send(b'hello\n')
        if client.recv(100) != b'hello\n':
            raise servers.Skip('something else came back')
        times.append((time.perf_counter() - before) * 1e6)
    return sorted(times)


def report(name, times, note=''):
    def part(share):
        return f'{times[int(len(times) * share)]:.0f}'

    stalls = sum(took > STALL for took in times)
    print(f'{name}: {len(times)} answers; p50 {part(0.5)} µs, p99 '
          f'{part(0.99)}, p99.9 {part(0.999)}, worst {times[-1]:.0f}; '
          f'{stalls} above {STALL}{note}')


def shake_hands(port, seconds):
    return subprocess.Popen(
        ['openssl', 's_time', '-connect', f'127.0.0.1:{port}', '-new', '-time',
         str(seconds)], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)


def measure(port, seconds):
    plain = [connect(port) for _ in range(N_PLAIN)]
    ask(plain, 1)
    report('alone', ask(plain, seconds))
    shakers = [shake_hands(port, seconds + 2) for _ in range(N_SHAKERS)]
    time.sleep(1)
    times = ask(plain, seconds)
    n_shaken = sum(int(line.split()[0]) for shaker in shakers
                   for line in shaker.communicate(timeout=LIMIT + seconds)[0]
                   .splitlines() if ' connections in ' in line
                   and 'real' in line)
    report('beside handshakes', times,
           f'; {n_shaken / (seconds + 2):.0f} handshakes a second')
    report('alone again', ask(plain, seconds))


def main():
    build = os.path.abspath(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.join(build, 'tests', 'bench', 'line-server'),
                   '--quiet', '--mix-in', 'fibers', '--workers', '1',
                   '--tls', make_certificate(folder),
                   '--listen', 'tcp:127.0.0.1:0']
        with servers.running(command) as run:
            measure(int(run.endpoint.rpartition(':')[2]), seconds)


if __name__ == '__main__':
    try:
        main()
    except servers.Skip as skip:
        sys.exit(f'tls-beside: {skip}')
