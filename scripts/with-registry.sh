#!/usr/bin/env bash
# with-registry.sh COMMAND [ARGUMENT...]
#
# Runs COMMAND beside two private Docker registries on free loopback ports, which Docker takes as
# insecure ones without being told:
#   SX_REGISTRY=127.0.0.1:PORT        open to all
#   SX_AUTH_REGISTRY=127.0.0.1:PORT   wants SX_AUTH_USER and SX_AUTH_PASSWORD
# Both are empty at the start, and gone afterwards.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($#)) || die "usage: with-registry.sh COMMAND [ARGUMENT...]"
for tool in docker-registry curl flock setpriv pgrep; do
  command -v "$tool" >/dev/null || die "$tool is missing; scripts/provision.sh --for test installs it"
done

export SX_AUTH_USER=puller SX_AUTH_PASSWORD=pullpass
# The registry knows bcrypt only, for which Debian's base system has no tool.
# shellcheck disable=SC2016  # no variables, a hash
readonly auth_line='puller:$2y$05$abcdefghijklmnopqrstuum9l7dAoFS5.jnWDb9moTnuRrDVGhPae'

mkdir -p "$SX_ROOT/build/registry"
for old in "$SX_ROOT"/build/registry/run.*; do  # a free lock: its run was killed
  if [[ -f $old/lock ]] && flock -n "$old/lock" true; then rm -rf "$old"; fi
done
dir=$(mktemp -d "$SX_ROOT/build/registry/run.XXXXXX")
exec 9>"$dir/lock"
flock -n 9

pids=()
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  trap '' INT TERM HUP
  local pid
  for pid in "${pids[@]}"; do
    stop_pid "$pid" 5
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# start_registry NAME: its address is left in $address.
start_registry() {
  local config=$dir/$1.yml log=$dir/$1.log end=$((SECONDS + 20)) pid
  {
    printf 'version: 0.1\nlog: {level: info}\nhttp: {addr: "127.0.0.1:0", secret: "%s"}\n' "$1"
    printf 'storage:\n  filesystem: {rootdirectory: "%s"}\n  delete: {enabled: true}\n' "$dir/$1"
    # Its default health check writes beside the storage every ten seconds.
    printf 'health: {storagedriver: {enabled: false}}\n'
    [[ $1 != auth ]] || printf 'auth:\n  htpasswd: {realm: sx, path: "%s"}\n' "$dir/htpasswd"
  } >"$config"
  # setsid: Ctrl-C is for the command. pdeathsig: it ends with this script, however that ends.
  : >"$log"
  setsid setpriv --pdeathsig TERM docker-registry serve "$config" >"$log" 2>&1 </dev/null 9>&- &
  pid=$!
  pids+=("$pid")
  while :; do
    # It asks the kernel for a free port and logs which one it got.
    address=$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$log" | tail -n 1 || true)
    address=${address##* }
    if [[ -n $address ]]; then
      case $(curl -q -s -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 2 \
        "http://$address/v2/" || true) in
        200 | 401) return 0 ;;
      esac
    fi
    if ! alive "$pid" || ((SECONDS >= end)); then
      say "with-registry.sh: docker-registry does not answer; the last lines of its log:"
      tail -n 15 "$log" >&2
      exit 1
    fi
    sleep 0.05
  done
}

printf '%s\n' "$auth_line" >"$dir/htpasswd"
start_registry open
export SX_REGISTRY=$address
start_registry auth
export SX_AUTH_REGISTRY=$address

supervise "$@"
exit "${supervise_status:?}"
