#!/usr/bin/env python3
"""docker_run.py: records docker-run.json beside this file: what Docker's own command line asks of
the daemon for the flags of docker-run.txt. Needs a `docker` command; the daemon is a stand-in."""
import http.server
import json
import os
import shlex
import socketserver
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "docker-run-files")
KEEP = {"ExposedPorts", "Volumes", "PortBindings", "Entrypoint", "Tmpfs", "Labels", "Config",
        "Annotations", "StorageOpt", "Sysctls"}
# What the command line sends for itself, or as its way to say "nothing".
OWN = {"AttachStdout", "AttachStderr", "ConsoleSize", "RestartPolicy"}


class Daemon(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = None

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def answer(self, code, text):
        self.send_response(code)
        self.send_header("Api-Version", "1.45")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if text:
            self.wfile.write(text.encode())

    def do_HEAD(self):
        self.answer(200, "")

    def do_GET(self):
        self.answer(200, "{}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Daemon.asked = (self.path, json.loads(body))
        self.answer(201, json.dumps({"Id": "0" * 64, "Warnings": []}))


def tidy(value, keep=False):
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            item = tidy(item, key in KEEP)
            if keep or item not in (None, "", 0, False, {}, []):
                out[key] = item
        return out
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return value


def ask(flags, socket):
    Daemon.asked = None
    words = ["--%s=%s" % (key, value.replace("$FILES", FILES)) for key, value in flags]
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": "unix://" + socket,
           "FROM_HOST": "host value"}
    done = subprocess.run(["docker", "create"] + words + ["img"], env=env, capture_output=True)
    if done.returncode != 0:
        return {"refused": True}
    path, body = Daemon.asked
    for name in OWN:
        body.pop(name, None)
        body["HostConfig"].pop(name, None)
    if body["HostConfig"]["MemorySwappiness"] == -1:
        del body["HostConfig"]["MemorySwappiness"]
    out = {"body": tidy(body)}
    if "platform=" in path:
        out["platform"] = path.split("platform=")[1].replace("%2F", "/")
    return out


def main():
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "docker.sock")
        server = socketserver.UnixStreamServer(socket, Daemon)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        rows = []
        for line in open(os.path.join(HERE, "docker-run.txt"), encoding="utf-8"):
            line = line.strip()
            if not line or line.startswith("# "):
                continue
            flags = [word.split(":=", 1) for word in shlex.split(line)]
            rows.append(dict(flags=flags, **ask(flags, socket)))
        server.shutdown()
    with open(os.path.join(HERE, "docker-run.json"), "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")
    print(len(rows), "rows", file=sys.stderr)


if __name__ == "__main__":
    main()
