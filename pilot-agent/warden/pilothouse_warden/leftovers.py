"""What finished tasks of earlier servers have left behind in sessions of their own."""

from __future__ import annotations

import os
import time

from .ending import Ending, Endings
from .host import all_processes, carries, environ_of, value_of
from .ledger import Spawn

DELAY = 0.5
GRACE = 5.0


class Leftovers:
    """Ends them. It looks at all of /proc, so it runs some time after the report and once for many tasks.

    For what this server has spawned itself there is no need of it: see `family.py`.
    """

    def __init__(self, endings: Endings, pilot_mark: str) -> None:
        self._endings = endings
        self._pilot_mark = pilot_mark
        self._suspects: dict[str, Spawn] = {}
        """By mark."""
        self._at = 0.0

    def suspect(self, spawn: Spawn) -> None:
        if not self._suspects:
            self._at = time.monotonic() + DELAY
        self._suspects[spawn.mark] = spawn

    def due(self) -> float | None:
        """When to call `look`; None: nothing to look for."""
        return self._at if self._suspects else None

    def look(self) -> None:
        suspects, self._suspects = self._suspects, {}
        names = {mark.partition("=")[0] for mark in suspects}
        for process in all_processes():
            environ = b"" if process.zombie else environ_of(process.pid)
            if not carries(environ, self._pilot_mark):
                continue
            for name in names:
                value = value_of(environ, os.fsencode(name))
                spawn = None if value is None else suspects.get(f"{name}={os.fsdecode(value)}")
                if spawn is not None and process.start >= spawn.since:
                    ending = Ending(spawn.mark, spawn.since, GRACE, lambda: None, spawn)
                    self._endings.add(f"\0leftover {spawn.id}", ending)
