"""Pilots, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from ..descriptions import given, pilot_description
from ..records import PilotRecord
from ..states import Kind, PilotState
from ..units import Duration, Size, wire_duration
from .base import AsyncHandle, seconds
from .part import Part


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

    async def drain(self, *, timeout: Duration | None = None) -> None:
        """Takes nothing new, and ends when what is on it has ended."""
        self._record = await self._call("drain", timeout=timeout)

    async def suspend(self, *, timeout: Duration | None = None) -> None:
        """Starts nothing new until :meth:`resume`; what runs goes on."""
        self._record = await self._call("suspend", timeout=timeout)

    async def resume(self, *, timeout: Duration | None = None) -> None:
        """Starts tasks again after :meth:`suspend`."""
        self._record = await self._call("resume", timeout=timeout)

    async def keep(self, *, timeout: Duration | None = None) -> None:
        """Lets the time after which it ends by itself when idle start anew."""
        self._record = await self._call("keep", timeout=timeout)

    async def extend(self, by: Duration, *, timeout: Duration | None = None) -> None:
        """Gives it more time, where the engine can; ``ENGINE_UNAVAILABLE`` says what to do instead."""
        data = {"ref": self.id, "by": wire_duration(by)}
        found = await self._client.call("pilots/extend", data, timeout=seconds(timeout))
        self._record = cast("PilotRecord", found)

    async def timeline(self, *, since: str | None = None, timeout: Duration | None = None) -> Mapping[str, Any]:
        """Who held which of its cores and GPUs, when: ``{"nodes", "spans", "truncated"}``.

        Args:
            since: Only what ended after this time (ISO 8601); default: all that is known.
            timeout: Of the call; default 30 s.
        """
        data = given(ref=self.id, since=since)
        return cast("dict[str, Any]", await self._client.call("pilots/timeline", data, timeout=seconds(timeout)))


class AsyncPilots(Part):
    """Pilots: resources held for some time."""

    async def submit(
        self,
        name: str | None = None,
        *,
        engine: str | None = None,
        cores: int | None = None,
        gpus: int | None = None,
        memory: Size | None = None,
        nodes: int | None = None,
        runtime: Duration = "1h",
        idle_after: Duration | None = None,
        timeout: Duration | None = None,
    ) -> AsyncPilot:
        """Always a new one; the fields are those of :meth:`ensure`."""
        described = pilot_description(
            engine=engine,
            cores=cores,
            gpus=gpus,
            memory=memory,
            nodes=nodes,
            runtime=runtime,
            idle_after=idle_after,
        )
        return self._handle(await self._submit("pilots/submit", timeout, description=given(name=name) | described))

    async def ensure(
        self,
        name: str,
        *,
        engine: str | None = None,
        cores: int | None = None,
        gpus: int | None = None,
        memory: Size | None = None,
        nodes: int | None = None,
        runtime: Duration = "1h",
        idle_after: Duration | None = None,
        timeout: Duration | None = None,
    ) -> AsyncPilot:
        """The live one of that name, else a new one; see :meth:`pilothouse.session.Pilots.ensure`."""
        described = pilot_description(
            engine=engine,
            cores=cores,
            gpus=gpus,
            memory=memory,
            nodes=nodes,
            runtime=runtime,
            idle_after=idle_after,
        )
        return self._handle(await self._submit("pilots/ensure", timeout, name=name, description=described))

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncPilot:
        """By id or name; ``PILOT_NOT_FOUND``."""
        return self._handle(await self._ask("pilots/get", timeout, ref=ref))

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncPilot]:
        """The live ones; with ``all``, those that have ended too."""
        return [self._handle(record) for record in await self._ask("pilots/list", timeout, all=all)]

    def _handle(self, record: Any) -> AsyncPilot:
        return AsyncPilot(self._client, cast("PilotRecord", record))
