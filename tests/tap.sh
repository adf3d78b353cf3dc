# tap.sh - the few words of TAP that the scripts share; to be sourced
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Standard output is TAP; what else a test says goes to standard error, which
# the driver writes to the log.

tap_number=0
tap_failures=0

# tap_skip_all REASON: ends the script; nothing here can be tried.
tap_skip_all ()
{
  echo "1..0 # SKIP $*"
  exit 0
}

# tap_pass NAME, tap_fail NAME, tap_skip NAME REASON: one test's result.
tap_pass ()
{
  tap_number=$((tap_number + 1))
  echo "ok $tap_number - $1"
}

tap_fail ()
{
  tap_number=$((tap_number + 1))
  tap_failures=$((tap_failures + 1))
  echo "not ok $tap_number - $1"
}

tap_skip ()
{
  tap_number=$((tap_number + 1))
  echo "ok $tap_number - $1 # SKIP $2"
}

# tap_try NAME COMMAND...: passes when the command succeeds.
tap_try ()
{
  local name=$1
  shift
  if "$@" >&2
  then
    tap_pass "$name"
  else
    tap_fail "$name"
  fi
}

# tap_done: prints the plan; to be the last command.
tap_done ()
{
  echo "1..$tap_number"
  test "$tap_failures" -eq 0
}
