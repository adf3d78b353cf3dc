# tap.py - unittest cases that print TAP
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Standard output is TAP; tracebacks go to standard error, which the driver
# writes to the log. Names on the command line choose tests, as unittest does.

import faulthandler
import sys
import unittest


def note(text):
    """A measured value, for whoever reads the log."""
    print(f'# {text}', flush=True)


class TapResult(unittest.TestResult):
    def say(self, word, test, rest=''):
        case, name = test.id().split('.')[-2:]
        print(f'{word} {self.testsRun} - {case}.{name}{rest}', flush=True)

    def addSuccess(self, test):
        self.say('ok', test)

    def addSkip(self, test, reason):
        self.say('ok', test, f' # SKIP {reason}')

    def addFailure(self, test, problem):
        self.addError(test, problem)

    def addSubTest(self, test, subtest, problem):
        if problem is not None:
            print(subtest, file=sys.stderr)
            self.addError(test, problem)

    def addError(self, test, problem):
        super().addError(test, problem)
        self.say('not ok', test)
        print(self.errors[-1][1], file=sys.stderr, flush=True)


def main(limit):
    """Runs the cases of the script; after LIMIT seconds it is over."""
    faulthandler.dump_traceback_later(limit, exit=True)
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
