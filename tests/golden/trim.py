#!/usr/bin/env python3
"""Cuts the recordings of the Go executor and of Singularity down to what the golden tests compare.

    tests/golden/trim.py ../shared

Reads SHARED/golden/*.json, SHARED/singularity/*.json and SHARED/transcripts, writes go-executor/,
singularity/ and transcripts/ beside this file."""
import json
import pathlib
import sys


def write(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def trim_go_executor(shared, out):
    for source in sorted((shared / "golden").glob("*.json")):
        full = json.loads(source.read_text())
        creates = [c for c in full["docker"] if c["path"] == "/containers/create"]
        pulls = [c for c in full["docker"] if c["path"] == "/images/create"]
        trimmed = {
            "scenario": full["scenario"],
            "env": full["env"],
            "task": full["task"],
            "pull": [
                {k: v for k, v in {
                    "query": p["query"],
                    "auth": p["headers"].get("X-Registry-Auth"),
                    "code": p.get("code"),
                    "error": p.get("error"),
                }.items() if v is not None} for p in pulls
            ],
            "name": creates[0]["query"].removeprefix("name=") if creates else None,
            "create": creates[0]["body"] if creates else None,
            "updates": [{k: u.get(k) for k in ("state", "message", "reason")}
                        for u in full["updates"]],
        }
        if full.get("syslog"):
            trimmed["syslog"] = [record["text"] for record in full["syslog"]]
        if full.get("vault"):
            trimmed["vault"] = [{k: v[k] for k in ("path", "answer") if k in v}
                                for v in full["vault"]]
        if source.stem.startswith("conf_"):
            trimmed["settings"] = [line for line in full["stdout"] if 'msg=" * ' in line]
        write(out / source.name, trimmed)


def trim_singularity(shared, out):
    for source in sorted((shared / "singularity").glob("*.json")):
        write(out / source.name, json.loads(source.read_text())["launch_event"]["launch"]["task"])


def copy_transcripts(shared, out):
    """What agents and masters said to executors; the schedulers' side is not needed."""
    for source in sorted((shared / "transcripts").glob("*.json*")):
        if not source.name.endswith(".sched.jsonl"):
            (out / source.name).write_bytes(source.read_bytes())


def main():
    shared = pathlib.Path(sys.argv[1])
    here = pathlib.Path(__file__).parent
    for folder, trim in (("go-executor", trim_go_executor), ("singularity", trim_singularity),
                         ("transcripts", copy_transcripts)):
        (here / folder).mkdir(exist_ok=True)
        trim(shared, here / folder)


main()
