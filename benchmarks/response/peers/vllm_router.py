"""vllm-router in front of a server that computes nothing, the same as the gateway has."""

import json
import subprocess
import sys
from pathlib import Path

from load import free_port, measure

PROGRAMS = Path(__file__).parents[1] / "programs"
ASKED = {"model": "noop", "messages": [{"role": "user", "content": "hi"}]}

backend = subprocess.Popen(
    [sys.argv[1], str(PROGRAMS / "openai-noop.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
assert backend.stdout is not None
url = f"http://127.0.0.1:{json.loads(backend.stdout.readline())['port']}"
port = free_port()
router = subprocess.Popen(
    ["vllm-router", "--worker-urls", url, "--policy", "power_of_two", "--host", "127.0.0.1", "--port", str(port)],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    measure(port, "/v1/chat/completions", ASKED)
finally:
    router.kill()
    backend.kill()
