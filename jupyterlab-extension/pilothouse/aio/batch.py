"""Handles of batches, and what starts them, for ``async`` programs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence
from os import PathLike, fspath
from typing import Any, ClassVar, Literal, TypedDict, cast

from .._client import Client, encoded
from .._ids import id_of_bytes, new_id
from .._origin import current_origin
from ..batch_records import BatchProgress, BatchRecord, BatchRow
from ..descriptions import Ref, given, ref_of
from ..errors import PilothouseError
from ..states import BatchState, Kind
from ..units import Duration, wire_duration
from .base import AsyncHandle, describe, failure_of, seconds
from .part import Part

Inputs = str | PathLike[str] | Iterable[Any] | AsyncIterable[Any]
"""The path of a file, or what is asked, one by one."""

Operation = Literal["chat", "complete", "embed", "infer", "call", "openai"]
"""What is asked of the service with each input."""

#: Rows in one piece, and about how much text: a message holds 8 MiB.
_ROWS = 4000
_BYTES = 2 * 1024 * 1024
_PAGE = 1000
#: Seconds between two looks for new rows, at first and at most.
_SOON = 0.1
_LATE = 2.0


class MapOptions(TypedDict, total=False):
    """How a batch is done; see :meth:`pilothouse.Service.map`."""

    out: str | PathLike[str] | None
    key: str | None
    name: str | None
    op: Operation | None
    method: str | None
    on_error: Literal["keep", "stop"] | None
    tries: int | None
    concurrency: int | None
    pilot: Ref | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    seed: int | None
    stop: Sequence[str] | None
    timeout: Duration | None
    priority: int | None
    extra: dict[str, Any] | None


class AsyncBatch(AsyncHandle[BatchRecord]):
    """Many requests to one service as one thing."""

    kind: ClassVar[Kind] = "batch"

    @property
    def state(self) -> BatchState:
        """As of the last call."""
        return self._record["state"]

    @property
    def progress(self) -> BatchProgress:
        """How far it is, as of the last call."""
        return self._record["progress"]

    @property
    def out(self) -> str:
        """Absolute path of the file of rows."""
        return self._record["out"]

    async def rows(self, start: int = 0) -> AsyncGenerator[BatchRow, None]:
        """Every row from number ``start`` on, as it comes out; ends with the batch, whatever its end is."""
        position, pause = start, _SOON
        while True:
            data = {"ref": self.id, "from": position, "limit": _PAGE}
            page = await self._client.call("batches/rows", data)
            for row in cast("list[BatchRow]", page["rows"]):
                yield row
            if page["complete"]:
                return
            if page["next"] > position:
                position, pause = page["next"], _SOON
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LATE)

    async def results(self, *, settled: bool = False, timeout: Duration | None = None) -> list[BatchRow]:
        """Waits for its end and gives all rows. See :meth:`pilothouse.Batch.results`."""
        await self.done(timeout=timeout)
        if not settled and self.state != "DONE":
            ended = "was canceled" if self.state == "CANCELED" else "failed"
            code = "BATCH_CANCELED" if self.state == "CANCELED" else "BATCH_FAILED"
            raise failure_of(self._record, code, f"batch {self.name} {ended}")
        rows = [row async for row in self.rows()]
        failed = [row for row in rows if row["error"] is not None]
        if failed and not settled:
            first = cast("dict[str, str]", failed[0]["error"])
            others = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            raise PilothouseError(
                "BATCH_FAILED",
                f"batch {self.name}: row {failed[0]['key']} failed: {first['message']}{others}",
                hint="Use .results(settled=True) for all rows; the same call again tries the failed ones once more.",
                ids={"batch": self.id},
                evidence=first["code"],
            )
        if all(isinstance(row["key"], (int, float)) for row in rows):
            rows.sort(key=lambda row: cast("float", row["key"]))
        return rows

    async def cancel(self, *, timeout: Duration | None = None) -> None:
        """Ends it; rows that have come out stay, and the same call again does the rest."""
        self._record = await self._call("cancel", timeout=timeout)

    def __repr__(self) -> str:
        return f"{describe(self._record)[:-1]} {how_far(self.progress)}>"


def how_far(progress: BatchProgress) -> str:
    """Rows, rate and time left in one line."""
    total, ended = progress["total"], progress["done"] + progress["failed"]
    words = [f"{ended:,} of {'?' if total is None else f'{total:,}'} rows"]
    if total:
        words[0] += f" ({100 * ended / total:.0f} %)"
    if progress["failed"]:
        words.append(f"{progress['failed']:,} failed")
    if progress["rate"]:
        words.append(f"{progress['rate']:,.1f} a second")
        if total is not None and progress["eta"] is not None:
            words.append(f"{_spoken((total - ended) / progress['rate'])} left")
    return ", ".join(words)


def _spoken(left: float) -> str:
    whole = round(left)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class AsyncBatches(Part):
    """Batches: many requests to one service as one thing."""

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncBatch:
        """By id or name; ``BATCH_NOT_FOUND``."""
        return AsyncBatch(self._client, await self._ask("batches/get", timeout, ref=ref))

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncBatch]:
        """The live ones; with ``all``, those that have ended too."""
        return [AsyncBatch(self._client, record) for record in await self._ask("batches/list", timeout, all=all)]


async def start_batch(
    client: Client, owner: str, service: str, inputs: Inputs, options: MapOptions | dict[str, Any]
) -> AsyncBatch:
    """Sends the inputs where they are no file, then starts the batch."""
    unknown = set(options) - set(MapOptions.__annotations__)
    if unknown:
        raise TypeError(f"map() takes no {', '.join(sorted(unknown))}")
    fields = cast("MapOptions", options)
    source: dict[str, Any]
    if isinstance(inputs, (str, PathLike)):
        source = {"file": fspath(inputs)}
    else:
        source = {"upload": await _upload(client, inputs)}
    out, pilot, timeout = fields.get("out"), fields.get("pilot"), fields.get("timeout")
    stop = fields.get("stop")
    requests = given(
        maxTokens=fields.get("max_tokens"),
        temperature=fields.get("temperature"),
        topP=fields.get("top_p"),
        seed=fields.get("seed"),
        stop=None if stop is None else list(stop),
        timeout=None if timeout is None else wire_duration(timeout),
        priority=fields.get("priority"),
        extra=fields.get("extra"),
    )
    description = given(
        service=service,
        input=source,
        out=None if out is None else fspath(out),
        key=fields.get("key"),
        name=fields.get("name"),
        op=fields.get("op"),
        method=fields.get("method"),
        onError=fields.get("on_error"),
        tries=fields.get("tries"),
        concurrency=fields.get("concurrency"),
        pilot=None if pilot is None else ref_of(pilot),
        options=requests,
    )
    data = {"description": description, "origin": current_origin(owner), "key": new_id("key")}
    return AsyncBatch(client, await client.call("batches/start", data))


async def _upload(client: Client, inputs: Iterable[Any] | AsyncIterable[Any]) -> str:
    """Sends the inputs. Their id follows from what they are: the same list again is the same input."""
    pieces = [piece async for piece in _pieces(inputs)]
    if not pieces:
        raise PilothouseError("INVALID_DESCRIPTION", "There is nothing to ask: the list is empty.", field="input")
    digest = b""
    for piece in pieces:
        digest = hashlib.sha256(digest + b"\n".join(encoded(row) for row in piece)).digest()
    upload = id_of_bytes("batch", digest)
    start = 0
    for piece in pieces:
        await client.call("batches/upload", {"upload": upload, "from": start, "rows": piece}, timeout=_UPLOAD_SECONDS)
        start += len(piece)
    return upload


_UPLOAD_SECONDS = seconds("2m")


async def _pieces(inputs: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[list[Any], None]:
    piece: list[Any] = []
    length = 0
    async for row in _each(inputs):
        size = len(encoded(row)) + 1
        if piece and (len(piece) >= _ROWS or length + size > _BYTES):
            yield piece
            piece, length = [], 0
        piece.append(row)
        length += size
    if piece:
        yield piece


async def _each(inputs: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    if isinstance(inputs, AsyncIterable):
        async for row in inputs:
            yield row
    else:
        for row in inputs:
            yield row
