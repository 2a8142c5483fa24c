#!/usr/bin/env bash
# dist.sh VERSION: dist/sidecar-executor-VERSION-linux-amd64.tar.gz from build/release, and its
# .sha256. The same commit gives the same archive.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

name=sidecar-executor-${1:?usage: dist.sh VERSION}-linux-amd64
binary=build/release/sidecar-executor
[[ -x $binary ]] || die "$binary is missing: run make build"
if llvm-readelf-19 -d "$binary" | grep -q NEEDED; then
  die "$binary needs shared libraries; the archive must run on any host"
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/$name" dist
install -m 755 "$binary" "$stage/$name/"
[[ ! -f scripts/executor.sh ]] || install -m 755 scripts/executor.sh "$stage/$name/"
for unit in scripts/systemd/*; do
  install -D -m 644 "$unit" "$stage/$name/systemd/${unit##*/}"
done
for file in README.md LICENSE CHANGELOG.md; do
  [[ ! -f $file ]] || install -m 644 "$file" "$stage/$name/"
done
if [[ -d docs ]]; then
  git ls-files -co --exclude-standard -- docs | while IFS= read -r file; do
    [[ ! -f $file ]] || install -D -m 644 "$file" "$stage/$name/$file"
  done
fi
when=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar -C "$stage" --sort=name --mtime="@$when" --owner=0 --group=0 --numeric-owner -cf - "$name" |
  gzip -9n >"dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
printf 'dist/%s.tar.gz (%s kB)\n' "$name" "$(($(stat -c %s "dist/$name.tar.gz") / 1000))"
