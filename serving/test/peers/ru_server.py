"""A server of radical.utils for tests: `ru_server.py PORT`."""

from __future__ import annotations

import sys
import time

import radical.utils.zmq as ru_zmq


def scale(values: list[float], factor: float = 1.0) -> list[float]:
    return [value * factor for value in values]


def sleep(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


server = ru_zmq.Server(url=f"tcp://127.0.0.1:{sys.argv[1]}", path=".")
server.register_request("scale", scale)
server.register_request("sleep", sleep)
server.start()
print("ready", flush=True)
server.wait()
