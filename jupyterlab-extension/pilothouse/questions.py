"""What is asked of a service, and how it travels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast

from .descriptions import given
from .service_records import Message, Part, Tensor
from .units import Duration, wire_duration

Prompt = str | Sequence[Part | Message]
"""A question, its parts (``{"text": …}``, ``{"image": path}``), or a conversation of messages."""

TensorLike = Any
"""A NumPy array, or numbers, texts and booleans in lists within lists."""


class ReplyOptions(TypedDict, total=False):
    """What any request may be given beside what it asks."""

    timeout: Duration | None
    priority: int | None
    session: str | None
    instance: int | None
    attempt_timeout: Duration | None
    hedge_after: Duration | None
    extra: Mapping[str, Any] | None


class AskOptions(ReplyOptions, total=False):
    """What a request for text may be given beside what it asks."""

    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    seed: int | None
    stop: str | Sequence[str] | None


def options_of(options: AskOptions | ReplyOptions) -> dict[str, Any]:
    """Options as they travel: only what was given."""
    unknown = sorted(set(options) - set(AskOptions.__annotations__))
    if unknown:
        raise TypeError(f"no request takes {', '.join(unknown)}; put what only the server knows into extra={{…}}")
    get = cast("dict[str, Any]", options).get
    stop, extra = get("stop"), get("extra")
    return given(
        timeout=_duration(get("timeout")),
        priority=get("priority"),
        session=get("session"),
        instance=get("instance"),
        attemptTimeout=_duration(get("attempt_timeout")),
        hedgeAfter=_duration(get("hedge_after")),
        maxTokens=get("max_tokens"),
        temperature=get("temperature"),
        topP=get("top_p"),
        seed=get("seed"),
        stop=[stop] if isinstance(stop, str) else None if stop is None else list(stop),
        extra=None if extra is None else dict(extra),
    )


def messages_of(prompt: Prompt) -> list[Message]:
    """A prompt, or its parts, as a conversation of one turn; a conversation as it is."""
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    messages: list[Message] = []
    parts: list[Part] = []
    for piece in prompt:
        if "role" in piece:
            messages.append(_message(piece))
        else:
            parts.append(_part(piece))
    return [*messages, {"role": "user", "content": parts}] if parts else messages


def _message(message: Message) -> Message:
    content = message["content"]
    return message if isinstance(content, str) else {**message, "content": [_part(part) for part in content]}


def _part(part: Part) -> Part:
    return {"image": str(part["image"])} if "image" in part else part


def tensors_of(inputs: Mapping[str, TensorLike] | Iterable[Tensor]) -> list[dict[str, Any]]:
    """Tensors as they travel: by name from arrays or lists, or as they were described.

    Example:
        >>> tensors_of({"x": [[1.0, 2.0]]})
        [{'name': 'x', 'shape': [1, 2], 'datatype': 'FP64', 'data': [1.0, 2.0]}]
    """
    if isinstance(inputs, Mapping):
        named = cast("Mapping[str, TensorLike]", inputs)
        return [_tensor(name, value) for name, value in named.items()]
    return [{**tensor, "shape": list(tensor["shape"]), "data": _flat(tensor["data"])[1]} for tensor in inputs]


_DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}


def _tensor(name: str, value: TensorLike) -> dict[str, Any]:
    shape, data = _flat(value)
    dtype = str(getattr(value, "dtype", ""))
    datatype = _DATATYPES.get(dtype) or _datatype_of(data)
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def _flat(value: TensorLike) -> tuple[list[int], list[Any]]:
    """Shape and items in row-major order."""
    if hasattr(value, "shape") and hasattr(value, "ravel"):
        return [int(length) for length in value.shape], value.ravel().tolist()
    if not isinstance(value, (list, tuple)):
        return [], [value]
    items = [_flat(item) for item in cast("Sequence[Any]", value)]
    inner = items[0][0] if items else []
    if any(shape != inner for shape, _ in items):
        raise ValueError("the lists of a tensor must be equally long at each depth")
    return [len(items), *inner], [item for _, flat in items for item in flat]


def _datatype_of(data: Sequence[Any]) -> str:
    if all(isinstance(item, bool) for item in data):
        return "BOOL"
    if all(isinstance(item, int) for item in data):
        return "INT64"
    return "FP64" if all(isinstance(item, (int, float)) for item in data) else "BYTES"


def texts_of(texts: str | Iterable[str]) -> list[str]:
    """One text, or several."""
    return [texts] if isinstance(texts, str) else list(texts)


def path_of(path: str | Path) -> str:
    """A path of a request, which begins with a slash."""
    text = str(path)
    return text if text.startswith("/") else f"/{text}"


def _duration(duration: Duration | None) -> Any:
    return None if duration is None else wire_duration(duration)
