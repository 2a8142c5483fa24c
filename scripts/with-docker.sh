#!/usr/bin/env bash
# with-docker.sh COMMAND [ARGUMENT...]
#
# Runs COMMAND with a Docker engine: the one at DOCKER_HOST or the default socket if it answers,
# else a private dockerd that lives as long as COMMAND. SX_PRIVATE_DOCKER=1 always takes a private
# one. The private daemon touches nothing outside its own folders: own sockets, data, containerd
# and bridge, no iptables rules (mapped ports are served by docker-proxy), no /etc/docker. So any
# number of them can run at the same time.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($#)) || die "usage: with-docker.sh COMMAND [ARGUMENT...]"

if [[ -z ${SX_PRIVATE_DOCKER:-} ]] && docker_answers; then
  export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}
  exec "$@"
fi

((EUID == 0)) || die "no Docker engine answers at ${DOCKER_HOST:-unix:///var/run/docker.sock}, and\
 starting a private one needs root. Run it as root, or start Docker and join its group."
for tool in dockerd containerd runc busybox curl flock setpriv pgrep; do
  command -v "$tool" >/dev/null || die "$tool is missing; scripts/provision.sh --for test installs it"
done

# A Unix socket's path has room for 107 characters, so sockets live in a short folder under /run.
# Everything that a run leaves behind can be found from there: lock (held by the run), dockerd.pid,
# bridge and data (their names).
state_prefix=/run/sx-docker.

# processes_of DIR: the daemons and shims that have DIR in their command line. Its name is unique.
processes_of() {
  local cmdline pid
  for cmdline in /proc/[0-9]*/cmdline; do
    pid=${cmdline//[!0-9]/}
    [[ $pid == "$$" || $pid == "$BASHPID" ]] && continue
    tr '\0' ' ' 2>/dev/null <"$cmdline" | grep -qF "$1/" && printf '%s\n' "$pid"
  done
  return 0
}

# stop_daemon DIR: ends the daemon of the run in DIR and removes all that belongs to it. Also right
# for what is left of a run that was killed. A subshell: each step is tried, whatever became of
# the one before.
stop_daemon() (
  set +e +o pipefail
  dir=$1
  pid=$(cat "$dir/dockerd.pid" 2>/dev/null || true)
  # A pid alone proves nothing after a while.
  if [[ -n $pid && $'\n'$(processes_of "$dir")$'\n' == *$'\n'$pid$'\n'* ]]; then
    for id in $(DOCKER_HOST=unix://$dir/docker.sock api_curl GET /containers/json 2>/dev/null |
      grep -o '"Id":"[0-9a-f]\{64\}"' | cut -d'"' -f4); do
      DOCKER_HOST=unix://$dir/docker.sock api_curl DELETE "/containers/$id?force=1&v=1" \
        --max-time 20 >/dev/null 2>&1 || true
    done
    stop_pid "$pid" 20
  fi
  # Left over only when dockerd was killed: a shim's children are the container.
  for pid in $(processes_of "$dir"); do
    # shellcheck disable=SC2046
    kill -KILL $(descendants "$pid") "$pid" 2>/dev/null || true
  done
  data=$(cat "$dir/data" 2>/dev/null || true)
  bridge=$(cat "$dir/bridge" 2>/dev/null || true)
  # By the run's unique ending: a blank in the path is written \040 there.
  awk '{print $2}' /proc/self/mounts |
    grep -e "^$state_prefix${dir##*.}/" -e "/build/docker/data\.${dir##*.}\(/\|\$\)" | sort -r |
    while IFS= read -r target; do umount -l "$(printf '%b' "$target")"; done
  [[ -z $bridge ]] || busybox ip link del "$bridge" 2>/dev/null
  # Only a folder of the shape that we make, in case the file holds anything else.
  [[ $data == */build/docker/data.* ]] && rm -rf "$data"
  rm -rf "$dir"
)

# Runs that were killed are known by their free lock.
reap() {
  local dir
  for dir in "$SX_ROOT"/build/docker/data.*; do  # /run is emptied by a reboot
    [[ -d $dir && ! -d $state_prefix${dir##*.} ]] && rm -rf "$dir"
  done
  for dir in "$state_prefix"*; do
    [[ -f $dir/lock ]] || continue
    (
      flock -n 8 || exit 0
      [[ -d $dir ]] || exit 0
      data=$(cat "$dir/data" 2>/dev/null || true)
      [[ -z $data ]] || rm -f "${data%/*}/dockerd.${dir##*.}.log"
      say "with-docker.sh: removing what a killed run left behind ($dir)"
      stop_daemon "$dir" 8>&-
    ) 8<"$dir/lock" || true
  done
}

mkdir -p "$SX_ROOT/build/docker"
exec 7>/run/sx-docker-start.lock
flock -w 60 7 || die "another run holds /run/sx-docker-start.lock for a minute"
reap 7>&-
dir=$(mktemp -d "${state_prefix}XXXXXX")
exec 9>"$dir/lock"
flock -n 9
exec 7>&-
chmod 755 "$dir"
data=$SX_ROOT/build/docker/data.${dir##*.}
log=$SX_ROOT/build/docker/dockerd.${dir##*.}.log
printf '%s\n' "$data" >"$dir/data"
printf '{}\n' >"$dir/daemon.json"

dockerd=
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  trap '' INT TERM HUP
  stop_daemon "$dir" 9>&-
  wait "$dockerd" 2>/dev/null || true
  [[ ! -f $log ]] || mv -f "$log" "$SX_ROOT/build/docker/dockerd.log"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# The first free number: making the bridge is atomic, so that two runs cannot get the same.
for ((n = 1; n < 255; n++)); do
  busybox ip -4 addr | grep -qF " 10.213.$n." && continue
  busybox ip link add name "sxbr$n" type bridge 2>/dev/null && break
done
((n < 255)) || die "could not make a network bridge (is this a container without NET_ADMIN?)"
printf 'sxbr%s\n' "$n" >"$dir/bridge"
busybox ip addr add "10.213.$n.1/24" dev "sxbr$n"
busybox ip link set "sxbr$n" up

# setsid: Ctrl-C is for the command. pdeathsig: when this script is killed, dockerd ends as well.
env -u DOCKER_HOST setsid setpriv --pdeathsig TERM dockerd \
  --config-file "$dir/daemon.json" --data-root "$data" --exec-root "$dir/exec" \
  --pidfile "$dir/dockerd.pid" -H "unix://$dir/docker.sock" --group root \
  --bridge "sxbr$n" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
  --containerd-namespace "sx-${dir##*.}" --containerd-plugins-namespace "sx-${dir##*.}-plugins" \
  --shutdown-timeout 10 >"$log" 2>&1 </dev/null 9>&- &
dockerd=$!

export DOCKER_HOST=unix://$dir/docker.sock
unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT
end=$((SECONDS + ${SX_DOCKER_START_LIMIT:-60}))
until docker_answers; do
  if ! alive "$dockerd"; then
    say "with-docker.sh: dockerd ended at its start; the last lines of its log:"
    tail -n 15 "$log" >&2
    exit 1
  fi
  if ((SECONDS >= end)); then
    say "with-docker.sh: dockerd did not answer in time; the last lines of its log:"
    tail -n 15 "$log" >&2
    exit 1
  fi
  sleep 0.1
done

supervise "$@"
exit "${supervise_status:?}"
