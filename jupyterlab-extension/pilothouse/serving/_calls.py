"""One call that a service has taken."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

from ..errors import PilothouseError


class CurrentCall:
    """What a handler can know of the call that it handles."""

    def __init__(self, method: str) -> None:
        self.method = method
        """Name of the method."""
        self._canceled = threading.Event()

    @property
    def canceled(self) -> bool:
        """Whether the caller has canceled or gone, or the service ends: stop the work."""
        return self._canceled.is_set()

    def raise_if_canceled(self) -> None:
        """Ends a handler that nobody waits for.

        Raises:
            PilothouseError: ``ANSWER_STOPPED``.
        """
        if self.canceled:
            raise PilothouseError("ANSWER_STOPPED", f"Nobody waits for this call of {self.method} any more.")


_current: contextvars.ContextVar[CurrentCall] = contextvars.ContextVar("pilothouse_call")


def current_call() -> CurrentCall:
    """The call that is being handled: for handlers in threads, which cannot be interrupted, to ask whether to go on.

    Raises:
        LookupError: Outside a handler.

    Example:
        ``if current_call().canceled: return``
    """
    return _current.get()


class TakenCall(CurrentCall):
    """A call with where its answer goes."""

    def __init__(self, client: bytes, number: int, method: str, value: Any, credits: int) -> None:
        super().__init__(method)
        self.client = client
        self.number = number
        self.value = value
        self.streams = credits > 0
        """Whether the answer may come in pieces."""
        self.arrived = time.perf_counter()
        self.started: float | None = None
        self.task: asyncio.Task[Any] | None = None
        """What handles it alone; canceling the call cancels it."""
        self._credits = credits
        self._more = asyncio.Event()
        self._sent = 0

    def enter(self) -> None:
        """It is the current call of this context from now on."""
        _current.set(self)

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self._canceled.set()
        self._more.set()
        if self.task is not None:
            self.task.cancel()

    def grant(self, credits: int) -> None:
        """So many more pieces may be sent."""
        self._credits += credits
        self._more.set()

    async def next_piece(self) -> int | None:
        """Number of the next piece, once the client takes one; ``None``: it is canceled."""
        while self._credits == 0 and not self.canceled:
            self._more.clear()
            await self._more.wait()
        if self.canceled:
            return None
        self._credits -= 1
        self._sent += 1
        return self._sent - 1

    def timing(self) -> dict[str, float]:
        """Milliseconds that it waited and that it has been handled, until now."""
        now = time.perf_counter()
        started = now if self.started is None else self.started
        return {"waited": round((started - self.arrived) * 1e3, 3), "ran": round((now - started) * 1e3, 3)}
