# test-bench.py - the bench measures, compares every byte, and reports honestly
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing here depends on how fast anything is.

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock

import tap

SRCDIR = os.environ['SRV_SRCDIR']
BENCH = os.path.join(SRCDIR, 'tests', 'bench')
BUILD = os.environ['SRV_BUILDDIR']
LIMIT = tap.scale(60)  # seconds; any single program
EX_UNAVAILABLE = 69

sys.path.insert(0, BENCH)
import cases  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402
import servers  # noqa: E402


def load(endpoint, *options):
    return subprocess.run(
        [os.path.join(BUILD, 'tests', 'bench', 'load'), '--seconds', '0.05',
         *options, endpoint],
        text=True, capture_output=True, timeout=LIMIT, check=False)


@contextlib.contextmanager
def server(program, *options, listen='tcp:127.0.0.1:0'):
    path = os.path.join(BUILD, *program.split('/'))
    with servers.running([path, '--quiet', '--listen', listen,
                          *options]) as run:
        yield run.endpoint


class LoadTest(unittest.TestCase):
    def measured(self, endpoint, *options):
        done = load(endpoint, *options)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        ready, line = done.stdout.splitlines()
        self.assertEqual(ready, 'ready')
        result = json.loads(line)
        self.assertGreater(result['messages'], 0)
        self.assertLessEqual(result['p50'], result['p99'])
        self.assertLessEqual(result['p99'], result['p99.9'])
        self.assertLessEqual(result['p99.9'], result['max'])
        return result

    def test_streams(self):
        with server('samples/echo-server', '--mix-in', 'threading') as endpoint:
            self.measured(endpoint, '-c', '4', '-d', '16', '--warm-up', '0.02')
            self.measured(endpoint, '-c', '2', '-s', '3000', '-d', '3')
            self.measured(endpoint, '-c', '2', '-i', '300')
            self.measured(endpoint, '-c', '2', '-i', '3', '--greet')

    def test_connection_for_each_message(self):
        with server('samples/echo-server') as endpoint:
            self.measured(endpoint, '-c', '4', '--connect')

    def test_datagrams(self):
        with server('samples/echo-server',
                    listen='udp:127.0.0.1:0') as endpoint:
            result = self.measured(endpoint, '-c', '2', '-d', '8')
        self.assertEqual(result['late'], 0)

    def test_lines(self):
        with server('tests/bench/line-server', '--mix-in', 'threading',
                    '--work', '1') as endpoint:
            self.measured(endpoint, '-c', '2', '-d', '16', '--lines')

    # What else would show that bytes are compared?
    def test_other_bytes_are_noticed(self):
        for listen, options in (('tcp:127.0.0.1:0', ['--lines']),
                                ('udp:127.0.0.1:0', ['-s', '300'])):
            with self.subTest(listen=listen), server(
                    'samples/echo-server', '--mix-in', 'inline', '--upper',
                    listen=listen) as endpoint:
                done = load(endpoint, '-c', '1', *options)
                self.assertEqual(done.returncode, EX_UNAVAILABLE)
                self.assertIn('came back', done.stderr)


