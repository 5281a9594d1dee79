"""Opening a socket to an instance, and what its monitor says of it."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from .._wire import headers as wire
from .._wire.limits import PROTOCOL
from .._wire.sockets import prepare
from ..errors import PilothouseError
from .targets import Target, key_refused, unreachable

_HANDSHAKE_FAILED = (
    zmq.Event.HANDSHAKE_FAILED_AUTH | zmq.Event.HANDSHAKE_FAILED_PROTOCOL | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
)
_EVENTS = zmq.Event.CONNECTED | zmq.Event.CONNECT_RETRIED | zmq.Event.DISCONNECTED | _HANDSHAKE_FAILED


def pong_data(header: wire.Pong, body: bytes | None) -> dict[str, Any]:
    """What a ping gives: how the service is, and what it can do where that was asked for."""
    said: dict[str, Any] = msgspec.to_builtins(header)
    told = {name: value for name, value in said.items() if name not in ("id", "t")}
    return {**told, "methods": None if body is None else msgspec.json.decode(body)}


@functools.cache
def _keys() -> tuple[bytes, bytes]:
    """This process's own: made once, known to nobody. The token says who is allowed, the keys encrypt."""
    return zmq.curve_keypair()


class Line:
    """A DEALER socket that has said hello, with its monitor; never used again once it was lost."""

    def __init__(self, context: zmq.Context[Any], target: Target) -> None:
        self.target = target
        self.socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
        prepare(self.socket)
        public, secret = _keys()
        self.socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
        self.socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        self.socket.setsockopt(zmq.CURVE_SERVERKEY, target.server_key.encode())
        self.socket.setsockopt(zmq.LINGER, 100)
        self.monitor: zmq.Socket[bytes] = self.socket.get_monitor_socket(_EVENTS)
        self.welcomed = False
        self._reached = False
        self.socket.connect(target.address)
        self.socket.send_multipart([wire.first_frame(wire.Hello([PROTOCOL], target.token))], zmq.NOBLOCK)

    def trouble(self) -> PilothouseError | None:
        """What the monitor has told since the last time that ends this line."""
        while self.monitor.poll(0):
            event = recv_monitor_message(self.monitor, zmq.NOBLOCK)["event"]
            if event == zmq.Event.CONNECTED:
                self._reached = True
            elif event == zmq.Event.CONNECT_RETRIED and not self._reached:
                return unreachable(self.target, "does not accept connections")
            elif event == zmq.Event.DISCONNECTED:
                return unreachable(self.target, "went away") if self.welcomed else key_refused(self.target)
            elif event & _HANDSHAKE_FAILED:
                return key_refused(self.target)
        return None

    def close(self) -> None:
        """Closes both sockets."""
        self.socket.disable_monitor()
        self.monitor.close()
        self.socket.close()
