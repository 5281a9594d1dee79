"""The kernel's part in a live view: it updates the cell only as long as nothing else draws it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, cast

from .._client import Client
from .._streams import follow_answer, resumed, watch_records
from ..errors import PilothouseError
from ..states import Kind
from .cell import Bundle, Cell

log = logging.getLogger("pilothouse")

#: Updates of a cell by the kernel come at least this far apart, in seconds.
UPDATE_SECONDS = 0.25


class LiveView:
    """Takes part in one view until its final bundle is in the notebook.

    Args:
        client: Waits for Pilothouse and never starts it: nobody asked for anything while this goes on.
        cell: Where it is shown.
        view_id: What panels and kernel meet on.
        kind: Of the thing shown.
        target: Its id.
    """

    def __init__(self, client: Client, cell: Cell, view_id: str, kind: Kind, target: str) -> None:
        self._client = client
        self._cell = cell
        self._view_id = view_id
        self._kind: Kind = kind
        self._target = target
        self._updating: asyncio.Task[None] | None = None

    @property
    def _viewed(self) -> Mapping[str, Any]:
        return {"viewId": self._view_id, "target": {"kind": self._kind, "id": self._target}}

    async def run(self) -> None:
        """Goes on until the final bundle is confirmed; what is no longer known is left as it was shown last."""
        try:
            async with aclosing(resumed(self._client, "views/join", self._joining)) as updates:
                async for update in updates:
                    if update["confirmed"]:
                        return
                    await self._take_part(update)
        except PilothouseError as error:
            log.info("the view of %s ended: %s", self._target, error)
        finally:
            await self._stop_updating()

    def _joining(self) -> Mapping[str, Any]:
        return {**self._viewed, "role": "kernel"}

    async def _take_part(self, update: Mapping[str, Any]) -> None:
        """Writes the final bundle, updates, or stays quiet: as the other side says."""
        final = cast("Bundle | None", update["final"])
        if update["writer"] and final is not None:
            await self._stop_updating()
            self._cell.update(final)
            await self._client.call("views/confirm", {"viewId": self._view_id})
        elif update["writer"] and update["renderers"] == 0:
            if self._updating is None:
                self._updating = asyncio.create_task(self._update())
        else:
            await self._stop_updating()

    async def _update(self) -> None:
        changed = asyncio.Event()
        noticing = asyncio.create_task(self._notice(changed))
        shown: Bundle | None = None
        try:
            while True:
                await changed.wait()
                changed.clear()
                bundle = cast("Bundle", await self._client.call("views/render", self._viewed))
                if bundle != shown:
                    self._cell.update(bundle)
                    shown = bundle
                await asyncio.sleep(UPDATE_SECONDS)
        except PilothouseError as error:
            log.info("updates of %s ended: %s", self._target, error)
        finally:
            await _end(noticing)

    async def _notice(self, changed: asyncio.Event) -> None:
        """Sets the event at each change. Many changes between two updates are one."""
        # The picture holds an answer without its text.
        source = (
            follow_answer(self._client, self._target)
            if self._kind == "answer"
            else watch_records(self._client, self._kind, [self._target])
        )
        try:
            async with aclosing(source) as changes:
                async for _ in changes:
                    changed.set()
        except PilothouseError as error:
            log.info("no more changes of %s: %s", self._target, error)

    async def _stop_updating(self) -> None:
        updating, self._updating = self._updating, None
        if updating is not None:
            await _end(updating)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
