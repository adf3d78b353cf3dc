#!/bin/bash
# run-python.sh - runs a Python test, or says why it cannot
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A script that imports gi.repository needs the python3 for which PyGObject is
# installed, and the typelib of the build tree; the others need any python3.

script=$1

skip ()
{
  echo "1..0 # SKIP $*"
  exit 0
}

if grep -q 'gi\.repository' "$script"
then
  test -n "$SRV_PYTHON_GI" ||
    skip "configure found no python3 that can import gi (package python3-gi)"
  test "$SRV_INTROSPECTION" = yes ||
    skip "this build has no introspection"
  exec "$SRV_PYTHON_GI" "$@"
fi

test -n "$SRV_PYTHON" || skip "configure found no python3"
exec "$SRV_PYTHON" "$@"
