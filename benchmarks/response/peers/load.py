"""What every peer is asked: POST requests over connections that stay open, from one client, then from 16."""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time

REQUESTS = 1024
WARM_UP = 64
CLIENTS = 16

_out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def ask(port: int, path: str, body: object, count: int, samples: list[float]) -> None:
    """So many requests over one connection; milliseconds."""
    text = json.dumps(body)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(count):
        start = time.perf_counter()
        connection.request("POST", path, text, {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"status {response.status}")
        samples.append((time.perf_counter() - start) * 1e3)
    connection.close()


def wait_for(port: int, path: str, body: object) -> None:
    """Until it answers; at most two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return ask(port, path, body, 1, [])
        except (OSError, RuntimeError, http.client.HTTPException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def measure(port: int, path: str, body: object) -> None:
    """Prints the figures as the last line on the standard output that this process started with."""
    wait_for(port, path, body)
    ask(port, path, body, WARM_UP, [])
    alone: list[float] = []
    ask(port, path, body, REQUESTS, alone)
    together: list[list[float]] = [[] for _ in range(CLIENTS)]
    threads = [threading.Thread(target=ask, args=(port, path, body, REQUESTS // 4, each)) for each in together]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    alone.sort()
    figures = {
        "p50": round(alone[len(alone) // 2], 3),
        "p99": round(alone[int(len(alone) * 0.99)], 3),
        "per_s": round(sum(map(len, together)) / seconds),
    }
    print(json.dumps(figures), file=_out, flush=True)


def free_port() -> int:
    """One that nobody listens at."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit("run a peer, not this")
