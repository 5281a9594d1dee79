"""Task sets and functions, against the built product."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pilothouse as ph
import pytest
from rig import Folders, wait_until

WELLS = [f"{row}{column:02d}" for row in "ABCD" for column in range(1, 6)]


@pytest.fixture
def pilot(session: ph.Session) -> ph.Pilot:
    return session.pilots.ensure("demo", cores=2, runtime="10m")


def test_a_set_comes_to_its_end_and_resumes(session: ph.Session, pilot: ph.Pilot, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    tasks = [ph.Task(["sh", "-c", f"echo {well} >> {ran}; test {well} != A03"], name=well) for well in WELLS]
    made = session.tasks.submit_many(tasks, name="preprocess", resume=True, pilot=pilot)
    counts = made.done(timeout="60s")
    assert (counts["done"], counts["failed"]) == (19, 1)
    assert [outcome["name"] for outcome in made.failed()] == ["A03"]
    assert sorted(name for name, _ in made.as_completed()) == WELLS
    values = made.results(settled=True)
    assert values[:2] == [0, 0]
    assert isinstance(values[2], ph.PilothouseError)
    with pytest.raises(ph.PilothouseError):
        made.results()
    assert made[2].name == "A03"
    assert made[2].usage is not None
    again = session.tasks.submit_many(tasks, name="preprocess", resume=True, pilot=pilot)
    assert again.done(timeout="60s")["resumed"] == 19
    assert sorted(ran.read_text().split()) == sorted([*WELLS, "A03"])
    retried = again.retry_failed()
    assert retried.done(timeout="60s")["total"] == 1


def test_functions_give_values_and_exceptions(session: ph.Session, pilot: ph.Pilot) -> None:
    offset = 40

    def score(number: int) -> int:
        if number == 3:
            raise ValueError("three is not scored")
        return number + offset

    template = ph.Task(pilot=pilot)
    assert session.tasks.run(score, 2, template=template).result(timeout="60s") == 42
    made = session.tasks.map(score, range(5), template=template)
    assert [value for value in made.results(settled=True, timeout="60s") if isinstance(value, int)] == [40, 41, 42, 44]
    with pytest.raises(ValueError, match="three is not scored"):
        made.results()
    with session.executor(pilot) as executor:
        assert list(executor.map(score, [0, 1])) == [40, 41]


def test_what_a_function_raises_ends_nobody_else(session: ph.Session, pilot: ph.Pilot) -> None:
    def leave() -> None:
        sys.exit(3)

    def give_up() -> None:
        raise TimeoutError("the instrument did not answer")

    template = ph.Task(pilot=pilot)
    with pytest.raises(ph.PilothouseError, match="raised SystemExit: 3") as raised:
        session.tasks.run(leave, template=template).result(timeout="60s")
    assert raised.value.code == "FUNCTION_RAISED"
    with pytest.raises(TimeoutError, match="the instrument did not answer"):
        session.tasks.run(give_up, template=template).result(timeout="60s")
    with pytest.raises(TimeoutError, match="the instrument did not answer"):
        session.tasks.map(lambda _: give_up(), [1], template=template).results(timeout="60s")


def test_what_cannot_be_sent_is_refused_and_leaves_no_set(session: ph.Session, pilot: ph.Pilot) -> None:
    for bad in (float("nan"), "\udcff", object()):
        with pytest.raises(ph.PilothouseError) as raised:
            session.tasks.submit(["true"], pilot=pilot, metadata={"dose": bad})
        assert raised.value.code == "INVALID_DESCRIPTION"
    with pytest.raises(ph.PilothouseError, match="at most 8 MiB"):
        session.tasks.submit(["true"], pilot=pilot, metadata={"all": "x" * 9_000_000})
    with pytest.raises(ph.PilothouseError) as raised:
        session.tasks.submit_many([ph.Task(["true"], after=["nobody"])], name="refused", pilot=pilot)
    assert raised.value.code == "TASK_NOT_FOUND"
    assert [made.name for made in session.tasks.sets(all=True) if made.name == "refused"] == []


def test_a_file_of_a_task_comes_back(session: ph.Session, pilot: ph.Pilot) -> None:
    script = "mkdir out && printf '%s' wells > out/a.txt"
    task = session.tasks.submit(["sh", "-c", script], sandbox=True, pilot=pilot)
    task.done(timeout="30s")
    assert "out/a.txt" in [item["path"] for item in task.files()]
    assert task.output("out/a.txt") == b"wells"
    with pytest.raises(ph.PilothouseError) as caught:
        task.output("../../pilot.json")
    assert caught.value.code in ("DATA_NOT_FOUND", "PERMISSION_DENIED", "UNSAFE_PATH", "INVALID_DESCRIPTION")


def test_output_is_followed_while_it_grows(session: ph.Session, pilot: ph.Pilot, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo first; while [ ! -e {go} ]; do sleep 0.05; done; echo last"
    task = session.tasks.submit(["sh", "-c", script], pilot=pilot)
    seen = ""
    for text in task.follow():
        seen += text
        if seen == "first\n":
            go.touch()
    assert seen == "first\nlast\n"


def test_a_pilot_is_suspended_and_resumed(session: ph.Session, pilot: ph.Pilot) -> None:
    pilot.until("ACTIVE", timeout="30s")
    pilot.suspend()
    task = session.tasks.submit(["true"], pilot=pilot)
    wait_until(lambda: "until it is resumed" in task.explain(), "the task says why it waits")
    pilot.resume()
    assert task.done(timeout="30s")["state"] == "DONE"
    pilot.drain()
    assert pilot.done(timeout="30s")["state"] == "DONE"


def test_many_go_over_in_pieces(product: Folders) -> None:
    async def main() -> None:
        async with await ph.aconnect("tests") as session:
            pilot = await session.pilots.ensure("demo", cores=2, runtime="10m")
            await pilot.until("ACTIVE", timeout="30s")
            await pilot.suspend()
            made = await session.tasks.submit_many(
                [ph.Task(name=f"w{number}") for number in range(10_000)], template=ph.Task(["true"], pilot=pilot)
            )
            assert made.counts["total"] == 10_000
            await made.cancel()
            assert (await made.done(timeout="60s"))["canceled"] == 10_000

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTHOUSE_HOME", str(product.home))
        patch.setenv("PILOTHOUSE_RUNTIME_DIR", str(product.runtime))
        asyncio.run(main())
