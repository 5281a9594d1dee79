"""``<base>/pilothouse/v1/…``: OpenAI's API of all services of the user, behind the Jupyter server's authentication.

A client sends its Jupyter token where it would send OpenAI's key. The request goes on to Pilothouse without it, and
what comes back is passed on piece by piece, so that streams arrive as they are made.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable
from datetime import datetime, timezone
from http.client import BAD_GATEWAY, FORBIDDEN, SERVICE_UNAVAILABLE, UNAUTHORIZED

from jupyter_server.base.handlers import JupyterHandler
from tornado import httputil
from tornado.concurrent import Future
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.iostream import IOStream, StreamClosedError

from ..errors import PilothouseError
from .relay import ACTIVITY
from .supply import Supply

_CHUNK = 64 * 1024
_MAX_BODY = 1 << 40
#: Headers that say something about the request; all others belong to Jupyter, its credentials above all.
_ONWARD = ("Content-Type", "Accept", "X-Request-Id")
_OWN_PREFIX = "X-Pilothouse-"
#: Headers of one connection; this one is Jupyter's.
_OF_THE_CONNECTION = frozenset({"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Date"})


class GatewayHandler(JupyterHandler):
    """Any request below ``<base>/pilothouse/v1/``."""

    SUPPORTED_METHODS = ("GET", "POST")

    def initialize(self, supply: Supply) -> None:
        self.supply = supply
        self._bridge: IOStream | None = None
        self._gone = False

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Authenticates; programs cannot follow a redirect to the login page, so they are refused instead."""
        await super().prepare(_redirect_to_login=_redirect_to_login)

    async def get(self, path: str) -> None:
        await self._forward(path)

    async def post(self, path: str) -> None:
        await self._forward(path)

    def on_connection_close(self) -> None:
        """The client went away: so does the request, and the work for it ends."""
        self._gone = True
        if self._bridge is not None:
            self._bridge.close()

    async def _forward(self, path: str) -> None:
        if not self.current_user:
            self._refuse(UNAUTHORIZED, "invalid_api_key", "Send the token of this Jupyter server as the API key.")
            return
        if not self.check_origin():
            self._refuse(FORBIDDEN, "origin_blocked", "This page may not call the Jupyter server: other origin.")
            return
        self.settings["last_activity_times"][ACTIVITY] = datetime.now(timezone.utc)
        try:
            self._bridge = _nonblocking(await self.supply.connect())
        except PilothouseError as error:
            self._refuse(SERVICE_UNAVAILABLE, error.code.lower(), str(error))
            return
        answer = _Answer(self)
        try:
            parameters = HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=_MAX_BODY, chunk_size=_CHUNK)
            connection = HTTP1Connection(self._bridge, True, parameters)
            start = httputil.RequestStartLine(self.request.method or "GET", self._onward(path), "HTTP/1.1")
            await connection.write_headers(start, self._onward_headers(), self.request.body)
            connection.finish()
            await connection.read_response(answer)
        except StreamClosedError:
            # Either the client went away, or Pilothouse did; which of them is seen by what has been sent so far.
            pass
        finally:
            self._bridge.close()
        self._end(answer)

    def _onward(self, path: str) -> str:
        """The path alone: the query may hold a token, and this API has none."""
        return f"/v1/{path}"

    def _onward_headers(self) -> httputil.HTTPHeaders:
        headers = httputil.HTTPHeaders({"Host": "pilothouse"})
        for name, value in self.request.headers.get_all():
            if name in _ONWARD or name.startswith(_OWN_PREFIX):
                headers.add(name, value)
        if self.request.method == "POST":
            headers["Content-Length"] = str(len(self.request.body))
        return headers

    def begin(self, start: httputil.ResponseStartLine, headers: httputil.HTTPHeaders) -> Future[None]:
        """Passes status and headers of the answer on."""
        self.set_status(start.code, start.reason)
        self.clear_header("Content-Type")
        for name, value in headers.get_all():
            if name not in _OF_THE_CONNECTION:
                self.add_header(name, value)
        # What a model server says must never run as a page of the Jupyter server.
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        self.set_header("X-Content-Type-Options", "nosniff")
        return self.flush()

    def pass_on(self, chunk: bytes) -> Future[None]:
        """Sends a piece at once; done when the client has room for more."""
        self.write(chunk)  # pyright: ignore[reportUnknownMemberType]
        return self.flush()

    def _end(self, answer: _Answer) -> None:
        if self._gone:
            return
        if answer.complete:
            self.finish()  # pyright: ignore[reportUnknownMemberType]
        elif not answer.begun:
            self._refuse(BAD_GATEWAY, "bridge_restarted", "Pilothouse ended before it answered. Ask again.")
        else:
            # Torn off, so that nobody takes the part for the whole.
            self.detach().close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """An error in the form of OpenAI's API."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        error = {"message": message, "type": "server_error", "param": None, "code": code}
        # Typed as taking any dictionary, of whatever kind.
        self.finish(json.dumps({"error": error}))  # pyright: ignore[reportUnknownMemberType]


class _Answer(httputil.HTTPMessageDelegate):
    """Passes an answer on as it comes. What it returns is waited for: a slow client slows its server down."""

    def __init__(self, handler: GatewayHandler) -> None:
        self._handler = handler
        self.begun = False
        self.complete = False

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        if not isinstance(start_line, httputil.ResponseStartLine):
            raise TypeError("a request came where an answer was expected")
        self.begun = True
        return self._handler.begin(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._handler.pass_on(chunk)

    def finish(self) -> None:
        self.complete = True


def _nonblocking(connection: socket.socket) -> IOStream:
    connection.setblocking(False)
    return IOStream(connection)
