"""Values on their way between a caller and a worker.

JSON where it comes back as the same value, else pickle 5 with its large buffers (NumPy, pandas, Arrow) out of band. A
framed pickle is the magic, the number of parts, the length of each (little endian), and the parts, each at a multiple
of 64 bytes: a file of it is mapped, and arrays lie in it without a copy.

This file is the same in the worker and in the client; a test compares them.
"""

from __future__ import annotations

import base64
import json
import mmap
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

INLINE_BYTES = 256 * 1024
"""Payloads up to this size travel in records, larger ones as a file that both ends see."""
MAGIC = b"PHP1"
_ALIGN = 64
_MOST_NODES = 10_000
_MOST_BUFFERS = 1 << 20
_EXACT_INT = 2**53

Payload = dict[str, Any]
Dumps = Callable[..., bytes]
Keep = Callable[[str, list[Any]], str]
"""Writes a large payload, given its format and parts, and tells the file's absolute path."""


class DamagedPayload(ValueError):
    """The bytes are no framed pickle."""


def is_exact(value: Any) -> bool:
    """Whether a value comes back from JSON, by way of a program that knows only doubles, as the same value."""
    left = _MOST_NODES
    stack: list[Any] = [value]
    while stack:
        left -= 1
        one = stack.pop()
        kind = cast("type[object]", type(one))
        if one is None or kind is str or kind is bool:
            continue
        if kind is int:
            if not -_EXACT_INT <= one <= _EXACT_INT:
                return False
        elif kind is float:
            # An integral one comes back as an int, and there is no JSON of NaN and infinity.
            if one != one or one.is_integer() or one in (float("inf"), float("-inf")):
                return False
        elif kind is list:
            stack.extend(one)
        elif kind is dict:
            for key in one:
                if type(key) is not str:
                    return False
            stack.extend(one.values())
        else:
            return False
        if left < len(stack):
            return False
    return True


def frame(value: Any, dumps: Dumps = pickle.dumps) -> list[Any]:
    """A framed pickle, as parts to be written one after another."""
    buffers: list[Any] = []

    def take(buffer: pickle.PickleBuffer) -> bool:
        try:
            buffers.append(buffer.raw())
        except BufferError:
            return True  # not contiguous: it stays within the pickle
        return False

    body = dumps(value, protocol=5, buffer_callback=take)
    parts = [body, *buffers]
    head = MAGIC + struct.pack(f"<I{len(parts)}Q", len(parts), *(len(part) for part in parts))
    framed = [head, _padding(len(head))]
    for part in parts:
        framed += [part, _padding(len(part))]
    return framed


def unframe(data: Any) -> Any:
    """The value in a framed pickle. Arrays stay within `data`, which is writable where they should be.

    Raises:
        DamagedPayload: when the bytes are no framed pickle.
    """
    view = memoryview(data)
    if len(view) < 8 or bytes(view[:4]) != MAGIC:
        raise DamagedPayload("no framed pickle")
    (count,) = struct.unpack_from("<I", view, 4)
    if not 0 < count <= _MOST_BUFFERS or len(view) < 8 + 8 * count:
        raise DamagedPayload("the frame of a pickle is cut off")
    lengths = struct.unpack_from(f"<{count}Q", view, 8)
    at = _aligned(8 + 8 * count)
    parts: list[memoryview] = []
    for length in lengths:
        if at + length > len(view):
            raise DamagedPayload("a pickle is cut off")
        parts.append(view[at : at + length])
        at = _aligned(at + length)
    return pickle.loads(parts[0], buffers=parts[1:])


def encode(value: Any, keep: Keep, dumps: Dumps = pickle.dumps, exact: bool = True) -> Payload:
    """A value as a payload.

    Args:
        keep: Called for what is too large for a record.
        dumps: How it is pickled.
        exact: JSON only for what comes back as the same value; otherwise for whatever JSON can carry.
    """
    text = _json(value, exact)
    if text is not None:
        if len(text) <= INLINE_BYTES:
            # The text stands for itself: whoever puts the payload into a message writes it as it is.
            return {"json": RawJson(text)}
        return _kept("json", [text.encode()], keep)
    return encode_pickle(value, keep, dumps)


def encode_pickle(value: Any, keep: Keep, dumps: Dumps = pickle.dumps) -> Payload:
    """A value as a pickle, whatever it is."""
    parts = frame(value, dumps)
    if sum(len(part) for part in parts) * 4 // 3 <= INLINE_BYTES:
        return {"pickle": base64.b64encode(b"".join(parts)).decode()}
    return _kept("pickle", parts, keep)


def decode(payload: Payload) -> Any:
    """The value of a payload.

    Raises:
        OSError: when its file cannot be read.
        DamagedPayload: when it is not what it should be.
    """
    if "json" in payload:
        return payload["json"]
    if "pickle" in payload:
        # A bytearray, so that arrays in it can be written to.
        return unframe(bytearray(base64.b64decode(payload["pickle"])))
    with Path(payload["file"]).open("rb") as file:
        if payload["format"] == "json":
            return json.load(file)
        # Pages are read when they are touched, and writing to an array changes this process's copy alone.
        return unframe(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def write_private(path: str, parts: list[Any]) -> None:
    """Writes a file that only its owner can read, whole or not at all, and for good."""
    unfinished = f"{path}.{os.getpid()}.part"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fdatasync(file.fileno())
        Path(unfinished).rename(path)
    except BaseException:
        Path(unfinished).unlink()
        raise


class RawJson:
    """JSON that is already text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"RawJson({self.text!r})"


def as_text(payload: Payload) -> str:
    """A payload as JSON text."""
    raw = payload.get("json")
    return f'{{"json":{raw.text}}}' if isinstance(raw, RawJson) else json.dumps(payload)


def as_data(payload: Payload) -> Payload:
    """A payload as plain data."""
    raw = payload.get("json")
    return {"json": json.loads(raw.text)} if isinstance(raw, RawJson) else payload


def _json(value: Any, exact: bool) -> str | None:
    if exact:
        return _EXACT.encode(value) if is_exact(value) else None
    try:
        return _LENIENT.encode(value)
    except (TypeError, ValueError, RecursionError):
        return None


def _plain(value: Any) -> Any:
    """Numbers and arrays of NumPy and the like, for callers that know only JSON."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"no JSON of {type(value)}")
    return tolist()


# Made once: `json.dumps` with arguments makes one for each call, which takes longer than encoding a short value.
_EXACT = json.JSONEncoder(separators=(",", ":"))
_LENIENT = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain)


def _kept(kind: str, parts: list[Any], keep: Keep) -> Payload:
    return {"file": keep(kind, parts), "format": kind, "size": sum(len(part) for part in parts)}


def _aligned(at: int) -> int:
    return -(-at // _ALIGN) * _ALIGN


def _padding(length: int) -> bytes:
    return bytes(_aligned(length) - length)
