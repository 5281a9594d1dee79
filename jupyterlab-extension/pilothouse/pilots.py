"""Pilots: resources held for some time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._background import run
from .aio.pilots import AsyncPilot, AsyncPilots
from .handle import Handle
from .records import PilotRecord
from .states import PilotState
from .units import Duration, Size


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

    def drain(self) -> None:
        """Takes nothing new, and ends when what is on it has ended."""
        run(self._async.drain())

    def suspend(self) -> None:
        """Starts nothing new until :meth:`resume`; what runs goes on."""
        run(self._async.suspend())

    def resume(self) -> None:
        """Starts tasks again after :meth:`suspend`."""
        run(self._async.resume())

    def keep(self) -> None:
        """Lets the time after which it ends by itself when idle start anew."""
        run(self._async.keep())

    def extend(self, by: Duration) -> None:
        """Gives it more time, where the engine can; ``ENGINE_UNAVAILABLE`` says what to do instead.

        Example:
            ``pilot.extend("30m")``
        """
        run(self._async.extend(by))

    def timeline(self, *, since: str | None = None) -> Mapping[str, Any]:
        """Who held which of its cores and GPUs, when: ``{"nodes", "spans", "truncated"}``.

        Args:
            since: Only what ended after this time (ISO 8601); default: all that is known.
        """
        return run(self._async.timeline(since=since))


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
        idle_after: Duration | None = None,
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
            idle_after: It gives its resources back after nothing has run for so long; default 15 minutes with GPUs,
                else an hour.
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
            idle_after=idle_after,
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
        idle_after: Duration | None = None,
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
            idle_after=idle_after,
            timeout=timeout,
        )
        return Pilot(run(made))

    def get(self, ref: str) -> Pilot:
        """By id or name; ``PILOT_NOT_FOUND``."""
        return Pilot(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Sequence[Pilot]:
        """The live ones; with ``all``, those that have ended too."""
        return [Pilot(pilot) for pilot in run(self._async.list(all=all))]
