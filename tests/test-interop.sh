#!/bin/bash
# test-interop.sh - clients that were not written here, and much data
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Netcat, socat and Python's socket module, with every transport under every
# mix-in. Streams carry 300,000 bytes each way and are closed on one side
# first; datagrams are as large as the client can make them.
#
# Needs: SRV_BUILDDIR, the build directory.

. "${SRV_SRCDIR:-$(dirname "$0")/..}/tests/tap.sh"

server_program=${SRV_BUILDDIR:-.}/samples/echo-server
python=${SRV_PYTHON:-$(command -v python3)}
test "$python" != no || python=
work=$(mktemp -d "${TMPDIR:-/tmp}/srv-interop.XXXXXX") || exit 1
server=

trap 'kill -KILL $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

head -c 300000 /dev/urandom >"$work/stream.data"
head -c 1000 /dev/urandom >"$work/packet.data"
head -c 65507 /dev/urandom >"$work/large-packet.data"

cat >"$work/client.py" <<'END'
import socket
import sys
import threading

kind, _, rest = sys.argv[1].partition(':')
with open(sys.argv[2], 'rb') as file:
    data = file.read()
if kind in ('tcp', 'udp'):
    host, port = rest.rsplit(':', 1)
    family = socket.AF_INET6 if host[0] == '[' else socket.AF_INET
    address = host.strip('[]'), int(port)
else:
    family = socket.AF_UNIX
    address = '\0' + rest[1:] if rest[0] == '@' else rest


def stream():
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect(address)

        def send():
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        reply = b''.join(iter(lambda: client.recv(65536), b''))
        sender.join()
        return reply == data


def packets():
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        if family == socket.AF_UNIX:
            client.bind('')
        client.connect(address)
        for packet in (b'', b'x', data):
            client.send(packet)
            if client.recv(100000) != packet:
                return False
        return True


# Clients at the same time. Of UDP only one: a network may lose what does not
# fit into the receiver's buffer.
n_clients = 1 if kind == 'udp' else 8
results = []
talk = stream if kind in ('tcp', 'unix') else packets
threads = [threading.Thread(target=lambda: results.append(talk()))
           for _ in range(n_clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(results != [True] * len(threads))
END

# start OPTIONS...: starts a server, waits for its line; sets $endpoint.
start ()
{
  local fifo=$work/ready
  mkfifo "$fifo"
  "$server_program" --quiet "$@" >"$fifo" &
  server=$!
  read -r -t 20 endpoint <"$fifo"
  rm -f "$fifo"
  endpoint=${endpoint#listening on }
  test -n "$endpoint"
}

stop ()
{
  kill -TERM "$server" && wait "$server"
}

# data_for ENDPOINT CLIENT: the file to send
data_for ()
{
  case $1:$2 in
    tcp:* | unix:*) echo "$work/stream.data" ;;
    *:with_python) echo "$work/large-packet.data" ;;
    *) echo "$work/packet.data" ;;
  esac
}

# with_nc, with_socat ENDPOINT: standard input there, replies to standard
# output. A datagram client ends when one reply is there.
with_nc ()
{
  case $1 in
    tcp:\[*) timeout 20 nc -N ::1 "${1##*:}" ;;
    tcp:*) timeout 20 nc -N 127.0.0.1 "${1##*:}" ;;
    udp:\[*) timeout 20 nc -u -W 1 ::1 "${1##*:}" ;;
    udp:*) timeout 20 nc -u -W 1 127.0.0.1 "${1##*:}" ;;
    unix:*) timeout 20 nc -N -U "${1#unix:}" ;;
    unixgram:*)
      timeout 20 nc -u -U -W 1 -s "$work/nc.socket" "${1#unixgram:}" ;;
  esac
  rm -f "$work/nc.socket"
}

with_socat ()
{
  local own=bind=$work/socat.socket
  case $1 in
    tcp:\[*) timeout 20 socat -t 20 - "TCP6:[::1]:${1##*:}" ;;
    tcp:*) timeout 20 socat -t 20 - "TCP4:127.0.0.1:${1##*:}" ;;
    udp:\[*) timeout 20 socat -t 1 - "UDP6:[::1]:${1##*:}" ;;
    udp:*) timeout 20 socat -t 1 - "UDP4:127.0.0.1:${1##*:}" ;;
    unix:@*) timeout 20 socat -t 20 - "ABSTRACT-CONNECT:${1#unix:@}" ;;
    unix:*) timeout 20 socat -t 20 - "UNIX-CONNECT:${1#unix:}" ;;
    unixgram:@*)
      timeout 20 socat -t 1 - \
        "ABSTRACT-SENDTO:${1#unixgram:@},bind=srv-interop-client-$$" ;;
    unixgram:*)
      timeout 20 socat -t 1 - "UNIX-SENDTO:${1#unixgram:},$own" ;;
  esac
}

comes_back ()
{
  local data
  data=$(data_for "$2" "$1")
  if test "$1" = with_python
  then
    timeout 60 "$python" "$work/client.py" "$2" "$data"
  else
    "$1" "$2" <"$data" | cmp - "$data"
  fi
}

nc_help=$(nc -h 2>&1)

# why_not CLIENT ENDPOINT: why this cannot be tried; nothing if it can.
why_not ()
{
  case $1 in
    with_nc)
      if ! grep -q -- '-N' <<<"$nc_help" || ! grep -q -- '-W' <<<"$nc_help"
      then
        echo 'no netcat that knows -N and -W (package netcat-openbsd)'
      elif [[ $2 == unix*:@* ]]
      then
        echo 'netcat has no abstract names'
      fi ;;
    with_socat)
      command -v socat >/dev/null || echo 'no socat' ;;
    with_python)
      test -n "$python" || echo 'no python3' ;;
  esac
}

listen=(
  'TCP|tcp:127.0.0.1:0'
  'TCP over IPv6|tcp:[::1]:0'
  'UDP|udp:127.0.0.1:0'
  'UDP over IPv6|udp:[::1]:0'
  "a Unix path|unix:$work/stream.socket"
  "an abstract name|unix:@srv-interop-$$"
  "a Unix datagram path|unixgram:$work/datagram.socket"
  "an abstract datagram name|unixgram:@srv-interop-gram-$$"
)

has_v6=$(grep ' lo$' /proc/net/if_inet6 2>/dev/null)

for mix_in in inline threading forking
do
  for line in "${listen[@]}"
  do
    name="$mix_in: ${line%%|*}"
    if test -z "$has_v6" && [[ $line == *'[::1]'* ]]
    then
      tap_skip "$name" 'no IPv6 here'
      continue
    fi
    if ! start --mix-in "$mix_in" --listen "${line#*|}"
    then
      tap_fail "$name: starts"
      continue
    fi
    for client in with_nc with_socat with_python
    do
      reason=$(why_not "$client" "$endpoint")
      if test -n "$reason"
      then
        tap_skip "$name, ${client#with_}" "$reason"
      else
        tap_try "$name, ${client#with_}" comes_back "$client" "$endpoint"
      fi
    done
    tap_try "$name: ends well" stop
  done
done

tap_done
