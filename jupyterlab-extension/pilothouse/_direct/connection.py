"""One connection to one instance, used by one thread at a time: it sends, then reads until its answer is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import zmq

from .._wire import headers as wire
from .._wire.body import decode_body, encode_body
from .._wire.limits import CREDITS
from ..errors import PilothouseError
from .opening import Line, pong_data
from .targets import Target, cut, unreachable

_LOOK_MS = 100
"""How long a read may block before the monitor and the deadline are looked at."""
CONNECT_TIMEOUT = 10.0


class DirectReply(NamedTuple):
    """What came back."""

    value: Any
    waited: float
    """Milliseconds that it waited at the service, as it says."""
    ran: float
    """Milliseconds that its method took, as it says."""
    instance: int
    """Number of the instance that answered."""


class Connection:
    """Lost ones are never taken up again, so that nothing which waited in a socket reaches another process later on."""

    def __init__(self, context: zmq.Context[Any], target: Target, on_load: Callable[[Target, int], None]) -> None:
        self.target = target
        self._on_load = on_load
        self._line = Line(context, target)
        self._line.socket.setsockopt(zmq.RCVTIMEO, _LOOK_MS)
        self._opened = time.monotonic()
        self._last = 0
        self._lost: PilothouseError | None = None
        self._closing = False
        self._busy = threading.Lock()

    @property
    def usable(self) -> bool:
        """Whether calls can be made."""
        return self._lost is None and not self._closing

    def call(self, method: str, value: Any, deadline: float | None) -> DirectReply:
        """Calls a method and waits; ``deadline`` on the monotonic clock.

        Raises:
            PilothouseError: What the method failed with, ``TIMEOUT``, ``SERVICE_UNREACHABLE``,
                ``AUTHENTICATION_FAILED``.
        """
        with self._busy:
            number = self._ask(method, value, None)
            try:
                while True:
                    header, body, frames = self._next(deadline)
                    if isinstance(header, wire.Reply) and header.id == number:
                        value = decode_body(body, frames, header.binaries)
                        return DirectReply(value, header.waited, header.ran, self.target.index)
                    if isinstance(header, wire.Error) and header.id == number:
                        raise wire.error_of(header.error, dict(self.target.ids))
            except BaseException:
                self._cancel(number)
                raise

    def stream(self, method: str, value: Any, deadline: float | None) -> Iterator[Any]:
        """Calls a method and yields its pieces; leaving the loop cancels it.

        Raises:
            PilothouseError: As :meth:`call`, and ``STREAM_CUT``.
        """
        with self._busy:
            number = self._ask(method, value, CREDITS)
            pieces, read, over = 0, 0, False
            try:
                while True:
                    header, body, frames = self._next(deadline)
                    if isinstance(header, wire.Chunk) and header.id == number:
                        pieces += 1
                        yield decode_body(body, frames, header.binaries)
                        read += 1
                        if read * 2 >= CREDITS:
                            self._send(wire.Grant(number, read))
                            read = 0
                    elif isinstance(header, wire.Reply) and header.id == number:
                        over = True
                        return
                    elif isinstance(header, wire.Error) and header.id == number:
                        over = True
                        raise wire.error_of(header.error, dict(self.target.ids))
            except PilothouseError as error:
                raise cut(error, pieces) from error
            finally:
                if not over:
                    self._cancel(number)

    def ping(self, deadline: float | None, *, methods: bool) -> dict[str, Any]:
        """How it is, and with ``methods`` what it can do."""
        with self._busy:
            number = self._number()
            self._send(wire.Ping(number, methods))
            while True:
                header, body, _ = self._next(deadline)
                if isinstance(header, wire.Pong) and header.id == number:
                    return pong_data(header, body)

    def close(self) -> None:
        """Closes it; a thread that waits on it notices within a moment."""
        self._closing = True
        if self._busy.acquire(blocking=False):
            try:
                if self._lost is None:
                    self._send(wire.Bye())
                    self._lose(self._closed())
            finally:
                self._busy.release()

    def _ask(self, method: str, value: Any, credits: int | None) -> int:
        body = encode_body(value, f"The input of {method}")
        number = self._number()
        self._send(wire.Call(number, method, credits, body.binaries), body.json, body.frames)
        return number

    def _number(self) -> int:
        if self._lost is not None:
            raise self._lost
        self._last += 1
        return self._last

    def _send(self, header: Any, body: bytes | None = None, frames: Sequence[Any] = ()) -> None:
        if self._lost is not None:
            return
        first = wire.first_frame(header, body)
        if frames:
            self._line.socket.send_multipart([first, *frames], zmq.NOBLOCK)
        else:
            # The common case, at half the price.
            self._line.socket.send(first, zmq.NOBLOCK)

    def _cancel(self, number: int) -> None:
        if self._lost is None:
            self._send(wire.Cancel(number))

    def _next(self, deadline: float | None) -> tuple[Any, bytes | None, list[bytes]]:
        """The next message, whosever it is: answers to what was canceled come in as well."""
        while True:
            try:
                first = self._line.socket.recv()
            except zmq.Again:
                self._look(deadline)
                continue
            frames = self._line.socket.recv_multipart() if self._line.socket.getsockopt(zmq.RCVMORE) else []
            header, body = wire.server_frame(first)
            if isinstance(header, (wire.Reply, wire.Error, wire.Load)):
                self._on_load(self.target, header.outstanding)
            elif isinstance(header, wire.Welcome):
                self._line.welcomed = True
            elif isinstance(header, wire.Refused):
                raise self._lose(wire.error_of(header.error, dict(self.target.ids)))
            elif isinstance(header, wire.Unknown):
                raise self._lose(unreachable(self.target, "has been started anew"))
            if header is not None:
                return header, body, frames

    def _look(self, deadline: float | None) -> None:
        trouble = self._line.trouble()
        now = time.monotonic()
        if trouble is None and self._closing:
            trouble = self._closed()
        if trouble is None and not self._line.welcomed and now - self._opened > CONNECT_TIMEOUT:
            trouble = unreachable(self.target, f"did not answer within {CONNECT_TIMEOUT:g} s")
        if trouble is not None:
            raise self._lose(trouble)
        if deadline is not None and now >= deadline:
            raise PilothouseError(
                "TIMEOUT",
                f"{self.target.name} did not answer in time.",
                hint="Give it more time: timeout='5m'.",
                ids=self.target.ids,
            )

    def _closed(self) -> PilothouseError:
        return PilothouseError("CLOSED", f"The connection to {self.target.name} was closed.", ids=self.target.ids)

    def _lose(self, error: PilothouseError) -> PilothouseError:
        if self._lost is None:
            self._lost = error
            self._line.close()
        return self._lost
