#!/usr/bin/env bash
# demo.sh [STEP...]: six real tasks through the executor (or those of these numbers), each run by
# mini-agent as a Mesos agent would, on the engine at DOCKER_HOST. Ends with 0 only if every step went
# as it says, so it is a check as well.
# shellcheck disable=SC2317  # the steps are called by their numbers
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$SX_ROOT"

bin=${SX_DEMO_BUILD:-build/release}
agent=${SX_DEMO_AGENT:-$bin/tools/mini-agent/mini-agent}
executor=${SX_DEMO_EXECUTOR:-$bin/sidecar-executor}
steps=("$@")
((${#steps[@]})) || steps=(1 2 3 4 5 6)
[[ -x $agent && -x $executor ]] || die "$executor or $agent is missing: run make build"
docker_answers || die "no Docker engine answers; run make demo, or this below scripts/with-docker.sh"

bold='' dim='' red='' green='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

mkdir -p build/demo
work=$(mktemp -d build/demo/run.XXXXXX)
work=$SX_ROOT/$work
agent_pid=
failed=0

# The tasks' containers are known by the label that holds their sandbox.
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  trap '' INT TERM HUP
  [[ -z $agent_pid ]] || stop_pid "$agent_pid" 10
  local id
  for id in $(api_curl GET '/containers/json' -G -d all=1 --data-urlencode \
    'filters={"label":["io.sidecar-executor.version"]}' 2>/dev/null |
    grep -o '"Id":"[0-9a-f]\{64\}"' | cut -d'"' -f4); do
    if api_curl GET "/containers/$id/json" 2>/dev/null | grep -qF "$work/"; then
      api_curl DELETE "/containers/$id?force=1&v=1" >/dev/null 2>&1 || true
    fi
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

step() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
show() { sed "s/^/  ${dim}|${plain} /"; }
expect() {  # expect TEXT COMMAND...: TEXT says what is so if COMMAND succeeds
  local text=$1
  shift
  if "$@"; then
    printf '  %sas expected:%s %s\n' "$green" "$plain" "$text"
  else
    printf '  %snot as expected:%s %s\n' "$red" "$plain" "$text"
    failed=1
  fi
}
# shellcheck disable=SC2317  # these are called through expect
{
says() { grep -qiE -- "$2" "$work/$1.txt"; }
has_status() { [[ $status == "$1" ]]; }
killed_and_port_free() { has_status 2 && ! listening "$port"; }
killed_after_draining() {
  has_status 2 &&
    grep -oE 'sidecar drained|TASK_KILLED' "$work/drained.txt" | head -n 2 | tr '\n' ' ' |
    grep -q '^sidecar drained TASK_KILLED'
}
failed_saying() { has_status 1 && says "$1" "$2"; }
}
# The updates, not the agent's own notes.
updates() {
  grep -E '^ *[0-9.]+s  (TASK_|KILL|REFUSED|WRONG|SIGKILL|sidecar drained)' "$work/$1.txt" | cut -c 1-180 |
    sed 's/^ */  /' || tail -n 3 "$work/$1.txt" | show
}

# start NAME EXAMPLE [MINI-AGENT OPTION...]: in the background, sandbox in $work/NAME, output in
# NAME.txt. The examples' label keeps Sidecar away; with a stand-in for it the label says the opposite.
start() {
  local name=$1 example=$2 discover=false
  shift 2
  [[ $* != *--sidecar* ]] || discover=true
  mkdir -p "$work/$name"
  : >"$work/$name/stderr"
  sed "s/31080/$port/g; s/web-demo-1/$name-demo-1/g; s/SidecarDiscover=false/SidecarDiscover=$discover/" \
    "examples/$example.json" >"$work/$name.json"
  # bash would have it ignore Ctrl-C, which is how mini-agent is asked to kill the task.
  env --default-signal=INT "$agent" --executor "$executor" --sandbox "$work/$name" \
    --env "DOCKER_HOST=$DOCKER_HOST" \
    ${SIDECAR_EXECUTOR_PATH:+--env "SIDECAR_EXECUTOR_PATH=$SIDECAR_EXECUTOR_PATH"} --timeout 60 "$@" \
    "$work/$name.json" \
    >"$work/$name.txt" 2>&1 </dev/null &
  agent_pid=$!
}
finish() {
  status=0
  wait "$agent_pid" || status=$?
  agent_pid=
}
fetch() { curl -q -s --fail --noproxy '*' --max-time 2 "http://127.0.0.1:$port/"; }
listening() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}
port=${SX_DEMO_PORT:-31080}
while listening "$port"; do port=$((port + 1)); done
scripts/make-image.sh sidecar-executor-demo:1

step_1() {
  step "1. A web server: port 8080 of the task is port $port of this machine"
  start web web --kill-grace 5
  page=
  end=$((SECONDS + 20))
  until page=$(fetch); do
    if ! alive "$agent_pid" || ((SECONDS >= end)); then break; fi
    sleep 0.1
  done
  printf '  %s$ curl http://127.0.0.1:%s/%s  ->  %s\n' "$dim" "$port" "$plain" "$(head -n 1 <<<"$page")"
  kill -INT "$agent_pid" 2>/dev/null || true  # the framework's KILL, with 5 s of grace
  finish
  updates web
  expect "the page came from the container" test -n "$page"
  expect "TASK_KILLED, and the port is free again" killed_and_port_free
}

step_2() {
  step "2. A task that ends with exit code 3"
  start exit3 exit3
  finish
  updates exit3
  printf '  %sfrom stderr in its sandbox:%s\n' "$dim" "$plain"
  grep -vE '^  (task|image|container|took|state) |^-+$' "$work/exit3/stderr" | tail -n 6 | cut -c 1-160 | show
  expect "its last words are in the sandbox" grep -q 'column total is missing' "$work/exit3/stderr"
  expect "TASK_FAILED with the exit code" failed_saying exit3 '\b3\b'
}

step_3() {
  step "3. A task that takes more memory than its limit"
  start oom oom
  finish
  updates oom
  expect "TASK_FAILED, and the message blames the memory limit" \
    failed_saying oom 'REASON_CONTAINER_LIMITATION_MEMORY|memory'
}

step_4() {
  step "4. A task that crashes"
  start crash crash
  finish
  updates crash
  expect "TASK_FAILED with the signal" failed_saying crash 'signal|SIG|139|134'
}

# Polled every second, and stopped soon: a demo is short.
checked=(--env EXECUTOR_SIDECAR_BACKOFF=1s --env EXECUTOR_SIDECAR_POLL_INTERVAL=1s
  --env EXECUTOR_KILL_TASK_TIMEOUT=1)

step_5() {
  step "5. A task that Sidecar finds unhealthy"
  start unhealthy web --sidecar-unhealthy-after 2 "${checked[@]}"
  finish
  updates unhealthy
  expect "TASK_FAILED within seconds, and it says who found what" \
    failed_saying unhealthy 'unhealthy in Sidecar: 3 consecutive failed checks'
}

step_6() {
  step "6. A kill that has Sidecar drain the service first, for 2 s"
  start drained web --sidecar --kill-after 2.5 --kill-grace 1 \
    --env EXECUTOR_SIDECAR_DRAINING_DURATION=2s "${checked[@]}"
  finish
  updates drained
  expect "TASK_KILLED, after Sidecar had set the service to DRAINING" killed_after_draining
}

for number in "${steps[@]}"; do "step_$number"; done

if ((failed)); then
  printf '\n%sNot everything went as it should.%s What mini-agent and the executor said is in build/demo/last.\n' \
    "$red" "$plain"
  rm -rf build/demo/last
  cp -R "$work" build/demo/last
fi
exit "$failed"
