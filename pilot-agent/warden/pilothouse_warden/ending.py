"""Ends processes for good: TERM to all of them, KILL after a grace, looked at until none is left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .family import Family
from .host import carries, own_processes, value_of
from .ledger import Spawn

FIRST_LOOK = 0.02
SLOWEST_LOOK = 0.25


@dataclass(slots=True)
class Ending:
    """One thing that is being ended: everything of a spawn, or everything that carries a variable."""

    mark: str
    """Variable `NAME=value`."""
    since: int
    """Ticks since boot; what is older cannot belong to it, whatever its numbers say."""
    grace: float
    done: Callable[[], None]
    spawn: Spawn | None = None
    """None: the mark alone counts."""
    spared: str | None = None
    """Without a spawn, children of the warden's go too, whatever they carry, unless they carry this."""
    first: int = signal.SIGTERM
    """The signal it begins with."""
    kill_at: float = 0.0
    told: set[int] = field(default_factory=set)


class Endings:
    """All endings under way; one look at /proc serves all that need one."""

    def __init__(self, family: Family) -> None:
        self._family = family
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
        left: dict[str, list[int]] = {}
        elsewhere: dict[str, Ending] = {}
        for key, ending in self._active.items():
            if ending.spawn is not None and ending.spawn.own:
                left[key] = [process.pid for process in self._family.of(ending.spawn)]
            else:
                elsewhere[key] = ending
        if elsewhere:
            left.update(_found_everywhere(elsewhere))
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
                    _send(pid, ending.first)
                    _send(pid, signal.SIGCONT)  # a stopped process would keep its signal waiting
        self._next_look = now + self._pause
        self._pause = min(SLOWEST_LOOK, self._pause * 1.5)


def _found_everywhere(endings: dict[str, Ending]) -> dict[str, list[int]]:
    """What is left of each, found by one look at all processes of this user."""
    left: dict[str, list[int]] = {key: [] for key in endings}
    sessions = {ending.spawn.pid: key for key, ending in endings.items() if ending.spawn is not None}
    marks: dict[bytes, dict[bytes, str]] = {}
    for key, ending in endings.items():
        name, _, value = os.fsencode(ending.mark).partition(b"=")
        marks.setdefault(name, {})[value] = key
    sweeps = {key: ending.spared for key, ending in endings.items() if ending.spared is not None}
    parents = {os.getpid(), os.getppid()} - {1}
    for process, environ in own_processes():
        keys = {sessions.get(process.session)}
        for name, by_value in marks.items():
            value = value_of(environ, name)
            if value is not None:
                keys.add(by_value.get(value))
        if process.parent in parents:
            keys.update(key for key, spared in sweeps.items() if not carries(environ, spared))
        for key in keys:
            if key is not None and process.start >= endings[key].since:
                left[key].append(process.pid)
    return left


def _send(pid: int, number: int) -> None:
    # It may have gone by itself in the meantime.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
