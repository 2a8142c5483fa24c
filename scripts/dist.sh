#!/usr/bin/env bash
# dist.sh VERSION [FOLDER]: sidecar-executor-VERSION-linux-amd64.tar.gz and
# sidecar-executor_VERSION_amd64.deb from build/release into FOLDER (dist), each with its .sha256.
# The same commit on the same system gives the same bytes, wherever and whenever.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"
# Nothing of the login that builds it gets in.
umask 022
export LC_ALL=C.UTF-8 TZ=UTC

version=${1:?usage: dist.sh VERSION [FOLDER]}
out=${2:-dist}
name=sidecar-executor-$version-linux-amd64
binary=build/release/sidecar-executor
[[ -x $binary ]] || die "$binary is missing: run make build"
if llvm-readelf-19 -d "$binary" | grep -q NEEDED; then
  die "$binary needs shared libraries; the archive must run on any host"
fi
# https://reproducible-builds.org/specs/source-date-epoch/: dpkg-deb reads it, too.
commit_time=$(git log -1 --format=%ct) || die "git cannot tell which files belong to the archive"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$commit_time}

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
all=$stage/$name
mkdir -p "$all" "$out"

put() { install -D -m "${3:-644}" "$1" "$2"; }  # put FILE AS [MODE]

# The archive: everything, by kind.
put "$binary" "$all/sidecar-executor" 755
put scripts/executor.sh "$all/executor.sh" 755
for file in README.md LICENSE CHANGELOG.md CONTRIBUTING.md; do put "$file" "$all/$file"; done
git ls-files -co --exclude-standard -- docs examples | while IFS= read -r file; do
  [[ ! -f $file ]] || put "$file" "$all/$file"
done
put packaging/man/sidecar-executor.1 "$all/man/sidecar-executor.1"
put packaging/completion/sidecar-executor "$all/completion/sidecar-executor"
put packaging/executor-environment.sh.example "$all/executor-environment.sh.example"
for file in packaging/systemd/*.service packaging/systemd/*.timer; do
  [[ ! -f $file ]] || put "$file" "$all/systemd/${file##*/}"
done
if command -v dpkg-query >/dev/null; then
  scripts/sbom.sh "$version" "$all"
else
  say "dist.sh: no dpkg here to tell which libraries are linked in: no SBOM"
fi
tar -C "$stage" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
  --format=gnu -cf - "$name" | gzip -9n >"$out/$name.tar.gz"

# The package: the same files, where a Debian host has them.
deb_tree() {
  local root=$1 doc=$1/usr/share/doc/sidecar-executor file
  put "$all/sidecar-executor" "$root/opt/mesos/sidecar-executor" 755
  put "$all/executor.sh" "$root/opt/mesos/executor.sh" 755
  mkdir -p "$root/usr/bin"
  ln -s /opt/mesos/sidecar-executor "$root/usr/bin/sidecar-executor"
  for file in "$all"/systemd/*; do
    [[ ! -f $file ]] || put "$file" "$root/usr/lib/systemd/system/${file##*/}"
  done
  put "$all/man/sidecar-executor.1" "$root/usr/share/man/man1/sidecar-executor.1"
  gzip -9n "$root/usr/share/man/man1/sidecar-executor.1"
  put "$all/completion/sidecar-executor" \
    "$root/usr/share/bash-completion/completions/sidecar-executor"
  put "$all/LICENSE" "$doc/copyright"
  ln -s copyright "$doc/LICENSE"  # README's link
  for file in README.md CHANGELOG.md CONTRIBUTING.md sidecar-executor.spdx.json; do
    put "$all/$file" "$doc/$file"
  done
  cp -R "$all/docs" "$all/examples" "$all/licences" "$doc/"
  put "$all/executor-environment.sh.example" "$doc/examples/executor-environment.sh"
}

deb_control() {
  local root=$1 size
  mkdir -p "$root/DEBIAN"
  size=$(find "$root" -type f -printf '%s\n' | awk '{sum += $1} END {print int((sum + 1023) / 1024)}')
  cat >"$root/DEBIAN/control" <<END
Package: sidecar-executor
Version: $version
Architecture: amd64
Maintainer: $(git log -1 --format='%an <%ae>' 2>/dev/null || echo 'unknown <unknown@localhost>')
Installed-Size: $size
Section: admin
Priority: optional
Suggests: docker.io | docker-ce
Description: Mesos executor that runs a task as a Docker container
 One static program for Mesos agents: it runs one Docker container per task, ties it
 to Sidecar's health checks, gives it secrets of Vault, relays its log to syslog, and
 reports truthfully how it ended.
 .
 Tasks name /opt/mesos/executor.sh or /opt/mesos/sidecar-executor.
END
  for script in preinst postinst prerm postrm; do put "packaging/deb/$script" "$root/DEBIAN/$script" 755; done
  (cd "$root" && find opt usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

made=("$name.tar.gz")
if command -v dpkg-deb >/dev/null; then
  deb=sidecar-executor_${version}_amd64.deb
  deb_tree "$stage/root"
  deb_control "$stage/root"
  # gzip: every dpkg reads it, and it takes a second.
  dpkg-deb --root-owner-group -Zgzip --build "$stage/root" "$out/$deb" >/dev/null
  made+=("$deb")
else
  say "dist.sh: no dpkg-deb here: no .deb"
fi
for file in "${made[@]}"; do
  (cd "$out" && sha256sum "$file" >"$file.sha256")
  printf '%s/%s (%s kB)\n' "$out" "$file" "$(($(stat -c %s "$out/$file") / 1000))"
done
