"""Files that spawns write to, kept open between one spawn and the next that uses the same ones."""

from __future__ import annotations

import fcntl
import os

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
KEPT = 256
"""Files that are kept open; beyond that each is opened and closed for its spawn."""


class Outputs:
    """Short tasks take turns with few files: mostly there is nothing to open, and no path to look up for its size."""

    def __init__(self) -> None:
        self._kept: dict[str, int] = {}
        self._flags = 0

    def open(self, path: str) -> int:
        """A descriptor that appends to a file, to be given back with `done`."""
        fd = self._kept.get(path)
        if fd is not None:
            # Removed in the meantime, or no longer one that appends because a task has changed that.
            if os.fstat(fd).st_nlink > 0 and fcntl.fcntl(fd, fcntl.F_GETFL) == self._flags:
                return fd
            del self._kept[path]
            os.close(fd)
        fd = os.open(path, FLAGS, 0o600)
        if len(self._kept) < KEPT:
            self._kept[path] = fd
            self._flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        return fd

    def done(self, path: str, fd: int) -> None:
        """The spawn has its own by now."""
        if self._kept.get(path) != fd:
            os.close(fd)

    def size(self, path: str) -> int:
        """bytes in a file that a spawn wrote to; 0: it is gone"""
        fd = self._kept.get(path)
        try:
            return os.stat(path).st_size if fd is None else os.fstat(fd).st_size
        except OSError:
            return 0

    def close(self) -> None:
        for fd in self._kept.values():
            os.close(fd)
        self._kept.clear()
