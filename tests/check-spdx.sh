#!/bin/bash
# check-spdx.sh - every file of the project names its licence
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

cd "$SRV_SRCDIR" || exit 1

# By their endings, since a build inside the source tree leaves other files.
files=$(find .ci docs framework handlers packaging samples tests \
  \( -name html -o -name .libs -o -name .deps -o -name peers \) -prune -o -type f \
  \( -name '*.[ch]' -o -name '*.cc' -o -name '*.go' -o -name '*.in' -o -name '*.js' -o -name '*.md' -o -name '*.metadata' \
  -o -name '*.mk' -o -name '*.pl' -o -name '*.py' -o -name '*.sh' -o -name '*.supp' -o -name '*.svg' \
  -o -name '*.toml' -o -name '*.vala' -o -name run \) -print | sort)
top='CONTRIBUTING.md Makefile.am NEWS README.md autogen.sh configure.ac'

for file in $top $files
do
  # Made by configure in the source tree; its template is in the list.
  test "$file" = framework/srv-version.h && continue
  tap_try "$file" grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' "$file"
done

tap_done
