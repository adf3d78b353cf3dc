# check-rows.py - the tables of the manual name programs and tests that exist
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# docs/tutorial-systems.md and docs/parity.md say which test shows what. A test
# that was given another name would leave them telling what is not so.

import glob
import os
import re
import sys
import unittest

import tap

TREE = os.environ.get('SRV_SRCDIR', '.')
TEST = re.compile(r'\b((?:test|check)-[a-z0-9-]+(?:\.[a-z]+)?)`?'
                  r'(?::\s*((?:(?:`[^`]+`|\*[^*]+\*)(?:,\s*)?)+))?')
PROGRAM = re.compile(r'`([a-z]+-(?:server|client))\b')


def read(*path):
    with open(os.path.join(TREE, *path), encoding='utf-8') as file:
        return file.read()


def rows(name):
    return [line for line in read('docs', name).split('\n')
            if line.startswith('|')]


def text_of_test(name):
    names = [name] if '.' in name else [name + end
                                        for end in ('.c', '.sh', '.py')]
    for name in names:
        if os.path.exists(os.path.join(TREE, 'tests', name)):
            return read('tests', name)
    return None


class Rows(unittest.TestCase):
    def check(self, document):
        n_names = 0
        for row in rows(document):
            for test, names in TEST.findall(row):
                text = text_of_test(test)
                self.assertIsNotNone(text, f'{test} in {row}')
                for name in re.findall(r'[`*]([^`*]+)[`*]', names):
                    n_names += 1
                    # A name that is cut short ends with an ellipsis.
                    self.assertIn(name.strip('… ,').split('…')[0], text, row)
        self.assertGreater(n_names, 50)

    def test_tutorial_systems(self):
        self.check('tutorial-systems.md')

    def test_parity(self):
        self.check('parity.md')

    def test_programs(self):
        programs = PROGRAM.findall(read('docs', 'tutorial-systems.md'))
        self.assertGreater(len(programs), 20)
        for program in programs:
            self.assertTrue(glob.glob(os.path.join(TREE, 'samples',
                                                   program + '.c')), program)


if __name__ == '__main__':
    sys.exit(tap.main(limit=60))
