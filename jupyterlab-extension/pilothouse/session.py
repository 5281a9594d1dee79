"""A client's session: the way to everything else."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from ._background import run
from ._functions import Executor
from .aio.session import AsyncSession, aconnect
from .batch import Batches
from .descriptions import Ref, ref_of
from .handle import Handle
from .pilots import Pilots
from .records import Check
from .services import Answers, Credentials, Services
from .task import Task
from .tasks import TaskCalls
from .units import Duration


class Session:
    """A connection to Pilothouse. Closing it ends nothing; what it made goes on.

    Attributes:
        name: Whose things are made here: the notebook's path, or the name given to :func:`connect`.
        pilots: Resources held for some time.
        tasks: Commands and calls on a pilot.
        services: Model services.
        answers: Answers that are kept.
        batches: Many requests to one service as one thing.
        credentials: Stored secrets.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._async = session
        self.name = session.name
        self.pilots = Pilots(session.pilots)
        self.tasks = TaskCalls(session.tasks)
        self.services = Services(session.services)
        self.answers = Answers(session)
        self.batches = Batches(session.batches)
        self.credentials = Credentials(session)

    def executor(self, pilot: Ref | None = None, *, template: Task | None = None, name: str | None = None) -> Executor:
        """Calls functions in warm workers behind the interface of ``concurrent.futures``.

        Args:
            pilot: Where they run; default: the only live pilot, or the first of several that has room.
            template: What each call needs: cores, GPUs, memory, environment, retries …
            name: Of the task set that its calls make; default: the function's.

        Example:
            ``with s.executor(pilot) as ex: scores = list(ex.map(score, wells))``
        """
        fields = {} if template is None else template.to_wire()
        if pilot is not None:
            fields["pilot"] = ref_of(pilot)
        return Executor(self._async.tasks, template=fields, name=name)

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
