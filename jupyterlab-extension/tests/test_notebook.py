"""Cells of a real kernel with the real model: what they show while it streams, and what they keep."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from itertools import pairwise
from queue import Empty
from typing import Any, cast

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from pilothouse._bridge.places import Places
from pilothouse._client import Client
from rig import CONNECT, DEADLINE_SECONDS, Folders, session_in

VIEW = "application/vnd.pilothouse.view+json"
QUESTION = "What does ionizing radiation do to DNA?"
LONG = 'llm.chat("Tell a very long story about a ship.", max_tokens=1500, temperature=0)'


class Kernel:
    """A Python kernel, and the messages that belong to a cell."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def run(self, code: str) -> list[dict[str, Any]]:
        """Runs a cell to its end; gives its messages."""
        return self.until(lambda message: is_idle(message), self.start(code))

    def start(self, code: str) -> str:
        return self.client.execute(code)

    def until(self, last: Any, cell: str | None = None) -> list[dict[str, Any]]:
        """Messages (of a cell) up to the one wanted."""
        deadline, found = time.monotonic() + DEADLINE_SECONDS, []
        while True:
            try:
                message = cast("dict[str, Any]", self.client.get_iopub_msg(timeout=1))
            except Empty:
                if time.monotonic() > deadline:
                    raise AssertionError(f"not within {DEADLINE_SECONDS} s; until now: {found}") from None
                continue
            if cell is not None and message["parent_header"].get("msg_id") != cell:
                continue
            assert message["msg_type"] != "error", "\n".join(message["content"]["traceback"])
            found.append(message)
            if last(message):
                return found


def is_idle(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


def of_type(messages: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [message["content"] for message in messages if message["msg_type"] == name]


def state(content: dict[str, Any]) -> str:
    return content["data"][VIEW]["snapshot"]["state"]


@contextmanager
def kernel_in(product: Folders, notebook: str | None) -> Iterator[Kernel]:
    env = product.env | ({"JPY_SESSION_NAME": notebook} if notebook else {})
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=env, cwd=str(product.root))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE_SECONDS)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(model: Folders) -> Iterator[Kernel]:
    """A kernel of a notebook that somebody has open."""
    with kernel_in(model, str(model.root / "a.ipynb")) as made:
        made.run(CONNECT)
        yield made


def test_nobody_looks_the_cell_waits_for_the_answer(model: Folders) -> None:
    """`nbconvert --execute`, and the cell keeps text and timing as the last bundle."""
    notebook = nbformat.v4.new_notebook()
    lines = ["llm", f"answer = llm.chat({QUESTION!r}, max_tokens=24, seed=1)\nanswer", "print(answer.text, end='')"]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (CONNECT + "pilot", *lines)]
    path = model.root / "n.ipynb"
    nbformat.write(notebook, path)
    convert = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", str(path)]
    subprocess.run(convert, env=model.env, check=True, timeout=180, capture_output=True)
    pilot, service, answer, text = [cell.outputs[0] for cell in nbformat.read(path, as_version=4).cells]
    assert pilot.data[VIEW]["snapshot"]["state"] == "ACTIVE"
    assert service.data[VIEW]["kind"] == "service"
    snapshot = answer.data[VIEW]["snapshot"]
    assert (snapshot["state"], snapshot["usage"]["completionTokens"]) == ("DONE", 24)
    assert snapshot["text"] == text.text
    assert set(answer.data) == {VIEW, "text/html", "text/plain"}
    assert "communication" in answer.data["text/html"]
    assert text.text.strip() in answer.data["text/plain"]
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", str(path)],
        env=model.env,
        check=True,
        timeout=180,
        capture_output=True,
    )
    assert text.text.strip()[:40] in path.with_suffix(".html").read_text()


def test_without_a_renderer_the_kernel_updates_and_writes_the_end(kernel: Kernel) -> None:
    cell = kernel.start(LONG.replace("1500", "350"))
    shown = kernel.until(is_idle, cell)
    [first] = of_type(shown, "display_data")
    assert state(first) in ("NEW", "QUEUED", "STREAMING")
    # The cell has ended long before; the updates belong to it nevertheless.
    updates = of_type(kernel.until(is_final_update, cell), "update_display_data")
    assert len(updates) > 1
    view = first["transient"]["display_id"]
    assert {update["transient"]["display_id"] for update in updates} == {view}
    assert all(set(update["data"]) == {VIEW, "text/html", "text/plain"} for update in updates)
    texts = [update["data"][VIEW]["snapshot"]["text"] or "" for update in updates]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert state(updates[-1]) == "DONE"
    assert updates[-1]["data"][VIEW]["viewId"] == view


def is_final_update(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "update_display_data" and state(message["content"]) in ("DONE", "FAILED", "CANCELED")


async def test_with_a_renderer_the_kernel_is_quiet(model: Folders, kernel: Kernel) -> None:
    cell = kernel.start(LONG)
    [first] = of_type(kernel.until(is_idle, cell), "display_data")
    view = first["data"][VIEW]
    renderer = Client(Places(model.home, model.runtime, model.home / "launcher.json"))
    target = {"kind": view["kind"], "id": view["target"]}
    joined = renderer.stream("views/join", {"viewId": view["viewId"], "target": target, "role": "renderer"})
    async with aclosing(joined) as updates:
        async for update in updates:
            assert update["writer"] is True
            if update["final"] is None:
                await renderer.call("answers/stop", {"ref": view["target"]})
                continue
            assert update["final"][VIEW]["snapshot"]["state"] == "CANCELED"
            await renderer.call("views/confirm", {"viewId": view["viewId"]})
            break
    await renderer.close()
    # Whatever the kernel had to say came before the next cell's messages.
    assert of_type(kernel.run("1 + 1"), "update_display_data") == []


def test_pilots_and_services_never_hold_the_cell_and_batches_do(model: Folders) -> None:
    with kernel_in(model, None) as headless:
        headless.run(CONNECT)
        for name in ("pilot", "llm"):
            [shown] = of_type(headless.run(name), "display_data")
            assert state(shown) in ("ACTIVE", "READY")
        batch = f"llm.map(['Name a star.'], out={str(model.root / 'held.jsonl')!r}, max_tokens=2)"
        [shown] = of_type(headless.run(batch), "display_data")
        assert state(shown) == "DONE"


INTERRUPTED = f"""
from IPython.display import display
answer = {LONG}
print(answer.id, flush=True)
try:
    display(answer)
except KeyboardInterrupt as stop:
    print(stop)
"""


def test_interrupt_says_that_the_answer_goes_on(model: Folders) -> None:
    with kernel_in(model, None) as headless:
        headless.run(CONNECT)
        cell = headless.start(INTERRUPTED)
        [printed] = of_type(headless.until(lambda message: message["msg_type"] == "stream", cell), "stream")
        with session_in(model) as session:
            answer = session.answers.get(printed["text"].strip())
            answer.until("STREAMING", timeout="30s")
            headless.manager.interrupt_kernel()
            rest = headless.until(is_idle, cell)
            said = "".join(content["text"] for content in of_type(rest, "stream"))
            assert "goes on; .stop() stops it." in said
            assert [state(content) for content in of_type(rest, "display_data")] == ["STREAMING"]
            assert answer.state == "STREAMING"
            answer.stop()
            assert answer.state == "CANCELED"
