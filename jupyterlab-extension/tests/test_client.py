"""The client against the real product: a pilot of this machine, its tasks, errors, kills and restarts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pilothouse as ph
import pytest
from rig import Folders, pilot_of, run_python, wait_until


def test_ensure_gives_the_same_one(session: ph.Session) -> None:
    pilot = pilot_of(session)
    again = session.pilots.ensure("demo", cores=2, runtime="10m")
    assert again.id == pilot.id
    assert [each.id for each in session.pilots.list()] == [pilot.id]
    assert session.pilots.get("demo").id == pilot.id
    with pytest.raises(ph.PilothouseError) as caught:
        session.pilots.ensure("demo", cores=1, runtime="10m")
    assert caught.value.code == "DESCRIPTION_CHANGED"
    pilot.end()
    assert pilot.done(timeout="30s")["state"] in ("DONE", "CANCELED")
    assert session.pilots.list() == []
    assert [each.id for each in session.pilots.list(all=True)] == [pilot.id]


def test_tasks_come_to_their_ends(session: ph.Session, tmp_path: Path) -> None:
    pilot = pilot_of(session)
    told = session.tasks.submit(["sh", "-c", "echo to out; echo to err >&2; pwd"], cwd=str(tmp_path), pilot=pilot)
    result = told.result(timeout="30s")
    assert result == ph.TaskResult(0, f"to out\n{tmp_path}\n")
    assert told.log("stderr")["text"] == "to err\n"
    assert told.state == "DONE"
    tasks = session.tasks.submit_many([ph.Task(["sh", "-c", f"exit {n % 2}"], name=f"n{n}") for n in range(20)])
    counts = tasks.done(timeout="60s")
    assert (counts["done"], counts["failed"], counts["canceled"]) == (10, 10, 0)
    assert (len(tasks), tasks.state) == (20, "FAILED")
    assert [task.name for task in tasks] == [f"n{n}" for n in range(20)]
    with pytest.raises(ph.PilothouseError) as caught:
        tasks[1].result()
    assert (caught.value.code, caught.value.ids["task"]) == ("TASK_FAILED", tasks[1].id)
    with pytest.raises(ph.PilothouseError) as caught:
        tasks[1].until("DONE")
    assert caught.value.code == "STATE_UNREACHABLE"
    long = session.tasks.submit(["sleep", "1000"])
    long.until("RUNNING", timeout="30s")
    with pytest.raises(ph.PilothouseError) as caught:
        long.done(timeout=0.2)
    assert caught.value.code == "TIMEOUT"
    long.cancel()
    with pytest.raises(ph.PilothouseError) as caught:
        long.result(timeout="30s")
    assert caught.value.code == "TASK_CANCELED"


def test_a_task_sees_path_and_folder_and_nothing_of_jupyter(product: Folders, tmp_path: Path) -> None:
    """What runs in a notebook's kernel: PATH and folder pass, tokens and keys do not."""
    seen = run_python(
        product,
        """
        import pilothouse as ph
        with ph.connect() as s:
            s.pilots.ensure("demo", cores=1, runtime="10m")
            print(s.name)
            print(s.tasks.submit(["sh", "-c", "pwd; env"], env={"MINE": "1"}).result(timeout="30s").stdout)
        """,
        cwd=tmp_path,
        env={
            "JUPYTER_TOKEN": "secret-token",
            "JPY_SESSION_NAME": "/notebooks/a.ipynb",
            "JPY_API_TOKEN": "secret-too",
            "OPENAI_API_KEY": "secret-key",
            "PATH": f"{os.environ['PATH']}:/opt/of/the/notebook",
        },
    )
    name, folder, *variables = seen.splitlines()
    assert (name, folder) == ("/notebooks/a.ipynb", str(tmp_path))
    env = dict(line.split("=", 1) for line in variables if "=" in line)
    assert env["PATH"].endswith(":/opt/of/the/notebook")
    assert env["MINE"] == "1"
    assert not [each for each in env if each.startswith(("JUPYTER", "JPY")) or "KEY" in each or "TOKEN" in each]
    assert "secret" not in seen


