"""Folders of a test's own, a real Jupyter server, waiting for what can be observed, an end for all that was started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pilothouse as ph

HERE = Path(__file__).parent
REPO = HERE.parents[1]
TOKEN = "token-of-the-tests"
#: What a notebook says to have a model.
CONNECT = """
import pilothouse as ph
s = ph.connect()
pilot = s.pilots.ensure("demo", cores=2, runtime="1h")
llm = s.services.ensure("smollm2", pilot=pilot, resources={"cores": 1})
"""
DEADLINE_SECONDS = 60


def wait_until(condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Waits for something that can be observed, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Like :func:`wait_until`, without holding up the event loop."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        await asyncio.sleep(0.02)


@dataclass
class Folders:
    """State root and runtime folder of one test; short, because a socket's path must be."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def runtime(self) -> Path:
        return self.root / "run"

    @property
    def env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
        return clean | {"PILOTHOUSE_HOME": str(self.home), "PILOTHOUSE_RUNTIME_DIR": str(self.runtime)}

    def launch_with(self, *argv: str) -> None:
        """Writes launcher.json."""
        launcher = {"argv": list(argv), "cli": list(argv), "version": "0.1.0"}
        (self.home / "launcher.json").write_text(json.dumps(launcher))

    def launch_product(self) -> None:
        """Writes a launcher.json that names the built product."""
        node = next((REPO / "tools" / "node24" / "node_modules").glob("node-linux-*/bin/node"))
        bridge = REPO / "kernels-bridge" / "lib"
        assert (bridge / "main.js").exists(), "the product is not built; run `npm run build` first"
        launcher = {"argv": [str(node), str(bridge / "main.js")], "cli": [str(node), str(bridge / "cli" / "main.js")]}
        (self.home / "launcher.json").write_text(json.dumps(launcher | {"version": "0.1.0"}))

    def processes(self, of: str = "") -> list[int]:
        """What runs with this test's state root in its environment, and these words in its command line."""
        mark = f"PILOTHOUSE_HOME={self.home}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                try:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    if of in command and mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def end_all(self) -> None:
        """Kills all of it. Some start each other again, so until nothing is left."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, f"{left} do not end"
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)


@contextmanager
def folders_for_test() -> Iterator[Folders]:
    root = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    made = Folders(root)
    made.home.mkdir(mode=0o700)
    made.runtime.mkdir(mode=0o700)
    try:
        yield made
    finally:
        made.end_all()
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def session_in(folders: Folders) -> Iterator[ph.Session]:
    """A session of this process with the Pilothouse of those folders."""
    saved = {name: os.environ.get(name) for name in ("PILOTHOUSE_HOME", "PILOTHOUSE_RUNTIME_DIR")}
    os.environ.update({"PILOTHOUSE_HOME": str(folders.home), "PILOTHOUSE_RUNTIME_DIR": str(folders.runtime)})
    try:
        with ph.connect("tests") as session:
            yield session
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass
class Jupyter:
    """A Jupyter server with the extension loaded, under a base URL of its own."""

    folders: Folders
    process: subprocess.Popen[bytes]
    port: int
    base: str = "/user/alice/"

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{self.base}{path}"

    @property
    def log(self) -> str:
        return (self.folders.root / "jupyter.log").read_text()

    def rss(self) -> int:
        """bytes"""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def jupyter_server(folders: Folders) -> Iterator[Jupyter]:
    port = free_port()
    config = folders.root / "jupyter_server_config.py"
    config.write_text(
        f"c.ServerApp.port = {port}\nc.ServerApp.port_retries = 0\nc.ServerApp.ip = '127.0.0.1'\n"
        "c.ServerApp.base_url = '/user/alice/'\nc.ServerApp.allow_root = True\nc.ServerApp.open_browser = False\n"
        f"c.ServerApp.root_dir = {str(folders.root)!r}\nc.ServerApp.jpserver_extensions = {{'pilothouse': True}}\n"
        "c.ServerApp.log_level = 'INFO'\nc.ExtensionApp.open_browser = False\n"
    )
    env = folders.env | {"JUPYTER_TOKEN": TOKEN, "JUPYTER_RUNTIME_DIR": str(folders.root / "jpr")}
    # A key of the portal, and what a Jupyter that runs as a task carries.
    env |= {"SECRET_API_KEY": "hush", "PILOTHOUSE_TASK_ID": "task-1", "PILOTHOUSE_PILOT": "pilot-1"}
    env |= {"JUPYTER_CONFIG_DIR": str(folders.root / "jpc"), "JUPYTER_DATA_DIR": str(folders.root / "jpd")}
    with (folders.root / "jupyter.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", f"--config={config}"], env=env, stdout=log, stderr=log
        )
    jupyter = Jupyter(folders, process, port)
    try:
        wait_until(lambda: answers(port) or process.poll() is not None, "Jupyter answers")
        assert process.poll() is None, jupyter.log
        yield jupyter
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def kill_bridge(folders: Folders) -> None:
    """kill -9, and waits until it is gone."""
    pids = folders.processes("kernels-bridge/lib/main.js")
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not set(pids) & set(folders.processes()), "it is gone")


def pilot_of(session: ph.Session) -> ph.Pilot:
    pilot = session.pilots.ensure("demo", cores=2, runtime="10m")
    pilot.until("ACTIVE", timeout="30s")
    return pilot


def run_python(
    product: Folders,
    code: str,
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    before: list[str] | None = None,
) -> str:
    """Runs a program of its own against the same Pilothouse; gives what it prints."""
    done = subprocess.run(
        [*(before or []), sys.executable, "-c", textwrap.dedent(code)],
        env=product.env | (env or {}),
        cwd=cwd or product.root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
