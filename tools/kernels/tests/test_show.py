"""What `show` leaves in a cell of a real TypeScript kernel; the session is in memory, so nothing else has to run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from running_kernel import CELL_LIMIT, Kernel, Ran

VIEW = "application/vnd.pilothouse.view+json"

SESSION = """
import {{ createTestSession }} from '@pilothouse/sdk/testing';
import {{ show }} from '@pilothouse/sdk/notebook';
process.env.JPY_SESSION_NAME = {name};
let release = () => {{}};
const gate = new Promise<void>(resolve => {{ release = resolve; }});
async function* words() {{ yield 'one'; await gate; yield ' two'; }}
const {{ session }} = createTestSession({{ answer: words }});
const llm = await session.services.ensure('smollm2');
const answer = llm.chat('Hello?');
"""

KERNELS = pytest.mark.parametrize("name", ["tslab", "deno"])


def prepare(start_kernel: Callable[[str], Kernel], name: str, notebook: str) -> Kernel:
    kernel = start_kernel(name)
    ran = kernel.run(SESSION.format(name=json.dumps(notebook)))
    assert ran.status == "ok", ran.messages
    return kernel


def outputs(ran: Ran) -> list[dict[str, Any]]:
    return ran.of_type("display_data") + ran.of_type("update_display_data")


def await_final(kernel: Kernel, ran: Ran) -> dict[str, Any]:
    """The update that shows the end: it comes while the cell runs or at any time after it."""
    updates = ran.of_type("update_display_data")
    while not (updates and updates[-1]["data"][VIEW]["snapshot"]["state"] == "DONE"):
        message = kernel.client.get_iopub_msg(timeout=CELL_LIMIT)
        if message["msg_type"] == "update_display_data":
            updates.append(message["content"])
    return updates[-1]


@KERNELS
def test_one_output_with_all_forms(start_kernel: Callable[[str], Kernel], name: str) -> None:
    ran = prepare(start_kernel, name, "/home/user/notebook.ipynb").run("show(answer)")
    [shown] = ran.of_type("display_data")
    assert set(shown["data"]) == {VIEW, "text/html", "text/plain"}
    assert shown["data"][VIEW]["viewId"] == shown["transient"]["display_id"]
    assert ran.of_type("execute_result") == []
    assert ran.text("stdout") == ""


@KERNELS
def test_a_kernel_without_a_renderer_draws_in_the_cell_it_began_in(
    start_kernel: Callable[[str], Kernel], name: str
) -> None:
    kernel = prepare(start_kernel, name, "/home/user/notebook.ipynb")
    [shown] = kernel.run("show(answer)").of_type("display_data")
    final = await_final(kernel, kernel.run("release()"))
    assert final["transient"] == shown["transient"]
    assert "one two" in final["data"]["text/plain"]


@KERNELS
def test_a_headless_cell_ends_with_its_answer(start_kernel: Callable[[str], Kernel], name: str) -> None:
    kernel = prepare(start_kernel, name, "")
    ran = kernel.run("setTimeout(() => release(), 100);\nshow(answer)")
    assert ran.status == "ok", ran.messages
    final = outputs(ran)[-1]
    if name == "deno" and final["data"][VIEW]["snapshot"]["state"] != "DONE":
        # Deno sends what a cell shows beside its messages: it may come after the cell is said to be idle.
        final = await_final(kernel, ran)
    assert final["data"][VIEW]["snapshot"]["state"] == "DONE"
    assert "one two" in final["data"]["text/html"]
