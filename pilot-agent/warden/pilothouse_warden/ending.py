"""Ends processes for good: TERM to all of them, KILL after a grace, looked at until none is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .host import Process, carries, own_processes

FIRST_LOOK = 0.02
SLOWEST_LOOK = 0.25


@dataclass
class Ending:
    """One thing that is being ended: everything of one session, and everything that carries a variable."""

    mark: str
    session: int
    """0: the mark alone counts."""
    since: int
    """Ticks since boot; what is older cannot belong to it, whatever its numbers say."""
    grace: float
    done: Callable[[], None]
    kill_at: float = 0.0
    told: set[int] = field(default_factory=set)

    def concerns(self, process: Process, environ: bytes) -> bool:
        if process.start < self.since:
            return False
        return (self.session != 0 and process.session == self.session) or carries(environ, self.mark)


class Endings:
    """All endings under way; one look at /proc serves them all."""

    def __init__(self) -> None:
        self._active: dict[str, Ending] = {}
        self._next_look = 0.0
        self._pause = FIRST_LOOK

    def __contains__(self, key: str) -> bool:
        return key in self._active

    def add(self, key: str, ending: Ending) -> None:
        now = time.monotonic()
        known = self._active.get(key)
        if known is not None:
            # Asked again, perhaps with less patience.
            known.kill_at = min(known.kill_at, now + ending.grace)
            return
        ending.kill_at = now + ending.grace
        self._active[key] = ending
        self._next_look = now
        self._pause = FIRST_LOOK

    def due(self) -> float | None:
        """When to call `look`; None: nothing to do."""
        return self._next_look if self._active else None

    def look(self) -> None:
        """Sends the signals that are due, and reports the endings of which nothing is left."""
        now = time.monotonic()
        left: dict[str, list[int]] = {key: [] for key in self._active}
        for process, environ in own_processes():
            for key, ending in self._active.items():
                if ending.concerns(process, environ):
                    left[key].append(process.pid)
        for key, pids in left.items():
            ending = self._active[key]
            if not pids:
                del self._active[key]
                ending.done()
                continue
            for pid in pids:
                if now >= ending.kill_at:
                    _send(pid, signal.SIGKILL)
                elif pid not in ending.told:
                    ending.told.add(pid)
                    _send(pid, signal.SIGTERM)
                    _send(pid, signal.SIGCONT)  # a stopped process would keep its TERM waiting
        self._next_look = now + self._pause
        self._pause = min(SLOWEST_LOOK, self._pause * 1.5)


def _send(pid: int, number: signal.Signals) -> None:
    # It may have gone by itself in the meantime.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
