#!/usr/bin/env bash
# check-reproducible.sh: builds the last commit in a fresh clone, and compares what make dist makes
# of it and of this tree, byte by byte. A build from nothing: minutes. The clone is mounted over this
# tree (needs root; nobody else sees it): the path is a part of the build, link-time optimisation
# names local symbols by it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

version=${1:?usage: check-reproducible.sh VERSION}
((EUID == 0)) || die "it mounts a clone over this tree, which needs root"
[[ -z $(git status --porcelain) ]] || die "not all is committed; the clone would be another program"
mkdir -p build
there=$(mktemp -d "${TMPDIR:-/tmp}/sidecar-executor-elsewhere.XXXXXX")
trap 'rm -rf "$there"' EXIT
rm -rf build/reproducible

git clone -q "$SX_ROOT" "$there/clone"
say "building a clone"
export there version
# shellcheck disable=SC2016
unshare --mount --propagation private bash -euc '
  mount --bind "$there/clone" "$SX_ROOT"
  cd "$SX_ROOT"
  cmake --preset release -DSX_TESTS=OFF >"$there/log" 2>&1 || { cat "$there/log"; exit 1; }
  ninja -C build/release -j "${JOBS:-2}" --quiet sidecar-executor
  # Nothing of this login may get in.
  umask 077
  TZ=Pacific/Chatham LC_ALL=C scripts/dist.sh "$version" "$there/dist" >/dev/null
'
scripts/dist.sh "$version" build/reproducible >/dev/null
for file in build/reproducible/*; do
  cmp "$file" "$there/dist/${file##*/}" || die "${file##*/} is not the same when built again"
done
cmp build/release/sidecar-executor "$there/clone/build/release/sidecar-executor"
printf 'reproducible: %s\n' "$(cd build/reproducible && printf '%s ' *.gz *.deb)"
