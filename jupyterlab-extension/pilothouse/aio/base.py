"""What every handle of a live thing can do, for ``async`` programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import ClassVar, Generic, TypeVar, cast

from .._client import Client
from .._ids import short_id
from .._streams import watch_records
from .._view import show_live
from ..errors import ErrorCode, PilothouseError
from ..records import Status
from ..states import Kind, can_reach, is_final, plural
from ..task_records import AnyRecord
from ..units import Duration, to_seconds

R = TypeVar("R", bound=AnyRecord)
"""The record of a handle's thing."""

GOES_ON = {
    "pilot": "The pilot goes on; .end() ends it.",
    "task": "The task goes on; .cancel() cancels it.",
    "set": "The tasks go on; .cancel() cancels them.",
    "service": "The service goes on; .stop() stops it.",
    "answer": "The answer goes on; .stop() stops it.",
    "batch": "The batch goes on; .cancel() cancels it.",
}
"""What is said when somebody ends the waiting."""


class AsyncHandle(Generic[R]):
    """A way to look at a live thing. Dropping a handle ends nothing."""

    kind: ClassVar[Kind]

    def __init__(self, client: Client, record: R) -> None:
        self._client = client
        self._record: R = record

    @property
    def id(self) -> str:
        """``<kind>-<10 characters>``."""
        return self._record["id"]

    @property
    def name(self) -> str:
        """Unique among the live things of this kind."""
        return self._record["name"]

    @property
    def record(self) -> R:
        """Everything known, as of the last call; :meth:`refresh` asks again."""
        return self._record

    @property
    def status(self) -> Status:
        """State, reason, contact, since when, and which attempt, as of the last call."""
        return status_of(self._record)

    @property
    def final(self) -> bool:
        """Whether nothing can follow its state, as of the last call."""
        return is_final(self.kind, self._record["state"])

    async def refresh(self, *, timeout: Duration | None = None) -> R:
        """Asks for the record anew; a final one does not change any more."""
        if not self.final:
            self._record = await self._call("get", timeout=timeout)
        return self._record

    async def until(self, state: str, *, timeout: Duration | None = None) -> Status:
        """Waits until a state is reached.

        Raises:
            PilothouseError: ``STATE_UNREACHABLE`` at once, with the reason, when it can no longer come; ``TIMEOUT``.
        """
        await self._wait(
            lambda record: record["state"] == state or not can_reach(self.kind, record["state"], state),
            timeout,
            f"for {state}",
        )
        if self._record["state"] != state:
            raise unreachable(self._record, state)
        return self.status

    async def done(self, *, timeout: Duration | None = None) -> Status:
        """Waits for the end; a failure is a status here and no exception.

        Raises:
            PilothouseError: ``TIMEOUT``.
        """
        await self._wait(lambda record: is_final(self.kind, record["state"]), timeout, "for its end")
        return self.status

    async def explain(self, *, timeout: Duration | None = None) -> str:
        """Why it is not further than it is, in words."""
        answer = await self._client.call(f"{plural(self.kind)}/explain", {"ref": self.id}, timeout=seconds(timeout))
        return cast("str", answer["text"])

    def learn(self, record: R) -> None:
        """Takes over a newer record that somebody else has read."""
        self._record = record

    async def _call(self, procedure: str, *, timeout: Duration | None = None) -> R:
        """Calls a procedure of this kind that takes a reference and gives the record."""
        found = await self._client.call(f"{plural(self.kind)}/{procedure}", {"ref": self.id}, timeout=seconds(timeout))
        return cast("R", found)

    async def _wait(self, enough: Callable[[R], bool], timeout: Duration | None, what: str) -> None:
        """Waits until the record is as wanted, from whatever record there is."""
        if enough(self._record) and self.final:
            return
        try:
            await asyncio.wait_for(self._watch_until(enough), seconds(timeout))
        except asyncio.TimeoutError as error:
            raise waited_too_long(self._record, what, timeout) from error

    async def _watch_until(self, enough: Callable[[R], bool]) -> None:
        async with aclosing(watch_records(self._client, self.kind, [self.id])) as pictures:
            async for picture in pictures:
                if self.id not in picture:
                    # Taken off the lists in the meantime: what is known of it, or that nothing is.
                    self._record = await self._call("get")
                else:
                    self._record = cast("R", picture[self.id])
                if enough(self._record):
                    return

    def show(self) -> None:
        """Shows it in the output of the cell that runs now: live in a notebook, as text elsewhere."""
        show_live(self._client.places, self.kind, self.id)

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return describe(self._record)


def describe(record: AnyRecord) -> str:
    """One line about a thing: ``<pilot demo ACTIVE 7k2m9q>``."""
    return f"<{record['kind']} {record['name']} {record['state']} {short_id(record['id'])}>"


def status_of(record: AnyRecord) -> Status:
    """The part of a record that says how it stands."""
    return {
        "state": record["state"],
        "reason": record["reason"],
        "contact": record["contact"],
        "since": record["since"],
        "attempt": record["attempt"] if record["kind"] == "task" else 1,
    }


def seconds(timeout: Duration | None) -> float | None:
    """A time-out in seconds; None stays None."""
    return None if timeout is None else to_seconds(timeout)


def failure_of(record: AnyRecord, code: ErrorCode, message: str, *, hint: str | None = None) -> PilothouseError:
    """The error a record carries, else one that is made from its state and reason."""
    if record["error"] is not None:
        return PilothouseError.from_data(record["error"])
    reason = record["reason"]
    text = message if reason is None else f"{message}: {reason['text']}"
    return PilothouseError(code, text, hint=hint, ids={record["kind"]: record["id"]})


def unreachable(record: AnyRecord, state: str) -> PilothouseError:
    """STATE_UNREACHABLE, caused by what ended the thing."""
    name, now = f"{record['kind']} {record['name']}", record["state"]
    error = failure_of(record, "STATE_UNREACHABLE", f"{name} is {now} and can no longer become {state}")
    if error.code == "STATE_UNREACHABLE":
        return error
    wrapped = PilothouseError(
        "STATE_UNREACHABLE",
        f"{name} is {now} and can no longer become {state}: {error.message}",
        hint=error.hint,
        ids={record["kind"]: record["id"], **error.ids},
        evidence=error.evidence,
    )
    wrapped.__cause__ = error
    return wrapped


def waited_too_long(record: AnyRecord, what: str, timeout: Duration | None) -> PilothouseError:
    """TIMEOUT of a wait, which ended nothing."""
    reason = record["reason"]
    because = "" if reason is None else f" ({reason['text']})"
    return PilothouseError(
        "TIMEOUT",
        f"waited {timeout if isinstance(timeout, str) else f'{timeout} s'} {what}: "
        f"{record['kind']} {record['name']} is {record['state']}{because}",
        hint=f"{GOES_ON[record['kind']]} Wait longer, or see .explain()",
        ids={record["kind"]: record["id"]},
    )
