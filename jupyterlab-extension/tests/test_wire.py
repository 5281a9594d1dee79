"""Frames of the protocol of services: what goes in comes out, and garbage is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilothouse import PilothouseError
from pilothouse._wire.body import decode_body, encode_body
from pilothouse._wire.headers import Binary, Call, client_frame, first_frame, server_frame

numpy = pytest.importorskip("numpy")

_arrays = st.tuples(st.sampled_from(["f4", "f8", "i2", "i8", "u1", "b1"]), st.lists(st.integers(0, 3), max_size=3)).map(
    lambda made: numpy.ones(made[1], dtype=made[0])
)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(max_size=8)
    | _arrays,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text().filter(lambda key: key != "$binary"), inner, max_size=4)
    ),
    max_leaves=12,
)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, numpy.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


@given(_values)
def test_values_come_out_as_they_went_in(value: Any) -> None:
    body = encode_body(value, "The value")
    assert _same(value, decode_body(body.json, list(map(bytes, body.frames)), body.binaries))


@given(
    st.none() | st.binary(),
    st.lists(st.binary(max_size=16) | _values.map(lambda value: json.dumps(str(value)).encode()), max_size=3),
    st.none() | st.lists(st.builds(Binary, st.sampled_from(["f8", "u1", "bytes"]), st.lists(st.integers(0, 4)))),
)
def test_garbage_is_refused(body: bytes | None, frames: list[bytes], binaries: list[Binary] | None) -> None:
    try:
        decode_body(body, frames, binaries)
    except PilothouseError as error:
        assert error.code == "INVALID_FRAME"


@given(st.binary() | st.text().map(str.encode) | _values.map(lambda value: json.dumps(str(value)).encode()))
def test_headers_that_are_none_are_none(frame: bytes) -> None:
    assert client_frame(frame)[0] is None
    assert server_frame(frame)[0] is None


def test_headers_come_out_as_they_went_in() -> None:
    header = Call(3, "fit", 64, [Binary("f8", [2, 3])])
    assert client_frame(first_frame(header, b"[1]")) == (header, b"[1]")
    assert client_frame(first_frame(header)) == (header, None)


@pytest.mark.parametrize("value", [float("nan"), {"a": object()}, numpy.array(["text"]), {1: {2}, "f": print}])
def test_what_cannot_travel_says_so(value: Any) -> None:
    with pytest.raises(PilothouseError) as caught:
        encode_body(value, "The value")
    assert caught.value.code == "INVALID_DESCRIPTION"
