"""Connections to the warden's socket: JSON lines both ways."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
from typing import Any

Message = dict[str, Any]
MAX_LINE = 8 << 20


class Client:
    """One connection. Nothing here ever waits."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.fileno = connection.fileno()
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.pid, self.uid, _ = struct.unpack("3i", credentials)
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self.events = select.EPOLLIN
        """What it is registered for."""

    def trusted(self) -> bool:
        return self.uid == os.getuid()

    def receive(self) -> list[Message]:
        """Whole messages that have come. Raises EOFError at the end, ValueError for what is no message."""
        try:
            part = self.socket.recv(1 << 18)
        except BlockingIOError:
            return []
        if not part:
            raise EOFError
        self._incoming += part
        end = self._incoming.rfind(b"\n") + 1
        if end == 0:
            if len(self._incoming) > MAX_LINE:
                raise ValueError("a line of more than 8 MiB")
            return []
        whole = bytes(self._incoming[:end])
        del self._incoming[:end]
        return [_message(line) for line in whole.splitlines()]

    def send(self, message: Message) -> None:
        self.send_line(json.dumps(message, separators=(",", ":")))

    def send_line(self, text: str) -> None:
        """Sends a message that the caller has put together."""
        self._outgoing += text.encode() + b"\n"

    def flush(self) -> bool:
        """Sends what the socket takes; True when nothing is left."""
        while self._outgoing:
            try:
                sent = self.socket.send(self._outgoing)
            except BlockingIOError:
                return False
            del self._outgoing[:sent]
        return True


def _message(line: bytes) -> Message:
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise TypeError("a message is an object with a type")
    return message
