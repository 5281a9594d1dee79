"""What every handle can do. A handle is a way to look: dropping it ends nothing."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from ._background import run
from ._ids import short_id
from .aio.base import GOES_ON, AsyncHandle
from .records import Status
from .units import Duration

T = TypeVar("T")
H = TypeVar("H", bound=AsyncHandle[Any])


def wait(work: Coroutine[Any, Any, T], goes_on: str) -> T:
    """Waits for it; an interrupt ends the waiting, never the work, and says so."""
    try:
        return run(work)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Stopped waiting. {goes_on}") from None


class Handle(Generic[H]):
    """A way to look at a live thing. In a notebook it shows itself, live."""

    def __init__(self, handle: H) -> None:
        self._async: H = handle

    @property
    def unblocked(self) -> H:
        """The same for ``async`` programs."""
        return self._async

    @property
    def id(self) -> str:
        """``<kind>-<10 characters>``; people see six of them."""
        return self._async.id

    @property
    def name(self) -> str:
        """Unique among your live things of this kind."""
        return self._async.name

    @property
    def status(self) -> Status:
        """State, reason, contact, since when, and which attempt, as of now."""
        self._refresh()
        return self._async.status

    def done(self, *, timeout: Duration | None = None) -> Status:
        """Waits for the end; a failure is a status here and no exception.

        Args:
            timeout: Default: none.

        Raises:
            PilothouseError: ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the work goes on.
        """
        return self._wait(self._async.done(timeout=timeout))

    def until(self, state: str, *, timeout: Duration | None = None) -> Status:
        """Waits until a state is reached.

        Raises:
            PilothouseError: ``STATE_UNREACHABLE`` at once, with the reason, when it can no longer come; ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the work goes on.

        Example:
            ``pilot.until("ACTIVE", timeout="3h")``
        """
        return self._wait(self._async.until(state, timeout=timeout))

    def explain(self) -> str:
        """Why it is not further than it is, in words."""
        return run(self._async.explain())

    def _refresh(self) -> None:
        run(self._async.refresh())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        kind = self._async.kind
        return wait(work, f"{self.name} ({short_id(self.id)}): {GOES_ON[kind]}")

    def show(self) -> None:
        """Shows it in the output of the cell that runs now: live in a notebook, as text elsewhere.

        The last line of a cell does that by itself.
        """
        self._async.show()

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return repr(self._async)
