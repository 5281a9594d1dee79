"""What Pilothouse knows about each thing, as plain dictionaries in the words of its interface.

Times are ISO 8601 in UTC, memory is bytes.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .errors import ErrorData
from .states import PilotState


class _ReasonBase(TypedDict):
    code: str
    text: str
    since: str


class Reason(_ReasonBase, total=False):
    """Why something is not further than it is; ``text`` is the sentence that people read."""

    evidence: str


class Contact(TypedDict):
    """Whether the thing can be seen at the moment. Lost contact is not a failure."""

    lost: bool
    since: str


class Status(TypedDict):
    """A state with everything that explains it."""

    state: str
    reason: Reason | None
    contact: Contact
    since: str
    attempt: int


class Record(TypedDict):
    """What the records of all things hold."""

    id: str
    name: str
    seq: int
    since: str
    reason: Reason | None
    contact: Contact
    error: ErrorData | None
    times: dict[str, str]
    owner: str
    createdAt: str
    endedAt: str | None


class PilotResources(TypedDict):
    """What a pilot holds: memory in bytes (None: no limit of its own), runtime in seconds."""

    cores: int
    gpus: int
    memory: float | None
    runtime: float


class PilotUsage(TypedDict):
    """What of it is in use."""

    cores: float
    gpus: float
    memory: float
    running: int
    waiting: int
    done: int
    failed: int


class PilotIdle(TypedDict):
    """Nothing has run since then; at ``endsAt`` it ends by itself."""

    since: str
    endsAt: str


class Efficiency(TypedDict):
    """Core and GPU seconds that tasks and services held, over those that there were."""

    cores: float | None
    gpus: float | None


class Gateway(TypedDict):
    """Its own router for requests to services, on its node, with the file of its key."""

    url: str
    keyFile: str


class PilotRecord(Record):
    """A pilot as it stands now."""

    kind: Literal["pilot"]
    state: PilotState
    description: dict[str, Any]
    engine: str
    resources: PilotResources
    usage: PilotUsage
    node: str | None
    startedAt: str | None
    endsAt: str | None
    suspended: bool
    idle: PilotIdle | None
    efficiency: Efficiency | None
    gateway: Gateway | None


class OutputSlice(TypedDict):
    """A byte range."""

    offset: int
    length: int


class OutputRange(TypedDict):
    """Where the output lies: a byte range of a file in the pilot's folder."""

    file: str
    stdout: OutputSlice
    stderr: OutputSlice


class LogChunk(TypedDict):
    """A piece of a log by byte offset; go on at ``next`` until ``complete``."""

    text: str
    offset: int
    next: int
    size: int
    complete: bool


class Check(TypedDict):
    """One check of ``doctor``."""

    id: str
    title: str
    result: Literal["ok", "warning", "failed"]
    evidence: str
    remedy: str | None
