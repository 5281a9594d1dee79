"""Who belongs to a spawn: its descendants, and what has lost its parents or left its session."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .host import Process, children_of, environ_of, look_at, value_of
from .ledger import Ledger, Spawn


class Family:
    """Of the children of this server alone, for which Linux says it at once and without a look at all processes.

    This process is a sub-reaper, so whatever of a task loses its parent becomes a child of it, in the moment of the
    loss. Once the leader of a spawn is reaped, every process that is left of it therefore has an ancestor, or is one,
    among this server's children: when none of those is of the spawn, nothing is left.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._strays: dict[int, tuple[int, Spawn]] = {}
        """By pid: start, and to whom it belongs."""
        self._own_pid = os.getpid()
        self.known = children_of(self._own_pid) is not None
        """Whether this kernel names children."""

    def reaped(self, pid: int) -> None:
        """Forgets a child that no spawn started."""
        self._strays.pop(pid, None)

    def with_something_left(self, ended: Iterable[Spawn]) -> set[str]:
        """Which of these have left processes behind; their leaders are reaped."""
        strangers = self._strangers()
        if not strangers:
            return set()
        sessions = {spawn.pid: spawn for spawn in ended}
        return {spawn.id for pid in strangers if (spawn := self._owner(pid, sessions)) is not None}

    def of(self, spawn: Spawn) -> list[Process]:
        """The live processes of a spawn."""
        sessions = {spawn.pid: spawn}
        roots = [pid for pid in self._strangers() if self._owner(pid, sessions) is spawn]
        if spawn.running:
            roots.append(spawn.pid)
        found: list[Process] = []
        seen: set[int] = set()
        while roots:
            pid = roots.pop()
            process = look_at(pid)
            if pid in seen or process is None:
                continue
            seen.add(pid)
            if not process.zombie:
                found.append(process)
                if pid != spawn.pid:
                    # Known from now on, whatever it makes of its environment.
                    self._strays[pid] = (process.start, spawn)
            roots += children_of(pid) or ()
        return found

    def forget(self, spawn: Spawn) -> None:
        """Nothing of it is left."""
        gone = [pid for pid, (_, owner) in self._strays.items() if owner is spawn]
        for pid in gone:
            del self._strays[pid]

    def _strangers(self) -> list[int]:
        """Children that are no spawn's leader."""
        by_pid = self._ledger.by_pid
        return [pid for pid in children_of(self._own_pid) or () if by_pid(pid) is None]

    def _owner(self, pid: int, sessions: dict[int, Spawn]) -> Spawn | None:
        process = look_at(pid)
        if process is None or process.zombie:
            return None
        known = self._strays.get(pid)
        if known is not None and known[0] == process.start:
            return known[1]
        owner = sessions.get(process.session) or self._ledger.by_pid(process.session)
        if owner is None or process.start < owner.since:
            owner = self._by_mark(process)
        if owner is not None:
            self._strays[pid] = (process.start, owner)
        return owner

    def _by_mark(self, process: Process) -> Spawn | None:
        environ = environ_of(process.pid)
        for name in self._ledger.mark_names:
            value = value_of(environ, os.fsencode(name))
            if value is not None:
                owner = self._ledger.by_mark(f"{name}={os.fsdecode(value)}")
                if owner is not None and process.start >= owner.since:
                    return owner
        return None
