"""Tasks and task sets: commands and calls on a pilot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._background import iterate, run
from .aio.task import AsyncTask, Stream
from .aio.task_set import AsyncTaskSet, value_of
from .aio.tasks import AsyncTaskCalls
from .descriptions import Ref
from .handle import Handle
from .records import LogChunk
from .states import TaskSetState, TaskState
from .task import Task, TaskFields, takes_task_fields
from .task_records import TaskCounts, TaskFile, TaskOutcome, TaskRecord, TaskSetRecord, TaskUsage
from .units import Duration

if TYPE_CHECKING:
    from typing_extensions import Unpack


class TaskHandle(Handle[AsyncTask]):
    """A command or a call on a pilot."""

    @property
    def record(self) -> TaskRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> TaskState:
        """As of now."""
        return self.record["state"]

    @property
    def usage(self) -> TaskUsage | None:
        """What it has used, once it has ended: seconds, bytes, share of its GPUs."""
        return self.record["usage"]

    def result(self, *, timeout: Duration | None = None) -> Any:
        """Waits for the end. A command gives a :class:`TaskResult`, a call what the function gave back.

        Raises:
            PilothouseError: ``TASK_FAILED`` (or what made it fail), ``TASK_CANCELED``, ``TIMEOUT``.
            Exception: What a function raised, with its traceback as the cause.
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

    def follow(self, stream: Stream = "stdout", *, offset: int = 0) -> Iterator[str]:
        """Its output from a byte on, as it grows, until the task has ended.

        Example:
            ``for text in task.follow(): print(text, end="")``
        """
        yield from iterate(self._async.follow(stream, offset=offset), self._wait)

    def files(self) -> Sequence[TaskFile]:
        """What it has left in its own folder, or what its ``stage_out`` names; at most 1,000."""
        return run(self._async.files())

    def output(self, path: str) -> bytes:
        """One of its files, whole.

        Args:
            path: Relative to its working directory.

        Raises:
            PilothouseError: ``DATA_NOT_FOUND``; ``FILE_TOO_LARGE``, which says where the file can be copied from.
        """
        return run(self._async.output(path))

    def retry(self) -> TaskHandle:
        """The same again, as a new task."""
        return TaskHandle(run(self._async.retry()))


