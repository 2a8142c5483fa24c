#!/usr/bin/env bash
# sbom.sh VERSION FOLDER: what is linked into build/release/sidecar-executor, as
# FOLDER/sidecar-executor.spdx.json (SPDX 2.3), and the licence texts of it in FOLDER/licences.
#
# Nothing is listed by hand: the archives are those that the linker read, the headers those that the
# compiler read, and dpkg knows the packages they came from. A library whose licence is not named
# below fails the script. SOURCE_DATE_EPOCH is the document's time.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

version=${1:?usage: sbom.sh VERSION FOLDER}
out=${2:?usage: sbom.sh VERSION FOLDER}
build=build/release
binary=$build/sidecar-executor
linked=$build/sidecar-executor.link.d
[[ -s $linked ]] || die "$linked is missing: run make build"

# Debian's source packages by name. LicenseRef: several licences, their texts are in the document.
licence_of() {
  case $1 in
    boost*) echo BSL-1.0 ;;
    cli11) echo BSD-3-Clause ;;
    fmtlib | spdlog) echo MIT ;;
    gcc-*) echo 'GPL-3.0-or-later WITH GCC-exception-3.1' ;;
    glibc) echo LGPL-2.1-or-later ;;
    libbsd | libmd) echo "LicenseRef-$1" ;;
    openssl) echo Apache-2.0 ;;
    *) die "no licence is known for $1, which is linked in: name it in this script" ;;
  esac
}

# The archives and crt files of the link, and all headers of what it took from us.
files_of_the_system() {
  sed 's/^ *//; s/ \\$//' "$linked" | grep -E '\.(a|o)$' || true
  # CMakeFiles/sx_net.dir/...: with the names of the headers indented below.
  ninja -C "$build" -t deps 2>/dev/null | awk '
    /^[^ ]/ { ours = $0 ~ /^CMakeFiles\/(sx_[a-z]+|sidecar-executor)\.dir\// }
    /^ / && ours { print $1 }'
}

# Package names. Debian's own lists know /lib or /usr/lib, where one is a link to the other.
packages_of() {
  grep -E '^/(usr|lib)/' | sort -u | xargs -r realpath -- | sort -u |
    tee >(sed -n 's|^/usr/lib/|/lib/|p') | xargs -r dpkg-query -S 2>/dev/null |
    sed 's/:.*//' | sort -u || true
}

json_text() {
  iconv -c -f UTF-8 -t UTF-8 | tr -d '\000-\010\013\014\016-\037' |
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' -e 's/\r/\\r/g' | awk '{printf "%s\\n", $0}'
}

mkdir -p "$out/licences"
distribution=$(. /etc/os-release && echo "${ID:-debian}")
# Kernel headers and the compiler's own are constants and declarations: no code of them gets in.
mapfile -t packages < <(files_of_the_system | packages_of | grep -vE '^(linux-libc-dev|libclang-.*)$')
((${#packages[@]})) || die "dpkg knows none of the libraries that are linked in"

declare -A source_version=() source_package=()
for package in "${packages[@]}"; do
  # shellcheck disable=SC2016  # dpkg's variables
  IFS=$'\t' read -r source number < <(dpkg-query -W \
    -f '${source:Package}\t${source:Version}\n' "$package")
  source_version[$source]=$number
  source_package[$source]=$package
done
mapfile -t sources < <(printf '%s\n' "${!source_version[@]}" | sort)

for source in "${sources[@]}"; do
  licence_of "$source" >/dev/null
  cp -L "/usr/share/doc/${source_package[$source]}/copyright" "$out/licences/$source.txt"
done
# Debian's copyright files refer to these for the full texts.
grep -ohE '/usr/share/common-licenses/[A-Za-z0-9.+-]*[A-Za-z0-9]' "$out"/licences/*.txt | sort -u |
  while IFS= read -r text; do
    [[ ! -f $text ]] || cp -L "$text" "$out/licences/${text##*/}"
  done
chmod 644 "$out"/licences/*

sum=$(sha256sum "$binary")
sum=${sum%% *}
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)

package_json() {
  local source=$1 number=${source_version[$1]} purl
  purl=${number//+/%2B}
  purl=${purl//:/%3A}
  cat <<END
    {"SPDXID": "SPDXRef-Package-$source", "name": "$source", "versionInfo": "$number",
     "supplier": "Organization: $distribution", "downloadLocation": "NOASSERTION",
     "filesAnalyzed": false, "licenseConcluded": "NOASSERTION",
     "licenseDeclared": "$(licence_of "$source")", "copyrightText": "NOASSERTION",
     "comment": "text of the licence: licences/$source.txt",
     "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
       "referenceLocator": "pkg:deb/$distribution/$source@$purl?arch=source"}]}
END
}

{
  cat <<END
{
  "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
  "name": "sidecar-executor-$version",
  "documentNamespace": "https://spdx.org/spdxdocs/sidecar-executor-$version-$sum",
  "creationInfo": {"created": "$created", "creators": ["Tool: sidecar-executor-scripts-sbom.sh"]},
  "documentDescribes": ["SPDXRef-Package-sidecar-executor"],
  "packages": [
    {"SPDXID": "SPDXRef-Package-sidecar-executor", "name": "sidecar-executor",
     "versionInfo": "$version", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
     "primaryPackagePurpose": "APPLICATION", "licenseConcluded": "NOASSERTION",
     "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
     "checksums": [{"algorithm": "SHA256", "checksumValue": "$sum"}]}
END
  for source in "${sources[@]}"; do
    printf '    ,\n'
    package_json "$source"
  done
  printf '  ],\n  "relationships": [\n'
  printf '    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",\n'
  printf '     "relatedSpdxElement": "SPDXRef-Package-sidecar-executor"}'
  for source in "${sources[@]}"; do
    printf ',\n    {"spdxElementId": "SPDXRef-Package-sidecar-executor",'
    printf ' "relationshipType": "STATIC_LINK",\n'
    printf '     "relatedSpdxElement": "SPDXRef-Package-%s"}' "$source"
  done
  printf '\n  ],\n  "hasExtractedLicensingInfos": ['
  separator=
  for source in "${sources[@]}"; do
    licence=$(licence_of "$source")
    [[ $licence == LicenseRef-* ]] || continue
    printf '%s\n    {"licenseId": "%s", "name": "%s",\n     "extractedText": "%s"}' "$separator" \
      "$licence" "$source" "$(json_text <"$out/licences/$source.txt")"
    separator=,
  done
  printf '\n  ]\n}\n'
} >"$out/sidecar-executor.spdx.json"
