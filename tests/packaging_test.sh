#!/usr/bin/env bash
# packaging_test.sh VERSION MINI_AGENT: what make dist makes, as an operator meets it: unpacked,
# installed into a throw-away root, tasks run by the installed files, removed again. Needs a Docker
# engine at DOCKER_HOST.
# shellcheck disable=SC2016,SC2317  # jq's and sh's variables; called by holds
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
cd "$SX_ROOT"

version=${1:?usage: packaging_test.sh VERSION MINI_AGENT}
agent=${2:?usage: packaging_test.sh VERSION MINI_AGENT}
mkdir -p build/packaging
work=$SX_ROOT/$(mktemp -d build/packaging/run.XXXXXX)
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/sidecar-executor
installed=$root/opt/mesos/sidecar-executor
failed=0

holds() {  # holds TEXT COMMAND...
  local text=$1
  shift
  if "$@" >"$work/said" 2>&1; then return 0; fi
  printf 'FAILED: %s\n' "$text"
  sed 's/^/  /' "$work/said"
  failed=1
}
is() { [[ $1 == "$2" ]] || { printf 'found: %s\nexpected: %s\n' "$1" "$2"; return 1; }; }

# Without root and without this host: its own database, scripts without chroot.
dpkg_there() {
  dpkg --root="$root" --force-not-root --force-script-chrootless --log=/dev/null "$@"
}
left_over() { find "$root" -mindepth 1 -not -path "$root/var*" | sort; }

# ---- twice the same ----------------------------------------------------------------------------
scripts/dist.sh "$version" "$work/dist" >/dev/null
(umask 077 && TZ=Pacific/Chatham LC_ALL=C scripts/dist.sh "$version" "$work/again" >/dev/null)
holds "two runs give the same bytes" diff -r "$work/dist" "$work/again"
holds "sums" sh -c 'cd "$1" && sha256sum --quiet -c ./*.sha256' - "$work/dist"

# ---- the archive -------------------------------------------------------------------------------
tar -C "$work" -xzf "$work/dist/sidecar-executor-$version-linux-amd64.tar.gz"
unpacked=$work/sidecar-executor-$version-linux-amd64
for file in sidecar-executor executor.sh README.md LICENSE CONTRIBUTING.md docs/operations.md \
  examples/web.json man/sidecar-executor.1 sidecar-executor.spdx.json licences/openssl.txt; do
  holds "the archive has $file" test -s "$unpacked/$file"
done
holds "the archive's program" cmp "$unpacked/sidecar-executor" build/release/sidecar-executor

# links_lead FOLDER: each relative link of its documents leads to a file, and to a heading of it.
links_lead() {
  # shellcheck disable=SC2016
  (cd "$1" && find . -name '*.md' -print0 | sort -z | xargs -0 perl -ne '
    sub anchors {
      my ($file) = @_;
      open my $in, "<", $file or return {};
      my %found;
      for (<$in>) {
        next unless /^#+ (.*)/;
        my $text = lc $1;
        $text =~ s/[^a-z0-9 _-]//g;
        $found{$text =~ tr/ /-/r} = 1;
      }
      return \%found;
    }
    while (/\]\(([^)\s]+)\)/g) {
      my $link = $1;  # before the next match takes it away
      my $folder = $ARGV =~ s{[^/]*$}{}r;
      next if $link =~ m{^[a-z]+://};
      my ($file, $anchor) = split /#/, $link, 2;
      my $target = $file eq "" ? $ARGV : "$folder$file";
      $seen++;
      next if -e $target && (!defined $anchor || anchors($target)->{$anchor});
      $broken++;
      print "$ARGV: $link leads nowhere\n";
    }
    END { print "no links found\n" if !$seen; $? = !$seen || $broken ? 1 : 0 }')
}
holds "the links in the archive's documents" links_lead "$unpacked"

