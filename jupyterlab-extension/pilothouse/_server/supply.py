"""One place that finds or starts Pilothouse for all requests of a Jupyter server."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field

from .._bridge.finder import find_bridge, open_bridge
from .._bridge.places import Places
from .._bridge.starter import ensure_bridge
from ..errors import ErrorData, PilothouseError


@dataclass
class Supply:
    """Starts at most one process at a time, however many pages ask, and keeps what the last start said."""

    places: Places = field(default_factory=Places.of)
    last_failure: ErrorData | None = None
    _starting: asyncio.Task[None] | None = None

    async def connect(self) -> socket.socket:
        """A connected socket; starts Pilothouse where it does not run.

        Raises:
            PilothouseError: as :func:`pilothouse._bridge.ensure_bridge`.
        """
        opened = await asyncio.to_thread(open_bridge, self.places)
        if opened is None:
            await self.start()
            opened = await asyncio.to_thread(open_bridge, self.places)
        if opened is None:
            raise PilothouseError(
                "BRIDGE_UNREACHABLE", "Pilothouse ended right after its start", hint="Run `pilothouse doctor`"
            )
        return opened[1]

    async def start(self) -> None:
        """Starts it, or waits for the start that is under way."""
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
        # One page that goes away must not end the start that others wait for.
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        try:
            await asyncio.to_thread(ensure_bridge, self.places)
            self.last_failure = None
        except PilothouseError as error:
            self.last_failure = error.to_data()
            raise

    async def running(self) -> bool:
        """Whether it answers now."""
        answers = await asyncio.to_thread(find_bridge, self.places) is not None
        if answers:
            self.last_failure = None
        return answers
