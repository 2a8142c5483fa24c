#!/bin/sh
# The executor to name in a task definition: copies sidecar-executor into the task's sandbox and runs
# it there, so that the installed file can be replaced while tasks run (each task keeps the version
# that started it). Afterwards a container of this task that still runs is stopped.
#
#   SIDECAR_EXECUTOR_PATH             the installed binary (/opt/mesos/sidecar-executor)
#   SIDECAR_EXECUTOR_CUSTOM_ENV_PATH  a file to source first (/opt/mesos/executor-environment.sh, if
#                                     it exists); it exports what every task of this host is to get
set -u

fail() {
  echo "executor.sh: $*" >&2
  exit 78 # EX_CONFIG
}

env_file=${SIDECAR_EXECUTOR_CUSTOM_ENV_PATH:-}
case $env_file in
  '' | */*) ;;
  *) env_file=./$env_file ;; # a name without a slash would be looked for in PATH
esac
if [ -n "$env_file" ] && { [ -d "$env_file" ] || [ ! -r "$env_file" ]; }; then
  fail "SIDECAR_EXECUTOR_CUSTOM_ENV_PATH=$SIDECAR_EXECUTOR_CUSTOM_ENV_PATH cannot be read"
fi
env_file=${env_file:-/opt/mesos/executor-environment.sh}
if [ -r "$env_file" ]; then
  # It may use variables that are not set, as the Go executor's wrapper lets it.
  set +u
  # shellcheck disable=SC1090 # the operator's own file
  . "$env_file"
  set -u
fi

installed=${SIDECAR_EXECUTOR_PATH:-/opt/mesos/sidecar-executor}
if [ ! -f "$installed" ] || [ ! -x "$installed" ]; then
  fail "SIDECAR_EXECUTOR_PATH=$installed is not an executable file"
fi
sandbox=${MESOS_SANDBOX:-${MESOS_DIRECTORY:-}}
[ -n "$sandbox" ] || fail "MESOS_SANDBOX is not set: is this started by a Mesos agent?"
copy=$sandbox/sidecar-executor
cp -f "$installed" "$copy" || fail "cannot copy $installed to $copy: is the disk full?"

# Traps first: a signal before the executor has started is passed on once it has.
executor=
signalled=
# shellcheck disable=SC2317 # called by the traps
pass_on() {
  signalled=$1
  if [ -n "$executor" ]; then kill -"$1" "$executor" 2>/dev/null; fi
}
trap 'pass_on TERM' TERM
trap 'pass_on INT' INT
trap 'pass_on USR1' USR1
trap '' HUP

"$copy" "$@" &
executor=$!
if [ -n "$signalled" ]; then kill -"$signalled" "$executor" 2>/dev/null; fi

# A signal ends the wait, not the executor: wait again. 127 = it had been waited for already.
status=
while :; do
  signalled=
  wait "$executor"
  ended=$?
  if [ "$ended" -eq 127 ] && [ -n "$status" ]; then break; fi
  status=$ended
  [ -n "$signalled" ] || break
done

trap '' TERM INT USR1
# The shell's own codes: no executor has run, so no container is left.
if [ "$status" -eq 126 ] || [ "$status" -eq 127 ]; then
  echo "executor.sh: $copy cannot be executed: is $sandbox mounted noexec, is $installed for another" \
    "architecture or no program?" >&2
  exit "$status"
fi
# Nothing to do unless the executor died without stopping its container. Ours only: with the Go
# executor put back in its place, these words would start it a second time.
if grep -q io.sidecar-executor "$copy"; then
  "$copy" reap --sandbox "$sandbox" >&2 ||
    echo "executor.sh: a container of this task may still run" >&2
fi
exit "$status"
