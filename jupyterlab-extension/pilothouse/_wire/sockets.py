"""ZeroMQ sockets of the protocol, and one within an asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import zmq

from .limits import HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS

_AT_ONCE = 200
"""Messages read before others in the loop have their turn."""


def prepare(socket: zmq.Socket[bytes]) -> None:
    """What both ends need: nothing waits for a full socket (calls and credits bound it), and the dead are noticed."""
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)


class LoopSocket:
    """Reads a socket from within the running loop, message by message, without a future for each."""

    def __init__(self, socket: zmq.Socket[bytes], on_message: Callable[[list[bytes]], None]) -> None:
        self._socket = socket
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._closed = False
        self._descriptor = int(socket.getsockopt(zmq.FD))
        self._loop.add_reader(self._descriptor, self.read)
        self._again()

    def send(self, frames: Sequence[Any]) -> None:
        """Sends at once.

        Raises:
            zmq.ZMQError: ``EHOSTUNREACH`` where a ROUTER's peer has gone.
        """
        self._socket.send_multipart(frames, zmq.NOBLOCK, copy=True)
        # The descriptor tells of a change only once, and sending may have taken note of it.
        self._again()

    def stop(self) -> None:
        """Reads no more; whoever made the socket closes it."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._descriptor)

    def close(self) -> None:
        """Reads no more and closes the socket."""
        self.stop()
        self._socket.close()

    def _again(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._scheduled_read)

    def _scheduled_read(self) -> None:
        self._scheduled = False
        self.read()

    def read(self) -> None:
        """Hands on what is there."""
        for _ in range(_AT_ONCE):
            if self._closed:
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._on_message(frames)
        self._again()
