"""What the warden asks Linux: sub-reaper, processes by session or by a variable they carry, start times."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def become_subreaper() -> None:
    """Makes orphans among the descendants children of this process, so that their ends are seen."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot become a sub-reaper: {os.strerror(number)}")


def boot_ticks() -> int:
    """Now, on the clock that the start times of processes are read from."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS_PER_SECOND)


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


def carries(environ: bytes, mark: str) -> bool:
    """Whether an environment holds the variable `NAME=value`."""
    return b"\0" + mark.encode() + b"\0" in environ
