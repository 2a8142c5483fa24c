#!/usr/bin/env bash
# collectors.sh                   unpacks rsyslog and syslog-ng below build/collectors, once
# collectors.sh rsyslog|syslog-ng CONFIG FOLDER
#                                 runs one in the foreground; its files are in FOLDER
#
# For tests of docs/logging.md. Debian's two packages conflict and would replace the host's own
# logging, so they are never installed: apt-get download and dpkg -x.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

home=$SX_ROOT/build/collectors
# With the libraries that a small host may lack.
rsyslog=(rsyslog libestr0 libfastjson4 liblognorm5 libsystemd0 libuuid1)
syslog_ng=(syslog-ng-core libivykis0 libnet1 libwrap0 libjson-c5 libpcre3 libglib2.0-0 libcap2
  libsystemd0)

download() { (cd "$1" && LC_ALL=C apt-get -q download "${@:2}" >download.log 2>&1); }

# unpack NAME PACKAGE...: into $home/NAME, all of it or nothing.
unpack() {
  local name=$1 work
  shift
  [[ ! -d $home/$name ]] || return 0
  mkdir -p "$home"
  work=$(mktemp -d "$home/$name.XXXXXX")
  say "Unpacking for test (Debian packages, not installed): $*"
  # A machine that was made from an image may have all packages and no lists of them.
  if ! download "$work" "$@" && { ! apt-get -q update >/dev/null 2>&1 || ! download "$work" "$@"; }; then
    tail -n 5 "$work/download.log" >&2
    rm -rf "$work"
    die "apt-get download failed, also after apt-get update"
  fi
  mkdir "$work/root"
  local package
  for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
  # dpkg leaves it readable for its owner only.
  chmod 755 "$work/root"
  mv "$work/root" "$home/$name"
  rm -rf "$work"
}

case ${1:-} in
  '')
    unpack rsyslog "${rsyslog[@]}"
    unpack syslog-ng "${syslog_ng[@]}"
    ;;
  rsyslog)
    (($# == 3)) || die "usage: collectors.sh rsyslog CONFIG FOLDER"
    lib=$home/rsyslog/usr/lib/x86_64-linux-gnu
    LD_LIBRARY_PATH=$lib:$home/rsyslog/lib/x86_64-linux-gnu exec "$home/rsyslog/usr/sbin/rsyslogd" \
      -n -f "$2" -i "$3/rsyslog.pid" -M "$lib/rsyslog"
    ;;
  syslog-ng)
    (($# == 3)) || die "usage: collectors.sh syslog-ng CONFIG FOLDER"
    root=$home/syslog-ng
    export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu:$root/usr/lib/syslog-ng
    exec "$root/usr/sbin/syslog-ng" -F -f "$2" --pidfile="$3/syslog-ng.pid" \
      --persist-file="$3/syslog-ng.persist" --control="$3/syslog-ng.ctl" \
      --module-path="$(printf '%s:' "$root"/usr/lib/syslog-ng/*/)"
    ;;
  *) die "unknown collector $1 (rsyslog, syslog-ng)" ;;
esac
