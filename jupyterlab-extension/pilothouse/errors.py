"""The one error that Pilothouse raises, with codes that programs can switch on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, TypeGuard, get_args

from ._traceback import readers_lines

ErrorCode = Literal[
    "BRIDGE_UNREACHABLE",
    "BRIDGE_RESTARTED",
    "BRIDGE_START_FAILED",
    "LAUNCHER_MISSING",
    "CONNECTION_LOST",
    "OWNERSHIP_MOVED",
    "OWNED_ELSEWHERE",
    "VERSION_MISMATCH",
    "TIMEOUT",
    "INVALID_DESCRIPTION",
    "INVALID_FRAME",
    "UNKNOWN_METHOD",
    "PERMISSION_DENIED",
    "UNSAFE_PATH",
    "LOG_DAMAGED",
    "DESCRIPTION_CHANGED",
    "ENGINE_UNAVAILABLE",
    "PILOT_NOT_FOUND",
    "PILOT_REFUSED",
    "PILOT_FAILED",
    "PILOT_ENDED",
    "TASK_NOT_FOUND",
    "TASK_FAILED",
    "TASK_CANCELED",
    "EXECUTABLE_NOT_FOUND",
    "DIRECTORY_NOT_FOUND",
    "TASK_SET_NOT_FOUND",
    "DEPENDENCY_FAILED",
    "ENVIRONMENT_NOT_FOUND",
    "OUT_OF_MEMORY",
    "GPU_OUT_OF_MEMORY",
    "GPU_COMMUNICATION_FAILED",
    "DURATION_EXCEEDED",
    "WALLTIME_OVER",
    "LAUNCHER_LOST",
    "DATA_NOT_FOUND",
    "STAGING_FAILED",
    "CHECKSUM_MISMATCH",
    "FILE_TOO_LARGE",
    "DISK_FULL",
    "FUNCTION_RAISED",
    "FUNCTION_NOT_FOUND",
    "FUNCTION_NOT_SENDABLE",
    "INVALID_RESULT",
    "WORKER_LOST",
    "NODE_LOST",
    "SERVICE_NOT_FOUND",
    "SERVICE_NOT_READY",
    "SERVICE_FAILED",
    "SERVICE_STOPPED",
    "SERVICE_UNREACHABLE",
    "TEMPLATE_UNAVAILABLE",
    "MODEL_NOT_FOUND",
    "PORT_IN_USE",
    "AUTHENTICATION_FAILED",
    "UNAUTHENTICATED_SERVICE",
    "CREDENTIAL_NOT_FOUND",
    "API_NOT_RECOGNISED",
    "CONTEXT_EXCEEDED",
    "QUEUE_FULL",
    "BACKEND_FAILED",
    "STREAM_CUT",
    "BACKEND_TIMEOUT",
    "REQUEST_REFUSED",
    "UNSUPPORTED_REQUEST",
    "UNSUPPORTED_FORMAT",
    "METHOD_NOT_FOUND",
    "CERTIFICATE_REFUSED",
    "BATCH_NOT_FOUND",
    "BATCH_FAILED",
    "BATCH_CANCELED",
    "ANSWER_NOT_FOUND",
    "ANSWER_STOPPED",
    "STATE_UNREACHABLE",
    "CLOSED",
    "BUFFER_OVERFLOW",
    "INTERNAL",
]
"""What went wrong, as a literal that programs can switch on. Codes are only ever added."""

ERROR_CODES: frozenset[str] = frozenset(get_args(ErrorCode))
"""Every code there is."""


def _is_code(code: str) -> TypeGuard[ErrorCode]:
    return code in ERROR_CODES


RETRYABLE: frozenset[str] = frozenset(
    {
        "BRIDGE_UNREACHABLE",
        "BRIDGE_RESTARTED",
        "CONNECTION_LOST",
        "TIMEOUT",
        "GPU_COMMUNICATION_FAILED",
        "WALLTIME_OVER",
        "LAUNCHER_LOST",
        "WORKER_LOST",
        "NODE_LOST",
        "SERVICE_NOT_READY",
        "SERVICE_UNREACHABLE",
        "PORT_IN_USE",
        "QUEUE_FULL",
        "BACKEND_FAILED",
        "STREAM_CUT",
        "BACKEND_TIMEOUT",
    }
)
"""Codes of errors after which the same call can succeed later without a change by the user."""


class _ErrorBase(TypedDict):
    code: ErrorCode
    message: str
    retryable: bool
    ids: dict[str, str]


class ErrorData(_ErrorBase, total=False):
    """An error as it crosses the wire and lies in logs."""

    hint: str
    field: str
    retryAfter: float
    evidence: str


class PilothouseError(Exception):
    """The one error that Pilothouse raises. Programs switch on ``code``; people read ``hint`` first.

    Attributes:
        code: What went wrong, one of :data:`ERROR_CODES`.
        message: What went wrong and where, one sentence.
        hint: What to do about it, one sentence; ``None`` where nothing can be said.
        retryable: Whether the same call can succeed later without a change by the user.
        ids: Ids of the things concerned, by kind: ``{"service": "service-7k2m9qz4wd"}``.
        field: Path of the field concerned, for ``INVALID_DESCRIPTION``: ``"resources.cores"``.
        retry_after: Seconds after which it is worth trying again, for ``QUEUE_FULL``.
        evidence: Whatever shows the cause: the last lines of stderr, a response body.

    Example:
        >>> error = PilothouseError("SERVICE_NOT_FOUND", "there is no live service 'vep'", hint="Start it first.")
        >>> error.code
        'SERVICE_NOT_FOUND'
        >>> str(error)
        "Start it first. There is no live service 'vep' (SERVICE_NOT_FOUND)."
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool | None = None,
        ids: Mapping[str, str] | None = None,
        field: str | None = None,
        retry_after: float | None = None,
        evidence: str | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code: ErrorCode = code
        self.message = message
        self.hint = hint
        self.retryable = code in RETRYABLE if retryable is None else retryable
        self.ids: dict[str, str] = dict(ids or {})
        self.field = field
        self.retry_after = retry_after
        self.evidence = evidence

    @property
    def cause(self) -> BaseException | None:
        """What led to it, the same as ``__cause__``."""
        return self.__cause__

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> PilothouseError:
        """Rebuilds an error that came over the wire. A code that this version does not know becomes ``INTERNAL``."""
        code, message = str(data.get("code", "INTERNAL")), str(data.get("message", ""))
        return cls(
            code if _is_code(code) else "INTERNAL",
            message if _is_code(code) else f"{message} ({code})",
            hint=data.get("hint"),
            retryable=data.get("retryable"),
            ids=data.get("ids"),
            field=data.get("field"),
            retry_after=data.get("retryAfter"),
            evidence=data.get("evidence"),
        )

    def to_data(self) -> ErrorData:
        """The error as plain data: no traceback, no cause."""
        data: ErrorData = {"code": self.code, "message": self.message, "retryable": self.retryable, "ids": self.ids}
        if self.hint is not None:
            data["hint"] = self.hint
        if self.field is not None:
            data["field"] = self.field
        if self.retry_after is not None:
            data["retryAfter"] = self.retry_after
        if self.evidence is not None:
            data["evidence"] = self.evidence
        return data

    def __str__(self) -> str:
        remedy = f"{_capital(self.hint).rstrip('. ')}. " if self.hint else ""
        tail = f"\n{self.evidence}" if self.evidence else ""
        return f"{remedy}{_capital(self.message).rstrip('. ')} ({self.code}).{tail}"

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a cell."""
        return readers_lines(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call __init__ with the positional arguments alone and so lose the hint and the ids.
        return PilothouseError.from_data, (self.to_data(),)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
