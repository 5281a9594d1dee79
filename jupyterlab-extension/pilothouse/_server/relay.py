"""The relay: authenticates a WebSocket request, then pours bytes between browser and Pilothouse, unread.

Jupyter sees no frame of it. Pings, the size of messages and the checks of frames are Pilothouse's: one parser.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import datetime, timezone
from http.client import SERVICE_UNAVAILABLE

from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from ..errors import PilothouseError
from .supply import Supply

_CHUNK = 64 * 1024
# How long the second direction may go on after the first has ended; enough for a closing handshake.
_LINGER_SECONDS = 5.0
#: Key of this connection in the server's record of activity.
ACTIVITY = "pilothouse"


class RelayHandler(JupyterHandler):
    """``<base>/pilothouse/ws``: the browser's one connection to Pilothouse."""

    def initialize(self, supply: Supply) -> None:
        self.supply = supply

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Authenticates; a WebSocket cannot follow a redirect to the login page, so it is refused instead."""
        await super().prepare(_redirect_to_login=_redirect_to_login)

    async def get(self) -> None:
        if not self.current_user:
            raise web.HTTPError(403)
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            self.set_header("Upgrade", "websocket")
            raise web.HTTPError(426, "This address speaks WebSocket only")
        if not self.check_origin():
            raise web.HTTPError(403, "Blocking a request from another origin")
        handshake = self._handshake()
        try:
            bridge = _nonblocking(await self.supply.connect())
        except PilothouseError as error:
            self.set_status(SERVICE_UNAVAILABLE)
            self.set_header("Content-Type", "application/json")
            # Typed as taking any dictionary, of whatever kind.
            self.write(json.dumps(error.to_data()))  # pyright: ignore[reportUnknownMemberType]
            return
        try:
            await bridge.write(handshake)
            browser: IOStream = self.detach()
        except BaseException:
            bridge.close()
            raise
        await self._carry(browser, bridge)

    def _handshake(self) -> bytes:
        """A request of our own: cookies, token and addresses stay here, and so does the wish for compression."""
        headers = self.request.headers
        key, version = headers.get("Sec-WebSocket-Key", ""), headers.get("Sec-WebSocket-Version", "")
        if not key or not version:
            raise web.HTTPError(400, "The headers Sec-WebSocket-Key and Sec-WebSocket-Version must be there")
        lines = [
            "GET /ws HTTP/1.1",
            "Host: pilothouse",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Version: {version}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _carry(self, browser: IOStream, bridge: IOStream) -> None:
        browser.set_nodelay(True)
        # Opening and closing a page is what somebody did. What flows in between (pings, states that change by
        # themselves) is not, and must not keep a server from being culled; what runs in pilots outlives the server.
        self._touch()
        started = time.monotonic()
        # The path alone: the query may hold a token.
        self.log.info("101 GET %s (%s)", self.request.path, self.request.remote_ip)
        down, up = await splice(browser, bridge)
        self._touch()
        seconds = time.monotonic() - started
        self.log.info("closed %s after %.1f s: %d bytes down, %d up", self.request.path, seconds, down, up)

    def _touch(self) -> None:
        self.settings["last_activity_times"][ACTIVITY] = datetime.now(timezone.utc)


async def splice(browser: IOStream, bridge: IOStream) -> tuple[int, int]:
    """Pours both ways until both sides have ended; gives the number of bytes down to the browser and up."""
    ways = [asyncio.ensure_future(_pour(bridge, browser)), asyncio.ensure_future(_pour(browser, bridge))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(ways, timeout=_LINGER_SECONDS)
    finally:
        browser.close()
        bridge.close()
    down, up = await asyncio.gather(*ways)
    return down, up


async def _pour(source: IOStream, sink: IOStream) -> int:
    """Copies until the source ends.

    Each write is awaited: a reader that pauses stops the writer, and memory stays flat.
    """
    count = 0
    try:
        while True:
            data = await source.read_bytes(_CHUNK, partial=True)
            await sink.write(data)
            count += len(data)
    except StreamClosedError:
        _end_writing(sink)
    return count


def _end_writing(sink: IOStream) -> None:
    """Says that no more will come; the other direction stays open, so that a reset cannot cut the last bytes."""
    if sink.closed() or sink.socket is None:
        return
    if isinstance(sink, SSLIOStream):
        # One direction of an encrypted connection cannot end alone: Python would go on reading without decrypting.
        sink.close()
        return
    try:
        sink.socket.shutdown(socket.SHUT_WR)
    except OSError:
        # It is gone already.
        sink.close()


def _nonblocking(connection: socket.socket) -> IOStream:
    connection.setblocking(False)
    return IOStream(connection)
