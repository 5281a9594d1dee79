"""Handles of live things. A handle is a way to look: dropping it ends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from ._background import run, run_later
from ._ids import short_id
from ._streams import Chunk
from .aio.answer import AnswerResult, AsyncAnswer
from .aio.base import GOES_ON, AsyncHandle
from .aio.handles import (
    AsyncPilot,
    AsyncService,
    AsyncTask,
    AsyncTasks,
    Counts,
    Stream,
    TaskResult,
    counts_of,
    describe_tasks,
)
from .records import (
    AnswerRecord,
    LogChunk,
    Message,
    PilotRecord,
    ServiceRecord,
    Status,
    TaskRecord,
    Timing,
)
from .states import PilotState, RequestState, ServiceState, TaskState
from .units import Duration

T = TypeVar("T")
H = TypeVar("H", bound=AsyncHandle[Any])


def wait(work: Coroutine[Any, Any, T], goes_on: str) -> T:
    """Waits for it; an interrupt ends the waiting, never the work, and says so."""
    try:
        return run(work)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Stopped waiting. {goes_on}") from None


class Handle(Generic[H]):
    """A way to look at a live thing. In a notebook it shows itself, live."""

    def __init__(self, handle: H) -> None:
        self._async: H = handle

    @property
    def unblocked(self) -> H:
        """The same for ``async`` programs."""
        return self._async

    @property
    def id(self) -> str:
        """``<kind>-<10 characters>``; people see six of them."""
        return self._async.id

    @property
    def name(self) -> str:
        """Unique among your live things of this kind."""
        return self._async.name

    @property
    def status(self) -> Status:
        """State, reason, contact, since when, and which attempt, as of now."""
        self._refresh()
        return self._async.status

    def done(self, *, timeout: Duration | None = None) -> Status:
        """Waits for the end; a failure is a status here and no exception.

        Args:
            timeout: Default: none.

        Raises:
            PilothouseError: ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the work goes on.
        """
        return self._wait(self._async.done(timeout=timeout))

    def until(self, state: str, *, timeout: Duration | None = None) -> Status:
        """Waits until a state is reached.

        Raises:
            PilothouseError: ``STATE_UNREACHABLE`` at once, with the reason, when it can no longer come; ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the work goes on.

        Example:
            ``pilot.until("ACTIVE", timeout="3h")``
        """
        return self._wait(self._async.until(state, timeout=timeout))

    def explain(self) -> str:
        """Why it is not further than it is, in words."""
        return run(self._async.explain())

    def _refresh(self) -> None:
        run(self._async.refresh())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        kind = self._async.kind
        return wait(work, f"{self.name} ({short_id(self.id)}): {GOES_ON[kind]}")

    def show(self) -> None:
        """Shows it in the output of the cell that runs now: live in a notebook, as text elsewhere.

        The last line of a cell does that by itself.
        """
        self._async.show()

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return repr(self._async)


class Pilot(Handle[AsyncPilot]):
    """Resources held for some time."""

    @property
    def record(self) -> PilotRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> PilotState:
        """As of now."""
        return self.record["state"]

    def end(self) -> None:
        """Ends it with everything on it."""
        run(self._async.end())


class TaskHandle(Handle[AsyncTask]):
    """A command on a pilot."""

    @property
    def record(self) -> TaskRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> TaskState:
        """As of now."""
        return self.record["state"]

    def result(self, *, timeout: Duration | None = None) -> TaskResult:
        """Waits for the end.

        Raises:
            PilothouseError: ``TASK_FAILED`` (or what made it fail), ``TASK_CANCELED``, ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the task goes on.
        """
        return self._wait(self._async.result(timeout=timeout))

    def log(self, stream: Stream = "stdout", *, offset: int = 0, limit: int = 64 * 1024) -> LogChunk:
        """A piece of its output.

        Args:
            stream: Which output.
            offset: First byte; a negative one counts from the end.
            limit: Bytes, at most 1 MiB.
        """
        return run(self._async.log(stream, offset=offset, limit=limit))

    def cancel(self) -> None:
        """Ends it with everything it has started."""
        run(self._async.cancel())


class Tasks(Sequence[TaskHandle]):
    """Tasks that were submitted or listed together, in the order of their descriptions."""

    def __init__(self, tasks: AsyncTasks) -> None:
        self._async = tasks
        self._tasks = [TaskHandle(task) for task in tasks]

    @overload
    def __getitem__(self, index: int) -> TaskHandle: ...
    @overload
    def __getitem__(self, index: slice) -> list[TaskHandle]: ...
    def __getitem__(self, index: int | slice) -> TaskHandle | list[TaskHandle]:
        return self._tasks[index]

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[TaskHandle]:
        return iter(self._tasks)

    def done(self, *, timeout: Duration | None = None) -> Counts:
        """Waits until all are final; failures are counted, not raised.

        Raises:
            PilothouseError: ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the tasks go on.
        """
        return wait(self._async.done(timeout=timeout), "The tasks go on; .cancel() of each cancels it.")

    @property
    def counts(self) -> Counts:
        """How many have ended so far, as of the last call."""
        return counts_of(task.state for task in self._async)

    def __repr__(self) -> str:
        return describe_tasks([task.state for task in self._async])


class Service(Handle[AsyncService]):
    """A model service: one or more instances behind one name."""

    @property
    def record(self) -> ServiceRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> ServiceState:
        """As of now."""
        return self.record["state"]

    def ready(self, *, timeout: Duration | None = None) -> None:
        """Waits until it can be called.

        Raises:
            PilothouseError: ``SERVICE_FAILED`` (or what made it fail), ``SERVICE_STOPPED`` or ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the service goes on.
        """
        self._wait(self._async.ready(timeout=timeout))

    def chat(
        self,
        prompt: str | Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        timeout: Duration | None = None,
    ) -> Answer:
        """Asks it and returns at once. Asked before it is ready, the question waits.

        Args:
            prompt: The question, or a conversation: ``[{"role": "user", "content": "…"}]``.
            max_tokens: Most tokens to write; default: the server's.
            temperature: 0 to 2; default: the server's.
            seed: For the same answer again, where the server can.
            timeout: Of the whole answer, waiting included; default 10 minutes.

        Raises:
            PilothouseError: ``SERVICE_FAILED``, ``SERVICE_STOPPED``, ``QUEUE_FULL``, ``INVALID_DESCRIPTION``.

        Example:
            ``for chunk in llm.chat("Name a star."): print(chunk["text"], end="")``
        """
        asked = self._async.chat(prompt, max_tokens=max_tokens, temperature=temperature, seed=seed, timeout=timeout)
        return Answer(run(asked))

    def log(self, stream: Stream = "stdout", *, instance: int = 1, offset: int = 0, limit: int = 64 * 1024) -> LogChunk:
        """A piece of the output of one instance; bytes, as for tasks."""
        return run(self._async.log(stream, instance=instance, offset=offset, limit=limit))

    def probe(self) -> None:
        """Probes every instance now."""
        run(self._async.probe())

    def stop(self) -> None:
        """Stops it; an attached service is only let go."""
        run(self._async.stop())


class Answer(Handle[AsyncAnswer]):
    """The answer to one question, while it streams and afterwards.

    As the last line of a cell it shows itself: tokens while they are made, then text and timing. Iterating gives
    chunks; ``print(answer.text)`` gives what is there by now.
    """

    @property
    def record(self) -> AnswerRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> RequestState:
        """As of now."""
        return self.record["state"]

    @property
    def text(self) -> str:
        """All text so far."""
        return run(self._async.text())

    @property
    def timing(self) -> Timing | None:
        """Milliseconds; None until it is final."""
        return self.record["timing"]

    def result(self, *, timeout: Duration | None = None) -> AnswerResult:
        """Waits for the end.

        Raises:
            PilothouseError: what made it fail, ``ANSWER_STOPPED``, or ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the answer goes on.
        """
        return self._wait(self._async.result(timeout=timeout))

    def __iter__(self) -> Iterator[Chunk]:
        """Every chunk from the first on, none lost or doubled, also across lost connections.

        Raises:
            PilothouseError: what made it fail, or ``ANSWER_STOPPED``, after the last chunk.
            KeyboardInterrupt: The waiting was interrupted; the answer goes on.
        """
        chunks = _Chunks(self._async.chunks())
        try:
            while (chunk := self._wait(chunks.next())) is not None:
                yield chunk
        finally:
            # Whoever collects garbage may come here, on any thread and at the very end; so nobody waits.
            run_later(chunks.close)

    def stop(self) -> None:
        """Stops it, at the server too."""
        run(self._async.stop())

    def retry(self) -> Answer:
        """Asks the same again, as a new answer."""
        return Answer(run(self._async.retry()))


class _Chunks:
    """One reader's place in a stream. A read that was interrupted has ended before the stream is closed."""

    def __init__(self, chunks: AsyncGenerator[Chunk, None]) -> None:
        self._chunks = chunks
        self._reading = asyncio.Lock()

    async def next(self) -> Chunk | None:
        async with self._reading:
            return await anext(self._chunks, None)

    async def close(self) -> None:
        async with self._reading:
            await self._chunks.aclose()
