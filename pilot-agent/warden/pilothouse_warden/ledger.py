"""What was spawned and how it ended, in memory and in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from resource import struct_rusage

from .host import Process, boot_seconds, to_ticks
from .lines import LineFile, Record

COMPACT_AFTER = 5000
"""Acknowledged spawns after which the file is written anew without them."""


@dataclass(slots=True)
class Usage:
    """What a process and its waited-for descendants have used."""

    wall: float
    cpu: float
    """seconds"""
    max_rss: int
    read: int
    written: int
    """bytes"""

    def line(self) -> str:
        return f"[{self.wall:.6f},{self.cpu:.6f},{self.max_rss},{self.read},{self.written}]"


def usage_of(used: list[float], wall: float, peak: int) -> Usage:
    """Usage from what `rusage_of` gave, the seconds it ran and the most memory its processes were seen to take."""
    cpu, largest, read, written = used
    return Usage(wall, cpu, max(int(largest), peak), int(read), int(written))


def rusage_of(used: struct_rusage) -> list[float]:
    """Seconds of CPU time; bytes of memory at most (never below the warden's own, of which it is a copy at first),
    bytes read from and written to storage."""
    return [used.ru_utime + used.ru_stime, used.ru_maxrss << 10, used.ru_inblock << 9, used.ru_oublock << 9]


@dataclass(slots=True)
class Spawn:
    """One process that was asked for; its id is never used for a second one."""

    id: str
    mark: str
    """The variable `NAME=value` by which it, and what it starts, can be told from everything else."""
    asked: float
    """When it was asked for, in seconds since boot."""
    stdout: str | None = None
    """Files that it writes to."""
    stderr: str | None = None
    memory: int | None = None
    """bytes that everything of it may take together"""
    pid: int = 0
    until: float = 0.0
    """When it was known to run: it started between `asked` and then. With the pid this names a process for good."""
    code: int | None = None
    """Exit code, or minus the number of the signal."""
    usage: Usage | None = None
    oom: int | None = None
    """It was killed for its memory; bytes at that moment."""
    error: Record | None = None
    """Why it could not be started."""
    lost: bool = False
    """Nobody knows how it ended, or whether it ran at all."""
    grace: float | None = None
    """Somebody asked to end it, with so many seconds between TERM and KILL."""
    own: bool = False
    """Whether it is a child of this server, and so is whatever of it has lost its parents."""

    @property
    def limbo(self) -> bool:
        return self.pid == 0 and self.error is None and not self.lost

    @property
    def running(self) -> bool:
        return self.pid != 0 and self.code is None and not self.lost

    @property
    def since(self) -> int:
        """Ticks since boot; what is older cannot belong to it, whatever its numbers say."""
        return to_ticks(self.asked) - 1

    def started_at(self, ticks: int) -> bool:
        """Whether a process of its pid that started then is it, and not a later one."""
        return self.since <= ticks <= to_ticks(self.until) + 1

    def is_(self, process: Process | None) -> bool:
        """Whether that process, which has its pid, is it."""
        return process is not None and self.started_at(process.start)


class Ledger:
    """Every change is in the file first: intent before spawning, pid after, exit before reaping.

    The lines of what every task goes through are put together by hand: this is the hottest path of the warden.
    """

    def __init__(self, path: str) -> None:
        self._file = LineFile(path)
        self.spawns: dict[str, Spawn] = {}
        self.started = 0.0
        """When the first server of this pilot started, in seconds since boot."""
        self._by_pid: dict[int, Spawn] = {}
        self._by_mark: dict[str, Spawn] = {}
        self.mark_names: set[str] = set()
        """Names of the variables that serve as marks."""
        self._forgotten = 0
        for record in self._file.read_on():
            self._apply(record)
        self._file.open_for_writing()
        self.inherited = self.started != 0
        """Whether there was a server before this one."""
        if self.started == 0:
            self.started = boot_seconds()
            self._file.append({"type": "start", "at": self.started})

    def intend(self, spawn: Spawn) -> None:
        self._file.append_line(_intent(spawn))
        self._add(spawn)

    def has_pid(self, spawn: Spawn, pid: int, until: float) -> None:
        self._file.append_line(f'{{"type":"pid","id":{quoted(spawn.id)},"pid":{pid},"until":{until:.3f}}}\n')
        spawn.pid, spawn.until = pid, until
        self._by_pid[pid] = spawn

    def could_not_start(self, spawn: Spawn, error: Record) -> None:
        self._write({"type": "failed", "id": spawn.id, "error": error})

    def exited(self, spawn: Spawn, code: int) -> None:
        self._file.append_line(f'{{"type":"exit","id":{quoted(spawn.id)},"code":{code}}}\n')
        self._has_exited(spawn, code)

    def used(self, spawns: list[Spawn]) -> None:
        """Writes down what these have used, which is known only when they are reaped."""
        lines = [
            f'{{"type":"used","id":{quoted(spawn.id)},"usage":{spawn.usage.line()}}}\n'
            for spawn in spawns
            if spawn.usage is not None
        ]
        if lines:
            self._file.append_line("".join(lines))

    def is_lost(self, spawn: Spawn) -> None:
        self._write({"type": "lost", "id": spawn.id})

    def ends(self, spawn: Spawn, grace: float) -> None:
        self._write({"type": "end", "id": spawn.id, "grace": grace})

    def out_of_memory(self, spawn: Spawn, peak: int) -> None:
        self._write({"type": "oom", "id": spawn.id, "peak": peak})

    def forget(self, spawns: list[Spawn]) -> None:
        if not spawns:
            return
        self._file.append_line("".join(f'{{"type":"ack","id":{quoted(spawn.id)}}}\n' for spawn in spawns))
        for spawn in spawns:
            self._drop(spawn)
        self._forgotten += len(spawns)
        if self._forgotten >= COMPACT_AFTER:
            self._compact()

    def by_pid(self, pid: int) -> Spawn | None:
        """The running spawn of that pid."""
        return self._by_pid.get(pid)

    @property
    def running(self) -> int:
        """How many run, an agent among them."""
        return len(self._by_pid)

    def by_mark(self, mark: str) -> Spawn | None:
        """The spawn with that mark, until it is acknowledged."""
        return self._by_mark.get(mark)

    def remove(self) -> None:
        self._file.remove()

    def close(self) -> None:
        self._file.close()

    def _write(self, record: Record) -> None:
        self._file.append(record)
        self._apply(record)

    def _add(self, spawn: Spawn) -> None:
        self.spawns[spawn.id] = self._by_mark[spawn.mark] = spawn
        self.mark_names.add(spawn.mark.partition("=")[0])

    def _drop(self, spawn: Spawn) -> None:
        del self.spawns[spawn.id]
        if self._by_mark.get(spawn.mark) is spawn:
            del self._by_mark[spawn.mark]

    def _has_exited(self, spawn: Spawn, code: int) -> None:
        spawn.code = code
        if self._by_pid.get(spawn.pid) is spawn:
            del self._by_pid[spawn.pid]

    def _apply(self, record: Record) -> None:
        kind = record["type"]
        if kind == "start":
            self.started = record["at"]
            return
        if kind == "intent":
            out, err, memory = record["out"], record["err"], record["mem"]
            self._add(Spawn(record["id"], record["mark"], record["at"], out, err, memory))
            return
        spawn = self.spawns.get(record["id"])
        if spawn is None:
            return
        if kind == "pid":
            spawn.pid, spawn.until = record["pid"], record["until"]
            self._by_pid[spawn.pid] = spawn
        elif kind == "failed":
            spawn.error = record["error"]
        elif kind == "exit":
            self._has_exited(spawn, record["code"])
        elif kind == "used":
            spawn.usage = Usage(*record["usage"])
        elif kind == "lost":
            spawn.lost = True
            if self._by_pid.get(spawn.pid) is spawn:
                del self._by_pid[spawn.pid]
        elif kind == "end":
            spawn.grace = record["grace"]
        elif kind == "oom":
            spawn.oom = record["peak"]
        elif kind == "ack":
            self._drop(spawn)

    def _compact(self) -> None:
        lines = [json.dumps({"type": "start", "at": self.started}) + "\n"]
        for spawn in self.spawns.values():
            lines.append(_intent(spawn))
            changes: list[Record] = []
            if spawn.pid:
                changes.append({"type": "pid", "pid": spawn.pid, "until": spawn.until})
            if spawn.error is not None:
                changes.append({"type": "failed", "error": spawn.error})
            if spawn.code is not None:
                changes.append({"type": "exit", "code": spawn.code})
            if spawn.lost:
                changes.append({"type": "lost"})
            if spawn.grace is not None:
                changes.append({"type": "end", "grace": spawn.grace})
            if spawn.oom is not None:
                changes.append({"type": "oom", "peak": spawn.oom})
            lines += [json.dumps({**change, "id": spawn.id}) + "\n" for change in changes]
            if spawn.usage is not None:
                lines.append(f'{{"type":"used","id":{quoted(spawn.id)},"usage":{spawn.usage.line()}}}\n')
        self._file.replace(lines)
        self._forgotten = 0


def _intent(spawn: Spawn) -> str:
    out = "null" if spawn.stdout is None else quoted(spawn.stdout)
    err = "null" if spawn.stderr is None else quoted(spawn.stderr)
    memory = "null" if spawn.memory is None else spawn.memory
    return (
        f'{{"type":"intent","id":{quoted(spawn.id)},"mark":{quoted(spawn.mark)},"at":{spawn.asked:.3f},'
        f'"out":{out},"err":{err},"mem":{memory}}}\n'
    )
