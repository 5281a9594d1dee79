"""Spawns that are not children of this server: those of servers before it.

Their parent is the keeper, as long as that lives; then it reaps them and writes down how they ended. Once it was
killed too, they belong to the system's first process, and only the kernel can say how they ended: from Linux 6.15 on,
to whoever holds a pidfd. On an older kernel such a spawn counts as lost when it ends.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import time

from .host import look_at
from .ledger import Ledger, Spawn

PATIENCE = 1.0
"""Seconds in which somebody may still say how a process ended that is gone."""
PAUSE = 0.02
LOOK_EVERY = 1.0
"""Seconds between two looks at processes that no pidfd can be had for."""

# struct pidfd_info of linux/pidfd.h, its first published size, and the ioctl that fills it.
INFO_SIZE = 64
EXIT_CODE_AT = 60
PIDFD_GET_INFO = (3 << 30) | (INFO_SIZE << 16) | (0xFF << 8) | 11
PIDFD_INFO_EXIT = 1 << 3


class Foreign:
    """Watches them, and settles each once: exited with a code, or lost."""

    def __init__(self, ledger: Ledger, poll: select.epoll) -> None:
        self._ledger = ledger
        self._poll = poll
        self._watched: dict[int, Spawn] = {}
        """By pidfd."""
        self._looked_at: list[Spawn] = []
        self._look_at = 0.0
        self._gone: list[tuple[Spawn, int, float]] = []
        """Ended, with the pidfd (or -1) and the moment when it is given up."""

    def watch(self, spawn: Spawn) -> None:
        try:
            fd = os.pidfd_open(spawn.pid)
        except ProcessLookupError:
            self._gone.append((spawn, -1, time.monotonic() + PATIENCE))
            return
        except OSError:
            # A kernel without pidfds.
            self._looked_at.append(spawn)
            return
        process = look_at(spawn.pid)
        if not spawn.is_(process):
            os.close(fd)
            self._gone.append((spawn, -1, time.monotonic() + PATIENCE))
            return
        self._watched[fd] = spawn
        self._poll.register(fd, select.EPOLLIN)

    def hear(self, fd: int) -> bool:
        """Takes a pidfd that became readable; False when it is none of these."""
        spawn = self._watched.pop(fd, None)
        if spawn is None:
            return False
        self._poll.unregister(fd)
        self._gone.append((spawn, fd, time.monotonic() + PATIENCE))
        return True

    def due(self) -> float | None:
        """When to call `settle`; None: nothing is open."""
        if self._gone:
            return time.monotonic() + PAUSE
        return self._look_at if self._looked_at else None

    def settle(self) -> list[Spawn]:
        """Those that can be decided now."""
        now = time.monotonic()
        if self._looked_at and now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            for spawn in list(self._looked_at):
                process = look_at(spawn.pid)
                if process is None or process.zombie or not spawn.is_(process):
                    self._looked_at.remove(spawn)
                    self._gone.append((spawn, -1, now + PATIENCE))
        decided: list[Spawn] = []
        open_: list[tuple[Spawn, int, float]] = []
        for spawn, fd, until in self._gone:
            if spawn.code is None:
                code = _exit_code(spawn, fd)
                if code is not None:
                    self._ledger.exited(spawn, code)
                    decided.append(spawn)
                elif now >= until:
                    self._ledger.is_lost(spawn)
                    decided.append(spawn)
                else:
                    open_.append((spawn, fd, until))
                    continue
            # Otherwise the keeper has said it in the meantime.
            if fd >= 0:
                os.close(fd)
        self._gone = open_
        return decided

    def close(self) -> None:
        for fd in [*self._watched, *(fd for _, fd, _ in self._gone if fd >= 0)]:
            os.close(fd)


def _exit_code(spawn: Spawn, pidfd: int) -> int | None:
    """The exit code, or minus the number of the signal; None: nobody says (yet)."""
    process = look_at(spawn.pid)
    if process is not None and spawn.is_(process):
        # Nobody has reaped it yet: a zombie shows how it ended.
        return os.waitstatus_to_exitcode(process.status) if process.zombie else None
    if pidfd < 0:
        return None
    info = bytearray(INFO_SIZE)
    struct.pack_into("=Q", info, 0, PIDFD_INFO_EXIT)
    try:
        fcntl.ioctl(pidfd, PIDFD_GET_INFO, info)
    except OSError:
        return None
    if not struct.unpack_from("=Q", info, 0)[0] & PIDFD_INFO_EXIT:
        return None
    return os.waitstatus_to_exitcode(struct.unpack_from("=i", info, EXIT_CODE_AT)[0])
