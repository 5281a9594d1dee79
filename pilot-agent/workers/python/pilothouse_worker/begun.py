"""What this worker has begun, as a file that outlives it, and what it must not begin.

The agent sends several short calls ahead. It may take back what has not begun, so that nothing waits behind a long call
and nothing that was killed runs twice: it writes a range of numbers into `range` and then reads `begun`; the worker
writes into `begun` and then reads `range`. Whatever the order, at least one of the two sees the other.
"""

from __future__ import annotations

import os
import struct

_RANGE = struct.Struct("<2d")
_TRIM_BYTES = 64 * 1024


class Begun:
    def __init__(self, folder: str) -> None:
        flags = os.O_CREAT | os.O_CLOEXEC
        self._begun = os.open(os.path.join(folder, "begun"), os.O_WRONLY | os.O_APPEND | flags, 0o600)
        self._range = os.open(os.path.join(folder, "range"), os.O_RDONLY | flags, 0o600)
        self._written = 0

    def begin(self, number: int, run: str) -> bool:
        """Writes down that a call begins; False when it was taken back."""
        line = f"+{number} {run}\n".encode()
        os.write(self._begun, line)
        self._written += len(line)
        taken = os.pread(self._range, 16, 0)
        if len(taken) < 16:
            return True
        first, end = _RANGE.unpack(taken)
        if not first <= number < end:
            return True
        os.write(self._begun, f"-{number} {run}\n".encode())
        return False

    def trim(self) -> None:
        """Forgets what is there; only when all of it is known to the agent for good."""
        if self._written > _TRIM_BYTES:
            os.ftruncate(self._begun, 0)
            self._written = 0
