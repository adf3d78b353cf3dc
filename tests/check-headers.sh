#!/bin/bash
# check-headers.sh - every header compiles alone, as C and as C++
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

includes="-I$SRV_SRCDIR/framework -I$SRV_BUILDDIR/framework -I$SRV_SRCDIR/handlers"
warnings='-Wall -Wextra -Wno-unused-parameter -Werror'

# compiles COMPILER LANGUAGE HEADER
compiles ()
{
  printf '#include "%s"\n' "$3" > "$scratch/alone.$2"
  # shellcheck disable=SC2086
  $1 -x "$2" $warnings $includes $SRV_GLIB_CFLAGS -fsyntax-only \
    "$scratch/alone.$2"
}

headers=$(cd "$SRV_SRCDIR" && echo framework/*.h framework/fiber/*.h handlers/*.h)

for header in $headers framework/srv-version.h
do
  name=${header#*/}
  # In a build inside the source tree the version header was listed already.
  case " $seen " in *" $name "*) continue ;; esac
  seen="$seen $name"

  tap_try "$header as C" compiles "$CC" c "$name"
  case $name in
  *-private.h)
    # Never installed, so never seen by C++.
    ;;
  *)
    if test -n "$SRV_CXX"
    then
      tap_try "$header as C++" compiles "$SRV_CXX" c++ "$name"
    else
      tap_skip "$header as C++" "no C++ compiler"
    fi
    ;;
  esac
done

tap_done
