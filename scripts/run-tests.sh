#!/usr/bin/env bash
# run-tests.sh PRESET [CTEST ARGUMENT...]: ctest on build/PRESET; the screen gets failures, skips and
# the summary, build/PRESET/tests.log everything. With CI or SX_NO_SKIP set a skipped test fails.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

(($#)) || die "usage: run-tests.sh PRESET [CTEST ARGUMENT...]"
preset=$1
shift
log=build/$preset/tests.log
# System tests wait for daemons and clocks most of the time.
jobs=$((2 * ${JOBS:-$(nproc)}))
status=0
# A colour code would hide the words from the filter.
NO_COLOR=1 CLICOLOR=0 ctest --test-dir "build/$preset" --no-tests=error --output-on-failure \
  -j "$jobs" "$@" 2>&1 | tee "$log" |
  grep -vE --line-buffered '^ +Start +[0-9]+: |Test +#[0-9]+: .* Passed |^Internal ctest changing|^Test project|^$' ||
  status=${PIPESTATUS[0]}
skipped=$(grep -cE '\*\*\*Skipped|\(Skipped\)|\[  SKIPPED \]|\(Disabled\)|Not Run' "$log" || true)
if ((skipped)) && [[ -n ${CI:-}${SX_NO_SKIP:-} ]]; then
  say "run-tests.sh: skipped tests are not accepted here:"
  grep -E '\*\*\*Skipped|\[  SKIPPED \]|\(Skipped\)|\(Disabled\)|Not Run' "$log" | sort -u >&2
  status=1
fi
exit "$status"
