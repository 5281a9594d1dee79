"""Handles of task sets, for ``async`` programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, cast

from .._client import Client
from .._functions import decode_payload, remote_error
from .._ids import new_id
from .._origin import current_origin
from .._streams import resumed
from ..errors import PilothouseError
from ..states import Kind, TaskSetState
from ..task_records import TaskCounts, TaskOutcome, TaskRecord, TaskSetRecord
from ..units import Duration
from .base import AsyncHandle, seconds
from .task import AsyncTask


class AsyncTaskSet(AsyncHandle[TaskSetRecord]):
    """Tasks that were submitted together: one thing to wait for, to look at and to end."""

    kind: ClassVar[Kind] = "set"

    def __init__(self, client: Client, record: TaskSetRecord, owner: str) -> None:
        super().__init__(client, record)
        self._owner = owner

    @property
    def state(self) -> TaskSetState:
        """As of the last call."""
        return self._record["state"]

    @property
    def counts(self) -> TaskCounts:
        """How many of its tasks are where, as of the last call."""
        return self._record["counts"]

    async def done(self, *, timeout: Duration | None = None) -> TaskCounts:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Waits until all have ended; failures are counted, not raised."""
        await super().done(timeout=timeout)
        return self.counts

    async def outcomes(self, start: int = 0) -> AsyncGenerator[TaskOutcome, None]:
        """What each task came to, in the order of completion from number ``start``: none lost, none doubled.

        It ends after the last task of a set that is closed, and goes on across restarts of Pilothouse.
        """
        position = start

        def request() -> Mapping[str, Any]:
            return {"set": self.id, "from": position}

        async with aclosing(resumed(self._client, "sets/results", request)) as batches:
            async for batch in batches:
                for outcome in cast("list[TaskOutcome]", batch["outcomes"]):
                    if outcome["index"] >= position:
                        yield outcome
                        position = outcome["index"] + 1
                if batch["complete"]:
                    return

    async def results(self, *, settled: bool = False, timeout: Duration | None = None) -> list[Any]:
        """Waits for all, and gives what each came to in the order of submission.

        A call gives its value; a command its exit code.

        Args:
            settled: Give failures as exceptions in the list, instead of raising the first.
            timeout: Default: none.

        Raises:
            PilothouseError: What made the first one fail; ``TIMEOUT``.
        """
        try:
            values, failure = await asyncio.wait_for(self._results(settled), seconds(timeout))
        except asyncio.TimeoutError as error:
            raise PilothouseError(
                "TIMEOUT",
                f"set {self.name} has not ended after {timeout}",
                hint="The tasks go on; wait longer, or see .explain().",
                ids={"set": self.id},
            ) from error
        # Raised out here: a function may have raised TimeoutError itself.
        if failure is not None:
            raise failure
        return values

    async def _results(self, settled: bool) -> tuple[list[Any], Exception | None]:
        values: dict[int, Any] = {}
        async with aclosing(self.outcomes()) as outcomes:
            async for outcome in outcomes:
                value = value_of(outcome)
                if outcome["state"] != "DONE" and not settled:
                    return [], value
                values[outcome["number"]] = value
        await self.refresh()
        return [values[number] for number in sorted(values)], None

    async def add(self, entries: Sequence[Mapping[str, Any]], start: int, *, close: bool = False) -> int:
        """Adds tasks as they travel; durable when it returns.

        Args:
            entries: Fields on top of the set's template.
            start: Number of the first: what is there already is not added twice.
            close: No more will come.

        Returns:
            How many there are now.
        """
        data = {"set": self.id, "from": start, "tasks": list(entries), "close": close}
        answer = await self._client.call("sets/add", data)
        return cast("int", answer["total"])

    async def task(self, number: int, *, timeout: Duration | None = None) -> AsyncTask:
        """One of its tasks, by its number in the order of submission, from 0."""
        record = await self._client.call("tasks/get", {"ref": f"{self.id}.{number}"}, timeout=seconds(timeout))
        return AsyncTask(self._client, cast("TaskRecord", record), self._owner)

    async def cancel(self, *, timeout: Duration | None = None) -> None:
        """Cancels what has not ended."""
        self._record = await self._call("cancel", timeout=timeout)

    async def retry_failed(self, *, canceled: bool = False, timeout: Duration | None = None) -> AsyncTaskSet:
        """Its failed tasks (with ``canceled``, also those) again, as a new set."""
        origin = current_origin(self._owner)
        data = {"ref": self.id, "canceled": canceled, "origin": origin, "key": new_id("key")}
        record = await self._client.call("sets/retryFailed", data, timeout=seconds(timeout))
        return AsyncTaskSet(self._client, cast("TaskSetRecord", record), self._owner)

    def __repr__(self) -> str:
        counts = self.counts
        to_go = counts["waiting"] + counts["running"]
        ended = ", ".join(f"{counts[key]} {key}" for key in ("done", "failed", "canceled"))
        return f"<set {self.name} {self.state}: {counts['total']} tasks: {ended}, {to_go} to go>"


def value_of(outcome: TaskOutcome) -> Any:
    """What one task came to: a value, an exit code, or the exception that says why there is neither."""
    if outcome["exception"] is not None:
        return remote_error(outcome)
    if outcome["error"] is not None:
        return PilothouseError.from_data(outcome["error"])
    if outcome["state"] == "CANCELED":
        return PilothouseError("TASK_CANCELED", f"task {outcome['name']} was canceled", ids={"task": outcome["id"]})
    return outcome["exitCode"] if outcome["value"] is None else decode_payload(outcome["value"])
