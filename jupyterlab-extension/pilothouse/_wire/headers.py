"""First frames of messages: the header, compact JSON that is checked as it is read, and after a line end the body."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from ..errors import ErrorCode, PilothouseError
from .limits import MAX_BINARIES, MAX_CREDITS, MAX_HEADER

Id = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0)]
Credits = Annotated[int, msgspec.Meta(ge=1, le=MAX_CREDITS)]
ElementType = Literal["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "bytes"]


class _Header(msgspec.Struct, tag_field="t", omit_defaults=True):
    pass


class Binary(msgspec.Struct):
    """What one binary frame holds."""

    type: ElementType
    shape: Annotated[list[Count], msgspec.Meta(max_length=32)]


Binaries = Annotated[list[Binary], msgspec.Meta(max_length=MAX_BINARIES)]


class Hello(_Header, tag="hello"):
    """First message of a connection: versions it speaks, and the token."""

    v: list[int]
    token: str


class Call(_Header, tag="call"):
    """A call; with credits its answer may come in pieces, so many ahead."""

    id: Id
    method: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    credits: Credits | None = None
    binaries: Binaries | None = None


class Grant(_Header, tag="grant"):
    """So many more pieces may come."""

    id: Id
    credits: Credits


class Cancel(_Header, tag="cancel"):
    """Nobody waits for it any more."""

    id: Id


class Ping(_Header, tag="ping"):
    """How are you? With methods: and what can you do?"""

    id: Id
    methods: bool = False


class Bye(_Header, tag="bye"):
    """The client goes."""


class Welcome(_Header, tag="welcome"):
    """Answer to hello."""

    v: int
    name: str


class Failure(msgspec.Struct, omit_defaults=True):
    """An error as it crosses the wire."""

    code: str
    message: str
    retryable: bool
    ids: dict[str, str] = {}
    hint: str | None = None
    field: str | None = None
    retryAfter: float | None = None
    evidence: str | None = None


class Refused(_Header, tag="refused"):
    """Answer to a hello that is refused."""

    error: Failure


class Unknown(_Header, tag="unknown"):
    """Answer to anything before hello: it was not taken."""

    id: Id | None = None


class Chunk(_Header, tag="chunk"):
    """One piece of an answer."""

    id: Id
    n: Count
    binaries: Binaries | None = None


class Reply(_Header, tag="reply"):
    """The value."""

    id: Id
    outstanding: Count
    queued: Count
    waited: Milliseconds
    ran: Milliseconds
    binaries: Binaries | None = None


class Error(_Header, tag="error"):
    """It failed."""

    id: Id
    outstanding: Count
    queued: Count
    waited: Milliseconds
    ran: Milliseconds
    error: Failure


class Pong(_Header, tag="pong"):
    """Answer to ping."""

    id: Id
    ok: bool
    text: str
    name: str
    version: str
    draining: bool
    concurrency: Count
    outstanding: Count
    queued: Count


class Load(_Header, tag="load"):
    """Now and then: the client is still wanted, and how much there is to do."""

    draining: bool
    outstanding: Count
    queued: Count


ClientHeader: TypeAlias = Hello | Call | Grant | Cancel | Ping | Bye
ServerHeader: TypeAlias = Welcome | Refused | Unknown | Chunk | Reply | Error | Pong | Load

_client: msgspec.json.Decoder[ClientHeader] = msgspec.json.Decoder(ClientHeader)
_server: msgspec.json.Decoder[ServerHeader] = msgspec.json.Decoder(ServerHeader)


class _Numbered(msgspec.Struct):
    id: Id


_numbered = msgspec.json.Decoder(_Numbered)
_encode = msgspec.json.Encoder().encode
_END = b"\n"
"""Ends the header. JSON that is written compactly has none inside."""


def first_frame(header: Any, body: bytes | None = None) -> bytes:
    """A first frame as it is sent. One frame for both: each costs an encryption, and a buffer on each side."""
    return _encode(header) if body is None else _encode(header) + _END + body


def client_frame(frame: bytes) -> tuple[ClientHeader | None, bytes | None]:
    """Header and body of what a client sends; ``None`` for a header that is none. Never raises."""
    head, end, body = frame.partition(_END)
    return _decoded(_client, head), body if end else None


def server_frame(frame: bytes) -> tuple[ServerHeader | None, bytes | None]:
    """As :func:`client_frame`, of what a service sends."""
    head, end, body = frame.partition(_END)
    return _decoded(_server, head), body if end else None


def id_in(frame: bytes) -> int | None:
    """The number of a call in a header that cannot be used otherwise, so that its caller can be told."""
    found = _decoded(_numbered, frame.partition(_END)[0])
    return None if found is None else found.id


def failure_of(error: PilothouseError) -> Failure:
    """An error as it crosses the wire."""
    return msgspec.convert(error.to_data(), Failure)


def error_of(failure: Failure, ids: dict[str, str] | None = None) -> PilothouseError:
    """The error that crossed the wire, with the ids of where it came from."""
    data = msgspec.to_builtins(failure)
    data["ids"] = {**(ids or {}), **failure.ids}
    return PilothouseError.from_data(data)


def failure(code: ErrorCode, message: str, **more: Any) -> Failure:
    """A failure of that code, retryable where the code is."""
    return failure_of(PilothouseError(code, message, **more))


def _decoded(decoder: msgspec.json.Decoder[Any], frame: bytes) -> Any:
    if len(frame) > MAX_HEADER:
        return None
    try:
        return decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
