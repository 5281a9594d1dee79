"""Large sets go over in pieces, some of them under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from typing import Any

from .._client import Client, encoded
from ..errors import PilothouseError
from .task_set import AsyncTaskSet

Entry = Mapping[str, Any]
"""A task of a set as it travels: fields on top of the set's template."""

#: Tasks in one piece, and about how much text: a message holds 8 MiB.
_TASKS = 4000
_BYTES = 3 * 1024 * 1024
#: Pieces that are under way at once.
_AT_ONCE = 3
_LAST_WORD_SECONDS = 5


async def submit_all(client: Client, made: AsyncTaskSet, entries: Iterable[Entry] | AsyncIterable[Entry]) -> None:
    """Adds all of them to a new set and closes it; durable when it returns.

    Where that breaks off, nobody gets a handle of the set: it takes no more tasks. Those it has run on, for work is
    never ended unasked; one without any is taken off the lists.
    """
    try:
        await _add_all(made, entries)
    except PilothouseError as error:
        taken = await _abandon(client, made)
        if taken:
            rest = f"{taken} tasks of {made.name} had been taken before and run on."
            error.hint = rest if error.hint is None else f"{error.hint} {rest}"
        raise
    except BaseException:
        await _abandon(client, made)
        raise


async def _abandon(client: Client, made: AsyncTaskSet) -> int:
    try:
        taken = (await made.refresh(timeout=_LAST_WORD_SECONDS))["counts"]["total"]
        await asyncio.wait_for(made.add([], taken, close=True), _LAST_WORD_SECONDS)
        if taken == 0:
            await client.call("system/forget", {"kind": "set", "id": made.id}, timeout=_LAST_WORD_SECONDS)
    except (PilothouseError, asyncio.TimeoutError):
        # What broke the submission most likely breaks this too, and is what the caller must hear of.
        return 0
    return taken


async def _add_all(made: AsyncTaskSet, entries: Iterable[Entry] | AsyncIterable[Entry]) -> None:
    total = 0
    under_way: set[asyncio.Task[int]] = set()
    try:
        async for piece in _pieces(_each(entries)):
            under_way.add(asyncio.create_task(made.add(piece, total)))
            total += len(piece)
            if len(under_way) >= _AT_ONCE:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
        await asyncio.gather(*under_way)
    finally:
        for one in under_way:
            one.cancel()
    await made.add([], total, close=True)


async def _pieces(entries: AsyncIterable[Entry]) -> AsyncGenerator[list[Entry], None]:
    piece: list[Entry] = []
    length = 0
    async for entry in entries:
        size = len(encoded(entry))
        if piece and (len(piece) >= _TASKS or length + size > _BYTES):
            yield piece
            piece, length = [], 0
        piece.append(entry)
        length += size
    if piece:
        yield piece


async def _each(entries: Iterable[Entry] | AsyncIterable[Entry]) -> AsyncGenerator[Entry, None]:
    if isinstance(entries, AsyncIterable):
        async for entry in entries:
            yield entry
    else:
        for entry in entries:
            yield entry
