"""Pilots and tasks, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from .._client import Client
from .._ids import new_id
from .._origin import current_origin
from ..descriptions import Ref, Task, given, pilot_description
from ..records import PilotRecord, TaskRecord
from ..units import Duration, Size
from .base import seconds
from .handles import AsyncPilot, AsyncTask, AsyncTasks

# Tasks in one call: far below the largest message, and the others get their turn in between.
_TASKS_PER_CALL = 500


class Part:
    """One group of calls of a session."""

    def __init__(self, client: Client, owner: str) -> None:
        self._client = client
        self._owner = owner

    async def _submit(self, path: str, timeout: Duration | None, **data: Any) -> Any:
        """Calls something that makes a thing: with where it comes from, and a key that makes it safe to repeat."""
        submitted = data | {"origin": current_origin(self._owner), "key": new_id("key")}
        return await self._client.call(path, submitted, timeout=seconds(timeout))

    async def _ask(self, path: str, timeout: Duration | None, **data: Any) -> Any:
        return await self._client.call(path, data, timeout=seconds(timeout))


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
        timeout: Duration | None = None,
    ) -> AsyncPilot:
        """Always a new one; the fields are those of :meth:`ensure`."""
        described = pilot_description(
            engine=engine, cores=cores, gpus=gpus, memory=memory, nodes=nodes, runtime=runtime
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
        timeout: Duration | None = None,
    ) -> AsyncPilot:
        """The live one of that name, else a new one; see :meth:`pilothouse.session.Pilots.ensure`."""
        described = pilot_description(
            engine=engine, cores=cores, gpus=gpus, memory=memory, nodes=nodes, runtime=runtime
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


class AsyncTaskCalls(Part):
    """Tasks: commands on a pilot."""

    async def submit(
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
    ) -> AsyncTask:
        """Submits one; durable when it returns. The fields are those of :class:`pilothouse.Task`."""
        task = (
            command
            if isinstance(command, Task)
            else Task(command, name, env or {}, cwd, sandbox, cores, gpus, memory, services, pilot)
        )
        return (await self.submit_many([task], timeout=timeout))[0]

    async def submit_many(self, tasks: Iterable[Task], *, timeout: Duration | None = None) -> AsyncTasks:
        """Submits all; durable when it returns."""
        items = [{"description": task.to_wire(), "key": new_id("key")} for task in tasks]
        records: list[Any] = []
        for start in range(0, len(items), _TASKS_PER_CALL):
            data = {"tasks": items[start : start + _TASKS_PER_CALL], "origin": current_origin(self._owner)}
            records += await self._client.call("tasks/submit", data, timeout=seconds(timeout))
        return AsyncTasks(self._client, [self._handle(record) for record in records])

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncTask:
        """By id or name; ``TASK_NOT_FOUND``."""
        return self._handle(await self._ask("tasks/get", timeout, ref=ref))

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> AsyncTasks:
        """The live ones; with ``all``, those that have ended too."""
        found = await self._ask("tasks/list", timeout, all=all)
        return AsyncTasks(self._client, [self._handle(record) for record in found])

    def _handle(self, record: Any) -> AsyncTask:
        return AsyncTask(self._client, cast("TaskRecord", record))
