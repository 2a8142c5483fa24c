#!/usr/bin/env bash
# run.sh [--build FOLDER] [lifecycle_bench's arguments]
#
# The benchmarks, below scripts/with-docker.sh: lifecycle_bench with a real dockerd, then poll_bench
# and micro_bench (not with --only). A figure over its limit does not hide the others; the exit code
# is 1 then, 2 when something could not be measured.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

build=$SX_ROOT/build/release
if [[ ${1:-} == --build ]]; then
  build=${2:?--build wants a folder}
  shift 2
fi
"$SX_ROOT/scripts/make-image.sh" sx-bench:1
status=0
"$build/bench/lifecycle_bench" --executor "$SX_ROOT/build/release/sidecar-executor" \
  --mini-agent "$SX_ROOT/build/release/tools/mini-agent/mini-agent" "$@" || status=$?
((status < 2)) || exit "$status"
docs=()
for ((i = 1; i <= $#; i++)); do
  [[ ${!i} != --only ]] || exit "$status"
  if [[ ${!i} == --docs ]]; then
    next=$((i + 1))
    docs=(--docs "${!next}")
  fi
done
printf '\n'
poll_status=0
"$build/bench/poll_bench" "${docs[@]}" || poll_status=$?
((poll_status <= status)) || status=$poll_status
printf '\n'
"$build/bench/micro_bench" --benchmark_min_time=0.2
exit "$status"
