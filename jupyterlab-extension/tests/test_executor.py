"""`concurrent.futures` over warm workers, with the built product."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pilothouse as ph
import pytest
from rig import pilot_of


def by_value(function):
    """As a notebook's: nothing that a worker could import."""
    function.__module__ = "__main__"
    return function


def test_an_executor_does_what_the_standard_says(session: ph.Session, tmp_path: Path) -> None:
    pilot = pilot_of(session)
    factor = 3

    @by_value
    def score(well: int, by: float = 1.0) -> tuple[int, float]:
        return well * factor, by

    @by_value
    def refuse(dose: float) -> None:
        raise ValueError(f"dose {dose}")

    @by_value
    def statistics(values: np.ndarray) -> np.ndarray:
        return np.array([values.mean(), values.max()])

    @by_value
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @by_value
    def wait_for(path: str) -> str:
        while not Path(path).exists():
            time.sleep(0.01)
        return "seen"

    with session.executor(pilot) as executor:
        assert list(executor.map(score, range(200))) == [(well * 3, 1.0) for well in range(200)]
        assert executor.submit(score, 5, by=2.0).result(60) == (15, 2.0)
        assert executor.submit(os.path.basename, "/a/b").result(60) == "b"
        failed = executor.submit(refuse, 7.5)
        with pytest.raises(ValueError, match=r"dose 7\.5") as raised:
            failed.result(60)
        assert "in refuse" in str(raised.value.__cause__)
        large = executor.submit(statistics, np.arange(2_000_000.0)).result(60)
        assert isinstance(large, np.ndarray)
        assert large.tolist() == [999999.5, 1999999.0]
        # What was written for one call alone goes with it.
        values = Path(os.environ["PILOTHOUSE_HOME"]) / "values"
        assert not list(values.glob("args-*"))
        with pytest.raises(ph.PilothouseError) as lost:
            executor.submit(die).result(60)
        assert lost.value.code == "WORKER_LOST"
        # One worker for each core: the first takes it, the others wait and can be canceled.
        gate = tmp_path / "gate"
        running = executor.submit(wait_for, str(gate))
        waiting = [executor.submit(wait_for, str(gate)) for _ in range(20)]
        assert waiting[-1].cancel()
        assert waiting[-1].cancelled()
        executor.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError):
            executor.submit(score, 1)
        gate.touch()
        done, left = concurrent.futures.wait([running, *waiting], timeout=60)
        assert not left
        assert running.cancelled() or running.result() == "seen"
        assert all(future.cancelled() or future.result() == "seen" for future in done)
        assert sum(future.cancelled() for future in waiting) >= 15
    assert executor.set is not None


def test_another_minor_version_is_refused_with_both(session: ph.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse._functions.references.VERSION", "3.2")
    pilot = pilot_of(session)
    with session.executor(pilot) as executor, pytest.raises(ph.PilothouseError) as refused:
        executor.submit(by_value(lambda well: well), 1).result(60)
    assert refused.value.code == "FUNCTION_NOT_SENDABLE"
    assert "3.2" in refused.value.message
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in refused.value.message


def test_calls_from_several_threads_come_back_to_each(session: ph.Session) -> None:
    pilot = pilot_of(session)
    found: dict[int, list[int]] = {}
    with session.executor(pilot) as executor:

        def ask(thread: int) -> None:
            found[thread] = list(executor.map(abs, range(-50 * thread, 0)))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {thread: len(values) for thread, values in found.items()} == {1: 50, 2: 100, 3: 150, 4: 200}
