#!/usr/bin/env bash
# with-podman.sh COMMAND [ARGUMENT...]
#
# Runs COMMAND beside private registries with Podman's Docker-compatible socket at DOCKER_HOST.
# All of it is in namespaces of its own (network, processes, mounts): when this script ends, by INT,
# TERM or HUP too, the kernel ends the service, its containers, bridges and firewall rules. Root only.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($#)) || die "usage: with-podman.sh COMMAND [ARGUMENT...]"
root=$SX_ROOT/build/podman

# ---- inside ------------------------------------------------------------------------------------

# limit KIND MOST: our own hard limit, at most MOST.
limit() {
  local own
  own=$(ulimit -H "$1")
  if [[ $own == unlimited ]] || ((own > $2)); then own=$2; fi
  printf '%s:%s' "$own" "$own"
}

write_settings() {
  # Podman asks for a million files and processes, which a root without CAP_SYS_RESOURCE may not
  # give; it lowers its own number of processes to pid_max.
  {
    printf '[containers]\ndefault_ulimits = ["nofile=%s", "nproc=%s"]\n' \
      "$(limit -n 1048576)" "$(limit -u "$(cat /proc/sys/kernel/pid_max)")"
    printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
  } >"$root/containers.conf"
  # Unlike Docker it takes no registry of the loopback without TLS by itself.
  printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$SX_REGISTRY" "$SX_AUTH_REGISTRY" \
    >"$root/registries.conf"
}

# Below with-registry.sh, in the namespaces.
serve() {
  write_settings
  export CONTAINERS_CONF=$root/containers.conf CONTAINERS_REGISTRIES_CONF=$root/registries.conf
  env -u DOCKER_HOST podman --root "$root/data" --runroot /run/podman --storage-driver overlay \
    --runtime runc system service --time=0 unix:///run/podman.sock \
    >"$root/podman.log" 2>&1 </dev/null &
  local service=$! end=$((SECONDS + 30)) status=0
  export DOCKER_HOST=unix:///run/podman.sock
  unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT
  until docker_answers; do
    if ! alive "$service" || ((SECONDS >= end)); then
      tail -n 15 "$root/podman.log" >&2
      die "podman's service does not answer; above are the last lines of build/podman/podman.log"
    fi
    sleep 0.1
  done
  "$@" || status=$?
  # Takes their cgroups along.
  podman --root "$root/data" --runroot /run/podman --storage-driver overlay --runtime runc \
    rm -fa -t 0 >/dev/null 2>&1 || true
  stop_pid "$service" 10
  return "$status"
}

if [[ $1 == --serve ]]; then
  shift
  serve "$@"
  exit
fi
if [[ $1 == --inside ]]; then
  shift
  busybox ip link set lo up
  # What Podman and CNI keep outside --root and --runroot.
  mkdir -p /etc/cni /var/lib/cni /var/lib/containers
  for dir in /run /dev/shm /etc/cni /var/lib/cni /var/lib/containers; do
    mount -t tmpfs podman "$dir"
  done
  mkdir /run/lock
  # Not exec: process 1 of the namespace takes the ends of orphans.
  status=0
  "$SX_ROOT/scripts/with-registry.sh" "$SX_ROOT/scripts/with-podman.sh" --serve "$@" || status=$?
  exit "$status"
fi

# ---- outside -----------------------------------------------------------------------------------

((EUID == 0)) || die "needs root: containers, networks and mounts of its own"
for tool in podman conmon runc busybox curl unshare flock; do
  command -v "$tool" >/dev/null || die "$tool is missing; scripts/provision.sh --for podman installs it"
done
mkdir -p "$root"
exec 8>"$root/lock"
flock -n 8 || die "another run uses build/podman"
rm -rf "$root/data"

signal=
trap 'signal=INT' INT
trap 'signal=TERM' TERM
trap 'signal=HUP' HUP
env --default-signal=INT,QUIT -- unshare --net --mount --propagation private --pid --fork \
  --kill-child --mount-proc "$SX_ROOT/scripts/with-podman.sh" --inside "$@" <&0 8>&- &
namespace=$!
exec {tick}<> <(:)
while alive "$namespace"; do
  # Its first process dies with it, and the kernel ends the others.
  [[ -z $signal ]] || kill -KILL "$namespace" 2>/dev/null || true
  read -r -t 0.05 -u "$tick" || true
done
trap '' INT TERM HUP
status=0
wait "$namespace" 2>/dev/null || status=$?
rm -rf "$root/data" || true
[[ -z $signal ]] || exit $((128 + $(kill -l "$signal")))
exit "$status"
