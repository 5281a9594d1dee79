"""Showing a handle: live in a notebook, held until it is final where nobody looks, as text elsewhere."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import cast

from .._background import background_loop, run
from .._bridge import Places
from .._client import Client
from .._ids import new_id, short_id
from .._streams import follow_answer
from ..states import Kind
from .cell import Bundle, Cell, current_cell, headless
from .live import LiveView

log = logging.getLogger("pilothouse")

#: Views that a kernel takes part in at a time; of more, the oldest are left as they were shown last.
MOST_VIEWS = 64

# Both are touched on the background loop alone.
_views: OrderedDict[str, asyncio.Task[None]] = OrderedDict()
_waiting: dict[Places, Client] = {}


def show_live(places: Places, kind: Kind, target: str) -> None:
    """Shows a thing in the output of the cell that runs now.

    Pilots, tasks and services never hold the cell. An answer does where nobody looks, because the saved notebook would
    otherwise hold half of it.

    Raises:
        PilothouseError: What is said where the thing is unknown or Pilothouse cannot be reached.
    """
    view_id = new_id("view")
    cell = current_cell(view_id)
    if cell is not None and headless() and kind == "answer":
        _hold(places, cell, view_id, target)
        return
    bundle = run(_render(places, view_id, kind, target))
    if cell is None:
        print(bundle["text/plain"])
        return
    cell.show(bundle)
    if not headless():
        background_loop().call_soon_threadsafe(_start, places, cell, view_id, kind, target)


def _hold(places: Places, cell: Cell, view_id: str, target: str) -> None:
    """Waits for the end of an answer, then shows it."""
    try:
        bundle = run(_when_final(places, view_id, target))
    except KeyboardInterrupt:
        cell.show(run(_render(places, view_id, "answer", target)))
        raise KeyboardInterrupt(f"Stopped waiting. The answer {short_id(target)} goes on; .stop() stops it.") from None
    cell.show(bundle)


async def _render(places: Places, view_id: str, kind: Kind, target: str) -> Bundle:
    client = Client(places)
    try:
        viewed = {"viewId": view_id, "target": {"kind": kind, "id": target}}
        return cast("Bundle", await client.call("views/render", viewed))
    finally:
        await client.close()


async def _when_final(places: Places, view_id: str, target: str) -> Bundle:
    """The final bundle of an answer, and word that it is in the notebook."""
    client = Client(places)
    try:
        async for _ in follow_answer(client, target):
            pass
        viewed = {"viewId": view_id, "target": {"kind": "answer", "id": target}}
        bundle = cast("Bundle", await client.call("views/render", viewed))
        await client.call("views/confirm", {"viewId": view_id})
        return bundle
    finally:
        await client.close()


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
