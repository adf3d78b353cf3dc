# run.py - the library against hand-written servers, other libraries, and Python
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run: tests/bench/run.py --build DIR [OPTION...], see --help.
#
# cases.py says what is measured and what the goals are, servers.py builds and
# starts the servers, sample.py takes one figure, report.py writes.
#
# Rounds are interleaved and each begins with another server (a, b, c, b, c, a),
# each sample has a fresh server, and a ratio is the median of those of each
# round: differences below 10 % are noise. The processor time of the server for a
# message depends less than the rate on what else the machine does. All samples
# go to a file, as lines of JSON.

import argparse
import json
import os
import resource
import signal
import sys

import cases
import report
import sample
import servers


def say(text):
    print(text, file=sys.stderr, flush=True)


def take_quiet(server, case, options):
    """A sample; taken once more when others disturbed it."""
    for last in (options.no_repeat, True):
        taken = sample.take(server, case, options.load, options.socket,
                            options.seconds, options.warm_up)
        if last or taken['others'] <= report.NOISE:
            return taken


def add(results, about, line):
    """Takes a sample in. A server that failed has no figures in that case."""
    case = results.setdefault(line['case'], {})
    if 'failed' in line:
        case.pop(line['server'], None)
        about['failed'].append(f'{line["server"]} in "{line["case"]}" '
                               f'({line["failed"]})')
    else:
        case.setdefault(line['server'], []).append(line)


def measure(case, ready, options, keep):
    """Takes the samples of each server of a case."""
    names = [name for name in case.servers if name in ready]
    for number in range(options.rounds):
        first = number % max(len(names), 1)
        for name in names[first:] + names[:first]:
            line = {'case': case.name, 'server': name, 'round': number}
            try:
                line.update(take_quiet(ready[name], case, options))
            except servers.Skip as skip:
                say(f'{case.name}: {name} failed: {skip}')
                line['failed'] = str(skip)
                names.remove(name)
            keep(line)


def run(options):
    """Measures the chosen cases; returns results and what they ran on."""
    chosen = cases.chosen(options.only, options.short)
    names = dict.fromkeys(name for case in chosen for name in case.servers)
    ready, skipped = servers.prepare(names, options.peers)
    for name, reason in skipped.items():
        say(f'skipped: {name}: {reason}')
    about = report.describe_machine(ready, skipped, options)
    results = {case.name: {} for case in chosen}
    with open(options.samples, 'w') as file:
        def keep(line):
            print(json.dumps(line), file=file, flush=True)
            add(results, about, line)

        print(json.dumps({'about': about}), file=file)
        for case in chosen:
            measure(case, ready, options, keep)
            print(report.section(case, results[case.name]), flush=True)
    return results, about


def read(path):
    """Results and what they ran on, from a file of samples."""
    with open(path) as file:
        lines = list(map(json.loads, file))
    results, about = {}, lines[0]['about']
    for line in lines[1:]:
        add(results, about, line)
    return results, about


def parse():
    parser = argparse.ArgumentParser(
        description='The library against other servers.')
    parser.add_argument('--build', default=os.environ.get('SRV_BUILDDIR', '.'),
                        metavar='DIR', help='the build directory')
    parser.add_argument('--list', action='store_true', help='show the cases')
    parser.add_argument('--short', action='store_true',
                        help='few cases, few rounds')
    parser.add_argument('--only', action='append', metavar='TEXT',
                        help='only cases with this in their names')
    parser.add_argument('--rounds', type=int, metavar='N')
    parser.add_argument('--seconds', type=float, metavar='S')
    parser.add_argument('--warm-up', type=float, metavar='S')
    parser.add_argument('--no-repeat', action='store_true',
                        help='keep samples that others disturbed')
    parser.add_argument('--samples', metavar='FILE',
                        help='where all samples go')
    parser.add_argument('--read', metavar='FILE',
                        help='measure nothing, report these samples')
    parser.add_argument('--document', metavar='FILE',
                        help='the page whose generated part is replaced')
    options = parser.parse_args()
    for name, short, full in (('rounds', 2, 5), ('seconds', 0.3, 1),
                              ('warm_up', 0.1, 0.3)):
        if getattr(options, name) is None:
            setattr(options, name, short if options.short else full)
    options.no_repeat = options.no_repeat or options.short
    here = os.path.join(os.path.abspath(options.build), 'tests', 'bench')
    options.load = os.path.join(here, 'load')
    options.peers = os.path.join(here, 'peers')
    options.socket = f'/tmp/srv-bench-{os.getpid()}.socket'
    options.samples = options.samples or os.path.join(here, 'samples.jsonl')
    return options


def main():
    options = parse()
    if options.list:
        for case in cases.chosen(options.only, options.short):
            print(f'{case.name}: {", ".join(case.servers)}')
        return 0
    # Who ends the run ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Ten thousand connections need as many descriptors.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    results, about = read(options.read) if options.read else run(options)
    print(report.goal_table(results), flush=True)
    if options.document:
        problem = report.write_document(options.document, results, about)
        if problem:
            say(f'no plot: {problem}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
