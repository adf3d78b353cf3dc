#!/bin/bash
# test-time-samples.sh - the samples that tell the time, greet, and shout
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Each program end to end: what both sides print, exit statuses, limits. A
# server is ready when it says so; nothing sleeps.

. "${SRV_SRCDIR:-$(dirname "$0")/..}/tests/tap.sh"

samples=${SRV_BUILDDIR:-.}/samples
work=$(mktemp -d "${TMPDIR:-/tmp}/srv-time-samples.XXXXXX") || exit 1
server=
tee=

trap 'kill -KILL $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

# start COUNT PROGRAM OPTIONS...: starts a server in the background and waits
# for its COUNT start-up lines; sets $server and $endpoints. What it prints
# later is in $work/said, its events are in $work/events.
start ()
{
  local count=$1 program=$2 line
  shift 2
  rm -f "$work/said" "$work/output" "$work/ready"
  mkfifo "$work/output" "$work/ready"
  tee "$work/said" <"$work/output" >"$work/ready" &
  tee=$!
  "$samples/$program" "$@" >"$work/output" 2>"$work/events" &
  server=$!
  exec 3<"$work/ready"
  endpoints=()
  while test "${#endpoints[@]}" -lt "$count" && read -r -t 20 line <&3
  do
    endpoints+=("${line#listening on }")
  done
  test "${#endpoints[@]}" -eq "$count"
}

# stop: ends the server as a service manager would; the result is its status.
stop ()
{
  local status
  kill -TERM "$server"
  wait "$server"
  status=$?
  wait "$tee"
  exec 3<&-
  return "$status"
}

# run PROGRAM OPTIONS...: a client, with a limit in case that its own fails.
run ()
{
  local program=$1
  shift
  timeout --foreground 30 "$samples/$program" --quiet "$@" </dev/null
}

# ends_with STATUS COMMAND...
ends_with ()
{
  local expected=$1 status
  shift
  "$@"
  status=$?
  echo "exit status $status, expected $expected: $*"
  test "$status" -eq "$expected"
}

# says TEXT COMMAND...: standard output is exactly TEXT and a newline.
says ()
{
  local expected=$1 got
  shift
  got=$("$@" && echo .)
  echo "$got"
  test "$got" = "$expected"$'\n.'
}

# matches REGEX COMMAND...: standard output is one line of that form.
matches ()
{
  local expected=$1 got
  shift
  got=$("$@") || return 1
  echo "$got"
  [[ $got =~ ^$expected$ ]]
}

### Every program

for program in time-server greeting-server simple-server upper-server \
  operator-server time-client greeting-client upper-client operator-client
do
  tap_try "$program --help" ends_with 0 "$samples/$program" --help
  tap_try "$program --version" matches "$program [0-9.]+" \
    "$samples/$program" --version
  tap_try "$program: an unknown option is 64" \
    ends_with 64 "$samples/$program" --nonsense
  tap_try "$program has a manual page" \
    test -s "${SRV_SRCDIR:-$(dirname "$0")/..}/samples/$program.1"
done
tap_try 'an unknown format is 64' \
  ends_with 64 "$samples/time-server" --format nonsense
tap_try 'an unknown zone is 64' \
  ends_with 64 "$samples/time-server" --time-zone No/Where
tap_try 'an unknown service is 64' \
  ends_with 64 "$samples/simple-server" --service nonsense
tap_try 'chargen over UDP is 64' \
  ends_with 64 "$samples/simple-server" --service chargen --listen udp:127.0.0.1:0
tap_try 'a greeting over UDP is 64' \
  ends_with 64 "$samples/greeting-server" --listen udp:127.0.0.1:0

### Time

date='2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]'
declare -A forms=(
  [ctime]='[A-Z][a-z]{2} [A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} 2[0-9]{3}'
  [iso-8601]="$date\+00:00"
  [rfc-868]="${date}Z"
  [daytime]='[A-Z][a-z]+, [A-Z][a-z]+ [0-9]{1,2}, 2[0-9]{3} [0-9:]{8}-UTC'
)
for mix_in in inline threading forking fibers
do
  for format in ctime iso-8601 rfc-868 daytime
  do
    tap_try "$mix_in, $format: starts" start 4 time-server --mix-in "$mix_in" \
      --format "$format" --time-zone UTC --quiet --listen tcp:127.0.0.1:0 \
      --listen udp:127.0.0.1:0 --listen "unix:$work/time" \
      --listen "unixgram:$work/timegram"
    for endpoint in "${endpoints[@]}"
    do
      tap_try "$mix_in, $format over ${endpoint%%:*}" \
        matches "current time: ${forms[$format]}" \
        run time-client --format "$format" "$endpoint"
    done
    tap_try "$mix_in, $format: ends well" stop
  done
done

start 2 time-server --listen tcp:127.0.0.1:0 --listen udp:127.0.0.1:0
run time-client "${endpoints[0]}" >/dev/null
short_question ()
{
  echo x | timeout 20 "$samples/echo-client" --quiet --timeout 0.3 "$1"
  test $? -eq 75
}
tap_try 'a short question over UDP is not answered' \
  short_question "${endpoints[1]}"
stop
tap_try 'the events of one client, in order' \
  says "$(printf '%s\n' connected sent disconnected)" \
  sed -En 's/^[^ ]* (connected|sent|disconnected) tcp:.*/\1/p' "$work/events"

