#!/bin/bash
# check-format.sh - the C files are laid out as clang-format does it
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

test "$SRV_CLANG_FORMAT" != no || tap_skip_all "clang-format is not installed"

# Each major version has a taste of its own.
case $("$SRV_CLANG_FORMAT" --version) in
*' version 14.'*) ;;
*) tap_skip_all "$SRV_CLANG_FORMAT is not version 14" ;;
esac

cd "$SRV_SRCDIR" || exit 1
test -f .clang-format || exit 1

shopt -s nullglob

for file in framework/*.[ch] framework/fiber/*.[ch] handlers/*.[ch] \
  samples/*.[ch] tests/*.[ch] tests/bench/*.[ch] tests/fuzz/*.[ch]
do
  tap_try "$file" "$SRV_CLANG_FORMAT" --dry-run --Werror "$file"
done

tap_done
