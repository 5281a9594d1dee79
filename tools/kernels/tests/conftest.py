"""Real kernels, started from the kernelspecs of the virtual environment as JupyterLab starts them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

REPO = Path(__file__).resolve().parents[3]
NODE = next((REPO / "tools" / "node24" / "node_modules").glob("node-linux-*/bin/node"))
START_LIMIT = 60
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

    def run(self, code: str) -> Ran:
        ran = Ran("")
        reply = self.client.execute_interactive(code, output_hook=ran.messages.append, timeout=CELL_LIMIT)
        ran.status = reply["content"]["status"]
        return ran


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder that `pilothouse init` has made ready."""
    module = REPO / "kernels-bridge" / "lib" / "cli" / "init" / "index.js"
    program = f"import({str(module)!r}).then(({{ initWorkspace }}) => initWorkspace({str(tmp_path)!r}))"
    subprocess.run([NODE, "--eval", program], check=True, capture_output=True, text=True)
    return tmp_path


@pytest.fixture
def start_kernel(workspace: Path) -> Iterator[Callable[[str], Kernel]]:
    """Starts kernels by name in the workspace, and ends them after the test."""
    with ExitStack() as stack:

        def start(name: str) -> Kernel:
            manager, client = start_new_kernel(startup_timeout=START_LIMIT, kernel_name=name, cwd=str(workspace))
            stack.callback(manager.shutdown_kernel, now=True)
            stack.callback(client.stop_channels)
            return Kernel(manager, client)

        yield start
