"""The files that spawns write to: what is in them at the end, and their growth while they run."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted

from .ledger import Spawn

SHORT = 4096
"""Bytes of output, of both files, up to which it is told with the exit, so that nobody has to open them."""
LOOK_EVERY = 1.0
KEEP_SIZE_AND_PUNCH_HOLE = 1 | 2


def told(spawn: Spawn) -> str:
    """What a spawn of which nothing is left has written, as fields of a message."""
    if spawn.stdout is None or spawn.stderr is None:
        return ""
    out, err = _size(spawn.stdout), _size(spawn.stderr)
    if out + err == 0 or out + err > SHORT:
        return f',"out":{out},"err":{err}'
    texts = [quoted(_content(path) if size else "") for path, size in ((spawn.stdout, out), (spawn.stderr, err))]
    return f',"out":{out},"err":{err},"text":[{texts[0]},{texts[1]}]'


class Growth:
    """Keeps outputs from filling the node: of what is longer than allowed, the middle is given back.

    The file keeps its length, so whatever reads along finds its place again; the writer notices nothing.
    """

    def __init__(self, head: int, tail: int) -> None:
        self._head = head
        self._tail = tail
        self._next = time.monotonic() + LOOK_EVERY
        self._punch = ctypes.CDLL(None, use_errno=True).fallocate
        self._punch.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        self._cannot: set[str] = set()

    def due(self, running: bool) -> float | None:
        """When to call `look`; None: nothing writes."""
        return self._next if running else None

    def look(self, spawns: Iterable[Spawn]) -> list[str]:
        """Gives back the middles; returns the files of which it cannot, once each."""
        self._next = time.monotonic() + LOOK_EVERY
        refused: list[str] = []
        for spawn in spawns:
            for path in (spawn.stdout, spawn.stderr):
                if path is None or not spawn.running or _size(path) <= self._head + self._tail:
                    continue
                if path not in self._cannot and not self._give_back(path):
                    self._cannot.add(path)
                    refused.append(path)
        return refused

    def _give_back(self, path: str) -> bool:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            length = os.fstat(fd).st_size - self._head - self._tail
            return length <= 0 or self._punch(fd, KEEP_SIZE_AND_PUNCH_HOLE, self._head, length) == 0
        finally:
            os.close(fd)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _content(path: str) -> str:
    """One character a byte, so that whatever was written comes through."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, SHORT).decode("latin-1")
    finally:
        os.close(fd)
