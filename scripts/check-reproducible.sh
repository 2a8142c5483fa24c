#!/usr/bin/env bash
# check-reproducible.sh VERSION: builds the last commit in a fresh clone elsewhere, and compares what
# make dist makes of it and of this tree, byte by byte. A build from nothing: minutes.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

version=${1:?usage: check-reproducible.sh VERSION}
[[ -z $(git status --porcelain) ]] || die "not all is committed; the clone would be another program"
mkdir -p build
there=$(mktemp -d "${TMPDIR:-/tmp}/sidecar-executor-elsewhere.XXXXXX")
trap 'rm -rf "$there"' EXIT
rm -rf build/reproducible

git clone -q "$SX_ROOT" "$there/clone"
say "building a clone"
cmake -S "$there/clone" --preset release -DSX_TESTS=OFF >"$there/log" 2>&1 || die "$(<"$there/log")"
ninja -C "$there/clone/build/release" -j "${JOBS:-2}" --quiet sidecar-executor
# Nothing of this login may get in.
(umask 077 && TZ=Pacific/Chatham LC_ALL=C "$there/clone/scripts/dist.sh" "$version" "$there/dist" >/dev/null)
scripts/dist.sh "$version" build/reproducible >/dev/null
for file in build/reproducible/*; do
  cmp "$file" "$there/dist/${file##*/}" || die "${file##*/} is not the same when built again"
done
cmp build/release/sidecar-executor "$there/clone/build/release/sidecar-executor"
printf 'reproducible: %s\n' "$(cd build/reproducible && printf '%s ' *.gz *.deb)"
