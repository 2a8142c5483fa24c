#!/usr/bin/env bash
# tidy-changed.sh [--all]: clang-tidy for what changed, two files at a time.
#
# Changed means: not committed yet, or committed since TIDY_BASE; without that since the branch left
# origin/main; without that (on main itself, as in CI) in the last 10 commits. Changed headers bring
# up to 10 files that include them. Bounded, newest first, and what was left out is told:
#   TIDY_FILES=40 files, TIDY_SECONDS=300, programs before tests. --all takes every file and has no
# bounds. Tests go without the static analyzer: their long bodies cost it minutes each.
# The compile commands are those of build/release (TIDY_BUILD): configure and build first, for the
# precompiled headers.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

build=${TIDY_BUILD:-build/release}
max_files=${TIDY_FILES:-40}
max_seconds=${TIDY_SECONDS:-300}
[[ -f $build/compile_commands.json ]] || die "$build/compile_commands.json is missing: run make build"

sources() { grep -E '^(src|tools|tests|bench)/.*\.cpp$' || true; }
# A file that another preset compiles (fuzzing) is not in this one's commands.
in_build() {
  local file
  while IFS= read -r file; do
    [[ -f $file ]] && grep -qF "\"$SX_ROOT/$file\"" "$build/compile_commands.json" &&
      printf '%s\n' "$file"
  done
  return 0
}
first_seen() { awk '!seen[$0]++'; }

if [[ ${1:-} == --all ]]; then
  max_files=100000
  max_seconds=86400
  mapfile -t files < <(git ls-files -co --exclude-standard | sources | in_build)
else
  base=${TIDY_BASE:-}
  if [[ -z $base ]]; then
    base=$(git merge-base HEAD origin/main 2>/dev/null || true)
    if [[ -z $base || $base == "$(git rev-parse HEAD)" ]]; then
      # A clone of fewer commits: all that it has.
      base=$(git rev-parse -q --verify HEAD~10 || git hash-object -t tree /dev/null)
    fi
  fi
  mapfile -t changed < <({
    git diff --name-only HEAD
    git ls-files -o --exclude-standard
    if git rev-parse -q --verify "$base^{commit}" >/dev/null; then
      git log --format= --name-only "$base..HEAD"
    fi
    git diff --name-only "$base" HEAD
  } | first_seen)
  mapfile -t files < <(
    printf '%s\n' "${changed[@]}" | sources
    for header in "${changed[@]}"; do
      [[ $header == *.hpp && -f $header ]] || continue
      git grep -lE --untracked "#include \"(.*/)?${header##*/}\"" -- '*.cpp' || true
    done | first_seen | grep -vxF -f <(printf '%s\n' "${changed[@]}") | head -n 10 || true)
  mapfile -t files < <(printf '%s\n' "${files[@]}" | in_build | first_seen)
fi

mapfile -t files < <(printf '%s\n' "${files[@]}" | awk 'NF && !/^tests\//'
  printf '%s\n' "${files[@]}" | awk '/^tests\//')
left_out=("${files[@]:max_files}")
files=("${files[@]:0:max_files}")
if ((${#files[@]} == 0)); then
  echo "clang-tidy: nothing changed"
  exit 0
fi

notes=$(mktemp -d)
trap 'rm -rf "$notes"' EXIT
export SX_TIDY_BUILD=$build SX_TIDY_NOTES=$notes SX_TIDY_END=$((EPOCHSECONDS + max_seconds))
# shellcheck disable=SC2016  # expanded by the inner shell
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P 2 bash -c '
  if ((EPOCHSECONDS >= SX_TIDY_END)); then
    printf "%s\n" "$1" >>"$SX_TIDY_NOTES/late"
    exit 0
  fi
  less=
  [[ $1 != tests/* ]] || less=-clang-analyzer-*
  if ! out=$(clang-tidy-19 --quiet --checks="$less" -p "$SX_TIDY_BUILD" "$1" 2>"$SX_TIDY_NOTES/$$.err"); then
    printf "%s\n" "$out"
    grep -vE "warnings? (and .* )?(generated|treated as error)|^Suppressed|^Use -" \
      "$SX_TIDY_NOTES/$$.err" >&2
    printf "%s\n" "$1" >>"$SX_TIDY_NOTES/bad"
  fi
  rm -f "$SX_TIDY_NOTES/$$.err"' tidy

late=0
[[ ! -f $notes/late ]] || late=$(wc -l <"$notes/late")
echo "clang-tidy: $((${#files[@]} - late)) files looked at"
if ((${#left_out[@]})); then
  echo "clang-tidy: left out, more than $max_files files: ${left_out[*]}"
fi
if ((late)); then
  echo "clang-tidy: left out, $max_seconds s are over: $(sort "$notes/late" | tr '\n' ' ')"
fi
if [[ -f $notes/bad ]]; then
  echo "clang-tidy: findings in $(sort "$notes/bad" | tr '\n' ' ')"
  exit 1
fi
