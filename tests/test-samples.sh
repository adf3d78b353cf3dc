#!/bin/bash
# test-samples.sh - every sample, started and talked to
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every transport under every mix-in, by our client and by netcat and socat;
# the promises that the samples' manual pages make: start-up lines, events,
# exit statuses. Nothing sleeps: a server is ready when it says so.

. "${SRV_SRCDIR:-$(dirname "$0")/..}/tests/tap.sh"

samples=${SRV_BUILDDIR:-.}/samples
work=$(mktemp -d "${TMPDIR:-/tmp}/srv-samples.XXXXXX") || exit 1
server=

trap 'kill -KILL $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

# start COUNT PROGRAM OPTIONS...: starts a server in the background, waits for
# its COUNT start-up lines; sets $server and the array $endpoints.
start ()
{
  local count=$1 program=$2 fifo=$work/ready
  shift 2
  mkfifo "$fifo"
  "$samples/$program" "$@" >"$fifo" 2>"$work/events" &
  server=$!
  mapfile -t lines < <(timeout 20 head -n "$count" "$fifo")
  rm -f "$fifo"
  endpoints=("${lines[@]#listening on }")
  test "${#lines[@]}" -eq "$count"
}

# stop: ends the server as a service manager would; the result is its status.
stop ()
{
  kill -TERM "$server"
  wait "$server"
}

# client OPTIONS...: the client, with a limit in case that its own fails.
client ()
{
  timeout --foreground 30 "$samples/echo-client" --quiet "$@"
}

# with_client, with_nc, with_socat ENDPOINT: standard input to the endpoint,
# replies to standard output.
with_client ()
{
  client "$1"
}

with_nc ()
{
  case $1 in
    tcp:\[*) timeout 10 nc -N ::1 "${1##*:}" ;;
    tcp:*) timeout 10 nc -N 127.0.0.1 "${1##*:}" ;;
    udp:*) timeout 10 nc -u -w 1 127.0.0.1 "${1##*:}" ;;
    unix:*) timeout 10 nc -N -U "${1#unix:}" ;;
  esac
}

with_socat ()
{
  case $1 in
    tcp:\[*) timeout 10 socat - "TCP6:[::1]:${1##*:}" ;;
    tcp:*) timeout 10 socat - "TCP4:127.0.0.1:${1##*:}" ;;
    udp:*) timeout 10 socat -t 1 - "UDP4:127.0.0.1:${1##*:}" ;;
    unix:@*) timeout 10 socat - "ABSTRACT-CONNECT:${1#unix:@}" ;;
    unix:*) timeout 10 socat - "UNIX-CONNECT:${1#unix:}" ;;
    unixgram:@*)
      timeout 10 socat -t 1 - \
        "ABSTRACT-SENDTO:${1#unixgram:@},bind=srv-client-$$" ;;
    unixgram:*)
      timeout 10 socat -t 1 - \
        "UNIX-SENDTO:${1#unixgram:},bind=$work/client.socket" ;;
  esac
}

# comes_back HOW ENDPOINT TEXT [EXPECTED]
comes_back ()
{
  local reply
  reply=$(printf '%s\n' "$3" | "$1" "$2")
  echo "$1 $2: $reply"
  test "$reply" = "${4:-$3}"
}

# ends_with STATUS COMMAND...
ends_with ()
{
  local expected=$1 status
  shift
  "$@" </dev/null
  status=$?
  echo "exit status $status, expected $expected: $*"
  test "$status" -eq "$expected"
}

have_nc=$(nc -h 2>&1 | grep -q -- '-N' && nc -h 2>&1 | grep -q -- '-U' &&
          echo yes)
have_socat=$(command -v socat)
listen_v6=
if test -e /proc/net/if_inet6 && grep -q ' lo$' /proc/net/if_inet6
then
  listen_v6=yes
fi

# try_client NAME HOW ENDPOINT
try_client ()
{
  case $2 in
    with_nc)
      test -n "$have_nc" ||
        { tap_skip "$1" 'no netcat that knows -N and -U'; return; } ;;
    with_socat)
      test -n "$have_socat" || { tap_skip "$1" 'no socat'; return; } ;;
  esac
  tap_try "$1" comes_back "$2" "$3" 'hello, world'
}

