"""What Pilothouse knows about each thing, as plain dictionaries in the words of its interface.

Times are ISO 8601 in UTC, durations in ``timing`` and ``bootstrap`` are milliseconds, memory is bytes.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .errors import ErrorData
from .states import InstanceState, PilotState, RequestState, ServiceState


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


class Endpoint(TypedDict):
    """Where an instance listens; its key lies in a file and never in a record."""

    http: str
    keyFile: str | None


class Bootstrap(TypedDict):
    """Milliseconds until it was ready: launch + init + publish."""

    launch: float
    init: float
    publish: float


class ProbeResult(TypedDict):
    """Result of the latest probe; latency in milliseconds."""

    ok: bool
    at: str
    latency: float
    text: str


class InstanceRecord(TypedDict):
    """One running copy of a service."""

    id: str
    index: int
    state: InstanceState
    since: str
    reason: Reason | None
    contact: Contact
    attempt: int
    endpoint: Endpoint | None
    bootstrap: Bootstrap | None
    probe: ProbeResult | None
    exitCode: int | None
    stderrTail: str | None
    output: OutputRange | None
    error: ErrorData | None
    times: dict[str, str]


class ServiceLoad(TypedDict):
    """Requests being answered and waiting; latencies in milliseconds."""

    outstanding: int
    queued: int
    p50: float | None
    recent: list[float]


class ServiceRecord(Record):
    """A service as it stands now."""

    kind: Literal["service"]
    state: ServiceState
    api: str
    origin: Literal["launched", "attached"]
    description: dict[str, Any]
    template: str | None
    pilot: str | None
    model: str | None
    url: str | None
    credential: str | None
    openToNode: bool
    instances: list[InstanceRecord]
    load: ServiceLoad


class Template(TypedDict):
    """A ready-made service that can be started by name; ``reason`` says why not, where it is not available."""

    name: str
    title: str
    description: str
    available: bool
    reason: str | None
    resources: dict[str, Any]
    params: dict[str, Any]


class Gaps(TypedDict):
    """Gaps between tokens in milliseconds."""

    p50: float
    p99: float


class Timing(TypedDict):
    """Milliseconds: total = communication + queue + service + inference; None means "not reported"."""

    total: float
    client: float | None
    communication: float
    queue: float
    service: float
    inference: float | None
    ttft: float | None
    gaps: Gaps | None
    tokensPerSecond: float | None


class Usage(TypedDict):
    """Tokens read and written."""

    promptTokens: int
    completionTokens: int


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class NameOf(TypedDict):
    """Id and name of another thing."""

    id: str
    name: str


class InstanceOf(TypedDict):
    """Id and number of an instance."""

    id: str
    index: int


class AnswerRecord(Record):
    """A request to a service and its answer, as it stands now."""

    kind: Literal["answer"]
    state: RequestState
    service: NameOf
    instance: InstanceOf | None
    messages: list[Message]
    options: dict[str, Any]
    text: str | None
    chunks: int
    finishReason: str | None
    usage: Usage | None
    timing: Timing | None
    model: str | None
    retryOf: str | None


class CredentialReport(TypedDict):
    """A stored credential, without its secret."""

    name: str
    createdAt: str
    lastUsedAt: str | None


class Check(TypedDict):
    """One check of ``doctor``."""

    id: str
    title: str
    result: Literal["ok", "warning", "failed"]
    evidence: str
    remedy: str | None
