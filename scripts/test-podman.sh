#!/usr/bin/env bash
# test-podman.sh [CTEST ARGUMENT...]: the system tests against Podman, without those that
# tests/system/not-on-podman.txt leaves out. Run by make test-podman, below with-podman.sh.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

list=$SX_ROOT/tests/system/not-on-podman.txt
excluded=$(sed -e '/^#/d' -e '/^$/d' -e 's/ .*//' "$list" | paste -s -d '|')
exec "$SX_ROOT/scripts/run-tests.sh" release -L system -E "^($excluded)" "$@"
