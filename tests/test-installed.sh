#!/bin/bash
# test-installed.sh - a program outside the tree uses the installed library
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

test -f "$SRV_SRCDIR/samples/minimal.c" ||
  tap_skip_all "samples/minimal.c is not there"
test "$SRV_SANITIZERS" = no ||
  tap_skip_all "the program outside is built without sanitizers"

scratch=$(mktemp -d)
server=
clean_up ()
{
  test -z "$server" || kill "$server" 2> /dev/null
  rm -rf "$scratch"
}
trap clean_up EXIT

root=$scratch/root

# The installation asks for nothing but what was built; MAKEFLAGS would hand it
# the job server of a make that does not wait for it.
stage ()
{
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
    make -C "$SRV_BUILDDIR" install DESTDIR="$root"
}

tap_try "make install DESTDIR=... installs" stage

# found NAME: the folder of the installed file NAME.
found ()
{
  dirname "$(find "$root" -name "$1" -print -quit)"
}

libraries=$(found libsocketserver-1.0.so)
headers=$(found socketserver.h)

# The files of pkg-config name the place where all this is to be in the end.
mkdir "$scratch/packages"
for package in socketserver-1.0 socketserver-handlers-1.0
do
  file=$(found $package.pc)/$package.pc
  prefix=$(sed -n 's/^prefix=//p' "$file")
  sed "s|$prefix|$root$prefix|" "$file" > "$scratch/packages/$package.pc"
done

pkg_config ()
{
  PKG_CONFIG_PATH="$scratch/packages${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" \
    "$SRV_PKG_CONFIG" "$@"
}

no_private_header ()
{
  test -z "$(find "$headers" -name '*-private.h')"
}

headers_are_flat ()
{
  test "$(basename "$headers")" = socketserver-1.0 &&
    test -f "$headers/srv-version.h" &&
    test -z "$(find "$headers" -mindepth 1 -type d)"
}

tap_try "private headers are not installed" no_private_header
tap_try "headers are installed flat, in socketserver-1.0" headers_are_flat
tap_try "pkg-config knows socketserver-1.0" \
  pkg_config --print-errors --exists socketserver-1.0
tap_try "pkg-config knows socketserver-handlers-1.0" \
  pkg_config --print-errors --exists socketserver-handlers-1.0

# compile SOURCE PROGRAM PACKAGE
compile ()
{
  # shellcheck disable=SC2046
  $CC -Wall -Werror -o "$2" "$1" $(pkg_config --cflags --libs "$3")
}

cp "$SRV_SRCDIR/samples/minimal.c" "$scratch"
tap_try "minimal.c is built outside the tree" \
  compile "$scratch/minimal.c" "$scratch/minimal" socketserver-1.0

cat > "$scratch/handlers.c" << 'END'
#include <socketserver-handlers.h>

int
main (void)
{
  return SRV_IS_BASE_SERVER (NULL) || g_type_name (SRV_TYPE_ECHO_HANDLER) == NULL;
}
END
tap_try "a program uses the installed handlers" \
  compile "$scratch/handlers.c" "$scratch/handlers" socketserver-handlers-1.0

export LD_LIBRARY_PATH=$libraries
tap_try "and runs" "$scratch/handlers"
test -x "$scratch/minimal" || { tap_done; exit 1; }

# The first line that the server prints ends in its endpoint.
endpoint_of ()
{
  local i
  for i in $(seq 300)
  do
    sed -nE 's/.*tcp:([^ ]*):([0-9]+).*/\1 \2/p' "$1" | grep . && return
    kill -0 "$server" || return 1
    sleep 0.1
  done
  return 1
}

# With a port of its own choice if it takes one, so that nothing is in its way.
"$scratch/minimal" tcp:127.0.0.1:0 > "$scratch/out" 2>&1 &
server=$!
if address=$(endpoint_of "$scratch/out")
then
  tap_pass "the program listens"
else
  cat "$scratch/out" >&2
  tap_fail "the program listens"
fi
read -r host port <<< "$address"

# ask HOST PORT: one line there and back, by bash alone.
ask ()
{
  local reply
  exec 3<> "/dev/tcp/$1/$2" || return 1
  echo hello >&3
  read -r -t 10 reply <&3
  exec 3>&-
  test "${reply^^}" = HELLO
}

tap_try "and replies" ask "$host" "$port"

kill "$server"
wait "$server"
server=

removed ()
{
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
    make -C "$SRV_BUILDDIR" uninstall DESTDIR="$root" &&
    test -z "$(find "$root" -type f -o -type l)"
}

tap_try "make uninstall removes everything" removed

tap_done
