#!/usr/bin/env bash
# make-image.sh NAME:TAG [EXTRA_DIR]          busybox, with EXTRA_DIR's files laid over it
# make-image.sh --empty BINARY NAME:TAG       one file and nothing else
#
# Builds a small image without any registry: Debian's static busybox with all its applets, brought
# in by Docker's import call. Nothing happens when the engine holds the same content already.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() { die "usage: make-image.sh NAME:TAG [EXTRA_DIR] | --empty BINARY NAME:TAG"; }

empty=
extra=
if [[ ${1:-} == --empty ]]; then
  (($# == 3)) || usage
  empty=$2
  image=$3
  [[ -f $empty ]] || die "$empty: no such file"
else
  (($# == 1 || $# == 2)) || usage
  image=$1
  extra=${2:-}
  [[ -z $extra || -d $extra ]] || die "$extra: no such folder"
fi
tag=${image##*:}
[[ $image == *:* && $tag != */* ]] || usage

docker_answers || die "no Docker engine answers at ${DOCKER_HOST:-unix:///var/run/docker.sock}; \
run it below scripts/with-docker.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
root=$work/root
mkdir "$root"

if [[ -n $empty ]]; then
  install -m 755 "$empty" "$root/${empty##*/}"
  changes=("ENTRYPOINT [\"/${empty##*/}\"]")
else
  busybox=$(command -v busybox) || die "busybox is missing; scripts/provision.sh --for test installs it"
  mkdir -p "$root"/{bin,etc,dev,proc,sys,root,tmp,var,www}
  chmod 1777 "$root/tmp"
  install -m 755 "$busybox" "$root/bin/busybox"
  # Hard links, in one process: some 400 applets would be 400 runs of ln.
  "$root/bin/busybox" --install "$root/bin"
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  printf '<h1>It works</h1>\n' >"$root/www/index.html"
  [[ -z $extra ]] || cp -R "$extra"/. "$root"/
  changes=('ENV PATH=/bin' 'CMD ["/bin/sh"]')
fi

# The same content is the same file, whenever and by whomever it was made.
tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/root.tar" .
content=$({ cat "$work/root.tar"; printf '%s\n' "${changes[@]}"; } | sha256sum | cut -d' ' -f1)
label=io.sidecar-executor.test-image
if api_curl GET "/images/$image/json" 2>/dev/null | grep -qF "\"$label\":\"$content\""; then
  exit 0
fi

# Podman does not look at a tag of its own.
query=(-G --data-urlencode fromSrc=- --data-urlencode "repo=$image"
  --data-urlencode "changes=LABEL $label=$content")
for change in "${changes[@]}"; do query+=(--data-urlencode "changes=$change"); done
# -G makes the query string of the data; the body is the file.
url=$(curl -q -s -o /dev/null -w '%{url_effective}' --max-time 1 "${query[@]}" http://0.0.0.0:1/ || true)
answer=$(api_curl POST "/images/create?${url#*\?}" -H 'Content-Type: application/x-tar' \
  -T "$work/root.tar") || die "the engine refused the image: $answer"
# An error after the headers comes in the stream.
if grep -q '"error"' <<<"$answer"; then die "the engine refused the image: $answer"; fi
