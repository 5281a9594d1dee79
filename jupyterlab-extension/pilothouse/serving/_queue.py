"""Who waits, who is next, and how many at a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from ._calls import TakenCall
from ._methods import Batch

_ALONE = Batch(1, 0.0)


class WorkQueue:
    """Methods share the places; whose first has waited longest goes first.

    Calls of one method go in groups where that is asked for: full ones at once, others when their window is over.
    """

    def __init__(
        self,
        concurrency: int,
        batches: Mapping[str, Batch | None],
        run: Callable[[list[TakenCall]], Coroutine[Any, Any, None]],
    ) -> None:
        self._concurrency = concurrency
        self._run = run
        self._lines: dict[str, tuple[Batch, deque[TakenCall]]] = {
            name: (batch or _ALONE, deque()) for name, batch in batches.items()
        }
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._hurry = False
        self.waiting = 0
        """Calls that wait."""

    def add(self, call: TakenCall) -> None:
        """Takes one in; it may start at once."""
        self._lines[call.method][1].append(call)
        self.waiting += 1
        self._next()

    def remove(self, call: TakenCall) -> bool:
        """Takes one out that still waits; ``False``: it is handled already."""
        line = self._lines[call.method][1]
        if call not in line:
            return False
        line.remove(call)
        self.waiting -= 1
        return True

    def hurry(self) -> None:
        """Groups are no longer waited for: nothing more will come."""
        self._hurry = True
        self._next()

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self.waiting and len(self._running) < self._concurrency:
            batch, line, ripe_in = self._ripest(time.perf_counter())
            if ripe_in > 0:
                self._timer = loop.call_later(ripe_in, self._next)
                return
            group = [line.popleft() for _ in range(min(batch.max, len(line)))]
            self.waiting -= len(group)
            task = loop.create_task(self._run(group))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._next()

    def _ripest(self, now: float) -> tuple[Batch, deque[TakenCall], float]:
        """The line whose turn it is, and in how many seconds."""
        found: tuple[float, float, Batch, deque[TakenCall]] | None = None
        for batch, line in self._lines.values():
            if not line:
                continue
            ripe = self._hurry or len(line) >= batch.max
            ripe_in = 0.0 if ripe else max(0.0, line[0].arrived + batch.window - now)
            if found is None or (ripe_in, line[0].arrived) < found[:2]:
                found = (ripe_in, line[0].arrived, batch, line)
        if found is None:
            raise LookupError("nothing waits")
        return found[2], found[3], found[0]