# ---- installed ---------------------------------------------------------------------------------
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
: >"$root/var/lib/dpkg/status"
deb=$work/dist/sidecar-executor_${version}_amd64.deb
holds "owned by root" is \
  "$(dpkg-deb -c "$deb" | awk '$2 != "root/root"' | wc -l)" 0
# The Go executor is there, copied by hand.
mkdir -p "$root/opt/mesos"
echo "the Go executor" >"$installed"
echo "its script" >"$root/opt/mesos/executor.sh"
chmod 755 "$installed"
kept() { find "$root/opt/mesos" -name '*.before-deb*' | sort; }
both_kept="$root/opt/mesos/executor.sh.before-deb
$installed.before-deb"
holds "dpkg installs it" dpkg_there -i "$deb"
cp "$work/said" "$work/at-install"
holds "it says what it kept" grep -F "kept as /opt/mesos/sidecar-executor.before-deb" "$work/at-install"
holds "installed again over itself" dpkg_there -i "$deb"
holds "both files of before are kept" is "$(kept)" "$both_kept"
holds "as they were" is "$(stat -c %a "$installed.before-deb") $(cat "$installed.before-deb")" \
  "755 the Go executor"
echo "the Go executor, put back" >"$installed"
holds "installed over what was put back" dpkg_there -i "$deb"
holds "nothing that was kept is overwritten" is \
  "$(cat "$installed.before-deb") $(cat "$installed".before-deb.*)" \
  "the Go executor the Go executor, put back"
rm "$installed".before-deb.*
holds "the links in the package's documents" links_lead "$doc"
holds "its version" is "$("$installed" --version)" "sidecar-executor $version"
holds "the command in the PATH" is "$(readlink "$root/usr/bin/sidecar-executor")" \
  /opt/mesos/sidecar-executor
