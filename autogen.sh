#!/bin/sh
# autogen.sh - from a fresh checkout to a configured tree
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
#   ./autogen.sh [CONFIGURE-ARGUMENTS]          generates, then configures
#   ./autogen.sh --deps [CONFIGURE-ARGUMENTS]   installs what is missing first
#
# With NOCONFIGURE set in the environment it generates only.

set -e

srcdir=$(dirname "$0")

# What the build, `make check` and `.ci/run` use, by Debian's names.
packages='
autoconf
autoconf-archive
automake
check
clang
clang-format-14
g++
gcc
gcovr
gi-docgen
glib-networking
gobject-introspection
iproute2
lcov
libc6-dbg
libc6-dev
libclang-rt-14-dev
libedit-dev
libgirepository1.0-dev
libglib2.0-dev
libjansson-dev
libsodium-dev
libsqlite3-dev
libtool
make
netcat-openbsd
openssl
pkg-config
procps
python3
python3-gi
socat
strace
valac
valgrind
xz-utils
'

say ()
{
  echo "autogen.sh: $*"
}

fail ()
{
  say "$*" >&2
  exit 1
}

is_installed ()
{
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>&1) &&
    test "$status" = installed
}

install_packages ()
{
  command -v apt-get > /dev/null && command -v dpkg-query > /dev/null ||
    fail "--deps knows Debian's apt-get only; the packages are:" $packages

  missing=
  for package in $packages
  do
    is_installed "$package" || missing="$missing $package"
  done

  if test -z "$missing"
  then
    say "all needed Debian packages are installed"
    return
  fi

  say "missing Debian packages:$missing"
  test "$(id -u)" -eq 0 ||
    fail "installing them needs root: sudo apt-get install$missing"

  say "apt-get update"
  DEBIAN_FRONTEND=noninteractive apt-get --quiet update
  say "apt-get install$missing"
  # Word splitting is wanted: one argument per package.
  DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes \
    --no-install-recommends install $missing
}

require_tools ()
{
  for tool in autoreconf automake libtoolize pkg-config
  do
    command -v "$tool" > /dev/null ||
      fail "$tool is missing; ./autogen.sh --deps installs it"
  done
  for macros in ax_compiler_flags.m4 introspection.m4
  do
    test -f "$(aclocal --print-ac-dir)/$macros" ||
      fail "the macros of $macros are missing; ./autogen.sh --deps installs them"
  done
}

if test "$1" = --deps
then
  shift
  install_packages
fi

require_tools

say "generating the build system"
(cd "$srcdir" && mkdir -p m4 && autoreconf --force --install)

if test -n "$NOCONFIGURE"
then
  say "NOCONFIGURE is set: configure was not run"
  exit 0
fi

say "configure $*"
"$srcdir/configure" "$@"
