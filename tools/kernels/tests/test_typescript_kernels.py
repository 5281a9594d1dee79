"""What notebooks rely on in the TypeScript kernels, beyond what tslab and Deno do by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from running_kernel import NODE, REPO, Kernel

IMPORTS = """
import { PilothouseError } from '@pilothouse/sdk';
import { of } from 'rxjs';
import { z } from 'zod';
of(z.string().parse('seen')).subscribe(text => console.log(text, typeof PilothouseError));
"""

DISPLAY = """
const hook = (globalThis as any)[Symbol.for('pilothouse.display')];
const all = { 'text/plain': 'one', 'text/html': '<b>one</b>', 'application/x.test+json': { v: 1 } };
hook.display(all, { displayId: 'd' });
hook.display({ 'text/plain': 'two' }, { displayId: 'd', update: true });
"""


@pytest.mark.parametrize("name", ["tslab", "deno"])
def test_workspace_packages_resolve(start_kernel: Callable[[str], Kernel], name: str) -> None:
    ran = start_kernel(name).run(IMPORTS, shows="seen function")
    assert ran.status == "ok", ran.messages
    assert "seen function" in ran.text("stdout")


def test_tslab_sends_one_message_with_all_mime_types(start_kernel: Callable[[str], Kernel]) -> None:
    ran = start_kernel("tslab").run(DISPLAY)
    [shown] = ran.of_type("display_data")
    assert shown["data"] == {
        "text/plain": "one",
        "text/html": "<b>one</b>",
        "application/x.test+json": {"v": 1},
    }
    [updated] = ran.of_type("update_display_data")
    assert updated["data"] == {"text/plain": "two"}
    assert updated["transient"] == shown["transient"] == {"display_id": "d"}


GIVEN = "import type { Service, Session } from '@pilothouse/sdk';"

DECLARED = "declare const session: Session; declare const llm: Service;"

RIGHT = """
const hold = (session: Session) => session.pilots.ensure('demo', { cores: 2, runtime: '1h' });
const ask = (llm: Service) => llm.chat('Hello', { maxTokens: 1 });
"""

FIT = """
import { defineService } from '@pilothouse/sdk';
import { z } from 'zod';
const fit = defineService({ name: 'fit', input: z.object({ dose: z.number() }), output: z.number() });
session.services.get(fit).call({ dose: 'one' });
"""

# The kinds of mistake that a typed SDK is there to find before anything runs.
MISTAKES = {
    "description": ("session.pilots.ensure('demo', { cores: 'two', runtime: '1h' });", "string"),
    "method": ("session.pilots.ensuer('demo', { cores: 2 });", "ensuer"),
    "option": ("llm.chat('Hello', { maxToken: 120 });", "maxToken"),
    "input": (FIT, "number"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_tslab_refuses_a_mistake_before_it_runs(start_kernel: Callable[[str], Kernel], mistake: str) -> None:
    code, named = MISTAKES[mistake]
    kernel = start_kernel("tslab")
    ran = kernel.run(
        f"{GIVEN}\ndeclare const session: Session; declare const llm: Service;\nconsole.log('it ran');\n{code}"
    )
    assert ran.status == "error"
    assert "it ran" not in ran.text("stdout")
    assert named in ran.text("stderr")


def test_tslab_accepts_what_is_right(start_kernel: Callable[[str], Kernel]) -> None:
    ran = start_kernel("tslab").run(f"{GIVEN}\n{RIGHT}")
    assert ran.status == "ok", ran.text("stderr")


def test_tslab_ends_when_asked_although_something_is_pending(start_kernel: Callable[[str], Kernel]) -> None:
    kernel = start_kernel("tslab")
    assert kernel.run("setInterval(() => {}, 1000); undefined").status == "ok"
    provisioner = kernel.manager.provisioner
    assert isinstance(provisioner, LocalProvisioner)
    pid = provisioner.pid
    assert pid is not None
    kernel.manager.request_shutdown()
    # Jupyter kills a kernel that does not end: what counts is that it ends before anyone does that.
    wait_until_gone(pid)


def test_deno_goes_on_after_an_interrupt(start_kernel: Callable[[str], Kernel]) -> None:
    kernel = start_kernel("deno")
    assert kernel.run("const kept = 1;").status == "ok"
    looping = kernel.client.execute("console.log('looping'); while (true) {}")
    while kernel.client.get_iopub_msg(timeout=20)["content"].get("text") != "looping\n":
        pass
    kernel.manager.interrupt_kernel()
    assert kernel.reply_to(looping) == "error"
    # Deno sometimes lets the interrupt reach into the cell after the interrupted one as well: that cell is
    # answered "ok" and shows nothing. A user runs it again, and so does this test.
    shown = [kernel.run("kept").of_type("execute_result") for _ in range(3)]
    assert "1" in str(shown[-1])


@pytest.mark.parametrize("name", ["tslab", "deno"])
def test_kernel_ends_with_the_process_that_started_it(workspace: Path, name: str) -> None:
    program = f"""
import sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(startup_timeout=60, kernel_name={name!r}, cwd={str(workspace)!r})
print(manager.provisioner.pid, flush=True)
sys.stdin.read()
"""
    starter = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=workspace
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    os.kill(pid, 0)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    wait_until_gone(pid)


def test_launcher_says_how_it_is_used() -> None:
    launcher = REPO / "tools" / "kernels" / "tslab-launcher.cjs"
    done = subprocess.run([NODE, launcher], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "CONNECTION_FILE" in done.stderr


def wait_until_gone(pid: int, limit: float = 20) -> None:
    """Returns when the process has ended (a zombie has), and fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)