### Transports, mix-ins, clients

transport_of ()
{
  case $1 in
    tcp:\[*) echo 'TCP over IPv6' ;;
    tcp:*) echo 'TCP' ;;
    udp:*) echo 'UDP' ;;
    unix:@*) echo 'an abstract name' ;;
    unix:*) echo 'a Unix path' ;;
    unixgram:@*) echo 'an abstract datagram name' ;;
    unixgram:*) echo 'a Unix datagram path' ;;
  esac
}

for mix_in in inline threading forking fibers
do
  listen=(
    tcp:127.0.0.1:0
    udp:127.0.0.1:0
    "unix:$work/stream.socket"
    "unix:@srv-samples-$$"
    "unixgram:$work/datagram.socket"
    "unixgram:@srv-samples-gram-$$"
  )
  if test -n "$listen_v6"
  then
    listen+=('tcp:[::1]:0')
  else
    tap_skip "$mix_in: TCP over IPv6" 'no IPv6 here'
  fi
  tap_try "$mix_in: a line for each of ${#listen[@]} listeners" \
    start "${#listen[@]}" echo-server --mix-in "$mix_in" --quiet \
      "${listen[@]/#/--listen=}"
  for endpoint in "${endpoints[@]}"
  do
    name="$mix_in: $(transport_of "$endpoint")"
    try_client "$name, echo-client" with_client "$endpoint"
    case $endpoint in
      unixgram:* | unix:@*) ;;
      *) try_client "$name, netcat" with_nc "$endpoint" ;;
    esac
    try_client "$name, socat" with_socat "$endpoint"
  done
  tap_try "$mix_in: SIGTERM ends several servers well" stop
  cat "$work/events" >&2
  tap_try "$mix_in: Unix paths are removed" \
    test ! -e "$work/stream.socket" -a ! -e "$work/datagram.socket"
done

### One server

for mix_in in inline threading forking fibers
do
  start 1 echo-server --mix-in "$mix_in" --quiet --listen tcp:127.0.0.1:0
  tap_try "$mix_in: one server alone serves" \
    comes_back with_client "${endpoints[0]}" 'alone'
  tap_try "$mix_in: SIGTERM ends one server well" stop
done

# What a program that waits for the line relies on: it is there, exactly so.
start 1 echo-server --quiet --listen tcp:localhost:0
tap_try 'the start-up line names address and real port' \
  grep -Eqx 'listening on tcp:(127\.0\.0\.1|\[::1\]):[1-9][0-9]*' \
    <(printf '%s\n' "${lines[@]}")
stop

start 2 echo-server --upper --quiet --listen tcp:127.0.0.1:0 \
  --listen udp:127.0.0.1:0
tap_try 'upper case, bytes that are no ASCII letters unchanged' \
  comes_back with_client "${endpoints[0]}" 'Straße, 42!' 'STRAßE, 42!'
tap_try 'upper case of datagrams' \
  comes_back with_client "${endpoints[1]}" 'Straße, 42!' 'STRAßE, 42!'
stop

start 1 minimal tcp:127.0.0.1:0
tap_try 'the minimal service' \
  comes_back with_client "${endpoints[0]}" 'hello' 'HELLO'
tap_try 'SIGTERM ends the minimal service well' stop

### The client

start 2 echo-server --mix-in threading --quiet --listen tcp:127.0.0.1:0 \
  --listen udp:127.0.0.1:0
stream=${endpoints[0]}
datagram=${endpoints[1]}

# Both buffers fill up when nobody reads: a client that sends first and reads
# afterwards would wait forever.
head -c 3000000 /dev/zero | tr '\0' 'x' >"$work/large"
large_comes_back ()
{
  client "$stream" <"$work/large" | cmp - "$work/large"
}
tap_try 'three million bytes without a newline come back' large_comes_back

ends_at_exit ()
{
  test "$(printf 'one\nexit\ntwo\n' | client "$1")" = one
}
tap_try 'the line exit ends the input of a stream' ends_at_exit "$stream"
tap_try 'the line exit ends the input of datagrams' ends_at_exit "$datagram"

without_newline ()
{
  test "$(printf 'exits\nexi' | client "$stream")" = $'exits\nexi'
}
tap_try 'what only begins like exit is sent' without_newline

