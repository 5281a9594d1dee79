"""The blocking classes and those for ``async`` programs say the same words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields

import pilothouse as ph
import pytest
from pilothouse import aio, batch, pilots, service, services, session, tasks
from pilothouse.aio import batch as aio_batch
from pilothouse.aio import pilots as aio_pilots
from pilothouse.aio import services as aio_services
from pilothouse.aio import tasks as aio_tasks
from pilothouse.task import TaskFields

PAIRS = [
    (pilots.Pilot, aio.AsyncPilot),
    (pilots.Pilots, aio_pilots.AsyncPilots),
    (tasks.TaskHandle, aio.AsyncTask),
    (tasks.TaskSet, aio.AsyncTaskSet),
    (tasks.TaskCalls, aio_tasks.AsyncTaskCalls),
    (service.Service, aio.AsyncService),
    (services.Services, aio_services.AsyncServices),
    (services.Answers, aio_services.AsyncAnswers),
    (services.Credentials, aio_services.AsyncCredentials),
    (ph.Answer, aio.AsyncAnswer),
    (batch.Batch, aio.AsyncBatch),
    (batch.Batches, aio_batch.AsyncBatches),
    (session.Session, ph.AsyncSession),
]
#: What only one side has, and why.
ONLY_BLOCKING = {
    "unblocked",  # the way over
    "as_completed",
    "failed",
    "to_pandas",  # made of what both sides have
    "executor",  # concurrent.futures is for code that blocks
    "timing",
    "value",  # awaited, the result
}
ONLY_ASYNC = {
    "refresh",
    "learn",
    "final",  # a blocking handle is always as of now
    "add",
    "task",  # indexing a blocking set
    "open_set",  # how larger sets are put together
    "chunks",  # iterating a blocking answer
}


def public(of: type) -> dict[str, Callable[..., object]]:
    return {name: value for name, value in inspect.getmembers(of) if not name.startswith("_")}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].__name__)
def test_pairs_have_the_same_methods(pair: tuple[type, type]) -> None:
    blocking, unblocked = (set(public(side)) for side in pair)
    assert blocking - unblocked - ONLY_BLOCKING == set()
    assert unblocked - blocking - ONLY_ASYNC - {"kind"} == set()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].__name__)
def test_pairs_take_the_same_arguments(pair: tuple[type, type]) -> None:
    blocking, unblocked = (public(side) for side in pair)
    for name in blocking.keys() & unblocked.keys():
        if not callable(blocking[name]):
            continue
        ours, theirs = (inspect.signature(side[name]).parameters for side in (blocking, unblocked))
        # Any async call may have a time-out of its own; a blocking one has it where it waits.
        differing = set(ours.keys() ^ theirs.keys()) - {"timeout"}
        assert differing == set(), f"{name}: {differing}"
        for key in ours.keys() & theirs.keys():
            assert ours[key].default == theirs[key].default, f"{name}({key})"


def test_fields_of_a_task_are_the_same_as_class_and_as_keywords() -> None:
    assert {item.name for item in fields(ph.Task)} - {"command"} == set(TaskFields.__annotations__)
