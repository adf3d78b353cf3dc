#!/bin/bash
# check-symbols.sh - the libraries export what the public headers declare
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

command -v nm > /dev/null || tap_skip_all "nm is not installed"
test "$SRV_CODE_COVERAGE" != yes ||
  tap_skip_all "a coverage build exports what gcov needs"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# empty NAME FILE: passes when there is no line in FILE.
empty ()
{
  if test -s "$2"
  then
    echo "$1, but:" >&2
    cat "$2" >&2
    tap_fail "$1"
  else
    tap_pass "$1"
  fi
}

# check FOLDER LIBRARY
check ()
{
  local library=$SRV_BUILDDIR/$1/.libs/$2.so

  nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u \
    > "$scratch/exported"
  # Comments out, then every name that is followed by a parenthesis.
  cat $(ls "$SRV_SRCDIR/$1"/*.h | grep -v -e '-private\.h$') |
    sed -e 's,/\*.*\*/,,' -e '/\/\*/,/\*\//d' > "$scratch/headers"
  grep -oE '\bsrv_[a-z0-9_]+ \(' "$scratch/headers" | sed 's/ (//' | sort -u \
    > "$scratch/declared"

  tap_try "$2 exports something" test -s "$scratch/exported"

  grep -vE '^srv_[a-z0-9_]+$' "$scratch/exported" > "$scratch/foreign"
  empty "$2 exports names with its prefix only" "$scratch/foreign"

  comm -23 "$scratch/exported" "$scratch/declared" > "$scratch/undeclared"
  empty "$2 exports what public headers declare only" "$scratch/undeclared"

  comm -13 "$scratch/exported" "$scratch/declared" > "$scratch/missing"
  empty "$2 exports all that public headers declare" "$scratch/missing"
}

# never_calls NAME PATTERN: nothing of it in what the framework takes from other
# libraries.
never_calls ()
{
  nm -D --undefined-only "$SRV_BUILDDIR/framework/.libs/libsocketserver-1.0.so" |
    awk '{ print $2 }' | sed 's/@.*//' | grep -xE "$2" > "$scratch/called"
  empty "$1" "$scratch/called"
}

check framework libsocketserver-1.0
never_calls "framework never asks the wall clock (D-53)" \
  'time|gettimeofday|clock_gettime|g_get_(real|current)_time|g_date_time_new_now.*'

# Only who asks for the name of an address gets it: no other object does that,
# and none uses the one that does.
for object in "$SRV_BUILDDIR"/framework/.libs/*.o
do
  case $object in
    *-srv-getnameinfo.o) ;;
    *) nm --undefined-only "$object" ;;
  esac
done | awk '{ print $2 }' |
  grep -xE 'getnameinfo|gethostby.*|g_resolver_lookup_by_address.*|srv_(getnameinfo|gethostbyaddr|getfqdn)' \
  > "$scratch/called"
empty "framework never looks up the name of an address by itself (D-54)" \
  "$scratch/called"
check handlers libsocketserver-handlers-1.0

tap_done
