# tap.py - unittest cases that print TAP
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Standard output is TAP; tracebacks go to standard error, which the driver
# writes to the log. Names on the command line choose tests, as unittest does.

import faulthandler
import os
import sys
import unittest


def note(text):
    """A measured value, for whoever reads the log."""
    print(f'# {text}', flush=True)


def scale(limit):
    """A limit of time for a machine that is CK_TIMEOUT_MULTIPLIER times as
    slow as usual."""
    factor = float(os.environ.get('CK_TIMEOUT_MULTIPLIER', 1))
    return type(limit)(limit * factor)


class TapResult(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.problems = 0
        self.skipped_because = None

    def stopTest(self, test):
        super().stopTest(test)
        case, name = test.id().split('.')[-2:]
        word = 'not ok' if self.problems else 'ok'
        skip = self.skipped_because
        print(f'{word} {self.testsRun} - {case}.{name}',
              f' # SKIP {skip}' if skip else '', sep='', flush=True)

    def addSkip(self, test, reason):
        self.skipped_because = reason

    def addFailure(self, test, problem):
        self.addError(test, problem)

    def addSubTest(self, test, subtest, problem):
        if problem is not None:
            print(subtest, file=sys.stderr)
            self.addError(test, problem)

    def addError(self, test, problem):
        super().addError(test, problem)
        self.problems += 1
        print(self.errors[-1][1], file=sys.stderr, flush=True)


def main(limit):
    """Runs the cases of the script; after LIMIT seconds it is over. That is
    for what hangs: other programs may have the machine most of the time."""
    faulthandler.dump_traceback_later(3 * scale(limit), exit=True)
    script = sys.modules['__main__']
    loader = unittest.defaultTestLoader
    if len(sys.argv) > 1:
        suite = loader.loadTestsFromNames(sys.argv[1:], script)
    else:
        suite = loader.loadTestsFromModule(script)
    print(f'1..{suite.countTestCases()}')
    result = TapResult()
    suite.run(result)
    return not result.wasSuccessful()
