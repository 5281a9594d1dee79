"""A client's session: the way to everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from ._background import run
from .aio.session import AsyncSession, aconnect
from .aio.work import AsyncPilots, AsyncTaskCalls
from .descriptions import Ref, Task
from .handle import Handle
from .handles import Pilot, TaskHandle, Tasks
from .records import Check
from .services import Answers, Credentials, Services
from .units import Duration, Size


class Pilots:
    """Pilots: resources held for some time."""

    def __init__(self, calls: AsyncPilots) -> None:
        self._async = calls

    def ensure(
        self,
        name: str,
        *,
        engine: str | None = None,
        cores: int | None = None,
        gpus: int | None = None,
        memory: Size | None = None,
        nodes: int | None = None,
        runtime: Duration = "1h",
        timeout: Duration | None = None,
    ) -> Pilot:
        """The live one of that name, else a new one: running all cells twice never makes a second pilot.

        Args:
            name: Letters, digits, dots, dashes and underscores.
            engine: Where; default ``"local"``, this machine.
            cores: CPU cores to hold; default 1.
            gpus: GPUs to hold; default 0.
            memory: For example ``"4GiB"``, or bytes; default: no limit of its own.
            nodes: Always 1 on this machine.
            runtime: It ends by itself after this time.
            timeout: Of the call; default 30 s. It does not wait until the pilot is active.

        Raises:
            PilothouseError: ``PILOT_REFUSED``, ``DESCRIPTION_CHANGED``, ``INVALID_DESCRIPTION``.

        Example:
            ``pilot = s.pilots.ensure("demo", cores=2, runtime="1h")``
        """
        found = self._async.ensure(
            name,
            engine=engine,
            cores=cores,
            gpus=gpus,
            memory=memory,
            nodes=nodes,
            runtime=runtime,
            timeout=timeout,
        )
        return Pilot(run(found))

    def submit(
        self,
        name: str | None = None,
        *,
        engine: str | None = None,
        cores: int | None = None,
        gpus: int | None = None,
        memory: Size | None = None,
        nodes: int | None = None,
        runtime: Duration = "1h",
        timeout: Duration | None = None,
    ) -> Pilot:
        """Always a new one; the fields are those of :meth:`ensure`."""
        made = self._async.submit(
            name,
            engine=engine,
            cores=cores,
            gpus=gpus,
            memory=memory,
            nodes=nodes,
            runtime=runtime,
            timeout=timeout,
        )
        return Pilot(run(made))

    def get(self, ref: str) -> Pilot:
        """By id or name; ``PILOT_NOT_FOUND``."""
        return Pilot(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Sequence[Pilot]:
        """The live ones; with ``all``, those that have ended too."""
        return [Pilot(pilot) for pilot in run(self._async.list(all=all))]


class TaskCalls:
    """Tasks: commands on a pilot."""

    def __init__(self, calls: AsyncTaskCalls) -> None:
        self._async = calls

    def submit(
        self,
        command: Task | Sequence[str],
        *,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        sandbox: bool = False,
        cores: int | None = None,
        gpus: int | None = None,
        memory: Size | None = None,
        services: Sequence[Ref] = (),
        pilot: Ref | None = None,
        timeout: Duration | None = None,
    ) -> TaskHandle:
        """Submits one; durable when it returns. The fields are those of :class:`pilothouse.Task`.

        Raises:
            PilothouseError: ``INVALID_DESCRIPTION``, ``PILOT_NOT_FOUND``, ``SERVICE_NOT_FOUND`` …

        Example:
            ``task = s.tasks.submit(["python", "prep.py", "--well", "A01"], cores=2)``
        """
        made = self._async.submit(
            command,
            name=name,
            env=env,
            cwd=cwd,
            sandbox=sandbox,
            cores=cores,
            gpus=gpus,
            memory=memory,
            services=services,
            pilot=pilot,
            timeout=timeout,
        )
        return TaskHandle(run(made))

    def submit_many(self, tasks: Iterable[Task], *, timeout: Duration | None = None) -> Tasks:
        """Submits all; durable when it returns.

        Example:
            ``s.tasks.submit_many([ph.Task(["python", "prep.py", w], name=w) for w in wells]).done()``
        """
        return Tasks(run(self._async.submit_many(tasks, timeout=timeout)))

    def get(self, ref: str) -> TaskHandle:
        """By id or name; ``TASK_NOT_FOUND``."""
        return TaskHandle(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Tasks:
        """The live ones; with ``all``, those that have ended too."""
        return Tasks(run(self._async.list(all=all)))


class Session:
    """A connection to Pilothouse. Closing it ends nothing; what it made goes on.

    Attributes:
        name: Whose things are made here: the notebook's path, or the name given to :func:`connect`.
        pilots: Resources held for some time.
        tasks: Commands on a pilot.
        services: Model services.
        answers: Answers that are kept.
        credentials: Stored secrets.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._async = session
        self.name = session.name
        self.pilots = Pilots(session.pilots)
        self.tasks = TaskCalls(session.tasks)
        self.services = Services(session.services)
        self.answers = Answers(session)
        self.credentials = Credentials(session)

    def engines(self) -> Sequence[dict[str, Any]]:
        """Where resources can be held here, with limits, or why not."""
        return run(self._async.engines())

    def doctor(self) -> Sequence[Check]:
        """Every check of ``pilothouse doctor``."""
        return run(self._async.doctor())

    def forget(self, handle: Handle[Any]) -> None:
        """Takes a final thing off the lists."""
        run(self._async.forget(handle.unblocked))

    def close(self) -> None:
        """Ends the connection and nothing else."""
        run(self._async.close())

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._async)


def connect(name: str | None = None, *, timeout: Duration | None = None) -> Session:
    """Connects to this user's Pilothouse, and starts it where it does not run.

    Args:
        name: Whose things are made here; default: the notebook's or script's path. It outlives restarts of the kernel.
        timeout: For connecting; default 30 s.

    Raises:
        PilothouseError: ``LAUNCHER_MISSING``, ``BRIDGE_START_FAILED``, ``PERMISSION_DENIED``, ``OWNED_ELSEWHERE``,
            ``VERSION_MISMATCH``, ``TIMEOUT``.

    Example:
        >>> import pilothouse as ph
        >>> s = ph.connect()                                        # doctest: +SKIP
        >>> pilot = s.pilots.ensure("demo", cores=2, runtime="1h")  # doctest: +SKIP
    """
    return Session(run(aconnect(name, timeout=timeout)))
