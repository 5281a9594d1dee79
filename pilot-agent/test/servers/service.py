"""A small real HTTP server, as services are: a port, a health path, a key. Behaves as its arguments say.

service.py PORT [--starting SECONDS] [--sick-file PATH] [--die-file PATH] [--log PATH] [--asked PATH]
"""

import argparse
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--starting", type=float, default=0)
parser.add_argument("--sick-file", default="")
parser.add_argument("--die-file", default="")
parser.add_argument("--log", default="")
parser.add_argument("--asked", default="")
arguments = parser.parse_args()
began = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sick = time.monotonic() - began < arguments.starting or os.path.exists(arguments.sick_file)
        self.send_response(503 if sick else 200, "Loading model" if sick else "OK")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if arguments.asked:
            with open(arguments.asked, "a") as asked:
                asked.write(f"{self.path} {body}\n")
        answer = b"no such model" if self.path == "/fail" else b"{}"
        self.send_response(404 if self.path == "/fail" else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


def watch() -> None:
    while True:
        if os.path.exists(arguments.die_file):
            os.unlink(arguments.die_file)
            print("out of memory, giving up", file=sys.stderr, flush=True)
            os._exit(3)
        time.sleep(0.02)


if arguments.log:
    with open(arguments.log, "a") as log:
        log.write(f"{os.getpid()} {arguments.port}\n")
if arguments.die_file:
    threading.Thread(target=watch, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()
