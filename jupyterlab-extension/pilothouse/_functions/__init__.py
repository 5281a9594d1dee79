"""Functions and values on their way to workers and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import PilothouseError


def function_reference(function: Callable[..., Any]) -> dict[str, Any]:
    """A function as it travels."""
    return {"python": f"{function.__module__}:{function.__qualname__}"}


def encode_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call as they travel."""
    return {"json": list(args)}


def decode_payload(payload: Mapping[str, Any]) -> Any:
    """A value that came back."""
    return payload["json"]


def remote_error(outcome: Mapping[str, Any]) -> BaseException:
    """What a function raised."""
    return PilothouseError("FUNCTION_RAISED", outcome["exception"]["message"])
