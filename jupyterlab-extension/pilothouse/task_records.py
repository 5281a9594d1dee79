"""What Pilothouse knows about tasks and task sets, as plain dictionaries in the words of its interface."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .batch_records import BatchRecord
from .errors import ErrorData
from .records import OutputRange, PilotRecord, Record
from .service_records import AnswerRecord, ServiceRecord
from .states import TaskSetState, TaskState


class TaskUsage(TypedDict):
    """What a task has used: seconds of wall and CPU time, bytes of memory, bytes read and written, share of GPUs."""

    wall: float
    cpu: float
    maxRss: float
    read: float
    written: float
    gpuUtil: float | None
    gpuMemoryPeak: float | None


class Placement(TypedDict):
    """Where it runs or ran: host, numbers of its cores within the pilot's, names of its GPUs."""

    node: str
    cores: list[int]
    gpus: list[str]


class StagingReport(TypedDict):
    """How far one staging directive is; ``bytes`` of ``total``, where known."""

    direction: Literal["in", "out"]
    to: str
    action: Literal["link", "copy", "move", "transfer"]
    state: Literal["WAITING", "ACTIVE", "DONE", "FAILED"]
    files: int
    bytes: float
    total: float | None


class RemoteException(TypedDict):
    """An exception as it came out of a worker."""

    type: str
    message: str
    traceback: str


class TaskRecord(Record):
    """A task as it stands now."""

    kind: Literal["task"]
    state: TaskState
    description: dict[str, Any]
    pilot: str | None
    set: str | None
    retryOf: str | None
    resumedFrom: str | None
    cwd: str
    attempt: int
    exitCode: int | None
    signal: str | None
    stderrTail: str | None
    output: OutputRange | None
    usage: TaskUsage | None
    placement: Placement | None
    staging: list[StagingReport] | None
    value: dict[str, Any] | None
    exception: RemoteException | None


class TaskCounts(TypedDict):
    """How many tasks of a set are where; ``resumed`` counts those of ``done`` that an earlier set had done."""

    total: int
    waiting: int
    running: int
    done: int
    failed: int
    canceled: int
    resumed: int


class Failure(TypedDict):
    """One task of a set that failed."""

    id: str
    name: str
    error: ErrorData


class TaskSetRecord(Record):
    """A task set as it stands now; ``rate`` in tasks per second, ``eta`` in seconds."""

    kind: Literal["set"]
    state: TaskSetState
    pilot: str | None
    open: bool
    expected: int | None
    counts: TaskCounts
    rate: float | None
    eta: float | None
    failures: list[Failure]
    retryOf: str | None
    summary: str


class TaskOutcome(TypedDict):
    """What one task of a set came to: ``number`` in the order of submission, ``index`` in the order of completion."""

    index: int
    id: str
    name: str
    number: int
    state: TaskState
    attempt: int
    exitCode: int | None
    error: ErrorData | None
    stderrTail: str | None
    value: dict[str, Any] | None
    exception: RemoteException | None
    usage: TaskUsage | None


class TaskFile(TypedDict):
    """One file that a task has left, relative to its working directory; size in bytes."""

    path: str
    size: int
    modified: str
    folder: bool


AnyRecord = PilotRecord | TaskRecord | TaskSetRecord | ServiceRecord | AnswerRecord | BatchRecord
"""The record of any kind, told apart by ``kind``."""
