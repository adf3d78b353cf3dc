# sample.py - one fresh server, one run of the load, what it took
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import json
import os
import select
import subprocess
import time

import servers

LOAD_LIMIT = 90  # seconds, beside the time that is measured
TICK = os.sysconf('SC_CLK_TCK')


def layout_cores(layout):
    """Cores of the server and of the load.

    pin: one each. free: two for the server, and for the load a third if there
    is one, else one of the two.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return set(cores), set(cores)
    if layout == 'pin':
        return {cores[0]}, {cores[1]}
    return set(cores[:2]), {cores[2] if len(cores) > 2 else cores[1]}


def own_cpu_seconds(pid):
    """Of all threads of a process, those that have ended too.

    It is the clock of clock_getcpuclockid (), which counts nanoseconds; the
    figures of /proc/PID/stat are in hundredths of a second.
    """
    return time.clock_gettime((~pid << 3) | 2)


def cpu_seconds(pid):
    """Of a process, its children, and those that it has waited for."""
    with open(f'/proc/{pid}/stat') as file:
        waited_for = sum(map(int, file.read().rpartition(')')[2].split()[13:15]))
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        children = file.read().split()
    total = own_cpu_seconds(pid) + waited_for / TICK
    for child in children:
        try:
            total += cpu_seconds(int(child))
        except OSError:
            pass  # it has ended; the parent has its time, or is about to
    return total


def machine_seconds():
    """What all processors have worked, for whomever, and what was stolen.

    A kernel that counts the time of interrupts apart has a part of the
    server's and the load's network here, which then seems to be others'.
    """
    with open('/proc/stat') as file:
        user, nice, system, _idle, _wait, irq, soft, steal = map(
            int, file.readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / TICK


def resident_kib(pid):
    with open(f'/proc/{pid}/status') as file:
        for line in file:
            if line.startswith('VmRSS:'):
                return int(line.split()[1])
    return 0


class Moment:
    """What server, load and machine have used until now."""

    def __init__(self, server, load):
        self.server = cpu_seconds(server)
        self.ours = (self.server + own_cpu_seconds(load) +
                     time.process_time())
        self.machine = machine_seconds()


class Load:
    """The load generator, which waits for its end to be told."""

    def __init__(self, words, cores):
        self.process = subprocess.Popen(
            words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self, seconds):
        """The next line of its output."""
        line = ''
        if select.select([self.process.stdout], [], [],
                         LOAD_LIMIT + seconds)[0]:
            line = self.process.stdout.readline()
        if not line:
            self.process.kill()
            errors = self.process.communicate()[1]
            raise servers.Skip(servers.last_line(errors or 'load: no answer'))
        return line


def take(server, case, load_program, path, seconds, warm_up):
    """The figures of one sample. Raises Skip when the server fails."""
    server_cores, load_cores = layout_cores(case.layout)
    if os.path.exists(path):
        os.unlink(path)
    with servers.running(server.command(case, path), server_cores) as run:
        resident = resident_kib(run.pid)
        with Load([load_program, *case.load, '--hold', '--seconds',
                   str(seconds), '--warm-up', str(warm_up), run.endpoint],
                  load_cores) as load:
            load.line(warm_up)
            before = Moment(run.pid, load.pid)
            grown = resident_kib(run.pid) - resident
            result = json.loads(load.line(seconds))
            after = Moment(run.pid, load.pid)
    if result['messages'] == 0:
        raise servers.Skip('no message came back')
    result['cpu'] = (after.server - before.server) / result['messages'] * 1e6
    result['others'] = max(0, (after.machine - before.machine) - (
        after.ours - before.ours)) / result['seconds']
    if case.idle:
        result['rss'] = grown / case.n_connections
    return result
