"""A client's session, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, cast

from .._bridge import Places
from .._client import Client
from .._origin import session_name
from ..records import Check
from ..units import Duration
from .base import AsyncHandle, seconds
from .batch import AsyncBatches
from .pilots import AsyncPilots
from .services import AsyncAnswers, AsyncCredentials, AsyncServices
from .tasks import AsyncTaskCalls


class AsyncSession:
    """A connection to Pilothouse. Closing it ends nothing; what it made goes on.

    Attributes:
        name: Whose things are made here: the notebook's path, or the name given to ``connect``.
        pilots: Resources held for some time.
        tasks: Commands on a pilot.
        services: Model services.
        answers: Answers that are kept.
        batches: Many requests to one service as one thing.
        credentials: Stored secrets.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name
        self.pilots = AsyncPilots(client, name)
        self.tasks = AsyncTaskCalls(client, name)
        self.services = AsyncServices(client, name)
        self.answers = AsyncAnswers(client, name)
        self.batches = AsyncBatches(client, name)
        self.credentials = AsyncCredentials(client, name)

    async def engines(self, *, timeout: Duration | None = None) -> Sequence[dict[str, Any]]:
        """Where resources can be held here, with limits, or why not."""
        return cast("list[dict[str, Any]]", await self._client.call("engines/list", timeout=seconds(timeout)))

    async def doctor(self, *, timeout: Duration | None = None) -> Sequence[Check]:
        """Every check of ``pilothouse doctor``."""
        report = await self._client.call("system/doctor", timeout=seconds(timeout))
        return cast("list[Check]", report["checks"])

    async def forget(self, handle: AsyncHandle[Any], *, timeout: Duration | None = None) -> None:
        """Takes a final thing off the lists."""
        await self._client.call("system/forget", {"kind": handle.kind, "id": handle.id}, timeout=seconds(timeout))

    async def close(self) -> None:
        """Ends the connection and nothing else."""
        await self._client.close()

    async def __aenter__(self) -> AsyncSession:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<pilothouse session {self.name}>"


async def aconnect(name: str | None = None, *, timeout: Duration | None = None) -> AsyncSession:
    """Connects to this user's Pilothouse, and starts it where it does not run.

    Args:
        name: Whose things are made here; default: the notebook's or script's path. It outlives restarts of the kernel.
        timeout: Seconds for connecting; default 30.

    Raises:
        PilothouseError: ``LAUNCHER_MISSING``, ``BRIDGE_START_FAILED``, ``PERMISSION_DENIED``, ``OWNED_ELSEWHERE``,
            ``VERSION_MISMATCH``, ``TIMEOUT``.
    """
    client = Client(Places.of())
    await client.connect(timeout=seconds(timeout))
    return AsyncSession(client, name or session_name())
