"""Direct calls from asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import zmq

from .._wire import headers as wire
from .._wire.body import decode_body, encode_body
from .._wire.limits import CREDITS
from .._wire.sockets import LoopSocket
from ..errors import PilothouseError
from ..service_records import ServiceRecord
from ..units import Duration, to_seconds
from .choice import Choice
from .connection import CONNECT_TIMEOUT, DirectReply
from .opening import Line, pong_data
from .targets import Target, cut, target_from_environment, targets_of, unreachable

_LOOK = 0.1
_ELSEWHERE = {"SERVICE_UNREACHABLE", "SERVICE_NOT_READY", "QUEUE_FULL", "AUTHENTICATION_FAILED"}
_RETRIES = 2

Answer = tuple[Any, bytes | None, list[bytes]]
Message = Answer | PilothouseError


class AsyncConnection:
    """One connection to one instance; calls run side by side."""

    def __init__(self, context: zmq.Context[Any], target: Target, on_load: Callable[[Target, int], None]) -> None:
        self.target = target
        self._on_load = on_load
        self._line = Line(context, target)
        self._calls: dict[int, asyncio.Queue[Message]] = {}
        self._last = 0
        self._lost: PilothouseError | None = None
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()
        self._socket = LoopSocket(self._line.socket, self._on_message)
        self._timer = self._loop.call_later(_LOOK, self._look)

    @property
    def usable(self) -> bool:
        """Whether calls can be made."""
        return self._lost is None

    async def call(self, method: str, value: Any) -> DirectReply:
        """Calls a method and waits; canceling the task cancels the call."""
        async for header, body, frames in self._ask(method, value, None):
            if isinstance(header, wire.Reply):
                value = decode_body(body, frames, header.binaries)
                return DirectReply(value, header.waited, header.ran, self.target.index)
        raise unreachable(self.target, "did not answer")

    async def stream(self, method: str, value: Any) -> AsyncIterator[Any]:
        """Calls a method and yields its pieces."""
        pieces = read = 0
        try:
            async for header, body, frames in self._ask(method, value, CREDITS):
                if not isinstance(header, wire.Chunk):
                    return
                pieces += 1
                yield decode_body(body, frames, header.binaries)
                read += 1
                if read * 2 >= CREDITS:
                    self._send(wire.Grant(header.id, read))
                    read = 0
        except PilothouseError as error:
            raise cut(error, pieces) from error

    async def ping(self, *, methods: bool) -> dict[str, Any]:
        """How it is, and with ``methods`` what it can do."""
        number, queue = self._open()
        try:
            self._send(wire.Ping(number, methods))
            header, body, _ = self._read(await queue.get())
        finally:
            self._calls.pop(number, None)
        return pong_data(header, body)

    def close(self) -> None:
        """Closes it; calls under way fail."""
        if self._lost is None:
            self._send(wire.Bye())
        self._lose(PilothouseError("CLOSED", f"The connection to {self.target.name} was closed.", ids=self.target.ids))

    async def _ask(self, method: str, value: Any, credits: int | None) -> AsyncIterator[Answer]:
        encoded = encode_body(value, f"The input of {method}")
        number, queue = self._open()
        over = False
        try:
            self._send(wire.Call(number, method, credits, encoded.binaries), encoded.json, encoded.frames)
            while not over:
                header, body, frames = self._read(await queue.get())
                over = not isinstance(header, wire.Chunk)
                if isinstance(header, wire.Error):
                    raise wire.error_of(header.error, dict(self.target.ids))
                yield header, body, frames
        finally:
            self._calls.pop(number, None)
            if not over and self._lost is None:
                self._send(wire.Cancel(number))

    def _open(self) -> tuple[int, asyncio.Queue[Message]]:
        if self._lost is not None:
            raise self._lost
        self._last += 1
        queue: asyncio.Queue[Message] = asyncio.Queue()
        self._calls[self._last] = queue
        return self._last, queue

    def _read(self, message: Message) -> Answer:
        if isinstance(message, PilothouseError):
            raise message
        return message

    def _send(self, header: Any, body: bytes | None = None, frames: Sequence[Any] = ()) -> None:
        self._socket.send([wire.first_frame(header, body), *frames])

    def _on_message(self, frames: list[bytes]) -> None:
        header, body = wire.server_frame(frames[0])
        if isinstance(header, (wire.Reply, wire.Error, wire.Load)):
            self._on_load(self.target, header.outstanding)
        if isinstance(header, (wire.Reply, wire.Error, wire.Chunk, wire.Pong)):
            queue = self._calls.get(header.id)
            if queue is not None:
                queue.put_nowait((header, body, frames[1:]))
        elif isinstance(header, wire.Welcome):
            self._line.welcomed = True
        elif isinstance(header, wire.Refused):
            self._lose(wire.error_of(header.error, dict(self.target.ids)))
        elif isinstance(header, wire.Unknown):
            self._lose(unreachable(self.target, "has been started anew"))

    def _look(self) -> None:
        trouble = self._line.trouble()
        late = not self._line.welcomed and self._loop.time() - self._opened > CONNECT_TIMEOUT
        if trouble is None and late:
            trouble = unreachable(self.target, f"did not answer within {CONNECT_TIMEOUT:g} s")
        if trouble is None:
            self._timer = self._loop.call_later(_LOOK, self._look)
        else:
            # What had come before the end is read first: the last answer, or why there is none.
            self._socket.read()
            self._lose(trouble)

    def _lose(self, error: PilothouseError) -> None:
        if self._lost is not None:
            return
        self._lost = error
        self._timer.cancel()
        self._socket.stop()
        self._line.close()
        for queue in self._calls.values():
            queue.put_nowait(error)


class Refreshable(Protocol):
    """A handle of a service for ``async`` programs."""

    @property
    def record(self) -> ServiceRecord:
        """As of the last call."""
        ...

    async def refresh(self) -> ServiceRecord:
        """As of now."""
        ...


class AsyncDirectClient:
    """As :class:`pilothouse.direct.DirectClient`, for asyncio: calls run side by side over one connection per instance.

    Args:
        targets: The instances, or what gives them.
    """

    def __init__(self, targets: Iterable[Target] | Callable[[], Awaitable[Iterable[Target]]]) -> None:
        self._find = targets if callable(targets) else None
        self._choice = Choice(() if callable(targets) else targets)
        self._context: zmq.Context[Any] = zmq.Context()
        self._connections: dict[Target, AsyncConnection] = {}

    @classmethod
    def to(cls, service: Refreshable) -> AsyncDirectClient:
        """Of a service that Pilothouse has started on this host; ``UNSUPPORTED_REQUEST`` for any other."""
        targets_of(service.record)

        async def find() -> Iterable[Target]:
            return targets_of(await service.refresh())

        return cls(find)

    @classmethod
    def from_environment(cls, service: str) -> AsyncDirectClient:
        """Within a task that names the service in ``services``."""
        return cls([target_from_environment(service)])

    async def call(self, method: str, value: Any = None, *, timeout: Duration = "10m") -> Any:
        """Calls a method and waits for its value; canceling the task cancels the call.

        Raises:
            PilothouseError: As :meth:`pilothouse.direct.DirectClient.call`.
        """
        return (await self.ask(method, value, timeout=timeout)).value

    async def ask(self, method: str, value: Any = None, *, timeout: Duration = "10m") -> DirectReply:
        """As :meth:`call`, with the times that the service reports and the instance that answered."""
        tried: set[Target] = set()
        try:
            return await asyncio.wait_for(self._attempts(method, value, tried), to_seconds(timeout))
        except (TimeoutError, asyncio.TimeoutError) as error:
            asked = ", ".join(target.name for target in tried) or "The service"
            raise PilothouseError("TIMEOUT", f"{asked} did not answer within {timeout}.") from error

    async def stream(self, method: str, value: Any = None) -> AsyncIterator[Any]:
        """Calls a method that answers in pieces, and yields them. Leaving the loop cancels it."""
        target = await self._acquire(set())
        try:
            async for piece in self._to(target).stream(method, value):
                yield piece
        except PilothouseError as error:
            self._give_back(target, error)
            raise
        except BaseException:
            self._choice.give_back(target, reached=None)
            raise
        else:
            self._choice.give_back(target)

    async def ping(self, *, methods: bool = False, timeout: Duration = "5s") -> dict[str, Any]:
        """How one of the instances is; with ``methods`` what it can do."""
        target = await self._acquire(set())
        try:
            return await asyncio.wait_for(self._to(target).ping(methods=methods), to_seconds(timeout))
        finally:
            self._choice.give_back(target, reached=None)

    async def aclose(self) -> None:
        """Closes its connections; calls under way fail with ``CLOSED``."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    async def __aenter__(self) -> AsyncDirectClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _attempts(self, method: str, value: Any, tried: set[Target]) -> DirectReply:
        while True:
            target = await self._acquire(tried)
            tried.add(target)
            try:
                reply = await self._to(target).call(method, value)
            except PilothouseError as error:
                self._give_back(target, error)
                if error.code not in _ELSEWHERE or len(tried) > _RETRIES or not self._choice.has_other(tried):
                    raise
            except BaseException:
                self._choice.give_back(target, reached=None)
                raise
            else:
                self._choice.give_back(target)
                return reply

    async def _acquire(self, tried: set[Target]) -> Target:
        if self._find is not None and not self._choice.has_other(tried):
            self._choice.update(await self._find())
        return self._choice.acquire(tried)

    def _give_back(self, target: Target, error: PilothouseError) -> None:
        lost = error.code in ("SERVICE_UNREACHABLE", "STREAM_CUT", "AUTHENTICATION_FAILED")
        self._choice.give_back(target, reached=False if lost else None)

    def _to(self, target: Target) -> AsyncConnection:
        connection = self._connections.get(target)
        if connection is None or not connection.usable:
            connection = self._connections[target] = AsyncConnection(self._context, target, self._choice.reported)
        return connection