class TaskSet(Handle[AsyncTaskSet]):
    """Tasks that were submitted together: one thing to wait for, to look at and to end.

    In a notebook it shows itself live: a bar, counts, rate, and failures first.
    """

    @property
    def record(self) -> TaskSetRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> TaskSetState:
        """As of now. ``FAILED`` when a task of it failed, ``CANCELED`` when it was canceled and none failed."""
        return self.record["state"]

    @property
    def counts(self) -> TaskCounts:
        """How many of its tasks are where, as of now."""
        return self.record["counts"]

    def __len__(self) -> int:
        return self.counts["total"]

    def __getitem__(self, number: int) -> TaskHandle:
        """One of its tasks, by its number in the order of submission."""
        total = len(self)
        if not -total <= number < total:
            raise IndexError(f"task {number} of {total}")
        return TaskHandle(run(self._async.task(number % total)))

    def __iter__(self) -> Iterator[TaskHandle]:
        """Its tasks in the order of submission."""
        return (self[number] for number in range(len(self)))

    def done(self, *, timeout: Duration | None = None) -> TaskCounts:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Waits until all have ended; failures are counted, not raised.

        Raises:
            PilothouseError: ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the tasks go on.
        """
        return self._wait(self._async.done(timeout=timeout))

    def outcomes(self, start: int = 0) -> Iterator[TaskOutcome]:
        """What each task came to, in the order of completion from number ``start``: none lost, none doubled."""
        yield from iterate(self._async.outcomes(start), self._wait)

    def as_completed(self) -> Iterator[tuple[str, Any]]:
        """Name and value (or exception) of each task, in the order of completion."""
        for outcome in self.outcomes():
            yield outcome["name"], value_of(outcome)

    def results(self, *, settled: bool = False, timeout: Duration | None = None) -> list[Any]:
        """Waits for all, and gives what each came to in the order of submission.

        A call gives its value; a command its exit code.

        Args:
            settled: Give failures as exceptions in the list, instead of raising the first.
            timeout: Default: none.

        Raises:
            PilothouseError: What made the first one fail; ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the tasks go on.
        """
        return self._wait(self._async.results(settled=settled, timeout=timeout))

    def failed(self) -> list[TaskOutcome]:
        """What has failed so far and why, in the order of failure."""
        ended = self.counts
        so_far = ended["done"] + ended["failed"] + ended["canceled"]
        found: list[TaskOutcome] = []
        for outcome in self.outcomes() if so_far > 0 else ():
            if outcome["state"] == "FAILED":
                found.append(outcome)
            if outcome["index"] + 1 >= so_far:
                break
        return found

    def to_pandas(self, *, timeout: Duration | None = None) -> Any:
        """Waits for all and gives a ``pandas.DataFrame`` with one row per task, in the order of submission.

        Its columns are name, state, value, exit code, error, attempt and usage.

        Raises:
            ImportError: pandas is not installed in this environment.
        """
        try:
            pandas = import_module("pandas")
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: install it into this notebook's environment") from error
        self.done(timeout=timeout)
        rows = [_row(outcome) for outcome in self.outcomes()]
        return pandas.DataFrame(sorted(rows, key=lambda row: row["number"])).set_index("number")

    def cancel(self) -> None:
        """Cancels what has not ended."""
        run(self._async.cancel())

    def retry_failed(self, *, canceled: bool = False) -> TaskSet:
        """Its failed tasks (with ``canceled``, also those) again, as a new set."""
        return TaskSet(run(self._async.retry_failed(canceled=canceled)))


def _row(outcome: TaskOutcome) -> dict[str, Any]:
    value = value_of(outcome)
    error = outcome["error"]
    return {
        "number": outcome["number"],
        "name": outcome["name"],
        "state": outcome["state"],
        "value": None if isinstance(value, BaseException) or outcome["value"] is None else value,
        "exit_code": outcome["exitCode"],
        "error": None if error is None else error["message"],
        "attempt": outcome["attempt"],
        **{f"usage_{name}": amount for name, amount in (outcome["usage"] or {}).items()},
    }


class TaskCalls:
    """Tasks: commands and calls on a pilot."""

    def __init__(self, calls: AsyncTaskCalls) -> None:
        self._async = calls

    @takes_task_fields
    def submit(
        self, command: Task | Sequence[str], *, timeout: Duration | None = None, **fields: Unpack[TaskFields]
    ) -> TaskHandle:
        """Submits one; durable when it returns. The fields are those of :class:`pilothouse.Task`.

        Raises:
            PilothouseError: ``INVALID_DESCRIPTION``, ``PILOT_NOT_FOUND``, ``SERVICE_NOT_FOUND`` …

        Example:
            ``task = s.tasks.submit(["python", "prep.py", "--well", "A01"], cores=2)``
        """
        return TaskHandle(run(self._async.submit(command, timeout=timeout, **fields)))

    def submit_many(
        self,
        tasks: Iterable[Task],
        *,
        name: str | None = None,
        resume: bool = False,
        template: Task | None = None,
        pilot: Ref | None = None,
        timeout: Duration | None = None,
    ) -> TaskSet:
        """Submits all as one set; durable when it returns.

        Args:
            tasks: 100,000 take a few seconds.
            name: Of the set; default: made from the first command.
            resume: A task that the latest set of this name has done, with the same name and description, is taken over
                instead of being run again.
            template: Fields that every task starts from; a task's own come on top.
            pilot: Where they run; default: the only live pilot, or the first of several that has room.
            timeout: Of opening the set; default 30 s.

        Example:
            ``s.tasks.submit_many([ph.Task(["python", "prep.py", w], name=w) for w in wells], name="preprocess")``
        """
        made = self._async.submit_many(tasks, name=name, resume=resume, template=template, pilot=pilot, timeout=timeout)
        return TaskSet(run(made))

    def run(self, function: Callable[..., Any], *args: Any, template: Task | None = None, **kwargs: Any) -> TaskHandle:
        """Calls a function once in a warm worker; ``.result()`` gives its value or raises what it raised.

        The function may come from a module beside the notebook or be defined in the notebook.

        Args:
            function: What is called.
            *args: Its arguments.
            template: What each call needs: cores, GPUs, environment, retries …
            **kwargs: Its keyword arguments.

        Raises:
            PilothouseError: ``FUNCTION_NOT_SENDABLE``, which says why and what to do.

        Example:
            ``s.tasks.run(score, "A01").result()``
        """
        return TaskHandle(run(self._async.run(function, *args, template=template, **kwargs)))

    def map(
        self,
        function: Callable[..., Any],
        items: Iterable[Any],
        *,
        name: str | None = None,
        template: Task | None = None,
    ) -> TaskSet:
        """Calls a function for each item in warm workers, as one set; ``.results()`` gives the values in order.

        Example:
            ``s.tasks.map(score, wells).results()``
        """
        return TaskSet(run(self._async.map(function, items, name=name, template=template)))

    def cancel_many(self, ids: Sequence[str]) -> int:
        """Cancels these; those that have ended are left as they are. Gives how many were canceled."""
        return run(self._async.cancel_many(ids))

    def get(self, ref: str) -> TaskHandle:
        """By id or name; ``TASK_NOT_FOUND``."""
        return TaskHandle(run(self._async.get(ref)))

    def get_set(self, ref: str) -> TaskSet:
        """A task set by id or name; ``TASK_SET_NOT_FOUND``."""
        return TaskSet(run(self._async.get_set(ref)))

    def list(self, *, all: bool = False) -> Sequence[TaskHandle]:
        """The live ones; with ``all``, those that have ended too. Those of sets are not among them."""
        return [TaskHandle(task) for task in run(self._async.list(all=all))]

    def sets(self, *, all: bool = False) -> Sequence[TaskSet]:
        """The live task sets; with ``all``, those that have ended too."""
        return [TaskSet(made) for made in run(self._async.sets(all=all))]
