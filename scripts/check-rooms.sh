#!/usr/bin/env bash
# check-rooms.sh [ROOT]: who may include what (docs/architecture.md, "Rooms"). Header-only libraries
# make this necessary: that a target does not link Asio proves nothing.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

# The list of pure files is CMake's own.
pure=$(awk '/^set\(SX_PURE$/ {on = 1; next} on {end = /\)/; gsub(/\)/, ""); print; if (end) exit}' \
  CMakeLists.txt | tr -s ' \n' ' ')
[[ -n ${pure// /} ]] || { echo "check-rooms.sh: no SX_PURE in CMakeLists.txt" >&2; exit 1; }

if grep -nE 'sx_(pure|net|edge|flags)' tools/mini-agent/CMakeLists.txt | grep -v '#' >&2; then
  echo "tools/mini-agent/CMakeLists.txt: mini-agent uses nothing of src/" >&2
  exit 1
fi

find src tools/mini-agent \( -name '*.cpp' -o -name '*.hpp' \) -print0 | sort -z |
  xargs -0 -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' |
  awk -v pure="$pure" '
    function complain(where, text) {
      bad = 1
      if (!told[where]++) print where ": " text
    }
    function room_of(path, parts) {  # src/net/url.hpp -> net; main.cpp -> main
      split(path, parts, "/")
      return parts[3] == "" ? "main" : parts[2]
    }
    BEGIN {
      rooms = " app task mesos docker sidecar vault relay net base "
      allowed["base"] = " base "
      allowed["net"] = " net base "
      split("mesos docker sidecar vault relay", adapters, " ")
      for (i in adapters) allowed[adapters[i]] = " " adapters[i] " net base "
      allowed["task"] = allowed["app"] = allowed["main"] = rooms
      # The one sideways edge: a container is made of a TaskInfo, which is plain data.
      exceptions["docker->mesos/task_info.hpp"] = 1
      split("boost/asio boost/beast openssl/ssl unistd.h sys/ netinet/ netdb.h poll.h spdlog/", \
        impure, " ")
    }
    {
      match($0, /:[0-9]+:/)
      file = substr($0, 1, RSTART - 1)
      where = substr($0, 1, RSTART + RLENGTH - 2)
      rest = substr($0, RSTART + RLENGTH)
      match(rest, /[<"][^>"]*/)
      what = substr(rest, RSTART + 1, RLENGTH - 1)
      split(what, parts, "/")
      # Not the system header <net/if.h>.
      target = what ~ /\.hpp$/ && index(rooms, " " parts[1] " ") && parts[2] != "" ? parts[1] : ""

      if (file ~ /^tools\/mini-agent\//) {
        if (target != "" || what ~ /(^|\/)\.\.\// || what ~ /(^|\/)src\//)
          complain(where, "mini-agent includes nothing of src/: " what)
        next
      }
      count[file]++
      included[file, count[file]] = what
      line[file, count[file]] = where

      if (what ~ /^\.\.?\//) complain(where, "paths start at src/: " what)
      room = room_of(file)
      if (!(room in allowed))
        complain(where, "src/" room " is not among the rooms of scripts/check-rooms.sh")
      else if (room "->" what in exceptions) {}
      else if (target != "" && !index(allowed[room], " " target " "))
        complain(where, room " may include only" allowed[room] "but not " what)
      if (room != "net" && what ~ /^(boost\/beast|openssl\/ssl)/)
        complain(where, "only src/net includes Beast and TLS: " what)
    }
    # Depth first through our own headers; chain tells how a pure file came to it.
    function walk(file, chain, i, j, what, header) {
      seen[file] = 1
      for (i = 1; i <= count[file]; i++) {
        what = included[file, i]
        for (j in impure)
          if (index(what, impure[j]) == 1)
            complain(line[file, i], chain " is pure and must not reach <" what ">")
        if (what == "base/log.hpp")
          complain(line[file, i], chain " is pure and must not log")
        header = "src/" what
        if (header in count && !(header in seen)) walk(header, chain " -> " what)
      }
    }
    END {
      n = split(pure, files, " ")
      for (f = 1; f <= n; f++) {
        split("", seen)
        walk(files[f], files[f])
      }
      exit bad
    }' >&2
