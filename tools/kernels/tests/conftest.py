"""Real kernels, started from the kernelspecs of the virtual environment as JupyterLab starts them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from running_kernel import NODE, REPO, Kernel

START_LIMIT = 60


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