empty_datagram ()
{
  printf '\nx\n' | client "$datagram" | cmp - <(printf '\nx\n')
}
tap_try 'an empty datagram comes back' empty_datagram

tells_events ()
{
  printf 'hello\n' | "$samples/echo-client" "$stream" 2>&1 >/dev/null |
    sed 's/ .*//' | tee /dev/stderr |
    cmp - <(printf '%s\n' connected sent received disconnected,)
}
tap_try 'the client tells its four events' tells_events

tap_try 'exit status 0 without input' ends_with 0 client "$stream"
tap_try 'exit status 64: no endpoint' ends_with 64 client nonsense
tap_try 'exit status 64: unknown option' ends_with 64 client --nonsense
tap_try 'exit status 64: two endpoints' ends_with 64 client "$stream" "$stream"
tap_try 'exit status 64: a bad timeout' \
  ends_with 64 client --timeout=0 "$stream"
tap_try 'client --help' ends_with 0 client --help
tap_try 'client --version' ends_with 0 client --version

# A stopped process does not answer, and the system still connects to it.
kill -STOP "$server"
silent ()
{
  echo hello | client --timeout=0.3 "$1"
  test $? -eq 75
}
tap_try 'exit status 75: a silent server' silent "$stream"
tap_try 'exit status 75: a silent datagram server' silent "$datagram"

# Cut off: the server dies with the question in its hands.
cut_off ()
{
  local status
  mkfifo "$work/said"
  echo hello | "$samples/echo-client" --timeout=20 "$stream" 2>"$work/said" &
  local pid=$!
  sed -n '/^sent/q' "$work/said"
  kill -KILL "$server"
  wait "$pid"
  status=$?
  echo "exit status $status, expected 76"
  test "$status" -eq 76
}
tap_try 'exit status 76: cut off' cut_off
wait "$server"

tap_try 'exit status 69: refused' ends_with 69 client "$stream"
tap_try 'exit status 69: refused datagram' \
  eval "echo hello | client '$datagram'; test \$? -eq 69"
tap_try 'exit status 69: no such path' \
  ends_with 69 client "unix:$work/nowhere.socket"

### The server's options

tap_try 'server --help' ends_with 0 "$samples/echo-server" --help
tap_try 'server --version' ends_with 0 "$samples/echo-server" --version
tap_try 'server, exit status 64: unknown option' \
  ends_with 64 "$samples/echo-server" --nonsense
tap_try 'server, exit status 64: unknown mix-in' \
  ends_with 64 "$samples/echo-server" --mix-in=magic
tap_try 'server, exit status 64: a bad endpoint' \
  ends_with 64 "$samples/echo-server" --listen=tcp:1:2:3
tap_try 'server, exit status 64: an argument' \
  ends_with 64 "$samples/echo-server" tcp:127.0.0.1:0
tap_try 'server, exit status 73: no log file' \
  ends_with 73 "$samples/echo-server" --log="$work/nowhere/log" \
    --listen=tcp:127.0.0.1:0

