"""The Python client, as ``direct-client.mjs``: one call after the other, in milliseconds."""

import json
import sys
import time
from pathlib import Path

from pilothouse.direct import DirectClient, Target

asked = json.loads(sys.argv[1])
targets = [
    Target(each["address"], each["serverKey"], Path(each["keyFile"]).read_text().strip()) for each in asked["services"]
]
with DirectClient(targets) as client:
    for _ in range(asked["warmUp"]):
        client.call("call", asked["payload"])
    print("ready", flush=True)
    sys.stdin.readline()
    samples: list[float] = []
    for _ in range(asked["count"]):
        start = time.perf_counter()
        client.call("call", asked["payload"])
        samples.append((time.perf_counter() - start) * 1e3)
print(json.dumps({"direct": samples}), flush=True)
