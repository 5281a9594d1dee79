"""What was spawned and how it ended, in memory and in a file."""

from __future__ import annotations

from dataclasses import dataclass

from .host import boot_ticks
from .lines import LineFile, Record

COMPACT_AFTER = 5000
"""Acknowledged spawns after which the file is written anew without them."""


@dataclass
class Spawn:
    """One process that was asked for; its id is never used for a second one."""

    id: str
    mark: str
    """The variable `NAME=value` by which it, and what it starts, can be told from everything else."""
    asked: int
    """When it was asked for, in ticks since boot."""
    pid: int = 0
    start: int = 0
    code: int | None = None
    """Exit code, or minus the number of the signal."""
    error: Record | None = None
    """Why it could not be started."""
    lost: bool = False
    """Nobody knows how it ended, or whether it ran at all."""
    grace: float | None = None
    """Somebody asked to end it, with so many seconds between TERM and KILL."""

    @property
    def limbo(self) -> bool:
        return self.pid == 0 and self.error is None and not self.lost

    @property
    def running(self) -> bool:
        return self.pid != 0 and self.code is None and not self.lost


class Ledger:
    """Every change is in the file first: intent before spawning, pid after, exit before reaping."""

    def __init__(self, path: str) -> None:
        self._file = LineFile(path)
        self.spawns: dict[str, Spawn] = {}
        self.started = 0
        """When the first server of this pilot started, in ticks since boot."""
        self._by_pid: dict[int, Spawn] = {}
        self._forgotten = 0
        for record in self._file.read_on():
            self._apply(record)
        self._file.open_for_writing()
        if self.started == 0:
            self._write({"type": "start", "at": boot_ticks()})

    def intend(self, spawn_id: str, mark: str) -> Spawn:
        self._write({"type": "intent", "id": spawn_id, "mark": mark, "at": boot_ticks()})
        return self.spawns[spawn_id]

    def has_pid(self, spawn: Spawn, pid: int, start: int) -> None:
        self._write({"type": "pid", "id": spawn.id, "pid": pid, "start": start})

    def could_not_start(self, spawn: Spawn, error: Record) -> None:
        self._write({"type": "failed", "id": spawn.id, "error": error})

    def exited(self, spawn: Spawn, code: int) -> None:
        self._write({"type": "exit", "id": spawn.id, "code": code})

    def is_lost(self, spawn: Spawn) -> None:
        self._write({"type": "lost", "id": spawn.id})

    def ends(self, spawn: Spawn, grace: float) -> None:
        self._write({"type": "end", "id": spawn.id, "grace": grace})

    def forget(self, spawn: Spawn) -> None:
        self._write({"type": "ack", "id": spawn.id})
        self._forgotten += 1
        if self._forgotten >= COMPACT_AFTER:
            self._compact()

    def by_pid(self, pid: int) -> Spawn | None:
        """The running spawn of that pid."""
        return self._by_pid.get(pid)

    def remove(self) -> None:
        self._file.remove()

    def close(self) -> None:
        self._file.close()

    def _write(self, record: Record) -> None:
        self._file.append(record)
        self._apply(record)

    def _apply(self, record: Record) -> None:
        kind = record["type"]
        if kind == "start":
            self.started = record["at"]
            return
        if kind == "intent":
            self.spawns[record["id"]] = Spawn(record["id"], record["mark"], record["at"])
            return
        spawn = self.spawns.get(record["id"])
        if spawn is None:
            return
        if kind == "pid":
            spawn.pid, spawn.start = record["pid"], record["start"]
            self._by_pid[spawn.pid] = spawn
        elif kind == "failed":
            spawn.error = record["error"]
        elif kind == "exit":
            spawn.code = record["code"]
            if self._by_pid.get(spawn.pid) is spawn:
                del self._by_pid[spawn.pid]
        elif kind == "lost":
            spawn.lost = True
            if self._by_pid.get(spawn.pid) is spawn:
                del self._by_pid[spawn.pid]
        elif kind == "end":
            spawn.grace = record["grace"]
        elif kind == "ack":
            del self.spawns[spawn.id]

    def _compact(self) -> None:
        records: list[Record] = [{"type": "start", "at": self.started}]
        for spawn in self.spawns.values():
            records.append({"type": "intent", "id": spawn.id, "mark": spawn.mark, "at": spawn.asked})
            if spawn.pid:
                records.append({"type": "pid", "id": spawn.id, "pid": spawn.pid, "start": spawn.start})
            if spawn.error is not None:
                records.append({"type": "failed", "id": spawn.id, "error": spawn.error})
            if spawn.code is not None:
                records.append({"type": "exit", "id": spawn.id, "code": spawn.code})
            if spawn.lost:
                records.append({"type": "lost", "id": spawn.id})
            if spawn.grace is not None:
                records.append({"type": "end", "id": spawn.id, "grace": spawn.grace})
        self._file.replace(records)
        self._forgotten = 0
