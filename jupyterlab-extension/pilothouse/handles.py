"""Handles of pilots, tasks and services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from ._background import run
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
from .answer import Answer
from .handle import Handle, wait
from .records import LogChunk, Message, PilotRecord, ServiceRecord, TaskRecord
from .states import PilotState, ServiceState, TaskState
from .units import Duration


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
