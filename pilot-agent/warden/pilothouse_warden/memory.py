"""Watches the memory of spawns that have a limit, and says which are over it."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator

from .family import Family
from .host import children_of, proportional, resident
from .ledger import Spawn

FASTEST = 2 << 30
"""Bytes a second that memory is taken to grow at most: so soon it is looked at again."""
SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 1.0
NEAR = 0.8
"""Part of the limit from which on shared memory is no longer counted in full for every process."""


class MemoryWatch:
    """Looks the more often, the nearer to its limit a spawn is, and only at what has a limit.

    The cheap figure (resident pages) counts what processes share once for each of them, so it is never too low: only
    when it comes near the limit the dear one (proportional set size) is asked for, which alone decides.
    """

    def __init__(self, family: Family, over: Callable[[Spawn, int], None]) -> None:
        self._family = family
        self._over = over
        self._due: list[tuple[float, str, Spawn]] = []
        self._peaks: dict[str, int] = {}

    def watch(self, spawn: Spawn) -> None:
        if spawn.memory is not None:
            self._peaks[spawn.id] = 0
            heapq.heappush(self._due, (time.monotonic() + _pause(spawn.memory), spawn.id, spawn))

    def ended(self, spawn: Spawn) -> int:
        """The most it was seen to take, in bytes."""
        return self._peaks.pop(spawn.id, 0)

    def due(self) -> float | None:
        """When to call `look`; None: nothing has a limit."""
        while self._due and not self._due[0][2].running:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def look(self) -> None:
        now = time.monotonic()
        while (due := self.due()) is not None and due <= now:
            _, _, spawn = heapq.heappop(self._due)
            limit = spawn.memory
            if limit is None:
                continue
            taken = self._taken(spawn, limit)
            self._peaks[spawn.id] = max(taken, self._peaks.get(spawn.id, 0))
            if taken > limit:
                self._over(spawn, taken)
            else:
                heapq.heappush(self._due, (now + _pause(limit - taken), spawn.id, spawn))

    def _taken(self, spawn: Spawn, limit: int) -> int:
        pids = list(self._pids(spawn))
        taken = sum(map(resident, pids))
        if taken < limit * NEAR:
            return taken
        return sum(resident(pid) if (part := proportional(pid)) is None else part for pid in pids)

    def _pids(self, spawn: Spawn) -> Iterator[int]:
        if spawn.own:
            yield from (process.pid for process in self._family.of(spawn))
            return
        found = [spawn.pid]
        while found:
            pid = found.pop()
            yield pid
            found += children_of(pid) or ()


def _pause(room: int) -> float:
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, room / FASTEST))
