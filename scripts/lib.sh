# shellcheck shell=bash disable=SC2317
# What several scripts share. Sourced, never run.

SX_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export SX_ROOT
# A login without sbin in its PATH would not find dockerd.
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# api_curl METHOD PATH [curl options]: one call to the Docker engine at DOCKER_HOST, the answer's
# body on stdout; fails on a status of 400 and above (its body is still printed).
api_curl() {
  local method=$1 path=$2 base tls=()
  shift 2
  local host=${DOCKER_HOST:-unix:///var/run/docker.sock}
  case $host in
    unix://*) tls=(--unix-socket "${host#unix://}"); base=http://localhost ;;
    *) base=http://${host#*://}
      if [[ -n ${DOCKER_TLS_VERIFY:-} ]]; then
        local certs=${DOCKER_CERT_PATH:-${HOME:-/root}/.docker}
        base=https://${host#*://}
        tls=(--cacert "$certs/ca.pem" --cert "$certs/cert.pem" --key "$certs/key.pem")
      fi ;;
  esac
  curl -q --silent --show-error --fail-with-body --noproxy '*' --max-time 60 \
    "${tls[@]}" -X "$method" "$@" "$base$path"
}

docker_answers() { api_curl GET /_ping --max-time 5 >/dev/null 2>&1; }

# alive PID: running and no zombie.
alive() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
  [[ $stat != Z* && $stat != X* ]]
}

# wait_gone SECONDS PID...: true as soon as none of them runs.
wait_gone() {
  local end=$((SECONDS + $1)) pid left
  shift
  while :; do
    left=
    for pid; do alive "$pid" && left=1; done
    [[ -z $left ]] && return 0
    ((SECONDS >= end)) && return 1
    sleep 0.05
  done
}

# stop_pid PID SECONDS: TERM, and KILL when that does not help in time.
stop_pid() {
  alive "$1" || return 0
  kill -TERM "$1" 2>/dev/null || true
  if ! wait_gone "$2" "$1"; then
    kill -KILL "$1" 2>/dev/null || true
    wait_gone 5 "$1" || true
  fi
}

# descendants PID: its children, their children and so on.
descendants() {
  local child
  for child in $(pgrep -P "$1"); do
    printf '%s\n' "$child"
    descendants "$child"
  done
}

# Is this process in the foreground of a terminal? Then Ctrl-C reaches the command without us.
in_foreground() {
  local stat fields
  read -r stat </proc/self/stat
  read -ra fields <<<"${stat##*) }"  # state ppid pgrp session tty_nr tpgid
  ((fields[5] > 0 && fields[2] == fields[5]))
}

# supervise COMMAND...: runs it with our standard input and passes INT, TERM and HUP on. Its status
# is left in supervise_status; 128 + n when signal n came and the command ended as if nothing had
# happened. Returns 0, so that the caller cleans up and then exits with that status.
supervise() {
  local child signal='' passed_on='' tick tree=()
  # bash 5.2 can wait for ever when a trapped signal and the end of a child come together during
  # wait (seen with Ctrl-C: waitpid for a child that it had reaped already). So the traps only note
  # the signal, the loop looks, and wait comes when nothing can interrupt it.
  trap 'signal=${signal:-INT}' INT
  trap 'signal=${signal:-TERM}' TERM
  trap 'signal=${signal:-HUP}' HUP
  # bash starts background commands with INT and QUIT ignored, and ignored they would stay.
  env --default-signal=INT,QUIT -- "$@" <&0 9>&- &
  child=$!
  exec {tick}<> <(:)
  while alive "$child"; do
    if [[ -n $signal && -z $passed_on ]]; then
      passed_on=1
      mapfile -t tree < <(descendants "$child")
      if [[ $signal != INT ]] || ! in_foreground; then
        kill -s "$signal" "$child" 2>/dev/null || true
      fi
    fi
    # Nothing ever comes: a sleep without a process.
    read -r -t 0.05 -u "$tick" || true
  done
  exec {tick}<&-
  # What follows is bounded in time and must not be cut short.
  trap '' INT TERM HUP
  supervise_status=0
  wait "$child" || supervise_status=$?
  if [[ -n $signal ]]; then
    # ctest dies of TERM and leaves its tests running.
    if ((${#tree[@]})); then
      kill -TERM "${tree[@]}" 2>/dev/null || true
      wait_gone 15 "${tree[@]}" || kill -KILL "${tree[@]}" 2>/dev/null || true
    fi
    ((supervise_status == 0)) && supervise_status=$((128 + $(kill -l "$signal")))
  fi
  return 0
}
