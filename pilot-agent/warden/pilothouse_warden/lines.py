"""Files of JSON lines that outlive a killed process."""

from __future__ import annotations

import json
import os
from typing import Any

Record = dict[str, Any]


class LineFile:
    """Appends records, one JSON line each, and reads them back.

    Every file has one writer at a time. A last line without its end belongs to a writer that was killed in the middle
    of it: it is cut before anything is appended.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._offset = 0
        self._fd = -1

    def open_for_writing(self) -> None:
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        content = _read_all(self._fd)
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._fd, whole)

    def append(self, record: Record) -> None:
        self.append_line(json.dumps(record, separators=(",", ":")) + "\n")

    def append_line(self, text: str) -> None:
        """Appends one or more whole lines, made by whoever calls."""
        data = text.encode()
        if os.write(self._fd, data) != len(data):
            raise OSError(f"{self.path}: the file system took a part of a line only; is it full?")

    def read_on(self) -> list[Record]:
        """The records that came since the last call."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            content = _read_all(fd, self._offset)
        finally:
            os.close(fd)
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        return [json.loads(line) for line in content[:whole].splitlines()]

    def replace(self, lines: list[str]) -> None:
        """Swaps the whole content for these lines, in one step."""
        draft = LineFile(f"{self.path}.new")
        fd = os.open(draft.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        draft._fd = fd
        draft.append_line("".join(lines))
        os.rename(draft.path, self.path)
        self.close()
        self._fd = fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        self.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


def _read_all(fd: int, offset: int = 0) -> bytes:
    parts = []
    while part := os.pread(fd, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)
