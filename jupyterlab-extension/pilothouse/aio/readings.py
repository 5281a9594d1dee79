"""What came back, checked, and as what callers get."""

from __future__ import annotations

from typing import Any, cast

from ..errors import PilothouseError
from ..service_records import RestReply, Tensor
from .answer import AnswerResult

_TENSOR_FIELDS = {"name", "shape", "datatype", "data"}


def value_of(result: AnswerResult) -> Any:
    """The value as it came."""
    return result.value


def vectors_of(result: AnswerResult) -> list[list[float]]:
    """One vector per text."""
    if not all(isinstance(vector, list) for vector in _list(result, "vectors")):
        raise _unfit(result, "vectors")
    return cast("list[list[float]]", result.value)


def tensors_from(result: AnswerResult) -> list[Tensor]:
    """The tensors that came out."""
    for tensor in _list(result, "tensors"):
        if not isinstance(tensor, dict) or not _TENSOR_FIELDS.issubset(cast("dict[str, Any]", tensor)):
            raise _unfit(result, "tensors")
    return cast("list[Tensor]", result.value)


def reply_of(result: AnswerResult) -> RestReply:
    """What plain HTTP answered."""
    value: object = result.value
    if not isinstance(value, dict) or "status" not in value:
        raise _unfit(result, "status and body")
    return cast("RestReply", value)


def _list(result: AnswerResult, wanted: str) -> list[object]:
    value: object = result.value
    if not isinstance(value, list):
        raise _unfit(result, wanted)
    return cast("list[object]", value)


def _unfit(result: AnswerResult, wanted: str) -> PilothouseError:
    return PilothouseError(
        "INVALID_RESULT",
        f"the service answered with something else than {wanted}",
        hint="Look at what it serves: s.services.detect(url) tells its API",
        evidence=repr(result.value)[:500],
    )
