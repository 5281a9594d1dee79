"""Handles of pilots, tasks and services, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypedDict, cast, overload

from .._client import Client
from .._ids import new_id
from .._origin import current_origin
from ..descriptions import chat_options, messages_of
from ..records import LogChunk, Message, PilotRecord, ServiceRecord, TaskRecord
from ..states import Kind, PilotState, ServiceState, TaskState, is_final
from ..units import Duration
from .answer import AsyncAnswer
from .base import AsyncHandle, failure_of, seconds, wait_for_all

Stream = Literal["stdout", "stderr"]
#: How much of its output a finished task's result holds, in bytes.
_RESULT_BYTES = 64 * 1024


class AsyncPilot(AsyncHandle[PilotRecord]):
    """Resources held for some time."""

    kind: ClassVar[Kind] = "pilot"

    @property
    def state(self) -> PilotState:
        """As of the last call."""
        return self._record["state"]

    async def end(self, *, timeout: Duration | None = None) -> None:
        """Ends it with everything on it."""
        self._record = await self._call("end", timeout=timeout)


@dataclass(frozen=True)
class TaskResult:
    """What a finished task came to.

    Attributes:
        exit_code: 0.
        stdout: The last 64 KiB.
    """

    exit_code: int
    stdout: str


class AsyncTask(AsyncHandle[TaskRecord]):
    """A command on a pilot."""

    kind: ClassVar[Kind] = "task"

    @property
    def state(self) -> TaskState:
        """As of the last call."""
        return self._record["state"]

    async def result(self, *, timeout: Duration | None = None) -> TaskResult:
        """Waits for the end.

        Raises:
            PilothouseError: ``TASK_FAILED`` (or what made it fail), ``TASK_CANCELED``, ``TIMEOUT``.
        """
        await self.done(timeout=timeout)
        record = self._record
        if record["state"] == "CANCELED":
            raise failure_of(record, "TASK_CANCELED", f"task {self.name} was canceled")
        if record["state"] != "DONE":
            raise failure_of(record, "TASK_FAILED", f"task {self.name} failed with exit code {record['exitCode']}")
        chunk = await self.log(offset=-_RESULT_BYTES, limit=_RESULT_BYTES)
        return TaskResult(record["exitCode"] or 0, chunk["text"])

    async def log(
        self,
        stream: Stream = "stdout",
        *,
        offset: int = 0,
        limit: int = 64 * 1024,
        timeout: Duration | None = None,
    ) -> LogChunk:
        """A piece of its output.

        Args:
            stream: Which output.
            offset: First byte; a negative one counts from the end.
            limit: Bytes, at most 1 MiB.
            timeout: Of the call; default 30 s.
        """
        data = {"ref": self.id, "stream": stream, "offset": offset, "limit": limit}
        return cast("LogChunk", await self._client.call("tasks/log", data, timeout=seconds(timeout)))

    async def cancel(self, *, timeout: Duration | None = None) -> None:
        """Ends it with everything it has started."""
        self._record = await self._call("cancel", timeout=timeout)


class Counts(TypedDict):
    """How many tasks came to which end."""

    done: int
    failed: int
    canceled: int


class AsyncTasks(Sequence[AsyncTask]):
    """Tasks that were submitted together, in the order of their descriptions."""

    def __init__(self, client: Client, tasks: Iterable[AsyncTask]) -> None:
        self._client = client
        self._tasks = list(tasks)

    @overload
    def __getitem__(self, index: int) -> AsyncTask: ...
    @overload
    def __getitem__(self, index: slice) -> list[AsyncTask]: ...
    def __getitem__(self, index: int | slice) -> AsyncTask | list[AsyncTask]:
        return self._tasks[index]

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[AsyncTask]:
        return iter(self._tasks)

    async def done(self, *, timeout: Duration | None = None) -> Counts:
        """Waits until all are final; failures are counted, not raised."""
        await wait_for_all(self._client, self._tasks, timeout)
        return self.counts

    @property
    def counts(self) -> Counts:
        """How many have ended so far, as of the last call."""
        return counts_of(task.state for task in self._tasks)

    def __repr__(self) -> str:
        return describe_tasks([task.state for task in self._tasks])


def counts_of(states: Iterable[TaskState]) -> Counts:
    """Counts the final states."""
    ended = list(states)
    return {"done": ended.count("DONE"), "failed": ended.count("FAILED"), "canceled": ended.count("CANCELED")}


def describe_tasks(states: Sequence[TaskState]) -> str:
    """``<20 tasks: 17 done, 1 failed, 0 canceled, 2 to go>``."""
    counts = counts_of(states)
    to_go = sum(not is_final("task", state) for state in states)
    ended = ", ".join(f"{count} {word}" for word, count in cast("dict[str, int]", counts).items())
    return f"<{len(states)} tasks: {ended}, {to_go} to go>"


class AsyncService(AsyncHandle[ServiceRecord]):
    """A model service: one or more instances behind one name."""

    kind: ClassVar[Kind] = "service"

    def __init__(self, client: Client, record: ServiceRecord, owner: str) -> None:
        super().__init__(client, record)
        self._owner = owner

    @property
    def state(self) -> ServiceState:
        """As of the last call."""
        return self._record["state"]

    async def ready(self, *, timeout: Duration | None = None) -> None:
        """Waits until it can be called.

        Raises:
            PilothouseError: ``SERVICE_FAILED`` (or what made it fail), ``SERVICE_STOPPED`` or ``TIMEOUT``.
        """
        callable_states = ("READY", "DEGRADED")
        await self._wait(
            lambda record: record["state"] in callable_states or is_final("service", record["state"]),
            timeout,
            "until it is ready",
        )
        if self.state == "FAILED":
            raise failure_of(self._record, "SERVICE_FAILED", f"service {self.name} failed")
        if self.state not in callable_states:
            raise failure_of(self._record, "SERVICE_STOPPED", f"service {self.name} was stopped")

    async def chat(
        self,
        prompt: str | Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        timeout: Duration | None = None,
    ) -> AsyncAnswer:
        """Asks it. Asked before it is ready, the question waits.

        Args:
            prompt: The question, or a conversation: ``[{"role": "user", "content": "…"}]``.
            max_tokens: Most tokens to write; default: the server's.
            temperature: 0 to 2; default: the server's.
            seed: For the same answer again, where the server can.
            timeout: Of the whole answer, waiting included; default 10 minutes.
        """
        options = chat_options(max_tokens=max_tokens, temperature=temperature, seed=seed, timeout=timeout)
        data: dict[str, Any] = {
            "service": self.id,
            "messages": messages_of(prompt),
            "options": options,
            "origin": current_origin(self._owner),
            "key": new_id("key"),
        }
        return AsyncAnswer(self._client, await self._client.call("answers/chat", data), self._owner)

    async def log(
        self,
        stream: Stream = "stdout",
        *,
        instance: int = 1,
        offset: int = 0,
        limit: int = 64 * 1024,
        timeout: Duration | None = None,
    ) -> LogChunk:
        """A piece of the output of one instance; bytes, as for tasks."""
        data = {"ref": self.id, "stream": stream, "offset": offset, "limit": limit, "instance": instance}
        return cast("LogChunk", await self._client.call("services/log", data, timeout=seconds(timeout)))

    async def probe(self, *, timeout: Duration | None = None) -> None:
        """Probes every instance now."""
        self._record = await self._call("probe", timeout=timeout)

    async def stop(self, *, timeout: Duration | None = None) -> None:
        """Stops it; an attached service is only let go."""
        self._record = await self._call("stop", timeout=timeout)
