"""RADICAL-Pilot's request-reply client: one call after the other, in milliseconds."""

import json
import os
import sys
import time

import radical.utils as ru

asked = json.loads(sys.argv[1])
client = ru.zmq.Client(url=asked["address"])
for _ in range(asked["warmUp"]):
    client.request("call", asked["payload"])
print("ready", flush=True)
sys.stdin.readline()
samples: list[float] = []
for _ in range(asked["count"]):
    start = time.perf_counter()
    client.request("call", asked["payload"])
    samples.append((time.perf_counter() - start) * 1e3)
print(json.dumps({"direct": samples}), flush=True)
os._exit(0)
