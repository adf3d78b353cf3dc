#!/bin/bash
# test-vala.sh - a handler written in Vala serves two clients at once
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

test -n "$SRV_VALAC" || tap_skip_all "no valac, or this build has no vapi"

scratch=$(mktemp -d)
server=
clean_up ()
{
  test -z "$server" || kill "$server" 2> /dev/null
  rm -rf "$scratch"
}
trap clean_up EXIT

cp "$SRV_SRCDIR/samples/vala-echo.vala" "$scratch"

translate ()
{
  (cd "$scratch" &&
    "$SRV_VALAC" --ccode --vapidir="$SRV_BUILDDIR" --girdir="$SRV_BUILDDIR" \
      --fatal-warnings --pkg gio-2.0 --pkg socketserver-1.0 vala-echo.vala)
}

# What valac writes is not for -Wall.
compile ()
{
  # shellcheck disable=SC2086
  $CC -w -o "$scratch/vala-echo" "$scratch/vala-echo.c" \
    -I"$SRV_SRCDIR/framework" -I"$SRV_BUILDDIR/framework" $SRV_GLIB_CFLAGS \
    -L"$SRV_BUILDDIR/framework/.libs" -lsocketserver-1.0 $SRV_GLIB_LIBS
}

for sample in socketserver-1.0 socketserver-handlers-1.0
do
  tap_try "$sample.vapi is there" test -s "$SRV_BUILDDIR/$sample.vapi"
done
tap_try "the sample is translated" translate
tap_try "the sample is compiled" compile
test -x "$scratch/vala-echo" || { tap_done; exit 1; }

"$scratch/vala-echo" tcp:127.0.0.1:0 > "$scratch/out" &
server=$!

port_of ()
{
  local i
  for i in $(seq 300)
  do
    sed -n 's/^listening on tcp:127\.0\.0\.1://p' "$1" | grep . && return
    kill -0 "$server" || return 1
    sleep 0.1
  done
  return 1
}

port=$(port_of "$scratch/out")
tap_try "it listens" test -n "$port"

# The first client is being served, and says nothing, while the second is.
two_clients ()
{
  local reply
  exec 3<> "/dev/tcp/127.0.0.1/$port" 4<> "/dev/tcp/127.0.0.1/$port" ||
    return 1
  echo second >&4
  read -r -t 10 reply <&4
  test "$reply" = second || return 1
  echo first >&3
  read -r -t 10 reply <&3
  exec 3>&- 4>&-
  test "$reply" = first
}

tap_try "two clients get their lines back" two_clients

kill -TERM "$server"
wait "$server"
result=$?
server=
tap_try "SIGTERM ends it well" test "$result" -eq 0

tap_done
