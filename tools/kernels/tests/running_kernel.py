"""A kernel that runs, and what its cells put out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

REPO = Path(__file__).resolve().parents[3]
NODE = next((REPO / "tools" / "node24" / "node_modules").glob("node-linux-*/bin/node"))
CELL_LIMIT = 60


@dataclass
class Ran:
    """What one cell did: its reply's status and the messages it put out."""

    status: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def of_type(self, name: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.messages if message["msg_type"] == name]

    def text(self, stream: str) -> str:
        return "".join(content["text"] for content in self.of_type("stream") if content["name"] == stream)


@dataclass
class Kernel:
    """A running kernel."""

    manager: KernelManager
    client: BlockingKernelClient

    def run(self, code: str, *, shows: str | None = None) -> Ran:
        """Runs a cell; with ``shows``, waits until that stands in its output.

        Deno sends what a cell prints beside its messages, so that it may come after the cell is said to be idle.
        """
        ran = Ran("")
        reply = self.client.execute_interactive(code, output_hook=ran.messages.append, timeout=CELL_LIMIT)
        ran.status = reply["content"]["status"]
        while ran.status == "ok" and shows is not None and shows not in ran.text("stdout"):
            message = self.client.get_iopub_msg(timeout=CELL_LIMIT)
            if message["parent_header"].get("msg_id") == reply["parent_header"]["msg_id"]:
                ran.messages.append(message)
        return ran

    def reply_to(self, message_id: str) -> str:
        """The status of the reply to a cell that was sent without waiting for it."""
        while (reply := self.client.get_shell_msg(timeout=CELL_LIMIT))["parent_header"].get("msg_id") != message_id:
            pass
        return reply["content"]["status"]
