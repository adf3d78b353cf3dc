# test-pair.py - the sample that passes open files to a process without rights
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import subprocess
import sys
import tempfile
import unittest

import tap

LIMIT = 30  # seconds; any single run
PAIR = os.path.join(os.environ.get('SRV_BUILDDIR', '.'), 'samples', 'pair')


def run(*arguments):
    return subprocess.run([PAIR, *arguments], text=True, timeout=LIMIT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Pair(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def make(self, name, content):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as file:
            file.write(content)
        return path

    def test_transcript(self):
        """Many files one after the other, with room for one at a time."""
        paths = [self.make(f'file-{i}', b'line\n' * i) for i in range(40)]
        result = run(*paths)
        self.assertEqual(result.stderr, '')
        self.assertEqual(result.stdout, ''.join(
            f'{path}: {i} lines, {5 * i} bytes\n'
            for i, path in enumerate(paths)))
        self.assertEqual(result.returncode, 0)

    def test_large_file(self):
        path = self.make('large', b'\0\n' * 5000000)
        self.assertEqual(run(path).stdout,
                         f'{path}: 5000000 lines, 10000000 bytes\n')

    def test_missing_file(self):
        there = self.make('there', b'x')
        missing = os.path.join(self.folder.name, 'missing')
        result = run(missing, there)
        self.assertEqual(result.stdout, f'{there}: 0 lines, 1 bytes\n')
        self.assertIn('could not open', result.stderr)
        self.assertEqual(result.returncode, 66)

    def test_terminal_is_not_steered(self):
        path = self.make('\x1b[2Jname', b'')
        self.assertNotIn('\x1b', run(path).stdout)

    def test_folder_is_no_file(self):
        """What the child finds wrong is its answer."""
        self.assertIn('directory', run(self.folder.name).stdout)

    def test_options(self):
        for arguments, status in ((['--help'], 0), (['--version'], 0), ([], 64),
                                  (['--nonsense'], 64)):
            with self.subTest(arguments=arguments):
                self.assertEqual(run(*arguments).returncode, status)


if __name__ == '__main__':
    sys.exit(tap.main(limit=240))
