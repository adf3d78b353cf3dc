#!/bin/bash
# check-layers.sh - which folder and which class may know which
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# framework knows no handler, handlers know no sample; a mix-in knows the base
# server and no other; a server knows no mix-in class. What a file knows is what
# it includes.

. "$SRV_SRCDIR/tests/tap.sh"

cd "$SRV_SRCDIR" || exit 1

# includes FILE...: lines "file: header".
includes ()
{
  grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+' \
    /dev/null "$@" | sed -E 's/^([^:]+):.*["<](.*\/)?/\1: /'
}

# none NAME PATTERN FILE...: no FILE includes a header that matches PATTERN.
none ()
{
  local name=$1 pattern=$2
  shift 2
  if includes "$@" | grep -E ": ($pattern)\$" >&2
  then
    tap_fail "$name"
  else
    tap_pass "$name"
  fi
}

# headers_of FOLDER: its headers as one pattern.
headers_of ()
{
  local pattern
  pattern=$(cd "$1" && ls | grep '\.h$' | tr '\n' '|')
  echo "${pattern%|}" | grep . || echo '^$'
}

shopt -s nullglob

none "framework includes no handler" "$(headers_of handlers)" \
  framework/*.[ch]
none "framework includes no sample" "$(headers_of samples)" framework/*.[ch]
none "framework includes no test" "$(headers_of tests)" framework/*.[ch]
none "handlers include no sample" "$(headers_of samples)" handlers/*.[ch]
none "handlers include no test" "$(headers_of tests)" handlers/*.[ch]
none "handlers include no private header of framework" \
  "$(ls framework | grep -e '-private\.h$' | tr '\n' '|')none" handlers/*.[ch]
none "samples include no private header" '.*-private\.h' samples/*.[ch]
none "samples include the umbrella headers only" 'srv-.*\.h' samples/*.[ch]

# Fibers know threads and descriptors, and nothing above them.
none "fibers include nothing of servers, connections and handlers" \
  'srv-(base|connection|datagram|mix|request|server|stream|.*-(server|mix-in|handler)).*\.h' \
  framework/fiber/*.[ch]

# The concrete classes, by the names of their files.
servers='srv-(tcp|udp|unix-stream|unix-datagram|mixed)-servers?(-private)?\.h'
mix_ins='srv-.+-mix-in(-private)?\.h'

none "mix-ins include no concrete server" "$servers" \
  framework/srv-*mix-in*.[ch]
none "servers include no concrete mix-in" "$mix_ins" \
  framework/srv-*-server*[!s].[ch]
none "public headers include no private one" '.*-private\.h|config\.h' \
  $(ls framework/*.h handlers/*.h | grep -v -e '-private\.h$')

tap_done
