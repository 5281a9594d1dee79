"""A service on its socket: takes calls, has them handled, answers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import zmq

from .._wire import headers as wire
from .._wire.body import Body, decode_body
from .._wire.limits import MAX_CALLS, MAX_FRAME, PROTOCOL
from .._wire.sockets import LoopSocket, prepare
from ..errors import PilothouseError
from ._calls import TakenCall
from ._methods import Method
from ._queue import WorkQueue
from ._runner import Runner
from ._settings import Settings

_LOOK = 1.0
"""Seconds between two looks at who is still there; clients without calls are looked at every fifth time."""
_IDLE_LOOKS = 5

Health = Callable[[], Awaitable[bool | str]]


class Server:
    """Lives within one running loop."""

    def __init__(
        self,
        settings: Settings,
        methods: Mapping[str, Method],
        *,
        concurrency: int,
        queue: int,
        version: str,
        health: Health,
    ) -> None:
        self._settings = settings
        self._methods = methods
        self._limit = queue
        self._concurrency = concurrency
        self._version = version
        self._health = health
        self._clients: dict[bytes, dict[int, TakenCall]] = {}
        self._runner = Runner(settings.name, methods, concurrency, self)
        batches = {name: method.batch for name, method in methods.items()}
        self._queue = WorkQueue(concurrency, batches, self._runner.run)
        self._mean_run = 0.0
        self._drained = asyncio.Event()
        self._drained.set()
        self._draining = False
        self._pongs: set[asyncio.Task[None]] = set()
        self._socket: LoopSocket | None = None
        self._looking: asyncio.Task[None] | None = None
        self.outstanding = 0
        """Calls taken and not answered."""

    def listen(self, context: zmq.Context[Any]) -> str:
        """Starts to listen; gives the address with the port that it got."""
        socket = context.socket(zmq.ROUTER)
        prepare(socket)
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self._settings.curve.publicKey.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, self._settings.curve.secretKey.encode())
        # A client that has gone is an error then, and not silence.
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.LINGER, 1000)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        try:
            socket.bind(self._settings.address)
        except zmq.ZMQError as error:
            socket.close()
            taken = error.errno == zmq.EADDRINUSE
            raise PilothouseError(
                "PORT_IN_USE" if taken else "INVALID_DESCRIPTION",
                f"{self._settings.name} cannot listen at {self._settings.address}: {error}",
                hint="Choose another port." if taken else "Give an address such as tcp://127.0.0.1:5555.",
            ) from error
        self._socket = LoopSocket(socket, self._on_message)
        self._looking = asyncio.create_task(self._look())
        return socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    async def drain(self, timeout: float) -> None:
        """Takes nothing new; returns when everything taken is answered, or after so many seconds."""
        self._draining = True
        for client in list(self._clients):
            self._tell_load(client)
        self._queue.hurry()
        try:
            await asyncio.wait_for(self._drained.wait(), timeout)
        except TimeoutError:
            ended = wire.failure(
                "SERVICE_STOPPED",
                f"{self._settings.name} has ended before it could answer.",
                hint="Ask another instance.",
                retryable=True,
            )
            for calls in list(self._clients.values()):
                for call in list(calls.values()):
                    self.fail(call, ended)
                    call.cancel()

    def close(self) -> None:
        """Stops listening."""
        if self._looking is not None:
            self._looking.cancel()
        if self._socket is not None:
            self._socket.close()
        self._runner.close()

    def chunk(self, call: TakenCall, number: int, body: Body) -> None:
        """Sends one piece of an answer."""
        self._send(call.client, wire.Chunk(call.number, number, body.binaries), body.json, body.frames)

    def reply(self, call: TakenCall, body: Body) -> None:
        """Sends the value."""
        timing = call.timing()
        self._mean_run = self._mean_run * 0.9 + timing["ran"] * 0.1
        if self._leave(call):
            header = wire.Reply(
                call.number, self.outstanding, self._queue.waiting, timing["waited"], timing["ran"], body.binaries
            )
            self._send(call.client, header, body.json, body.frames)

    def fail(self, call: TakenCall, error: wire.Failure) -> None:
        """Says why there is no value."""
        timing = call.timing()
        if self._leave(call):
            self._send(
                call.client,
                wire.Error(call.number, self.outstanding, self._queue.waiting, timing["waited"], timing["ran"], error),
            )

    def _on_message(self, frames: list[bytes]) -> None:
        client, *rest = frames
        if not rest:
            return
        header, body = wire.client_frame(rest[0])
        if isinstance(header, wire.Hello):
            self._greet(client, header)
            return
        calls = self._clients.get(client)
        if header is None:
            self._not_understood(client, calls, rest[0])
        elif calls is None:
            self._send(client, wire.Unknown(getattr(header, "id", None)))
        elif isinstance(header, wire.Call):
            self._take(client, calls, header, body, rest[1:])
        elif isinstance(header, wire.Grant):
            if header.id in calls:
                calls[header.id].grant(header.credits)
        elif isinstance(header, wire.Cancel):
            if header.id in calls:
                self._cancel(calls[header.id])
        elif isinstance(header, wire.Ping):
            task = asyncio.get_running_loop().create_task(self._pong(client, header))
            self._pongs.add(task)
            task.add_done_callback(self._pongs.discard)
        else:
            self._forget(client)

    def _greet(self, client: bytes, hello: wire.Hello) -> None:
        name = self._settings.name
        if PROTOCOL not in hello.v:
            spoken = ", ".join(map(str, hello.v))
            message = f"{name} speaks version {PROTOCOL} of the service protocol, this client {spoken}."
            hint = "Use the same version of Pilothouse on both ends."
            self._send(client, wire.Refused(wire.failure("VERSION_MISMATCH", message, hint=hint)))
        elif hmac.compare_digest(hello.token.encode(), self._settings.token.encode()):
            self._clients.setdefault(client, {})
            self._send(client, wire.Welcome(PROTOCOL, name))
        else:
            hint = "Take the token from its key file."
            self._send(
                client, wire.Refused(wire.failure("AUTHENTICATION_FAILED", f"{name} refuses the token.", hint=hint))
            )

    def _take(
        self, client: bytes, calls: dict[int, TakenCall], header: wire.Call, body: bytes | None, frames: list[bytes]
    ) -> None:
        name = self._settings.name
        if self._draining:
            message, hint = f"{name} is finishing: it takes no new calls.", "Ask another instance."
            self._refuse(client, header.id, wire.failure("SERVICE_NOT_READY", message, hint=hint))
        elif self._queue.waiting >= self._limit:
            after = self._retry_after()
            full = wire.failure(
                "QUEUE_FULL",
                f"{self._queue.waiting} calls wait for {name} already.",
                hint=f"Try again in {after} s, or ask another instance.",
            )
            full.retryAfter = after
            self._refuse(client, header.id, full)
        elif header.method not in self._methods:
            known = ", ".join(self._methods)
            message = f'The service {name} has no method "{header.method}".'
            self._refuse(client, header.id, wire.failure("METHOD_NOT_FOUND", message, hint=f"Call one of: {known}."))
        elif header.id in calls or len(calls) >= MAX_CALLS:
            message = f"Call {header.id} of this client is under way, or it has {MAX_CALLS}."
            self._refuse(client, header.id, wire.failure("INVALID_FRAME", message))
        else:
            try:
                value = decode_body(body, frames, header.binaries)
            except PilothouseError as error:
                self._refuse(client, header.id, wire.failure_of(error))
                return
            call = TakenCall(client, header.id, header.method, value, header.credits or 0)
            calls[header.id] = call
            self.outstanding += 1
            self._drained.clear()
            self._queue.add(call)

    def _refuse(self, client: bytes, number: int, error: wire.Failure) -> None:
        self._send(client, wire.Error(number, **self._load(), waited=0, ran=0, error=error))

    def _leave(self, call: TakenCall) -> bool:
        """It is answered, or nobody waits for it; ``False``: it was before."""
        if self._clients.get(call.client, {}).pop(call.number, None) is None:
            return False
        self.outstanding -= 1
        if self.outstanding == 0:
            self._drained.set()
        return True

    def _cancel(self, call: TakenCall) -> None:
        self._leave(call)
        self._queue.remove(call)
        call.cancel()

    def _forget(self, client: bytes) -> None:
        for call in list(self._clients.get(client, {}).values()):
            self._cancel(call)
        self._clients.pop(client, None)

    async def _pong(self, client: bytes, ping: wire.Ping) -> None:
        ok, text = await self._healthy()
        header = wire.Pong(
            ping.id,
            ok,
            text,
            self._settings.name,
            self._version,
            self._draining,
            self._concurrency,
            **self._load(),
        )
        published = [method.published() for method in self._methods.values()]
        self._send(client, header, msgspec.json.encode(published) if ping.methods else None)

    async def _healthy(self) -> tuple[bool, str]:
        if self._draining:
            return False, "finishing"
        try:
            said = await self._health()
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is wrong
            return False, f"{type(error).__name__}: {error}"
        if isinstance(said, str):
            return True, said
        return said, "healthy" if said else "not healthy"

    async def _look(self) -> None:
        """Somebody with calls who has gone is noticed by writing to them."""
        looks = 0
        while True:
            await asyncio.sleep(_LOOK)
            looks += 1
            for client, calls in list(self._clients.items()):
                if calls or looks % _IDLE_LOOKS == 0:
                    self._tell_load(client)

    def _tell_load(self, client: bytes) -> None:
        self._send(client, wire.Load(self._draining, **self._load()))

    def _load(self) -> dict[str, int]:
        return {"outstanding": self.outstanding, "queued": self._queue.waiting}

    def _retry_after(self) -> float:
        """Seconds."""
        return max(0.1, round(self._queue.waiting * self._mean_run / self._concurrency / 1000, 1))

    def _not_understood(self, client: bytes, calls: dict[int, TakenCall] | None, frame: bytes) -> None:
        number = wire.id_in(frame)
        # Whoever has not said hello, or says nothing that could be answered, is not answered.
        if number is not None and calls is not None:
            message, hint = "The service does not understand this message.", "Use the same version on both ends."
            self._refuse(client, number, wire.failure("INVALID_FRAME", message, hint=hint))

    def _send(self, client: bytes, header: Any, body: bytes | None = None, frames: Sequence[Any] = ()) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send([client, wire.first_frame(header, body), *frames])
        except zmq.ZMQError:
            # It has gone.
            self._forget(client)
