"""Finding and starting Pilothouse: kills, many at once, another user, another host, another version."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pilothouse as ph
import pytest
from rig import Folders, kill_bridge, pilot_of, run_python


def test_started_again_after_a_kill(product: Folders, session: ph.Session) -> None:
    pilot = pilot_of(session)
    task = session.tasks.submit(["sh", "-c", "while [ ! -e go ]; do sleep 0.1; done"], cwd=str(product.root))
    task.until("RUNNING", timeout="30s")
    kill_bridge(product)
    assert session.pilots.get("demo").id == pilot.id
    assert task.state == "RUNNING"

    watching = subprocess.Popen(
        [sys.executable, "-c", f"import pilothouse as ph; print(ph.connect().tasks.get({task.id!r}).done()['state'])"],
        env=product.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    kill_bridge(product)
    (product.root / "go").touch()
    assert watching.communicate(timeout=60)[0] == "DONE\n"
    assert task.done(timeout="30s")["state"] == "DONE"


def test_many_start_it_at_once(product: Folders) -> None:
    code = "import pilothouse as ph; print(ph.connect('many').pilots.list())"
    children = [
        subprocess.Popen([sys.executable, "-c", code], env=product.env, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    assert [child.communicate(timeout=60)[0] for child in children] == ["[]\n"] * 5
    assert len(product.processes("kernels-bridge/lib/main.js")) == 1


def test_one_that_hangs_is_not_waited_for(product: Folders, session: ph.Session) -> None:
    [pid] = product.processes("kernels-bridge/lib/main.js")
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ph.PilothouseError) as caught:
        session.pilots.ensure("demo", timeout=0.5)
    assert (caught.value.code, caught.value.retryable) == ("TIMEOUT", True)
    os.kill(pid, signal.SIGCONT)
    assert session.pilots.list(all=True) is not None


def test_another_version_is_refused(session: ph.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse._client.PROTOCOL", 999)
    with pytest.raises(ph.PilothouseError) as caught:
        ph.connect("newer")
    assert caught.value.code == "VERSION_MISMATCH"
    assert caught.value.hint


def test_a_stale_socket_is_replaced(product: Folders, session: ph.Session) -> None:
    kill_bridge(product)
    assert (product.runtime / "bridge.sock").exists()
    with ph.connect("after") as after:
        assert after.pilots.list() == []


def test_no_launcher(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_HOME", str(folders.home))
    monkeypatch.setenv("PILOTHOUSE_RUNTIME_DIR", str(folders.runtime))
    with pytest.raises(ph.PilothouseError) as caught:
        ph.connect()
    assert caught.value.code == "LAUNCHER_MISSING"
    (folders.home / "launcher.json").write_text("{")
    with pytest.raises(ph.PilothouseError, match="cannot be used") as caught:
        ph.connect()
    assert caught.value.code == "LAUNCHER_MISSING"


def test_another_user_is_refused(product: Folders, session: ph.Session) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    # The folder above is open, so that what refuses is the socket and its own folder.
    product.root.chmod(0o755)
    out = run_python(
        product,
        """
        import os, pilothouse as ph
        # Becomes somebody else here and not before, who may be unable to read this Python.
        os.setgroups([])
        os.setuid(65534)
        try:
            ph.connect()
        except ph.PilothouseError as error:
            print(error.code, error.retryable)
            print(error)
        """,
    )
    assert out.startswith("PERMISSION_DENIED False")
    assert "permission denied" in out.lower()


def test_owned_by_another_host(product: Folders, session: ph.Session) -> None:
    """Another host, as far as names go: a namespace with a host name of its own."""
    if os.getuid() != 0:
        pytest.skip("only root can give a host another name")
    out = run_python(
        product,
        """
        import socket, pilothouse as ph
        socket.sethostname("elsewhere")
        try:
            ph.connect()
        except ph.PilothouseError as error:
            print(error.code)
            print(error)
        """,
        before=["unshare", "--uts"],
    )
    assert out.startswith("OWNED_ELSEWHERE")
    assert "PILOTHOUSE_TAKE_OVER=1" in out
