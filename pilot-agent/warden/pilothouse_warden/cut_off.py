"""Spawns that were under way when a server was killed: did they run, and how did they end?"""

from __future__ import annotations

import time

from .host import all_processes, boot_seconds, carries, environ_of
from .ledger import Ledger, Spawn
from .lines import Record

PATIENCE = 0.5
"""Seconds in which such a spawn may still show up, alive or as an orphan that the keeper reaped."""


class CutOff:
    """Resolves intents without a pid. A server has at most one spawn under way, so there is rarely more than one."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._until = time.monotonic() + PATIENCE
        self.unclaimed: list[Record] = []
        """Session leaders that the keeper reaped and the ledger does not know."""

    def due(self) -> float | None:
        """When to call `settle`; None: nothing is open."""
        return self._until if self._open() else None

    def find_alive(self) -> None:
        """Finds those that run, by the variable they carry."""
        for spawn in self._open():
            for process in all_processes():
                if process.zombie or process.session != process.pid or process.start < spawn.since:
                    continue
                if carries(environ_of(process.pid), spawn.mark):
                    self._ledger.has_pid(spawn, process.pid, boot_seconds())
                    break

    def settle(self) -> list[Spawn]:
        """Decides all that are open: running, ended, or lost. What is lost is never run a second time."""
        decided = self._open()
        self.find_alive()
        for spawn in self._open():
            candidates = [record for record in self.unclaimed if record["start"] >= spawn.since]
            if len(candidates) == 1:
                self.unclaimed.remove(candidates[0])
                self._ledger.has_pid(spawn, candidates[0]["pid"], boot_seconds())
                self._ledger.exited(spawn, candidates[0]["code"])
            else:
                self._ledger.is_lost(spawn)
        return decided

    def _open(self) -> list[Spawn]:
        return [spawn for spawn in self._ledger.spawns.values() if spawn.limbo]
