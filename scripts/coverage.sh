#!/usr/bin/env bash
# coverage.sh [CTEST ARGUMENT...]: runs the tests of build/coverage and prints what of src/ they ran:
# lines and branches of each file and of each room. build/coverage/html/index.html shows the lines,
# build/coverage/one-sided.txt the conditions that went one way only.
# Fails when a test failed or when less than SX_COVERAGE_LEAST (90) percent of the lines ran.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

out=$SX_ROOT/build/coverage
rm -rf "$out/profiles" "$out/html"
# The programs know where their profiles belong (CMakeLists.txt). A process that is killed by a
# signal leaves none: what only such a process ran counts as not run.
tests=0
scripts/with-docker.sh scripts/with-registry.sh scripts/run-tests.sh coverage "$@" || tests=$?
llvm-profdata-19 merge -o "$out/all.profdata" "$out"/profiles/*.profraw
report=("$out/sidecar-executor")
for program in "$out"/tests/*_tests; do report+=(-object "$program"); done
report+=(-instr-profile "$out/all.profdata"
  --ignore-filename-regex '^/usr/|/tests/|/tools/|/build/')
llvm-cov-19 show -format=html -output-dir "$out/html" "${report[@]}"
llvm-cov-19 report --show-region-summary=false "${report[@]}" | tee "$out/report.txt"

# lcov's records: SF:FILE, then BRDA:LINE,CONDITION,BRANCH,TAKEN; a condition has two branches, the
# first is the true one.
one_sided() {
  awk '
    function source(line,  text) {
      while (at < line && (getline text < file) > 0) kept[++at] = text
      text = kept[line]
      sub(/^ +/, "", text)
      return text
    }
    /^SF:/ {
      if (file) close(file)
      file = substr($0, 4); at = 0; delete kept
      name = file; sub(/.*\/src\//, "", name)
    }
    /^BRDA:/ {
      split(substr($0, 6), b, ",")
      if (b[4] == "0" || b[4] == "-")
        printf "%s:%d never %s: %s\n", name, b[1], b[3] % 2 ? "false" : "true", source(b[1] + 0)
    }'
}
llvm-cov-19 export -format=lcov "${report[@]}" | one_sided >"$out/one-sided.txt"

# FILE functions missed % lines missed % branches missed %
by_room() {
  awk 'function row(name) { printf "%-10s %6d %6d %6.1f %% %9d %6d %6.1f %%\n", name,
      lines[name], dark[name], 100 - 100 * dark[name] / lines[name], branches[name], ways[name],
      100 - 100 * ways[name] / (branches[name] ? branches[name] : 1) }
    function add(name) { lines[name] += $5; dark[name] += $6; branches[name] += $8; ways[name] += $9 }
    BEGIN { printf "%-10s %6s %6s %8s %9s %6s\n", "room", "lines", "missed", "ran", "branches", "missed" }
    $1 ~ /\.[ch]pp$/ { add($1 ~ /\// ? substr($1, 1, index($1, "/") - 1) : $1); add("all") }
    END { n = split("base net mesos docker sidecar vault relay task app main.cpp all", order)
      for (i = 1; i <= n; i++) if (order[i] in lines) row(order[i]) }' "$1"
}
by_room "$out/report.txt" | tee "$out/rooms.txt"
echo "$out/html/index.html"
((tests == 0)) || die "tests failed ($tests), see $out/tests.log"
lines=$(awk '$1 == "TOTAL" {print int($7)}' "$out/report.txt")
if ((lines < ${SX_COVERAGE_LEAST:-90})); then
  die "$lines % of the lines ran, ${SX_COVERAGE_LEAST:-90} % are wanted"
fi
