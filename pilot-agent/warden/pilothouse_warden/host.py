"""What the warden asks Linux: sub-reaper, processes by session or by a variable they carry, start times."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def become_subreaper() -> None:
    """Makes orphans among the descendants children of this process, so that their ends are seen."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot become a sub-reaper: {os.strerror(number)}")


def boot_seconds() -> float:
    """Now, on the clock that the start times of processes are read from."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def to_ticks(seconds: float) -> int:
    """The unit of that clock in which /proc shows start times."""
    return int(seconds * TICKS_PER_SECOND)


def children_of(pid: int) -> list[int] | None:
    """Its children, zombies included; None: it is gone, or this kernel does not say.

    Of the caller itself the list is complete: nobody else can take an entry away while it is read. A process whose
    parent has died is among its sub-reaper's at the moment the parent has gone.
    """
    try:
        listed = b"".join(_read(f"/proc/{pid}/task/{thread}/children") for thread in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return None
    return [int(child) for child in listed.split()]


def resident(pid: int) -> int:
    """bytes of memory it has, shared ones counted in full; 0: it is gone"""
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def proportional(pid: int) -> int | None:
    """bytes of memory it has, of shared ones its part; dear to ask for. None: it is gone or the kernel does not say."""
    try:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return None


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
    finally:
        os.close(fd)
    return b"".join(parts)


@dataclass(frozen=True)
class Process:
    """One process as /proc shows it."""

    pid: int
    parent: int
    session: int
    zombie: bool
    start: int
    """Ticks since boot; with the pid it names a process for good."""
    status: int
    """How a zombie ended, as `wait` would say; 0 while it lives."""


def look_at(pid: int) -> Process | None:
    """The process of that pid, or None when there is none (any more)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The program's name stands in parentheses and may hold spaces and parentheses itself.
    fields = text[text.rindex(b")") + 2 :].split()
    zombie = fields[0] in (b"Z", b"X")
    return Process(pid, int(fields[1]), int(fields[3]), zombie, int(fields[19]), int(fields[49]) if zombie else 0)


def environ_of(pid: int) -> bytes:
    """The environment a process was started with; empty for what is gone, a zombie or another user's."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return b"\0" + file.read()
    except OSError:
        return b""


def all_processes() -> Iterator[Process]:
    """Every process there is, zombies included."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            process = look_at(int(entry))
            if process is not None:
                yield process


def own_processes() -> Iterator[tuple[Process, bytes]]:
    """The live processes of this user, with their environments; this process itself is left out."""
    uid = os.getuid()
    here = os.getpid()
    for process in all_processes():
        if process.zombie or process.pid == here:
            continue
        try:
            if os.stat(f"/proc/{process.pid}").st_uid != uid:
                continue
        except OSError:
            continue
        yield process, environ_of(process.pid)


def value_of(environ: bytes, name: bytes) -> bytes | None:
    """The value of a variable in an environment; None: it is not there."""
    start = environ.find(b"\0" + name + b"=")
    if start < 0:
        return None
    start += len(name) + 2
    return environ[start : environ.find(b"\0", start)]


def carries(environ: bytes, mark: str) -> bool:
    """Whether an environment holds the variable `NAME=value`."""
    return b"\0" + mark.encode() + b"\0" in environ
