"""Calls about tasks and task sets, for ``async`` programs."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .._functions import encode_arguments, function_reference
from .._ids import new_id
from .._origin import current_origin
from ..descriptions import given, ref_of
from ..task import Task, TaskFields, takes_task_fields, task_of
from ..task_records import TaskRecord, TaskSetRecord
from ..units import Duration
from .base import seconds
from .part import Part
from .pieces import submit_all
from .task import AsyncTask
from .task_set import AsyncTaskSet

if TYPE_CHECKING:
    from typing_extensions import Unpack

_CANCELED_AT_ONCE = 5000

Tasks = Iterable[Task] | AsyncIterable[Task]


class AsyncTaskCalls(Part):
    """Tasks: commands and calls on a pilot."""

    @takes_task_fields
    async def submit(
        self, command: Task | Sequence[str], *, timeout: Duration | None = None, **fields: Unpack[TaskFields]
    ) -> AsyncTask:
        """Submits one; durable when it returns. The fields are those of :class:`pilothouse.Task`."""
        item = {"description": task_of(command, fields).to_wire(), "key": new_id("key")}
        data = {"tasks": [item], "origin": current_origin(self._owner)}
        [record] = await self._client.call("tasks/submit", data, timeout=seconds(timeout))
        return self._handle(record)

    async def submit_many(
        self,
        tasks: Tasks,
        *,
        name: str | None = None,
        resume: bool = False,
        template: Task | None = None,
        pilot: Any = None,
        timeout: Duration | None = None,
    ) -> AsyncTaskSet:
        """Submits all as one set; durable when it returns. See :meth:`pilothouse.session.TaskCalls.submit_many`."""
        fields = {} if template is None else template.to_wire()
        if pilot is not None:
            fields["pilot"] = ref_of(pilot)
        expected = len(tasks) if isinstance(tasks, Sequence) else None
        made = await self.open_set(name, template=fields, resume=resume, expected=expected, timeout=timeout)
        await submit_all(self._client, made, _entries(tasks))
        await made.refresh()
        return made

    async def open_set(
        self,
        name: str | None = None,
        *,
        template: Mapping[str, Any] | None = None,
        resume: bool = False,
        expected: int | None = None,
        timeout: Duration | None = None,
    ) -> AsyncTaskSet:
        """Opens a set that tasks are added to later, with :meth:`AsyncTaskSet.add`."""
        described = given(name=name, template=dict(template or {}), resume=resume, expected=expected)
        record = await self._submit("sets/open", timeout, description=described)
        return AsyncTaskSet(self._client, cast("TaskSetRecord", record), self._owner)

    async def run(
        self, function: Callable[..., Any], *args: Any, template: Task | None = None, **kwargs: Any
    ) -> AsyncTask:
        """Calls a function once in a warm worker. See :meth:`pilothouse.session.TaskCalls.run`."""
        made = await self._map(function, [(args, kwargs)], None, template)
        return await made.task(0)

    async def map(
        self,
        function: Callable[..., Any],
        items: Iterable[Any],
        *,
        name: str | None = None,
        template: Task | None = None,
    ) -> AsyncTaskSet:
        """Calls a function for each item in warm workers. See :meth:`pilothouse.session.TaskCalls.map`."""
        return await self._map(function, [((item,), {}) for item in items], name, template)

    async def _map(
        self,
        function: Callable[..., Any],
        calls: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
        name: str | None,
        template: Task | None,
    ) -> AsyncTaskSet:
        fields = {} if template is None else template.to_wire()
        fields["call"] = {"function": function_reference(function), "interpreter": sys.executable}
        made = await self.open_set(name, template=fields, expected=len(calls))
        entries = ({"args": encode_arguments(args, kwargs)} for args, kwargs in calls)
        await submit_all(self._client, made, entries)
        return made

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncTask:
        """By id or name; ``TASK_NOT_FOUND``."""
        return self._handle(await self._ask("tasks/get", timeout, ref=ref))

    async def get_set(self, ref: str, *, timeout: Duration | None = None) -> AsyncTaskSet:
        """A task set by id or name; ``TASK_SET_NOT_FOUND``."""
        record = await self._ask("sets/get", timeout, ref=ref)
        return AsyncTaskSet(self._client, cast("TaskSetRecord", record), self._owner)

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncTask]:
        """The live ones; with ``all``, those that have ended too. Those of sets are not among them."""
        return [self._handle(record) for record in await self._ask("tasks/list", timeout, all=all)]

    async def sets(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncTaskSet]:
        """The live task sets; with ``all``, those that have ended too."""
        found = await self._ask("sets/list", timeout, all=all)
        return [AsyncTaskSet(self._client, cast("TaskSetRecord", record), self._owner) for record in found]

    async def cancel_many(self, ids: Sequence[str], *, timeout: Duration | None = None) -> int:
        """Cancels these; those that have ended are left as they are. Gives how many were canceled."""
        canceled = 0
        for at in range(0, len(ids), _CANCELED_AT_ONCE):
            answer = await self._ask("tasks/cancelMany", timeout, ids=list(ids[at : at + _CANCELED_AT_ONCE]))
            canceled += cast("int", answer["canceled"])
        return canceled

    def _handle(self, record: Any) -> AsyncTask:
        return AsyncTask(self._client, cast("TaskRecord", record), self._owner)


async def _entries(tasks: Tasks) -> AsyncGenerator[Mapping[str, Any], None]:
    if isinstance(tasks, AsyncIterable):
        async for task in tasks:
            yield task.to_wire()
    else:
        for task in tasks:
            yield task.to_wire()
