"""What Pilothouse knows about services and answers, as plain dictionaries in the words of its interface.

Times are ISO 8601 in UTC; durations in ``timing``, ``bootstrap``, ``load`` and of probes are milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypedDict

from .errors import ErrorData
from .records import Contact, OutputRange, Reason, Record
from .states import InstanceState, RequestState, ServiceState


class Endpoint(TypedDict):
    """Where an instance listens; its key lies in a file and never in a record."""

    url: str
    ports: dict[str, str]
    keyFile: str | None
    serverKey: str | None


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


class Probes(TypedDict, total=False):
    """The latest result of each probe."""

    startup: ProbeResult
    readiness: ProbeResult
    liveness: ProbeResult


class LoadProgress(TypedDict):
    """How far an instance has loaded; ``share`` is 0 to 1."""

    text: str
    share: float | None


class InstanceLoad(TypedDict):
    """What is known of the work of one instance; ``ejectedUntil``: left out until then, and why."""

    outstanding: int
    p50: float | None
    ejectedUntil: str | None
    why: str | None


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
    probes: Probes
    progress: LoadProgress | None
    draining: bool
    load: InstanceLoad | None
    exitCode: int | None
    stderrTail: str | None
    output: OutputRange | None
    error: ErrorData | None
    times: dict[str, str]


class ServiceLoad(TypedDict):
    """Requests being answered and waiting, and of the last minute; latencies in milliseconds."""

    outstanding: int
    queued: int
    p50: float | None
    p99: float | None
    perSecond: float
    failed: int
    recent: list[float]


class Scale(TypedDict):
    """How many instances there should be, and why."""

    min: int
    max: int
    wanted: int
    why: str | None
    since: str | None


class Method(TypedDict):
    """One method of a service of one's own; ``input``, ``output`` and ``chunk`` are JSON Schemas."""

    name: str
    description: str | None
    input: dict[str, Any]
    output: dict[str, Any]
    chunk: dict[str, Any] | None


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
    scale: Scale | None
    methods: list[Method] | None
    load: ServiceLoad


class Template(TypedDict):
    """A ready-made service that can be started by name; ``reason`` says why not, where it is not available."""

    name: str
    title: str
    description: str
    api: str
    source: Literal["builtin", "site", "user"]
    launches: bool
    available: bool
    reason: str | None
    resources: dict[str, Any]
    params: dict[str, Any]
    docs: str | None


class Detection(TypedDict):
    """What a look at an address has found; ``remedy``: what to do where it cannot be attached like this."""

    api: str | None
    base: str
    models: list[str]
    asksForKey: bool | None
    evidence: list[str]
    remedy: str | None


class Finding(TypedDict):
    """One thing that a look beforehand has found."""

    ok: bool
    text: str
    remedy: str | None


class ServicePreview(TypedDict):
    """What would be run, and what a look beforehand has found."""

    sentence: str
    command: list[str]
    findings: list[Finding]


class StatisticsBucket(TypedDict):
    """Requests of some seconds; times in milliseconds, parts of the response time as means."""

    at: str
    count: int
    failed: int
    p50: float | None
    p99: float | None
    communication: float
    queue: float
    service: float
    inference: float
    queued: int


class ServiceStatistics(TypedDict):
    """Requests over time, oldest first; ``step`` is the length of a bucket in seconds."""

    step: float
    buckets: list[StatisticsBucket]


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


class Part(TypedDict, total=False):
    """A piece of a message: ``text``, or ``image``: a path on the side of the service, which reads it."""

    text: str
    image: str | Path


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str | list[Part]


class Tensor(TypedDict):
    """A tensor of the Open Inference Protocol v2; ``data`` flat, in row-major order."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class RestReply(TypedDict):
    """What plain HTTP answered: status, and the body as JSON value, or text where it is none."""

    status: int
    body: Any


class NameOf(TypedDict):
    """Id and name of another thing."""

    id: str
    name: str


class InstanceOf(TypedDict):
    """Id and number of an instance."""

    id: str
    index: int


class Attempt(TypedDict):
    """An instance that was asked in vain before, with what went wrong there."""

    instance: int
    error: ErrorData


class AnswerRecord(Record):
    """A request to a service and its answer, as it stands now."""

    kind: Literal["answer"]
    state: RequestState
    service: NameOf
    instance: InstanceOf | None
    request: dict[str, Any]
    options: dict[str, Any]
    text: str | None
    chunks: int
    finishReason: str | None
    usage: Usage | None
    timing: Timing | None
    model: str | None
    revision: str | None
    value: Any
    attempts: list[Attempt]
    retryOf: str | None


class CredentialReport(TypedDict):
    """A stored credential, without its secret."""

    name: str
    createdAt: str
    lastUsedAt: str | None
