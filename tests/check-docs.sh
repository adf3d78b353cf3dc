#!/bin/bash
# check-docs.sh - nothing public is undocumented, no link leads nowhere
#
# SPDX-License-Identifier: LGPL-2.1-or-later

. "$SRV_SRCDIR/tests/tap.sh"

test "$SRV_INTROSPECTION" = yes ||
  tap_skip_all "this build has no introspection"
test "$SRV_GI_DOCGEN" != no || tap_skip_all "gi-docgen is not installed"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$SRV_BUILDDIR" || exit 1

# gi_docgen COMMAND NAME GIR OPTION...
gi_docgen ()
{
  local command=$1 name=$2 gir=$3
  shift 3
  "$SRV_GI_DOCGEN" "$command" --quiet \
    --config="$SRV_SRCDIR/docs/$name.toml" --add-include-path=. "$@" "$gir"
}

# check NAME GIR
check ()
{
  tap_try "$1: everything public is documented" gi_docgen check "$1" "$2"
  tap_try "$1: the manual is made without a warning" \
    gi_docgen generate "$1" "$2" --content-dir="$SRV_SRCDIR/docs" \
    --fatal-warnings --output-dir="$scratch/$1"
}

check socketserver SocketServer-1.0.gir
check socketserver-handlers SocketServerHandlers-1.0.gir

tap_done