def test_errors_are_typed(session: ph.Session) -> None:
    def code_of(call: object) -> ph.PilothouseError:
        with pytest.raises(ph.PilothouseError) as caught:
            assert callable(call)
            call()
        return caught.value

    assert code_of(lambda: session.tasks.submit(["true"], pilot="none")).code == "PILOT_NOT_FOUND"
    assert code_of(lambda: session.services.get("vep")).code == "SERVICE_NOT_FOUND"
    assert code_of(lambda: session.answers.get("answer-0000000000")).code == "ANSWER_NOT_FOUND"
    refused = code_of(lambda: session.pilots.ensure("big", cores=100_000))
    assert refused.code == "PILOT_REFUSED"
    wrong = code_of(lambda: session.pilots.ensure("none", cores=0))
    assert (wrong.code, wrong.field) == ("INVALID_DESCRIPTION", "description.cores")
    pilot_of(session)
    missing = session.tasks.submit(["no-such-program"])
    assert code_of(lambda: missing.result(timeout="30s")).code == "EXECUTABLE_NOT_FOUND"


def test_a_service_of_ones_own_has_the_first_word_as_its_name(session: ph.Session) -> None:
    pilot = pilot_of(session)
    mine = session.services.start("mine", command=["sleep", "1000"], allow_unauthenticated=True, pilot=pilot)
    assert (mine.name, mine.record["template"]) == ("mine", None)
    mine.stop()
    assert mine.done(timeout="30s")["state"] == "STOPPED"


def test_interrupt_ends_the_wait_and_not_the_work(product: Folders, session: ph.Session) -> None:
    pilot_of(session)
    code = """
        import pilothouse as ph, pathlib
        s = ph.connect("other")
        t = s.tasks.submit(["sleep", "1000"], name="long")
        t.until("RUNNING", timeout="30s")
        pathlib.Path("waiting").touch()
        try:
            t.done()
        except KeyboardInterrupt as stop:
            print(stop)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=product.env,
        cwd=product.root,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until((product.root / "waiting").exists, "the other program waits")
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=30)[0]
    assert said.startswith("Stopped waiting. long (")
    assert "The task goes on; .cancel() cancels it." in said
    assert child.returncode == 0
    assert session.tasks.get("long").state == "RUNNING"


def test_a_forked_child_has_a_connection_of_its_own(product: Folders, session: ph.Session) -> None:
    out = run_python(
        product,
        """
        import os, warnings, pilothouse as ph
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn about fork and threads
        s = ph.connect("forks")
        s.pilots.list()
        pid = os.fork()
        print(len(s.engines()), flush=True)
        if pid == 0:
            os._exit(0)
        print(os.waitpid(pid, 0)[1])
        """,
    )
    assert sorted(out.split()) == ["0", "1", "1"]


def test_an_interpreter_ends_with_everything_open(product: Folders, session: ph.Session) -> None:
    pilot_of(session)
    out = run_python(
        product,
        """
        import pilothouse as ph, threading
        s = ph.connect("ends")
        t = s.tasks.submit(["sleep", "1000"])
        threading.Thread(target=t.done, daemon=True).start()
        t.until("RUNNING", timeout="30s")
        print("end")
        """,
    )
    assert out == "end\n"


async def test_the_same_words_awaited(product: Folders) -> None:
    async with await ph.aconnect("async") as session:
        pilot = await session.pilots.ensure("demo", cores=1, runtime="10m")
        assert (await pilot.until("ACTIVE", timeout="30s"))["state"] == "ACTIVE"
        task = await session.tasks.submit(["echo", "hello"])
        assert (await task.result(timeout="30s")).stdout == "hello\n"
        tasks = await session.tasks.submit_many([ph.Task(["true"]) for _ in range(5)])
        assert (await tasks.done(timeout="30s"))["done"] == 5
        await pilot.end()
        assert (await pilot.done(timeout="30s"))["state"] in ("DONE", "CANCELED")


def test_the_console_script_hands_over(product: Folders) -> None:
    product.launch_with(sys.executable, "-c", "import sys; print(sys.argv[1:])")
    script = Path(sys.executable).parent / "pilothouse"
    done = subprocess.run([str(script), "status", "--json"], env=product.env, capture_output=True, text=True)
    # The launcher's check wants a file as its last word, which `-c` is not: said as an error, not as a traceback.
    assert done.returncode == os.EX_UNAVAILABLE
    assert "LAUNCHER_MISSING" in done.stderr
    program = product.root / "cli.py"
    program.write_text("import sys; print(sys.argv[1:]); sys.exit(7)")
    product.launch_with(sys.executable, str(program))
    done = subprocess.run([str(script), "status", "--json"], env=product.env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (7, "['status', '--json']\n")
