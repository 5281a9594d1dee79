"""Values on their way to workers and back, and functions as they travel."""

from __future__ import annotations

import functools
import json
import math
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilothouse import PilothouseError
from pilothouse._functions import decode_payload, encode_arguments, function_reference, payloads, remote_error

REPO = Path(__file__).parents[2]
WORKER = REPO / "pilot-agent" / "workers" / "python"
sys.path.append(str(WORKER))
from pilothouse_worker.connection import Frames, pack  # noqa: E402  # pyright: ignore[reportMissingImports]

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PILOTHOUSE_HOME", str(tmp_path))
    return tmp_path


def nowhere(kind: str, parts: list[Any]) -> str:
    raise AssertionError(f"{kind} of {len(parts)} parts is too large for a record")


def over_the_wire(payload: payloads.Payload) -> Any:
    """By way of a program that knows only doubles, as the bridge and the agent are."""
    text = payloads.as_text(payload)

    def number(digits: str) -> float | int:
        value = float(digits)
        return int(value) if value.is_integer() else value

    return payloads.decode(json.loads(text, parse_int=number, parse_float=number))


def same(one: Any, other: Any) -> bool:
    """Equal, of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


def test_worker_and_client_have_the_same_payloads() -> None:
    own = Path(payloads.__file__).read_text()
    assert own == (WORKER / "pilothouse_worker" / "payloads.py").read_text()


@given(VALUES)
def test_any_value_comes_back_as_the_same_value(value: Any) -> None:
    assert same(over_the_wire(payloads.encode(value, nowhere)), value)


@given(VALUES, st.integers(0, 200))
def test_a_damaged_pickle_is_refused(value: Any, cut: int) -> None:
    whole = b"".join(payloads.frame(value))
    assert same(payloads.unframe(bytearray(whole)), value)
    body = whole[: max(0, len(whole) - 64 - cut)]
    with pytest.raises(payloads.DamagedPayload):
        payloads.unframe(body[:8])


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())), st.lists(st.integers(1, 50)))
def test_frames_are_put_together_from_pieces_of_any_size(messages: list[Any], sizes: list[int]) -> None:
    data = b"".join(pack(json.dumps(message)) for message in messages)
    frames, found, at = Frames(), [], 0
    for size in [*sizes, *([7] * len(data))]:
        found += frames.feed(data[at : at + size])
        at += size
    assert found == messages


def test_arrays_travel_out_of_band_and_can_be_written_to(home: Path) -> None:
    small, large = np.arange(12.0).reshape(3, 4), np.arange(2_000_000)
    payload = encode_arguments((small, large), {"mask": small > 3})
    assert payload["format"] == "pickle"
    file = Path(payload["file"])
    assert file.parent == home / "values"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (first, second), named = decode_payload(payload)
    assert (first == small).all()
    assert (second == large).all()
    assert named["mask"].sum() == 8
    second[0] = 7  # a copy of this process alone
    assert decode_payload(payload)[0][1][0] == 0
    file.unlink()
    with pytest.raises(PilothouseError, match="gone") as gone:
        decode_payload(payload)
    assert gone.value.code == "DATA_NOT_FOUND"


def test_functions_go_by_name_where_they_can_and_else_by_value() -> None:
    assert function_reference(math.sqrt) == {"python": "math:sqrt"}
    assert function_reference("scoring:score") == {"python": "scoring:score"}
    assert function_reference(Path.exists) == {"python": "pathlib:Path.exists"}
    by_value = function_reference(functools.partial(pow, 2))
    assert by_value["name"] == "pow"
    assert by_value["version"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert function_reference(lambda well: well)["name"].endswith("<lambda>")
    for wrong in ("score", 42, threading.Lock().acquire):
        with pytest.raises(PilothouseError) as refused:
            function_reference(wrong)  # type: ignore[arg-type]
        assert refused.value.code == "FUNCTION_NOT_SENDABLE"
        assert refused.value.hint


def test_an_exception_that_cannot_be_read_is_told_in_words() -> None:
    exception = {
        "type": "cuda.Error",
        "message": "no device",
        "traceback": "Traceback …",
        "payload": {"pickle": "AAAA"},
    }
    error = remote_error({"exception": exception, "error": None})
    assert isinstance(error, PilothouseError)
    assert "no device" in error.message
    assert "Traceback …" in str(error.__cause__)