# Binding is what finds a free port; a taken one is left alone.
start 1 echo-server --quiet --listen tcp:127.0.0.1:0
first=$server
taken=${endpoints[0]##*:}
tap_try 'server, exit status 69: the port is taken' \
  ends_with 69 "$samples/echo-server" --quiet --listen="tcp:127.0.0.1:$taken"
start 1 echo-server --quiet --auto-port --listen "tcp:127.0.0.1:$taken"
next_free ()
{
  local port=${endpoints[0]##*:}
  echo "$taken was taken, got $port"
  test "$port" -gt "$taken" -a "$port" -lt $((taken + 100))
}
tap_try '--auto-port takes a free port above' next_free
tap_try '--auto-port serves there' \
  comes_back with_client "${endpoints[0]}" 'found'
stop
tap_try '--auto-port leaves the first server alone' \
  comes_back with_client "tcp:127.0.0.1:$taken" 'still here'
server=$first
stop

### Unix paths

path=$work/path.socket
start 1 echo-server --quiet --listen "unix:$path"
first=$server
tap_try 'a second server on a live Unix path is refused' \
  ends_with 69 "$samples/echo-server" --quiet --listen="unix:$path"
tap_try 'the first one still serves' comes_back with_client "unix:$path" 'alive'
kill -KILL "$first"
wait "$first"
tap_try 'a dead path is taken over' \
  start 1 echo-server --quiet --listen "unix:$path"
tap_try 'and served' comes_back with_client "unix:$path" 'new'
stop

echo precious >"$work/file"
tap_try 'a file that is no socket is refused' \
  ends_with 69 "$samples/echo-server" --quiet --listen="unix:$work/file"
tap_try 'and untouched' test "$(cat "$work/file")" = precious

### The seven events

for mix_in in inline threading forking fibers
do
  rm -f "$work/log"
  start 1 echo-server --mix-in "$mix_in" --log "$work/log" \
    --listen tcp:127.0.0.1:0
  printf 'one\n' | client "${endpoints[0]}" >/dev/null
  stop
  seven_events ()
  {
    cat "$work/log"
    cut -d ' ' -f 2 "$work/log" |
      cmp - <(printf '%s\n' start listening connected received sent \
                disconnected stopped)
  }
  tap_try "$mix_in: the log has the seven events in order" seven_events
  tap_try "$mix_in: nothing on standard error" test ! -s "$work/events"
done

# What a client sends cannot steer the terminal of whoever reads the log, nor
# forge a record.
start 1 echo-server --log "$work/log" --listen tcp:127.0.0.1:0
printf '\033[2J"\n2026-01-01T00:00:00Z forged\n' |
  client "${endpoints[0]}" >/dev/null
stop
escaped ()
{
  grep -qF 'text="\x1b[2J\"\n2026-01-01T00:00:00Z forged\n"' "$work/log" &&
    ! grep -q '^2026-01-01' "$work/log"
}
tap_try 'bytes of clients are escaped in the log' escaped

# Many clients at once: whole records only, and in order for each of them.
start 1 echo-server --mix-in threading --log "$work/many" \
  --listen tcp:127.0.0.1:0
clients=()
for _ in {1..20}
do
  printf 'a\nb\n' | client "${endpoints[0]}" >/dev/null &
  clients+=($!)
done
wait "${clients[@]}"
stop
whole_records ()
{
  test "$(grep -c ' connected ' "$work/many")" -eq 20 &&
    ! grep -Evq '^[0-9T:.-]{26}Z (start|listening|stopped|(connected|received|sent|disconnected) tcp:127\.0\.0\.1:[0-9]+ peer="127\.0\.0\.1:[0-9]+")' \
      "$work/many" &&
    sed -n 's/^[^ ]* \([a-z]*\) .*peer="\([^"]*\)".*/\2 \1/p' "$work/many" |
      awk '{ line[$1] = line[$1] " " $2 }
           END { for (p in line) print line[p] }' |
      sed 's/\( received sent\)\{1,\}/ echoes/' | sort -u | tee /dev/stderr |
      cmp - <(echo ' connected echoes disconnected')
}
tap_try 'records of many threads are whole and in order' whole_records

### Stopping

# An idle client does not hold up the end: what has come is answered, then the
# connection ends. (Inline there is nobody to tell the handler; its connection's
# time limit does.)
mkfifo "$work/input" "$work/told"
for mix_in in threading forking fibers
do
  rm -f "$work/log"
  start 1 echo-server --mix-in "$mix_in" --log "$work/log" \
    --listen tcp:127.0.0.1:0
  "$samples/echo-client" "${endpoints[0]}" <"$work/input" 2>"$work/told" &
  idle=$!
  exec 3>"$work/input"
  echo hello >&3
  sed -n '/^received/q' "$work/told"
  SECONDS=0
  tap_try "$mix_in: SIGTERM with an idle client ends well" stop
  tap_try "$mix_in: and at once" test "$SECONDS" -lt 5
  exec 3>&-
  wait "$idle"
  tap_try "$mix_in: its last event says so" \
    grep -q ' disconnected .* end=stop$' "$work/log"
done

### The demonstration

tap_try 'make demo' env SRV_BUILDDIR="${SRV_BUILDDIR:-.}" \
  sh "${SRV_SRCDIR:-$(dirname "$0")/..}/samples/demo.sh"

tap_done
