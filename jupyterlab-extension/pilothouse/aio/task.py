"""Handles of tasks, for ``async`` programs."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

from .._client import Client
from .._functions import decode_payload, remote_error
from .._ids import new_id
from .._origin import current_origin
from ..records import LogChunk
from ..states import Kind, TaskState
from ..task_records import TaskFile, TaskRecord, TaskUsage
from ..units import Duration
from .base import AsyncHandle, failure_of, seconds

Stream = Literal["stdout", "stderr"]
#: How much of its output a finished task's result holds, in bytes.
_RESULT_BYTES = 64 * 1024
#: Bytes of a file in one call.
_FILE_BYTES = 1024 * 1024
#: Seconds between two looks at a growing output: at once after something came, then less and less often.
_LOOK_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class TaskResult:
    """What a finished command came to.

    Attributes:
        exit_code: 0.
        stdout: The last 64 KiB.
    """

    exit_code: int
    stdout: str


class AsyncTask(AsyncHandle[TaskRecord]):
    """A command or a call on a pilot."""

    kind: ClassVar[Kind] = "task"

    def __init__(self, client: Client, record: TaskRecord, owner: str) -> None:
        super().__init__(client, record)
        self._owner = owner

    @property
    def state(self) -> TaskState:
        """As of the last call."""
        return self._record["state"]

    @property
    def usage(self) -> TaskUsage | None:
        """What it has used, once it has ended."""
        return self._record["usage"]

    async def result(self, *, timeout: Duration | None = None) -> Any:
        """Waits for the end. A command gives a :class:`TaskResult`, a call what the function gave back.

        Raises:
            PilothouseError: ``TASK_FAILED`` (or what made it fail), ``TASK_CANCELED``, ``TIMEOUT``.
            Exception: What a function raised, with its traceback as the cause.
        """
        await self.done(timeout=timeout)
        record = self._record
        if record["state"] == "CANCELED":
            raise failure_of(record, "TASK_CANCELED", f"task {self.name} was canceled")
        if record["exception"] is not None:
            raise remote_error(record)
        if record["state"] != "DONE":
            raise failure_of(record, "TASK_FAILED", f"task {self.name} failed with exit code {record['exitCode']}")
        if record["value"] is not None:
            return decode_payload(record["value"])
        chunk = await self.log(offset=-_RESULT_BYTES, limit=_RESULT_BYTES)
        return TaskResult(record["exitCode"] or 0, chunk["text"])

    async def log(
        self,
        stream: Stream = "stdout",
        *,
        offset: int = 0,
        limit: int = 64 * 1024,
        timeout: Duration | None = None,
    ) -> LogChunk:
        """A piece of its output.

        Args:
            stream: Which output.
            offset: First byte; a negative one counts from the end.
            limit: Bytes, at most 1 MiB.
            timeout: Of the call; default 30 s.
        """
        data = {"ref": self.id, "stream": stream, "offset": offset, "limit": limit}
        return cast("LogChunk", await self._client.call("tasks/log", data, timeout=seconds(timeout)))

    async def follow(self, stream: Stream = "stdout", *, offset: int = 0) -> AsyncGenerator[str, None]:
        """Its output from a byte on, as it grows, until the task has ended."""
        quiet = 0
        while True:
            chunk = await self.log(stream, offset=offset, limit=1024 * 1024)
            if chunk["text"]:
                yield chunk["text"]
            quiet = 0 if chunk["text"] else min(quiet + 1, len(_LOOK_SECONDS) - 1)
            offset = chunk["next"]
            if chunk["complete"] and offset >= chunk["size"]:
                return
            if offset >= chunk["size"]:
                await asyncio.sleep(_LOOK_SECONDS[quiet])

    async def files(self, *, timeout: Duration | None = None) -> Sequence[TaskFile]:
        """What it has left in its own folder, or what its ``stage_out`` names; at most 1,000."""
        found = await self._client.call("tasks/files", {"ref": self.id}, timeout=seconds(timeout))
        return cast("list[TaskFile]", found)

    async def output(self, path: str, *, timeout: Duration | None = None) -> bytes:
        """One of its files, whole.

        Args:
            path: Relative to its working directory.
            timeout: Of each piece of 1 MiB; default 30 s.

        Raises:
            PilothouseError: ``DATA_NOT_FOUND``; ``FILE_TOO_LARGE``, which says where the file can be copied from.
        """
        pieces: list[bytes] = []
        offset = 0
        while True:
            data = {"ref": self.id, "path": path, "offset": offset, "limit": _FILE_BYTES}
            chunk = await self._client.call("tasks/output", data, timeout=seconds(timeout))
            pieces.append(base64.b64decode(chunk["data"]))
            offset = chunk["next"]
            if chunk["complete"]:
                return b"".join(pieces)

    async def cancel(self, *, timeout: Duration | None = None) -> None:
        """Ends it with everything it has started."""
        self._record = await self._call("cancel", timeout=timeout)

    async def retry(self, *, timeout: Duration | None = None) -> AsyncTask:
        """The same again, as a new task."""
        data = {"ref": self.id, "origin": current_origin(self._owner), "key": new_id("key")}
        record = await self._client.call("tasks/retry", data, timeout=seconds(timeout))
        return AsyncTask(self._client, cast("TaskRecord", record), self._owner)
