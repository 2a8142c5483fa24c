#!/usr/bin/env bash
# fuzz.sh SECONDS [NAME]: each fuzz target of build/fuzz for so long, or only NAME. Inputs start from
# tests/fuzz/corpus/NAME (without fuzz_); new ones go to build/fuzz/corpus, crashes to
# build/fuzz/crashes. Copy what is worth keeping into tests/fuzz/corpus.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

seconds=${1:?usage: fuzz.sh SECONDS [NAME]}
mapfile -t targets < <(find build/fuzz -type f -name "fuzz_${2:-*}" -perm -u+x | sort)
((${#targets[@]})) || die "no fuzz targets in build/fuzz"
bad=0
for target in "${targets[@]}"; do
  name=${target##*/fuzz_}
  mkdir -p "build/fuzz/corpus/$name" build/fuzz/crashes
  seeds=()
  [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
  log=build/fuzz/$name.log
  if "$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "build/fuzz/corpus/$name" "${seeds[@]}" \
    >"$log" 2>&1; then
    printf '%-24s %s inputs tried\n' "$name" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    printf '%-24s FAILED\n' "$name"
    tail -n 40 "$log"
    bad=1
  fi
done
exit "$bad"
