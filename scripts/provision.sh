#!/usr/bin/env bash
# provision.sh [--for PURPOSE]... [--print]
#
# Installs the Debian packages that a purpose needs and that are not there yet; says so in one line,
# and says nothing when nothing is missing. PURPOSE: build (default), test, demo, check, bench,
# fuzz, coverage, podman. --print only lists the packages. Works on Debian 12 and relatives, as root or
# through sudo; elsewhere it lists the tools that are missing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

purposes=()
print=
while (($#)); do
  case $1 in
    --for) purposes+=("${2:?--for wants a purpose}"); shift 2 ;;
    --for=*) purposes+=("${1#--for=}"); shift ;;
    --print) print=1; shift ;;
    *) die "unknown argument $1; usage: provision.sh [--for PURPOSE]... [--print]" ;;
  esac
done
((${#purposes[@]})) || purposes=(build)

# git tells which files belong to the project. libgtest-dev: the tests are part of every preset. llvm-19: its ar, and llvm-symbolizer for the
# sanitizers. libspdlog-dev brings fmt's headers.
build_packages=(ca-certificates git cmake ninja-build clang-19 lld-19 llvm-19 libboost1.81-dev
  libboost-json1.81-dev libboost-url1.81-dev libssl-dev libcli11-dev libspdlog-dev libfmt-dev
  libbsd-dev libmd-dev libgtest-dev)
# procps has pgrep. busybox-static is the content of every test image. openssl makes the certificates
# and iptables loses the packets of the system tests. Of test: jq and groff look at what make dist made.
engine_packages=(docker.io busybox-static curl procps ca-certificates openssl iptables)
build_tools=(git cmake ninja clang++-19 ld.lld-19)
engine_tools=(dockerd containerd runc busybox curl pgrep flock setpriv openssl iptables)
packages=()
tools=()
for purpose in "${purposes[@]}"; do
  case $purpose in
    build) packages+=("${build_packages[@]}"); tools+=("${build_tools[@]}") ;;
    demo) packages+=("${build_packages[@]}" "${engine_packages[@]}")
      tools+=("${build_tools[@]}" "${engine_tools[@]}") ;;
    # systemd has journald.
    test) packages+=("${build_packages[@]}" "${engine_packages[@]}" docker-registry jq groff-base
        systemd)
      tools+=("${build_tools[@]}" "${engine_tools[@]}" docker-registry jq groff) ;;
    check) packages+=("${build_packages[@]}" clang-tidy-19 clang-format-19 libclang-rt-19-dev
        shellcheck)
      tools+=("${build_tools[@]}" clang-tidy-19 clang-format-19 shellcheck) ;;
    bench) packages+=("${build_packages[@]}" "${engine_packages[@]}" libbenchmark-dev)
      tools+=("${build_tools[@]}" "${engine_tools[@]}") ;;
    fuzz | coverage) packages+=("${build_packages[@]}" libclang-rt-19-dev)
      tools+=("${build_tools[@]}" llvm-cov-19 llvm-profdata-19) ;;
    # In place of what podman only recommends (crun, netavark...): what dockerd's runs use, too.
    podman) packages+=("${build_packages[@]}" "${engine_packages[@]}" docker-registry podman
        catatonit containernetworking-plugins)
      tools+=("${build_tools[@]}" "${engine_tools[@]}" docker-registry podman conmon unshare) ;;
    *) die "unknown purpose $purpose (build, test, demo, check, bench, fuzz, coverage, podman)" ;;
  esac
done
mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
mapfile -t tools < <(printf '%s\n' "${tools[@]}" | sort -u)
list=$(IFS=', '; printf '%s' "${purposes[*]}")

if [[ -n $print ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  missing=()
  for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  if ((${#missing[@]})); then
    say "This is no Debian or Ubuntu, so nothing is installed. Missing for $list: ${missing[*]}"
    say "Debian's names of all packages: ${packages[*]}"
    exit 1
  fi
  exit 0
fi

# Collectors that are unpacked, not installed (docs/logging.md).
unpack_collectors() {
  if [[ " ${purposes[*]} " == *" test "* ]]; then "$SX_ROOT/scripts/collectors.sh"; fi
}

# missing_packages: those that are not installed. One call, whatever their number.
missing_packages() {
  dpkg-query -W -f '${binary:Package} ${Status}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^\([^ :]*\)[^ ]* install ok installed$/\1/p' | sort |
    comm -13 - <(printf '%s\n' "${packages[@]}") || true
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then
  unpack_collectors
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  elif command -v sudo >/dev/null && [[ -t 0 && -t 2 ]]; then
    as_root=(sudo)
  else
    say "Missing for $list, and installing needs root. Run this, then try again:"
    say "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    exit 1
  fi
fi

say "Installing for $list (Debian packages): ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Debian 12's apt waits for another one that holds the lock, and takes no environment through sudo.
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >"$log" 2>&1 </dev/null
}
apt update || { tail -n 15 "$log" >&2; say "apt-get update failed; trying with the lists there are"; }
if ! apt install --no-install-recommends "${missing[@]}"; then
  tail -n 25 "$log" >&2
  if [[ " ${missing[*]} " == *-19* ]] && ! apt-cache show clang-19 >/dev/null 2>&1; then
    say "This release has no clang-19. Debian 12 (bookworm) and later and Ubuntu 24.10 and later have;"
    say "on an older one add the packages of https://apt.llvm.org first."
  fi
  die "apt-get install failed"
fi
# Debian starts docker-registry on port 5000 of every address; only the program is wanted here.
if [[ " ${missing[*]} " == *" docker-registry "* && -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now docker-registry >/dev/null 2>&1 || true
fi
mapfile -t missing < <(missing_packages)
((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}"
unpack_collectors
