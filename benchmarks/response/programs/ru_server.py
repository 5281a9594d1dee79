"""RADICAL-Pilot's request-reply server, giving back what it gets; says where it is, and ends with its input."""

import json
import os
import sys
from typing import Any

import radical.utils as ru


class Noop(ru.zmq.Server):
    """Does nothing."""

    def __init__(self) -> None:
        super().__init__(url="tcp://127.0.0.1:*")
        self.register_request("call", self._call)

    def _call(self, value: Any) -> Any:
        return value


server = Noop()
server.start()
# It says the machine's address, whatever it listens at.
port = server.addr.rpartition(":")[2]
print(json.dumps({"address": f"tcp://127.0.0.1:{port}"}), file=sys.stderr, flush=True)
sys.stdin.read()
# Its thread does not end by itself.
os._exit(0)
