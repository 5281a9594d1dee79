"""What Pilothouse knows about batches, as plain dictionaries in the words of its interface."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .records import Record
from .states import BatchState


class BatchProgress(TypedDict):
    """How far a batch is, in rows; ``rate`` per second, ``eta`` as a time, ``total`` None until its input is read."""

    total: int | None
    done: int
    failed: int
    kept: int
    inFlight: int
    rate: float | None
    eta: str | None
    tokens: int


class RowError(TypedDict):
    """Why a row has no answer."""

    code: str
    message: str


class BatchRow(TypedDict):
    """One row that came out; ``total`` in milliseconds, ``key`` the field named or the number of its line from 0."""

    key: str | int | float
    text: str | None
    value: Any
    error: RowError | None
    usage: dict[str, int] | None
    instance: int | None
    total: float | None
    model: str | None


class RowFailure(TypedDict):
    """One of the latest failed rows."""

    key: str
    code: str
    message: str


class BatchService(TypedDict):
    """The service that a batch asks."""

    id: str
    name: str


class BatchRecord(Record):
    """A batch as it stands now; ``out`` is the absolute path of its rows."""

    kind: Literal["batch"]
    state: BatchState
    service: BatchService
    pilot: str | None
    description: dict[str, Any]
    out: str
    progress: BatchProgress
    failures: list[RowFailure]
