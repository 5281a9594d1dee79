"""Streams that go on after a lost connection, from what was consumed last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any, TypedDict, cast

from ._client import Client, pause
from .errors import PilothouseError
from .service_records import AnswerRecord
from .states import Kind, is_final, plural
from .task_records import AnyRecord

log = logging.getLogger("pilothouse")

_MENDS = {"CONNECTION_LOST", "BRIDGE_UNREACHABLE"}
# About ten seconds without any progress.
_ATTEMPTS = 12


class _Chunk(TypedDict):
    text: str
    at: float


class Chunk(_Chunk, total=False):
    """A piece of an answer as the server sent it; ``at`` is milliseconds after the request was accepted.

    What is not text is in ``data``; ``text`` is empty then.
    """

    data: Any


class ChunkBatch(TypedDict):
    """Some chunks in order, from number ``start`` to before ``next``."""

    chunks: list[Chunk]
    next: int
    answer: AnswerRecord | None


async def resumed(client: Client, path: str, request: Callable[[], Mapping[str, Any]]) -> AsyncGenerator[Any, None]:
    """Gives the values of a stream, connecting anew with a new request whenever the connection ends.

    It ends only by an error or when its reader has enough. A client that starts Pilothouse gives up after about ten
    seconds without progress; one that waits for it never does.
    """
    attempt = 0
    while True:
        try:
            async with aclosing(client.stream(path, request())) as values:
                async for value in values:
                    attempt = 0
                    yield value
        except PilothouseError as error:
            if error.code not in _MENDS or (client.starts and attempt >= _ATTEMPTS):
                raise
            log.debug("%s: %s", path, error)
        await asyncio.sleep(pause(attempt))
        attempt += 1


async def watch_records(
    client: Client, kind: Kind, ids: Iterable[str]
) -> AsyncGenerator[Mapping[str, AnyRecord], None]:
    """Gives all records of these ids, first as they stand, then after each change."""
    wanted = list(ids)
    known: dict[str, AnyRecord] = {}
    after: dict[str, int] | None = None

    def request() -> Mapping[str, Any]:
        resume = {} if after is None else {"after": after}
        return {"kinds": [kind], "ids": wanted, **resume}

    async with aclosing(resumed(client, "system/watch", request)) as batches:
        async for batch in batches:
            if batch["reset"]:
                known = {}
            for record in batch[plural(kind)]:
                known[record["id"]] = record
            for removed in batch["removed"]:
                known.pop(removed, None)
            yield known
            after = {"epoch": batch["epoch"], "seq": batch["seq"]}


async def follow_answer(client: Client, identity: str, start: int = 0) -> AsyncGenerator[ChunkBatch, None]:
    """Gives every chunk from number ``start`` on, none lost or doubled; the last batch carries the final record."""
    position = start

    def request() -> Mapping[str, Any]:
        return {"id": identity, "from": position}

    async with aclosing(resumed(client, "answers/follow", request)) as batches:
        async for batch in batches:
            # What was consumed before a connection was lost is not given again.
            fresh = batch["chunks"][max(0, position - batch["from"]) :]
            answer = cast("AnswerRecord | None", batch["answer"])
            yield {"chunks": fresh, "next": batch["next"], "answer": answer}
            position = max(position, batch["next"])
            if answer is not None and is_final("answer", answer["state"]) and position >= answer["chunks"]:
                return
