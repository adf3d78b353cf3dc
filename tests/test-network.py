# test-network.py - a server on one machine, a client on another
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The machines are two network namespaces with a cable between them. Both belong
# to a process of the test and go with it; the machine's own network is not
# touched.

import os
import re
import signal
import subprocess
import sys
import time
import unittest

import tap

LIMIT = tap.scale(30)  # seconds; any single wait
SAMPLES = os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples')
HOSTS = '198.51.100.1', 'fd00:db8::1', 'fe80::1%far'
CLIENT = {4: '198.51.100.2', 6: 'fd00:db8::2'}


# A client that sends many datagrams at once, of one length and then of another.
BURST = f'''
import socket, sys
host, port = sys.argv[1:]
kind = socket.AF_INET6 if ':' in host else socket.AF_INET
with socket.socket(kind, socket.SOCK_DGRAM) as client:
    client.settimeout({LIMIT})
    client.connect((host, int(port)))
    for length in 1400, 1000, 1400:
        sent = [bytes([i]) * length for i in range(16)]
        for data in sent:
            client.send(data)
        assert [client.recv(2000) for _ in sent] == sent
print('all')
'''


class Machine:
    """A namespace, for as long as the input of its process is open."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ['unshare', '--net', 'sh', '-c', 'echo ready; exec cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != 'ready\n':
            problem = self.holder.stderr.read().strip()
            self.stop()
            raise OSError(f'no network namespace here: {problem}')

    def command(self, *words):
        return ['nsenter', '--net', '--target', str(self.holder.pid), *words]

    def ip(self, words):
        subprocess.run(self.command('ip', *words.split()), check=True,
                       timeout=LIMIT)

    def stop(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()


class Network(unittest.TestCase):
    def setUp(self):
        try:
            self.lay_cable()
        except OSError as error:
            self.skipTest(str(error))

    def lay_cable(self):
        self.near, self.far = self.machine(), self.machine()
        self.near.ip('link add near type veth peer name far netns '
                     f'{self.far.holder.pid}')
        for machine, name, number in ((self.near, 'near', 1),
                                      (self.far, 'far', 2)):
            machine.ip('link set lo up')
            machine.ip(f'address add 198.51.100.{number}/24 dev {name}')
            machine.ip(f'address add fd00:db8::{number}/64 dev {name} nodad')
            machine.ip(f'address add fe80::{number}/64 dev {name} nodad')
            machine.ip(f'link set {name} up')

    def machine(self):
        machine = Machine()
        self.addCleanup(machine.stop)
        return machine

    def start(self, endpoint, *options):
        """A server on the near machine; gives it and its port."""
        server = subprocess.Popen(
            self.near.command(os.path.join(SAMPLES, 'echo-server'),
                              '--mix-in=threading', '--listen', endpoint,
                              *options),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        line = server.stdout.readline()
        self.assertTrue(line.startswith('listening on '), line)
        return server, int(line.rsplit(':', 1)[1])

    def ask(self, kind, host, port):
        """A client on the far machine; gives its exit status."""
        host = f'[{host}]' if ':' in host else host
        result = subprocess.run(
            self.far.command(os.path.join(SAMPLES, 'echo-client'), '--quiet',
                             f'--timeout={tap.scale(2)}',
                             f'{kind}:{host}:{port}'),
            input='hello\n', stdout=subprocess.PIPE, text=True, check=False,
            timeout=LIMIT)
        if result.returncode == 0:
            self.assertEqual(result.stdout, 'hello\n')
        return result.returncode

    def reach(self, kind, host, port):
        """A new cable may lose what is sent over it at first."""
        end = time.monotonic() + LIMIT
        while (status := self.ask(kind, host, port)) != 0:
            self.assertLess(time.monotonic(), end, f'{kind} {host}: {status}')

    def test_O1_reached_from_another_machine(self):
        for kind in 'tcp', 'udp':
            server, port = self.start(f'{kind}:[::]:0')
            for host in HOSTS:
                with self.subTest(kind, host=host):
                    self.reach(kind, host, port)
            server.send_signal(signal.SIGTERM)
            events = server.stderr.read()
            self.assertEqual(server.wait(LIMIT), 0)
            for host in CLIENT.values():
                host = f'[{host}]' if ':' in host else host
                self.assertRegex(
                    events, rf' received .* peer="{re.escape(host)}:\d+" .*'
                    r'text="hello(\\n)?"')

    def test_replies_that_no_frame_takes(self):
        """What the server couples, the link may refuse."""
        for machine, name in (self.near, 'near'), (self.far, 'far'):
            machine.ip(f'link set {name} mtu 1280')
        server, port = self.start('udp:[::]:0', '--mix-in=inline')
        for host in HOSTS[:2]:
            self.reach('udp', host, port)
            result = subprocess.run(
                self.far.command(sys.executable, '-c', BURST, host, str(port)),
                stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT)
            self.assertEqual(result.stdout, 'all\n')
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        self.assertEqual(server.wait(LIMIT), 0)

    def test_O1_one_address_is_one_address(self):
        """Who listens on loopback is not reached from elsewhere, nor who
        listens on another address."""
        self.reach('tcp', HOSTS[0], self.start('tcp:[::]:0')[1])
        for endpoint, host in (('tcp:127.0.0.1:0', HOSTS[0]),
                               ('tcp:[::1]:0', HOSTS[1]),
                               (f'tcp:{HOSTS[0]}:0', HOSTS[1]),
                               (f'udp:{HOSTS[0]}:0', HOSTS[1])):
            with self.subTest(endpoint):
                kind = endpoint.split(':')[0]
                _server, port = self.start(endpoint)
                self.assertEqual(self.ask(kind, host, port), 69)  # refused
        self.reach('tcp', HOSTS[0], self.start(f'tcp:{HOSTS[0]}:0')[1])


if __name__ == '__main__':
    sys.exit(tap.main(limit=240))
