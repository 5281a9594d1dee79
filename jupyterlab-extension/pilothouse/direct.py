"""Calls of services of one's own straight at their instances, past Pilothouse: the shortest way there is.

Example:
    .. code-block:: python

        from pilothouse.direct import DirectClient

        with DirectClient.to(s.services.get("dose-response")) as client:
            client.call("fit", {"dose": [1, 2, 4], "response": [0.1, 0.5, 0.9]})
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol
from weakref import WeakSet

import zmq

from ._direct.aio import AsyncDirectClient
from ._direct.choice import Choice
from ._direct.connection import Connection, DirectReply
from ._direct.targets import Target, target_from_environment, targets_of
from .errors import PilothouseError
from .service_records import ServiceRecord
from .units import Duration, to_seconds

__all__ = ["AsyncDirectClient", "DirectClient", "DirectReply", "Target"]

ELSEWHERE = {"SERVICE_UNREACHABLE", "SERVICE_NOT_READY", "QUEUE_FULL", "AUTHENTICATION_FAILED"}
"""Errors after which another instance may do better, and which say that a call was not handled, or was lost."""
_RETRIES = 2
_AGAIN = 10.0
"""Seconds after which the instances are asked for anew."""


_seconds = functools.lru_cache(64)(to_seconds)
"""Calls are shorter than reading "10m" anew each time."""


class HasRecord(Protocol):
    """A handle of a service."""

    @property
    def record(self) -> ServiceRecord:
        """Everything known, as of now."""
        ...


class DirectClient:
    """Calls instances of one service. Each thread has connections of its own, so that none waits for another.

    Args:
        targets: The instances, or what gives them: it is asked again now and then, and when one cannot be reached.
    """

    def __init__(self, targets: Iterable[Target] | Callable[[], Iterable[Target]]) -> None:
        self._find = targets if callable(targets) else None
        self._choice = Choice(() if callable(targets) else targets)
        self._found_at = float("-inf")
        self._context: zmq.Context[Any] = zmq.Context()
        self._local = threading.local()
        self._all: WeakSet[Connection] = WeakSet()
        self._closed = False

    @classmethod
    def to(cls, service: HasRecord) -> DirectClient:
        """Of a service that Pilothouse has started on this host.

        Raises:
            PilothouseError: ``UNSUPPORTED_REQUEST`` for any other.
        """
        targets_of(service.record)
        return cls(lambda: targets_of(service.record))

    @classmethod
    def from_environment(cls, service: str) -> DirectClient:
        """Within a task that names the service in ``services``.

        Raises:
            PilothouseError: ``SERVICE_NOT_FOUND`` where it does not.
        """
        return cls([target_from_environment(service)])

    def call(self, method: str, value: Any = None, *, timeout: Duration = "10m") -> Any:
        """Calls a method and waits for its value.

        Args:
            method: Its name.
            value: What goes in: for a Python service a dict of its arguments.
            timeout: How long it may take, all attempts included.

        Raises:
            PilothouseError: What the method failed with (``FUNCTION_RAISED``), ``INVALID_DESCRIPTION``,
                ``METHOD_NOT_FOUND``, ``QUEUE_FULL``, ``TIMEOUT``, ``SERVICE_UNREACHABLE``, ``SERVICE_NOT_READY``.
            KeyboardInterrupt: The waiting was interrupted; the call is canceled.
        """
        return self.ask(method, value, timeout=timeout).value

    def ask(self, method: str, value: Any = None, *, timeout: Duration = "10m") -> DirectReply:
        """As :meth:`call`, with the times that the service reports and the instance that answered."""
        deadline = time.monotonic() + _seconds(timeout)
        tried: set[Target] = set()
        while True:
            target = self._acquire(tried)
            try:
                reply = self._to(target).call(method, value, deadline)
            except PilothouseError as error:
                self._give_back(target, error)
                tried.add(target)
                if error.code not in ELSEWHERE or len(tried) > _RETRIES or not self._choice.has_other(tried):
                    raise
            except BaseException:
                self._choice.give_back(target, reached=None)
                raise
            else:
                self._choice.give_back(target)
                return reply

    def stream(self, method: str, value: Any = None, *, timeout: Duration = "10m") -> Iterator[Any]:
        """Calls a method that answers in pieces, and yields them. Leaving the loop cancels it.

        Raises:
            PilothouseError: As :meth:`call`; ``STREAM_CUT`` where the instance went away midway.
        """
        target = self._acquire(set())
        pieces = self._to(target).stream(method, value, time.monotonic() + to_seconds(timeout))
        try:
            yield from pieces
        except PilothouseError as error:
            self._give_back(target, error)
            raise
        except BaseException:
            self._choice.give_back(target, reached=None)
            raise
        else:
            self._choice.give_back(target)

    def ping(self, *, methods: bool = False, timeout: Duration = "5s") -> dict[str, Any]:
        """How one of the instances is: ``ok``, ``text``, ``outstanding`` …; with ``methods`` also what it can do."""
        target = self._acquire(set())
        try:
            return self._to(target).ping(time.monotonic() + to_seconds(timeout), methods=methods)
        finally:
            self._choice.give_back(target, reached=None)

    def close(self) -> None:
        """Closes its connections; threads that wait get ``CLOSED``."""
        self._closed = True
        for connection in list(self._all):
            connection.close()

    def __enter__(self) -> DirectClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _acquire(self, tried: set[Target]) -> Target:
        if self._closed:
            raise PilothouseError("CLOSED", "The client was closed.")
        now = time.monotonic()
        if self._find is not None and now - self._found_at > _AGAIN:
            self._choice.update(self._find())
            self._found_at = now
        return self._choice.acquire(tried)

    def _give_back(self, target: Target, error: PilothouseError) -> None:
        lost = error.code in ("SERVICE_UNREACHABLE", "STREAM_CUT", "AUTHENTICATION_FAILED")
        self._choice.give_back(target, reached=False if lost else None)
        if lost:
            self._found_at = float("-inf")

    def _to(self, target: Target) -> Connection:
        connections: dict[Target, Connection] | None = getattr(self._local, "connections", None)
        if connections is None:
            connections = self._local.connections = {}
        connection = connections.get(target)
        if connection is None or not connection.usable:
            connection = connections[target] = Connection(self._context, target, self._choice.reported)
            self._all.add(connection)
        return connection
