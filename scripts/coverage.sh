#!/usr/bin/env bash
# coverage.sh [CTEST ARGUMENT...]: runs the tests of build/coverage and prints what of src/ they ran:
# lines and branches of each file. The pages with the lines are in build/coverage/html/index.html.
# Fails when less than SX_COVERAGE_LEAST (90) percent of the lines ran.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

out=$SX_ROOT/build/coverage
rm -rf "$out/profiles" "$out/html"
mkdir -p "$out/profiles"
# %m merges the runs of one program into one file; without it each of the tests leaves megabytes.
export LLVM_PROFILE_FILE=$out/profiles/%4m.profraw
scripts/with-docker.sh scripts/with-registry.sh scripts/run-tests.sh coverage "$@"
llvm-profdata-19 merge -o "$out/all.profdata" "$out"/profiles/*.profraw
objects=()
for program in "$out/sidecar-executor" "$out"/tests/*_tests; do
  if [[ -x $program ]]; then objects+=(-object "$program"); fi
done
report=("${objects[@]}" -instr-profile "$out/all.profdata"
  --ignore-filename-regex '^/usr/|/tests/|/tools/|/build/')
llvm-cov-19 show -format=html -output-dir "$out/html" "${report[@]}"
llvm-cov-19 report --show-region-summary=false "${report[@]}" | tee "$out/report.txt"
echo "$out/html/index.html"
# TOTAL functions missed % lines missed % branches missed %
lines=$(awk '$1 == "TOTAL" {print int($7)}' "$out/report.txt")
if ((lines < ${SX_COVERAGE_LEAST:-90})); then
  die "$lines % of the lines ran, ${SX_COVERAGE_LEAST:-90} % are wanted"
fi
