"""The way to the agent: frames of a length (u32, little endian) and that many bytes of JSON."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

LONGEST = 64 << 20
"""A longer frame is no frame."""
_LENGTH = struct.Struct("<I")
_RETRY_SECONDS = 0.05


def pack(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


class Frames:
    """Puts frames together again from pieces of any size."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes) -> list[Any]:
        data = self._data
        data += piece
        at, found = 0, []
        while len(data) - at >= 4:
            (length,) = _LENGTH.unpack_from(data, at)
            if length > LONGEST:
                raise ValueError(f"a frame of {length} bytes")
            if len(data) - at - 4 < length:
                break
            found.append(json.loads(data[at + 4 : at + 4 + length]))
            at += 4 + length
        del data[:at]
        return found


class Connection:
    """One connection after another: an agent that was killed is back within a moment."""

    def __init__(self, path: str, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._socket: socket.socket | None = None
        self._frames = Frames()

    def open(self) -> bool:
        """Connects anew; False when nobody has answered for as long as it is patient."""
        self.close()
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                made.connect(self._path)
            except OSError:
                made.close()
                time.sleep(_RETRY_SECONDS)
            else:
                self._socket, self._frames = made, Frames()
                return True
        return False

    def send(self, text: str) -> bool:
        """False when the connection is gone."""
        if self._socket is None:
            return False
        try:
            self._socket.sendall(pack(text))
        except OSError:
            return False
        return True

    def receive(self) -> list[Any] | None:
        """Waits for some messages; None when the connection is gone."""
        if self._socket is None:
            return None
        try:
            piece = self._socket.recv(1 << 18)
        except OSError:
            return None
        return self._frames.feed(piece) if piece else None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
