"""Calls and streams over the socket: HTTP with JSON, server-sent events for what goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx

from ._background import in_thread
from ._bridge import Places, ensure_bridge, find_bridge
from ._sse import EventParser
from ._version import PROTOCOL, __version__
from .errors import PilothouseError

log = logging.getLogger("pilothouse")
T = TypeVar("T")

#: How long a call may take when nothing else is said, in seconds.
CALL_SECONDS = 30.0
# The other side sends a comment every few seconds, so a longer silence means that it hangs or is gone.
_SILENCE_SECONDS = 30.0
_JSON = {"Content-Type": "application/json"}
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)


class Client:
    """One user's way to Pilothouse. Every call may be repeated safely, so a lost connection is mended here.

    Args:
        places: The user's folders.
        starts: Whether to start Pilothouse where it does not run; a view in the background only waits for it.
    """

    def __init__(self, places: Places, *, starts: bool = True) -> None:
        self.places = places
        self.starts = starts
        self.hello: Mapping[str, Any] | None = None
        self._http: httpx.AsyncClient | None = None
        self._pid = os.getpid()
        self._connecting = asyncio.Lock()

    async def connect(self, *, timeout: float | None = None) -> None:
        """Finds or starts Pilothouse and checks that both sides speak the same."""
        limit = CALL_SECONDS if timeout is None else timeout
        try:
            await asyncio.wait_for(self._until_it_works(lambda _: _nothing()), limit)
        except asyncio.TimeoutError as error:
            raise PilothouseError(
                "TIMEOUT", f"Pilothouse did not answer within {limit:g} s", hint="Run `pilothouse doctor`"
            ) from error

    async def call(self, path: str, data: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> Any:
        """Calls ``router/procedure`` and gives its output.

        Args:
            path: Router and procedure, for example ``"pilots/ensure"``.
            data: The input.
            timeout: Seconds for the whole call, a start of Pilothouse and reconnects included; default 30.

        Raises:
            PilothouseError: what the other side says, ``TIMEOUT``, or why there is no other side.
        """

        body = encoded(data or {})

        async def post(http: httpx.AsyncClient) -> Any:
            response = await http.post(f"/api/v1/{path}", content=body, headers=_JSON)
            return _output(response.status_code, response.content)

        limit = CALL_SECONDS if timeout is None else timeout
        try:
            return await asyncio.wait_for(self._until_it_works(post), limit)
        except asyncio.TimeoutError as error:
            raise PilothouseError(
                "TIMEOUT", f"{path.replace('/', '.')} took longer than {limit:g} s", hint="Try again, or wait longer"
            ) from error

    async def _until_it_works(self, work: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """Does it anew after each lost connection; the caller's time-out ends that."""
        attempt = 0
        while True:
            http = self._http
            try:
                http = await self._connected()
                return await work(http)
            except httpx.TransportError as error:
                # One that was just killed may take a connection before its socket closes.
                log.debug("%s; trying again", error)
                await self._drop(http)
                await asyncio.sleep(pause(attempt))
                attempt += 1

    async def stream(self, path: str, data: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Gives the values of a stream over one connection, as they come.

        Raises:
            PilothouseError: ``CONNECTION_LOST`` when the connection ends in the middle; resume is the caller's.
        """
        parser = EventParser()
        http = self._http
        try:
            http = await self._connected()
            async with AsyncExitStack() as stack:
                request = http.stream(
                    "POST",
                    f"/api/v1/{path}",
                    json=data,
                    headers={"Accept": "text/event-stream"},
                    timeout=httpx.Timeout(CALL_SECONDS, read=_SILENCE_SECONDS),
                )
                response = await stack.enter_async_context(request)
                if response.status_code != 200:
                    _output(response.status_code, await response.aread())
                async for piece in response.aiter_raw():
                    for name, value in _events(parser, piece):
                        if name == "error":
                            raise _error(value)
                        if name == "message":
                            yield value
        except httpx.TransportError as error:
            await self._drop(http)
            raise PilothouseError("CONNECTION_LOST", f"the connection was lost: {error}") from error

    async def _connected(self) -> httpx.AsyncClient:
        if self._pid != os.getpid():
            # The sockets belong to the parent of this fork.
            self._http, self._pid, self._connecting = None, os.getpid(), asyncio.Lock()
        async with self._connecting:
            if self._http is None:
                self._http = await self._connect()
            return self._http

    async def _connect(self) -> httpx.AsyncClient:
        if self.starts:
            found = await in_thread(lambda: ensure_bridge(self.places))
        else:
            found = await in_thread(lambda: find_bridge(self.places))
        if found is None:
            raise PilothouseError("BRIDGE_UNREACHABLE", "Pilothouse does not run", hint="Call ph.connect() again")
        http = _open(found.socket)
        try:
            greeting = {"protocol": PROTOCOL, "version": __version__, "client": "python"}
            response = await http.post("/api/v1/system/hello", json=greeting, timeout=CALL_SECONDS)
            self.hello = cast("Mapping[str, Any]", _output(response.status_code, response.content))
        except BaseException:
            await http.aclose()
            raise
        return http

    async def _drop(self, http: httpx.AsyncClient | None) -> None:
        """Gives a broken connection up. One that somebody else has replaced already is left alone."""
        if http is not None and http is self._http:
            self._http = None
            await http.aclose()

    async def close(self) -> None:
        """Ends connections and nothing else."""
        await self._drop(self._http)


def _open(path: Path) -> httpx.AsyncClient:
    # No limit of connections: each live view and each wait holds one.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=4)
    transport = httpx.AsyncHTTPTransport(uds=str(path), limits=limits)
    # The environment's proxies are for the network, and this is a socket of this host.
    return httpx.AsyncClient(transport=transport, base_url="http://pilothouse", timeout=None, trust_env=False)


async def _nothing() -> None:
    """What `connect` has to do once there is a connection."""


def encoded(data: Mapping[str, Any]) -> bytes:
    """Data as it travels.

    Raises:
        PilothouseError: ``INVALID_DESCRIPTION`` for what JSON does not have.
    """
    try:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PilothouseError(
            "INVALID_DESCRIPTION",
            f"what was given cannot be sent: {error}",
            hint="Give text in Unicode, finite numbers, true or false, lists and dicts.",
        ) from error


def pause(attempt: int) -> float:
    """Seconds to wait before trying once more."""
    return _PAUSES[min(attempt, len(_PAUSES) - 1)]


def _events(parser: EventParser, piece: bytes) -> list[tuple[str, Any]]:
    try:
        return [(event.name, json.loads(event.data) if event.data else None) for event in parser.feed(piece)]
    except ValueError as error:
        raise _not_understood("a piece of a stream is no JSON in UTF-8", piece) from error


def _output(status: int, body: bytes) -> Any:
    try:
        value = json.loads(body) if body else None
    except ValueError as error:
        raise _not_understood(f"an answer with status {status} is no JSON", body) from error
    if 200 <= status < 300:
        return value
    raise _error(value)


def _not_understood(what: str, evidence: bytes) -> PilothouseError:
    return PilothouseError(
        "INVALID_FRAME",
        what,
        hint="Something else listens on the socket of Pilothouse; run `pilothouse doctor`",
        evidence=evidence[:500].decode("utf-8", "replace"),
    )


def _error(value: Any) -> PilothouseError:
    """An error of the other side: its own data where it has some, else what the HTTP layer says."""
    outer = cast("dict[str, Any]", value if isinstance(value, dict) else {"message": str(value)})
    inner: Any = outer.get("data")
    if isinstance(inner, Mapping) and "code" in inner:
        return PilothouseError.from_data(cast("Mapping[str, Any]", inner))
    return PilothouseError.from_data({"code": outer.get("code", "INTERNAL"), "message": outer.get("message", "")})
