"""What a call prints, kept apart from what other calls print."""

from __future__ import annotations

import io

KEPT = 64 * 1024
"""Characters of each stream that are kept, the last ones."""


class Captured(io.TextIOBase):
    """Takes the place of sys.stdout or sys.stderr."""

    def __init__(self, name: str) -> None:
        self.name = f"<{name}>"
        self._parts: list[str] = []
        self._size = 0
        self._dropped = 0

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._parts.append(text)
        self._size += len(text)
        if self._size > 2 * KEPT:
            whole = "".join(self._parts)
            self._dropped += len(whole) - KEPT
            self._parts, self._size = [whole[-KEPT:]], KEPT
        return len(text)

    def take(self) -> str:
        """What was written since the last time."""
        if not self._parts:
            return ""
        text = "".join(self._parts)
        dropped = self._dropped + max(0, len(text) - KEPT)
        self._parts, self._size, self._dropped = [], 0, 0
        return f"[{dropped} characters left out]\n{text[-KEPT:]}" if dropped else text