class RunTest(unittest.TestCase):
    def run_bench(self, *options):
        done = subprocess.run(
            [sys.executable, os.path.join(BENCH, 'run.py'), '--build', BUILD,
             *options],
            text=True, capture_output=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_list(self):
        lines = self.run_bench('--list').splitlines()
        self.assertEqual(len(lines), len(cases.CASES))

    def test_every_server_of_every_case_is_known(self):
        for case in cases.CASES:
            self.assertLessEqual(set(case.servers), set(servers.SERVERS))
            for goal in case.goals:
                self.assertIn(goal.server, case.servers)
                self.assertIn(goal.against or case.servers[0], case.servers)

    # The whole way: servers, samples, tables, and the page of the manual.
    def test_run(self):
        name = 'inline, connect + echo + close, one client'
        with tempfile.TemporaryDirectory() as scratch:
            page = os.path.join(scratch, 'performance.md')
            samples = os.path.join(scratch, 'samples.jsonl')
            shutil.copy(os.path.join(SRCDIR, 'docs', 'performance.md'), page)
            os.chmod(page, 0o600)
            with open(page) as file:
                before = file.read()
            printed = self.run_bench(
                '--only', name, '--rounds', '2', '--seconds', '0.05',
                '--warm-up', '0.01', '--no-repeat', '--samples', samples,
                '--document', page)
            with open(page) as file:
                after = file.read()
            with open(samples) as file:
                kept = [json.loads(line) for line in file]
        self.assertIn('| our inline |', printed)
        self.assertEqual([line['round'] for line in kept
                          if line.get('server') == 'our inline'], [0, 1])
        self.assertTrue(all(line['cpu'] > 0 for line in kept[1:]))
        self.assertEqual(after.split(report.BEGIN)[0],
                         before.split(report.BEGIN)[0])
        self.assertEqual(after.split(report.END)[1],
                         before.split(report.END)[1])
        self.assertIn(f'### {name}\n', after)

    def test_each_round_begins_with_another_server(self):
        taken = []
        case = cases.Case('a case', ['a', 'b', 'c'])
        options = types.SimpleNamespace(rounds=4)
        with unittest.mock.patch.object(
                run, 'take_quiet', lambda server, _case, _options:
                taken.append(server) or {}):
            run.measure(case, {name: name for name in case.servers}, options,
                        lambda line: None)
        self.assertEqual(''.join(taken), 'abcbcacababc')

    # Not even those of the rounds before.
    def test_server_that_failed_has_no_figures(self):
        results, about = {}, {'failed': []}
        line = {'case': 'a case', 'server': 'our x'}
        run.add(results, about, {**line, 'rate': 1})
        self.assertEqual(len(results['a case']['our x']), 1)
        run.add(results, about, {**line, 'failed': 'it fell'})
        self.assertEqual(results, {'a case': {}})
        self.assertEqual(about['failed'], ['our x in "a case" (it fell)'])

    def test_unknown_mix_in_is_skipped_with_the_reason(self):
        with self.assertRaisesRegex(servers.Skip, 'unknown mix-in'):
            servers.Ours('our dreams', 'dreaming').prepare(
                os.path.join(BUILD, 'tests', 'bench', 'peers'))


class TlsBesideTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which('openssl'), 'there is no openssl')
    def test_plain_clients_are_timed_beside_handshakes(self):
        done = subprocess.run(
            [sys.executable, os.path.join(BENCH, 'tls-beside.py'), BUILD, '1'],
            text=True, capture_output=True, timeout=LIMIT, check=False)
        if 'TLS support is not available' in done.stderr:
            self.skipTest('GIO has no TLS here (glib-networking)')
        self.assertEqual(done.returncode, 0, done.stderr)
        alone, beside, again = done.stdout.splitlines()
        self.assertRegex(alone, r'^alone: \d+ answers; p50 ')
        self.assertRegex(beside, r'; [1-9]\d* handshakes a second$')
        self.assertRegex(again, r'^alone again: ')


class GoalTest(unittest.TestCase):
    case = cases.Case('a case', ['reference', 'our x'], goals=[
        cases.Goal('our x', 'rate', at_least=0.95),
        cases.Goal('our x', 'CPU', at_most=1.1)])

    def judge(self, result):
        return [report.verdict(report.judge(self.case, goal, result)[1])
                for goal in self.case.goals]

    def test_verdicts(self):
        reference = [{'round': 0, 'rate': 100, 'cpu': 10}]
        self.assertEqual(
            self.judge({'reference': reference,
                        'our x': [{'round': 0, 'rate': 96, 'cpu': 12}]}),
            ['met', '**not met**'])
        self.assertEqual(
            self.judge({'reference': reference,
                        'our x': [{'round': 0, 'rate': 94, 'cpu': 11}]}),
            ['**not met**', 'met'])

    # A machine that becomes three times slower does so for both.
    def test_ratio_is_of_the_samples_of_a_round(self):
        def samples(*rates):
            return [{'round': i, 'rate': rate} for i, rate in enumerate(rates)]

        result = {'reference': samples(300, 200, 100),
                  'our x': samples(330, 220, 50)}
        self.assertAlmostEqual(
            report.ratio(result, 'our x', 'rate', 'reference'), 1.1)

    # A server that failed has no goal met.
    def test_not_measured(self):
        self.assertEqual(self.judge({'reference': [], 'our x': []}),
                         ['not measured'] * 2)
        self.assertEqual(self.judge({'our x': [{'rate': 96, 'cpu': 12}]}),
                         ['not measured'] * 2)


if __name__ == '__main__':
    sys.exit(tap.main(LIMIT * 2))
