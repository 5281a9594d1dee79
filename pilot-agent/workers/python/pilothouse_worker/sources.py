"""Whether the caller's own modules have changed since they were imported."""

from __future__ import annotations

import os
import sys
import time

_EVERY_SECONDS = 0.1
_SETTLED_SECONDS = 0.005
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

Stamp = tuple[int, int, int]


class Sources:
    """Looks at the files of modules below one folder, installed packages left out."""

    def __init__(self, folder: str) -> None:
        self._below = folder.rstrip(os.sep) + os.sep
        self._known = -1
        self._stamps: dict[str, Stamp] = {}
        self._looked = 0.0

    def remember(self) -> None:
        """Takes note of what was imported since."""
        if len(sys.modules) == self._known:
            return
        self._known = len(sys.modules)
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not isinstance(file, str) or not file.startswith(self._below) or file in self._stamps:
                continue
            if not any(part in file for part in _INSTALLED):
                self._stamps[file] = _stamp(file)

    def changed(self, rested: bool) -> bool:
        """Whether one of them is another file now. Between calls that follow each other it looks from time to time."""
        now = time.monotonic()
        if now - self._looked < (_SETTLED_SECONDS if rested else _EVERY_SECONDS):
            return False
        self._looked = now
        return any(_stamp(file) != stamp for file, stamp in self._stamps.items())


def _stamp(file: str) -> Stamp:
    try:
        found = os.stat(file)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
