#!/bin/sh
# demo.sh - starts sample servers, talks to them, shows what happens
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Run by `make demo`, or by hand from the build directory. Servers listen on
# free ports of this machine only, and all are stopped at the end. Exit status
# 0 if every reply was right.

set -u

build=${SRV_BUILDDIR:-.}
source=$(dirname "$0")
samples=$build/samples
work=$(mktemp -d "${TMPDIR:-/tmp}/srv-demo.XXXXXX") || exit 1
pids=
n_wrong=0

# Nothing in here takes longer than this many seconds.
limit=20

clean_up ()
{
  for pid in $pids
  do
    kill -KILL "$pid" 2>/dev/null
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

wrong ()
{
  echo "  WRONG: $*"
  n_wrong=$((n_wrong + 1))
}

indent ()
{
  sed 's/^/  /'
}

# start COUNT PROGRAM OPTIONS...: starts a server and waits for its COUNT lines
# `listening on`; leaves the endpoints in $endpoints.
start ()
{
  count=$1
  shift
  echo
  echo "\$ $*"
  program=$1
  shift
  fifo=$work/ready
  mkfifo "$fifo" || exit 1
  "$samples/$program" "$@" >"$fifo" 2>"$work/events" &
  pids="$pids $!"
  timeout $limit head -n "$count" "$fifo" >"$work/lines"
  rm -f "$fifo"
  indent <"$work/lines"
  endpoints=$(sed -n 's/^listening on //p' "$work/lines")
  test "$(echo "$endpoints" | wc -l)" -eq "$count" || wrong "the server does not listen"
}

# try COMMAND ARGUMENTS...: runs a sample client with the standard input that it
# is given, shows what it says, events first; leaves its output in $reply.
try ()
{
  client=$1
  shift
  reply=$(timeout $limit "$samples/$client" "$@" 2>"$work/said")
  status=$?
  indent <"$work/said"
  printf '%s\n' "$reply" | indent
  test $status -eq 0 || wrong "exit status $status"
}

# talk ENDPOINT TEXT EXPECTED: sends a line, shows and checks the reply.
talk ()
{
  echo "\$ echo '$2' | echo-client $1"
  printf '%s\n' "$2" >"$work/input"
  try echo-client "$1" <"$work/input"
  test "$reply" = "$3" || wrong "expected '$3'"
}

# await FILE TEXT: waits until what a client has said has TEXT in it.
await ()
{
  timeout $limit sh -c 'until grep -qF -- "$1" "$0"; do sleep 0.05; done' \
    "$1" "$2" || wrong "expected '$2'"
}

# stop_all: ends all servers by SIGTERM; each shall end well.
stop_all ()
{
  for pid in $pids
  do
    kill -TERM "$pid"
  done
  for pid in $pids
  do
    wait "$pid" || wrong "server $pid ended with status $?"
  done
  pids=
}

# enter NAME DESCRIPTOR OPTIONS...: starts a client of the chat; what is written
# to the descriptor is what NAME types.
enter ()
{
  name=$1
  descriptor=$2
  shift 2
  mkfifo "$work/$name.in" || exit 1
  "$samples/chat-client" --name "$name" --room '#tea' "$@" \
    <"$work/$name.in" >"$work/$name.out" 2>&1 &
  people="$people $!"
  eval "exec $descriptor>\"\$work/\$name.in\""
}

chat_with_an_account ()
{
  echo '/msg ada the kettle is on' >&7
  echo "\$ chat-client --name ada --password-file WRONG $endpoints"
  timeout $limit "$samples/chat-client" --name ada --quiet \
    --password-file "$work/wrong" "$endpoints" </dev/null >"$work/said" 2>&1
  test $? -eq 77 || wrong 'expected a refusal'
  indent <"$work/said"
  enter ada 9 --password-file "$work/right" "$endpoints"
  await "$work/ada.out" '[private] bob: the kettle is on'
  echo 'thank you, bob' >&9
  await "$work/bob.out" '[#tea] ada: thank you, bob'
  echo /quit >&9
  exec 9>&-
}

chat ()
{
  people=
  set -- --protocol jim
  test -z "$has_accounts" || set -- "$@" --store "$work/store" --auth optional
  start 1 chat-server "$@" --mix-in fibers --quiet --listen tcp:127.0.0.1:0
  enter bob 7 "$endpoints"
  await "$work/bob.out" '#tea'
  enter eve 8 "$endpoints"
  await "$work/eve.out" '#tea'
  echo 'hello, all' >&7
  await "$work/eve.out" '[#tea] bob: hello, all'
  echo '/msg bob psst' >&8
  await "$work/bob.out" '[private] eve: psst'
  test -z "$has_accounts" || chat_with_an_account
  echo /quit >&7
  echo /quit >&8
  exec 7>&- 8>&-
  for client in $people
  do
    wait "$client" || wrong "a client ended with status $?"
  done
  for transcript in "$work"/*.out
  do
    echo "What $(basename "$transcript" .out) has seen:"
    indent <"$transcript"
  done
  stop_all
}

logins ()
{
  start 1 auth-server --store "$work/store" --mix-in threading --quiet \
    --listen "unix:$work/auth.socket"
  echo "\$ echo 'wrong donkey' | auth-client --login=ada $endpoints"
  timeout $limit "$samples/auth-client" --quiet --login=ada "$endpoints" \
    <"$work/wrong" >"$work/said" 2>&1
  test $? -eq 77 || wrong 'expected a refusal'
  indent <"$work/said"
  echo "\$ echo 'correct horse' | auth-client --login=ada $endpoints"
  try auth-client --quiet --login=ada --token-file="$work/token" "$endpoints" \
    <"$work/right"
  echo "\$ auth-client --whoami $endpoints"
  try auth-client --quiet --whoami --token-file="$work/token" "$endpoints" \
    </dev/null
  test "$reply" = ada || wrong "expected 'ada'"
  stop_all
}

echo '== A thread for each client: TCP, and a Unix socket beside it'
start 2 echo-server --mix-in threading --quiet \
  --listen tcp:127.0.0.1:0 --listen "unix:$work/echo.socket"
for endpoint in $endpoints
do
  talk "$endpoint" 'hello, world' 'hello, world'
done

echo
echo '== A process for each client, an abstract Unix name, upper case'
start 2 echo-server --mix-in forking --upper --quiet \
  --listen tcp:127.0.0.1:0 --listen "unix:@srv-demo-$$"
for endpoint in $endpoints
do
  talk "$endpoint" 'Hello, wörld' 'HELLO, WöRLD'
done

echo
echo '== Datagrams, one after the other: UDP and Unix'
start 2 echo-server --mix-in inline --quiet \
  --listen udp:127.0.0.1:0 --listen "unixgram:$work/datagram.socket"
for endpoint in $endpoints
do
  talk "$endpoint" 'one datagram' 'one datagram'
done

echo
echo '== Datagrams, a thread for each'
start 1 echo-server --mix-in threading --quiet --listen udp:127.0.0.1:0
talk "$endpoints" 'another one' 'another one'

echo
echo '== The shortest complete service: samples/minimal.c'
start 1 minimal tcp:127.0.0.1:0
talk "$endpoints" 'in twenty lines' 'IN TWENTY LINES'
stop_all

echo
echo '== Fibers: the same handler, many clients in one thread'
start 1 echo-server --mix-in fibers --quiet --listen tcp:127.0.0.1:0
talk "$endpoints" 'hello, fiber' 'hello, fiber'

echo
echo '== The time over UDP: the server must be asked'
start 1 time-server --format iso-8601 --quiet --listen udp:127.0.0.1:0
echo "\$ time-client --format iso-8601 $endpoints"
try time-client --format iso-8601 "$endpoints" </dev/null
case $reply in
  'current time: 2'*T*:*) ;;
  *) wrong 'expected a time' ;;
esac

echo
echo '== An upload: its progress, and the verdict of the server'
mkdir "$work/in"
head -c 30000000 /dev/urandom >"$work/holiday.jpg"
start 1 upload-server --directory "$work/in" --mix-in fibers --quiet \
  --listen tcp:127.0.0.1:0
echo "\$ upload-client $endpoints holiday.jpg"
# Its events and its progress go where they are seen: a bar needs a terminal.
reply=$(timeout --foreground $limit "$samples/upload-client" "$endpoints" \
  "$work/holiday.jpg" </dev/null) || wrong "exit status $?"
printf '%s\n' "$reply" | indent
cmp -s "$work/holiday.jpg" "$work/in/holiday.jpg" || wrong 'another file arrived'
case $reply in
  'stored 30000000 holiday.jpg '*) ;;
  *) wrong 'expected the verdict' ;;
esac

echo
echo '== A remote command, and one that is not allowed'
cat >"$work/commands.conf" <<EOF
[command greet]
argv=/bin/echo;hello,;{1}
EOF
start 1 command-server --commands "$work/commands.conf" --mix-in fibers \
  --quiet --listen "unix:$work/command.socket"
echo "\$ echo 'greet world' | command-client --quiet $endpoints"
echo 'greet world' >"$work/input"
try command-client --quiet "$endpoints" <"$work/input"
test "$reply" = 'hello, world' || wrong "expected 'hello, world'"
echo "\$ echo 'cat /etc/passwd' | command-client --quiet $endpoints"
echo 'cat /etc/passwd' | timeout $limit "$samples/command-client" --quiet \
  "$endpoints" 2>&1 | indent >"$work/said"
cat "$work/said"
grep -q 'command-client: ' "$work/said" || wrong 'expected a refusal'
stop_all

echo
echo '== A chat: three people, a private message, a refused login, a message kept'
echo 'correct horse' >"$work/right"
echo 'wrong donkey' >"$work/wrong"
has_accounts=
if "$samples/chat-admin" "$work/store" add ada <"$work/right" >"$work/said" 2>&1
then
  has_accounts=yes
  echo "\$ echo 'correct horse' | chat-admin STORE add ada"
fi
indent <"$work/said"
if test -x "$samples/chat-client"
then
  chat
else
  echo '  left out: built without jansson'
fi

echo
echo '== Logins: one that is refused, and one that is not'
if test -n "$has_accounts"
then
  logins
else
  echo '  left out: built without libsodium or SQLite'
fi

echo
echo '== What a server reports: the seven events'
start 1 echo-server --mix-in threading --listen tcp:127.0.0.1:0
talk "$endpoints" 'hello, log' 'hello, log'
stop_all
echo 'The server said on standard error:'
indent <"$work/events"
for event in start listening connected received sent disconnected stopped
do
  grep -q "^[^ ]* $event " "$work/events" || wrong "no event '$event'"
done

cat <<EOF

== By hand
In one terminal:
  $samples/echo-server --mix-in threading --listen tcp:127.0.0.1:9999
in another:
  $samples/echo-client tcp:127.0.0.1:9999
and type; 'exit' ends the client, Ctrl-C the server. '--help' shows the rest.
The others in the same way, a server and a client each:
  $samples/echo-server --mix-in fibers
  $samples/echo-client
  $samples/time-server --listen udp:127.0.0.1:10000
  $samples/time-client udp:127.0.0.1:10000
  $samples/upload-server --directory /tmp --mix-in fibers
  $samples/upload-client tcp:127.0.0.1:9999 FILE
  $samples/command-server --commands $source/commands.conf
  echo uptime | $samples/command-client tcp:127.0.0.1:9999
  $samples/operator-server --mix-in threading
  $samples/operator-client tcp:127.0.0.1:9999
  $samples/chat-server --protocol jim --mix-in fibers
  $samples/chat-client --name you tcp:127.0.0.1:9999
  $samples/chat-admin accounts.db add you
  $samples/auth-server --store accounts.db
  $samples/auth-client --login=you tcp:127.0.0.1:9999

EOF

if test $n_wrong -gt 0
then
  echo "$n_wrong replies or servers were wrong."
  exit 1
fi
echo 'All replies were right.'
