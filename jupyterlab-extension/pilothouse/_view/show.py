"""Showing a handle: live in a notebook, held until it is final where nobody looks, as text elsewhere."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import aclosing
from typing import cast

from .._background import background_loop, run
from .._bridge import Places
from .._client import Client
from .._ids import new_id, short_id
from .._streams import follow_answer, watch_records
from ..states import Kind, is_final
from .cell import Bundle, Cell, current_cell, headless
from .live import LiveView

log = logging.getLogger("pilothouse")

#: Views that a kernel takes part in at a time; of more, the oldest are left as they were shown last.
MOST_VIEWS = 64

#: What holds a cell where nobody looks, and what is said when somebody ends the waiting.
_HOLDING: Mapping[Kind, str] = {
    "answer": "The answer goes on; .stop() stops it.",
    "set": "The tasks go on; .cancel() cancels them.",
    "batch": "The batch goes on; .cancel() cancels it.",
}

# Both are touched on the background loop alone.
_views: OrderedDict[str, asyncio.Task[None]] = OrderedDict()
_waiting: dict[Places, Client] = {}


def show_live(places: Places, kind: Kind, target: str) -> None:
    """Shows a thing in the output of the cell that runs now.

    Pilots, tasks and services never hold the cell. Answers, task sets and batches do where nobody looks, because the
    saved notebook would otherwise hold half of them.

    Raises:
        PilothouseError: What is said where the thing is unknown or Pilothouse cannot be reached.
    """
    view_id = new_id("view")
    cell = current_cell(view_id)
    if cell is not None and headless() and kind in _HOLDING:
        _hold(places, cell, view_id, kind, target)
        return
    bundle = run(_render(places, view_id, kind, target))
    if cell is None:
        print(bundle["text/plain"])
        return
    cell.show(bundle)
    if not headless():
        background_loop().call_soon_threadsafe(_start, places, cell, view_id, kind, target)


def _hold(places: Places, cell: Cell, view_id: str, kind: Kind, target: str) -> None:
    """Waits for the end, then shows it."""
    try:
        bundle = run(_when_final(places, view_id, kind, target))
    except KeyboardInterrupt:
        cell.show(run(_render(places, view_id, kind, target)))
        raise KeyboardInterrupt(f"Stopped waiting. {short_id(target)}: {_HOLDING[kind]}") from None
    cell.show(bundle)


async def _render(places: Places, view_id: str, kind: Kind, target: str) -> Bundle:
    client = Client(places)
    try:
        viewed = {"viewId": view_id, "target": {"kind": kind, "id": target}}
        return cast("Bundle", await client.call("views/render", viewed))
    finally:
        await client.close()


async def _when_final(places: Places, view_id: str, kind: Kind, target: str) -> Bundle:
    """The final bundle, and word that it is in the notebook."""
    client = Client(places)
    try:
        if kind == "answer":
            async for _ in follow_answer(client, target):
                pass
        else:
            await _ended_record(client, kind, target)
        viewed = {"viewId": view_id, "target": {"kind": kind, "id": target}}
        bundle = cast("Bundle", await client.call("views/render", viewed))
        await client.call("views/confirm", {"viewId": view_id})
        return bundle
    finally:
        await client.close()


async def _ended_record(client: Client, kind: Kind, target: str) -> None:
    async with aclosing(watch_records(client, kind, [target])) as pictures:
        async for picture in pictures:
            # What is no longer on the lists has ended long since.
            if target not in picture or is_final(kind, picture[target]["state"]):
                return


def _start(places: Places, cell: Cell, view_id: str, kind: Kind, target: str) -> None:
    client = _waiting.get(places)
    if client is None:
        client = _waiting[places] = Client(places, starts=False)
    task = asyncio.ensure_future(LiveView(client, cell, view_id, kind, target).run())
    _views[view_id] = task
    task.add_done_callback(lambda ended: _ended(view_id, ended))
    while len(_views) > MOST_VIEWS:
        _, oldest = _views.popitem(last=False)
        oldest.cancel()


def _ended(view_id: str, task: asyncio.Task[None]) -> None:
    _views.pop(view_id, None)
    if not task.cancelled() and task.exception() is not None:
        log.error("the view %s broke", view_id, exc_info=task.exception())