holds "executor.sh" test -x "$root/opt/mesos/executor.sh"
holds "the example is a shell script" sh -n "$doc/examples/executor-environment.sh"
for unit in packaging/systemd/*; do
  [[ ! -f $unit ]] || holds "the unit ${unit##*/}" \
    cmp "$unit" "$root/usr/lib/systemd/system/${unit##*/}"
done

# ---- the unit's command lines: what systemd makes of them, a shell does, too -------------------------
unit=$root/usr/lib/systemd/system/sidecar-executor-reap.service
unit_line() {  # unit_line NAME BINARY OPTIONS: runs that line
  SIDECAR_EXECUTOR_PATH=$2 REAP_OPTIONS=$3 sh -c "$(sed -n "s/^$1=//p" "$unit" | sed 's/\$\$/$/g')"
}
holds "the unit takes our binary" unit_line ExecCondition "$installed" ""
holds "it takes no other one" is "$(unit_line ExecCondition /bin/true "" || echo "code $?")" \
  "SIDECAR_EXECUTOR_PATH=/bin/true is not this executor (the Go executor, or no file): nothing is looked for
code 1"
holds "it says so of a file that is not there" grep -q "no/such is not this executor" \
  <<<"$(unit_line ExecCondition /no/such "")"
holds "it runs the binary that is named" is "$(unit_line ExecStart "$installed" "--older-than" 2>&1 | head -n 1)" \
  "--older-than: 1 required TEXT missing"
holds "the path can be set in /etc/default" is \
  "$(grep -nE '^Environment(File)?=(SIDECAR|-/etc)' "$unit" | cut -d: -f2 | cut -c1-21)" \
  "Environment=SIDECAR_E
EnvironmentFile=-/etc"

# ---- commands and options: in --help, in the manual page, in the completion -----------------------
manual=$root/usr/share/man/man1/sidecar-executor.1.gz
page=$work/page
gzip -dc "$manual" | groff -mandoc -Tascii -ww 2>"$work/warnings" | sed 's/.\x08//g; s/\x1b\[[0-9;]*m//g' >"$page"
holds "groff finds nothing wrong with the manual page" is "$(cat "$work/warnings")" ""
# shellcheck source=packaging/completion/sidecar-executor
. "$root/usr/share/bash-completion/completions/sidecar-executor"
# names_below SECTION COMMAND...: one a line.
names_below() {
  local section=$1
  shift
  "$installed" "$@" --help |
    sed -n "/^$section:/,/^\$/s/^  \([^ ]\{1,\}\) .*/\1/p" | tr ',' '\n'
}
check_command() {  # check_command [COMMAND...]: it and those below it
  local name below
  COMP_WORDS=("$installed" "$@" "")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _sidecar_executor
  for name in $(names_below Options "$@") $(names_below Subcommands "$@"); do
    holds "$* $name in the manual page" grep -qE -- "(^|[^a-z-])$name([^a-z-]|\$)" "$page"
    # A command that takes a file completes file names until a - is typed.
    names_below Positionals "$@" | grep -q . ||
      holds "$* $name in the completion" grep -qwF -- "$name" <<<"${COMPREPLY[*]}"
  done
  for below in $(names_below Subcommands "$@"); do check_command "$@" "$below"; done
}
holds "there are commands" test "$(names_below Subcommands | wc -l)" -ge 3
check_command

# ---- what is linked in -------------------------------------------------------------------------
sbom=$doc/sidecar-executor.spdx.json
holds "SPDX 2.3" jq -e '.spdxVersion == "SPDX-2.3" and (.packages | length) > 5
  and ([.packages[].SPDXID] | unique | length) == (.packages | length)
  and all(.relationships[]; .relatedSpdxElement as $id | any($doc.packages[]; .SPDXID == $id))' \
  --argjson doc "$(cat "$sbom")" "$sbom"
holds "of this program" is \
  "$(jq -r '.packages[0].checksums[0].checksumValue' "$sbom")  $installed" "$(sha256sum "$installed")"
# Told in another way than by sbom.sh: the link's command line, and what every C++ program has.
link=$(ninja -C build/release -t commands sidecar-executor | tail -n 1)
for archive in $(grep -oE '/usr/[^ ]+\.a\b' <<<"$link") "$(clang++-19 -print-file-name=libc.a)" \
  "$(clang++-19 -print-file-name=libstdc++.a)" /usr/include/boost/asio.hpp \
  /usr/include/fmt/format.h; do
  archive=$(realpath "$archive")
  package=$(dpkg-query -S "$archive" 2>/dev/null || dpkg-query -S "${archive#/usr}")
  # shellcheck disable=SC2016  # dpkg's variables
  read -r source number < <(dpkg-query -W -f '${source:Package} ${source:Version}\n' "${package%%:*}")
  holds "the SBOM has $source $number" jq -e --arg source "$source" --arg number "$number" \
    'any(.packages[]; .name == $source and .versionInfo == $number and .licenseDeclared != null)' "$sbom"
  holds "the licence of $source" test -s "$doc/licences/$source.txt"
done

# ---- tasks from the installed files --------------------------------------------------------------
cp "$agent" "$work/mini-agent"
holds "the demo, by the installed executor.sh" env SX_DEMO_AGENT="$work/mini-agent" \
  SX_DEMO_EXECUTOR="$root/opt/mesos/executor.sh" SIDECAR_EXECUTOR_PATH="$installed" \
  scripts/demo.sh 2 3

# ---- removed -----------------------------------------------------------------------------------
holds "dpkg removes it" dpkg_there -P sidecar-executor
cp "$work/said" "$work/at-removal"
holds "it says how to put back what was there" grep -F \
  "mv /opt/mesos/sidecar-executor.before-deb /opt/mesos/sidecar-executor" "$work/at-removal"
holds "what was there before is left" is "$(kept)" "$both_kept"
rm "$root"/opt/mesos/*.before-deb
rmdir "$root/opt/mesos" "$root/opt"
holds "nothing else is left" is "$(left_over)" ""
exit "$failed"