# A server that sends what is no time: the answer is not believed.
start 1 greeting-server --quiet --greeting $'\033[2J!' --listen tcp:127.0.0.1:0
tap_try 'a time that is none is 76' ends_with 76 run time-client "${endpoints[0]}"
tap_try 'nor is it one of 4 bytes' \
  ends_with 76 run time-client --format rfc-868 "${endpoints[0]}"
stop
start 1 simple-server --service chargen --quiet --listen tcp:127.0.0.1:0
tap_try 'an answer without an end is 76' \
  ends_with 76 run time-client "${endpoints[0]}"
stop
tap_try 'nobody there is 69' ends_with 69 run time-client "${endpoints[0]}"

### Greeting

start 1 greeting-server --quiet --listen tcp:127.0.0.1:0
tap_try 'a banner' says $'Thank you for connecting.\n26 bytes, 26 characters' \
  run greeting-client "${endpoints[0]}"
tap_try 'the banner server ends well' stop

start 1 greeting-server --read-first --greeting 'Привет, клиент' \
  --max-bytes 100 --listen tcp:127.0.0.1:0
tap_try 'question and answer, bytes and characters' \
  says $'Привет, клиент\n26 bytes, 14 characters' \
  run greeting-client --say 'Привет, сервер' "${endpoints[0]}"
tap_try 'bad text is refused' \
  says $'Your message is too long, or not UTF-8 text.\n45 bytes, 45 characters' \
  run greeting-client --say $'\xff' "${endpoints[0]}"
tap_try 'so is a long message' \
  says $'Your message is too long, or not UTF-8 text.\n45 bytes, 45 characters' \
  run greeting-client --say "$(printf '%101s' x)" "${endpoints[0]}"
tap_try 'the server shows what the client said' \
  grep -q ' received tcp:.* bytes=26 text="Привет, сервер"$' "$work/events"
stop

kill_silent ()
{
  kill -STOP "$server"
  ends_with 75 run greeting-client --timeout 0.3 "${endpoints[0]}"
}
start 1 greeting-server --quiet --listen tcp:127.0.0.1:0
tap_try 'a silent server is 75' kill_silent
kill -CONT "$server"
stop

### Upper case, 16 bytes at a time

start 1 upper-server --quiet --listen tcp:127.0.0.1:0
tap_try 'the transcript of the client' \
  says $'sending: Hello World!\nreceived: HELLO WORLD!\nclosing socket' \
  run upper-client "${endpoints[0]}"
tap_try 'longer texts come in pieces' \
  says $'sending: 0123456789abcdefghij\nreceived: 0123456789ABCDEF
received: GHIJ\nclosing socket' \
  run upper-client --say 0123456789abcdefghij "${endpoints[0]}"
run upper-client --say '123456789012345я' "${endpoints[0]}" >/dev/null
stop
transcript ()
{
  sed 's/(127\.0\.0\.1, [0-9]*)/PEER/; s/^listening on tcp:.*/LISTENING/' \
    "$work/said" | tee /dev/stderr | cmp - <(cat <<END
LISTENING
waiting for connection
connected to PEER
received: Hello World!
processing data
sending back
received: 
no data from PEER
waiting for connection
connected to PEER
received: 0123456789abcdef
processing data
sending back
received: ghij
processing data
sending back
received: 
no data from PEER
waiting for connection
connected to PEER
received: 123456789012345
processing data
sending back
received: я
processing data
sending back
received: 
no data from PEER
waiting for connection
END
)
}
tap_try 'the transcript of the server, characters cut in two included' transcript

start 1 upper-server --quiet --listen tcp:127.0.0.1:0
head -c 1000000 /dev/zero | tr '\0' a |
  timeout 30 "$samples/echo-client" --quiet "${endpoints[0]}" | tr -d A |
  cmp - /dev/null
stop
tap_try 'the transcript is no log bomb' \
  test "$(wc -l <"$work/said")" -lt 310
cut_off ()
{
  start 1 greeting-server --quiet --greeting abc --listen tcp:127.0.0.1:0
  ends_with 76 run upper-client "${endpoints[0]}"
}
tap_try 'fewer bytes than were sent are 76' cut_off
stop

### Discard and chargen

start 2 simple-server --quiet --max-bytes 1000 --listen tcp:127.0.0.1:0 \
  --listen udp:127.0.0.1:0
tap_try 'discard answers nothing' says '0 bytes, 0 characters' \
  run greeting-client --say 'anybody there?' "${endpoints[0]}"
tap_try 'nor does it over UDP' ends_with 75 \
  run greeting-client --timeout 0.2 --say 'anybody there?' "${endpoints[1]}"
tap_try 'discard ends well' stop

start 1 simple-server --service chargen --quiet --max-bytes 148 \
  --listen tcp:127.0.0.1:0
two_lines ()
{
  run greeting-client "${endpoints[0]}" | tr -d '\r' | cmp - <(cat <<'END'
 !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefg
!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefgh
148 bytes, 148 characters
END
)
}
tap_try 'chargen sends its pattern, as much as it may' two_lines
stop
start 1 simple-server --service chargen --quiet --max-bytes 0 --max-time 1 \
  --listen tcp:127.0.0.1:0
endless ()
{
  timeout 20 "$samples/greeting-client" --quiet "${endpoints[0]}"
  test $? -eq 76
}
tap_try 'a client guards itself against a stream without an end' endless
tap_try 'chargen ends well' stop

tap_done
