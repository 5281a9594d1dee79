"""Values as they travel: JSON, with NumPy arrays and bytes as frames of their own."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import PurePath
from typing import Any, NamedTuple, cast

import msgspec

from ..errors import PilothouseError
from .headers import Binary
from .limits import MAX_BINARIES, MAX_FRAME

PLACE = "$binary"
"""Stands in the JSON for the binary frame of that number."""


class Body(NamedTuple):
    """A value as it travels."""

    json: bytes
    binaries: list[Binary] | None
    frames: list[Any]


class _Binaries(json.JSONEncoder):
    """Puts binary frames aside, and knows the classes that stand for plain data."""

    def __init__(self) -> None:
        super().__init__(allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        self.binaries: list[Binary] = []
        self.frames: list[Any] = []

    def default(self, o: Any) -> Any:
        if isinstance(o, (bytes, bytearray, memoryview)):
            return self._put(Binary("bytes", [memoryview(cast("bytes", o)).nbytes]), o)
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None:
            if isinstance(o, numpy.ndarray):
                return self._array(numpy, o)
            if isinstance(o, numpy.generic):
                return o.item()
        return plain(o)

    def _array(self, numpy: Any, array: Any) -> Any:
        name = f"{array.dtype.kind}{array.dtype.itemsize}"
        if name not in _TYPES:
            raise TypeError(f"an array of {array.dtype}")
        little = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        return self._put(Binary(_TYPES[name], list(array.shape)), little.data if array.size else b"")

    def _put(self, binary: Binary, frame: Any) -> dict[str, int]:
        if len(self.frames) >= MAX_BINARIES:
            raise TypeError(f"more than {MAX_BINARIES} arrays")
        self.binaries.append(binary)
        self.frames.append(frame)
        return {PLACE: len(self.frames) - 1}


_TYPES: dict[str, Any] = {name: name for name in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")}
# Values without arrays, which is most of them, need no encoder of their own.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode


def encode_body(value: Any, what: str) -> Body:
    """A value as JSON and frames.

    Raises:
        PilothouseError: ``INVALID_DESCRIPTION`` for what cannot travel.
    """
    try:
        try:
            return _checked(Body(_encode(value).encode(), None, []), what)
        except TypeError:
            encoder = _Binaries()
            text = encoder.encode(value).encode()
            return _checked(Body(text, encoder.binaries or None, encoder.frames), what)
    except (TypeError, ValueError, RecursionError) as error:
        said = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        hint = "Send data: text, numbers, lists, dicts, NumPy arrays; NaN only within an array."
        raise PilothouseError("INVALID_DESCRIPTION", f"{what} cannot travel: {said}", hint=hint) from error


def decode_body(body: bytes | None, frames: Sequence[bytes], binaries: Sequence[Binary] | None) -> Any:
    """The value of a message, from its body and its further frames.

    Raises:
        PilothouseError: ``INVALID_FRAME``.
    """
    if body is None:
        raise _invalid("has no body")
    if len(frames) != len(binaries or ()):
        raise _invalid("has another number of binary frames than it says")
    try:
        value = json.loads(body)
        if not binaries:
            return value
        return _put(value, [_array(binary, frame) for binary, frame in zip(binaries, frames, strict=True)])
    except (ValueError, RecursionError) as error:
        raise _invalid("has a body that is no JSON") from error


def plain(value: Any) -> Any:
    """One level of an object as plain data: dataclasses, enums, times, paths, models of msgspec and pydantic."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, msgspec.Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, (set, frozenset)):
        return list(cast("set[Any]", value))
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump()
    raise TypeError(f"a {type(value).__name__}")


def _array(binary: Binary, frame: bytes) -> Any:
    if binary.type == "bytes":
        if binary.shape != [len(frame)]:
            raise _invalid("has a binary frame of another size than it says")
        return bytes(frame)
    if len(frame) != math.prod(binary.shape) * int(binary.type[1:]):
        raise _invalid("has a binary frame of another size than it says")
    try:
        import numpy
    except ImportError as error:
        raise PilothouseError(
            "UNSUPPORTED_FORMAT", "An array has come, and NumPy is not installed.", hint="Install numpy."
        ) from error
    kind: Any = numpy.dtype(f"<{binary.type}")
    array: Any = numpy.frombuffer(frame, dtype=kind)
    # A copy: what comes in can be written to, as any other array.
    return array.reshape(binary.shape).copy()


def _put(value: Any, arrays: list[Any]) -> Any:
    if isinstance(value, list):
        return [_put(item, arrays) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if len(fields) == 1 and PLACE in fields:
        index = fields[PLACE]
        if type(index) is not int or not 0 <= index < len(arrays):
            raise _invalid("names a binary frame that it has not")
        return arrays[index]
    return {key: _put(field, arrays) for key, field in fields.items()}


def _checked(body: Body, what: str) -> Body:
    largest = max([len(body.json), *(memoryview(frame).nbytes for frame in body.frames)])
    if largest > MAX_FRAME:
        raise PilothouseError(
            "INVALID_DESCRIPTION",
            f"{what} is larger than a message takes (256 MiB)",
            hint="Write the data into a file and pass its path.",
        )
    return body


def _invalid(what: str) -> PilothouseError:
    return PilothouseError(
        "INVALID_FRAME",
        f"A message of the service protocol {what}.",
        hint="Use the same version of Pilothouse on both ends.",
    )
