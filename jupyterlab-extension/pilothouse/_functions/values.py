"""Arguments and results as they travel."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any, cast

from ..errors import PilothouseError
from . import payloads
from .files import keep_arguments
from .pickling import dumps_by_value

_PLAIN: tuple[type, ...] = (type(None), bool, int, float, complex, str, bytes)
_GROUPS: tuple[type, ...] = (list, tuple, set, frozenset)
_MOST_LOOKED_AT = 1000


class RemoteTraceback(Exception):
    """The traceback of an exception in a worker, as text: the cause of the exception that is raised here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def encode_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call as they travel: pickled, arrays and data frames without a copy, large ones by file.

    Raises:
        PilothouseError: ``FUNCTION_NOT_SENDABLE`` when one of them cannot be pickled.
    """
    value = (args, dict(kwargs))
    # What a notebook has defined can only be sent by value, which takes ten times as long.
    dumps: payloads.Dumps = pickle.dumps if _is_plain(value) else dumps_by_value
    try:
        return payloads.encode_pickle(value, keep_arguments, dumps)
    except OSError:
        raise
    except Exception as error:
        raise PilothouseError(
            "FUNCTION_NOT_SENDABLE",
            f"the arguments cannot be sent to a worker: {error}",
            hint="Give data, such as numbers, text, arrays or paths, and open files and connections in the function.",
        ) from error


def decode_payload(payload: Mapping[str, Any]) -> Any:
    """A value that came back.

    Raises:
        PilothouseError: ``DATA_NOT_FOUND`` when its file is gone.
    """
    try:
        return payloads.decode(dict(payload))
    except FileNotFoundError as error:
        raise PilothouseError(
            "DATA_NOT_FOUND",
            f"the value was in {error.filename}, which is gone",
            hint="It was cleaned up with its pilot; run the task again.",
        ) from error
    except (ImportError, AttributeError) as error:
        raise PilothouseError(
            "FUNCTION_NOT_SENDABLE",
            f"the value cannot be read here: {error}",
            hint="Install the packages here that the function returns objects of.",
        ) from error


def remote_error(outcome: Mapping[str, Any]) -> Exception:
    """What a function raised, with the traceback in the worker as its cause."""
    exception = outcome["exception"]
    cause = RemoteTraceback(exception["traceback"])
    error = _unpickled(exception.get("payload"))
    if error is None:
        data = outcome.get("error")
        message = f"the function raised {exception['type']}: {exception['message']}"
        error = PilothouseError.from_data(data) if data else PilothouseError("FUNCTION_RAISED", message)
    error.__cause__ = cause
    return error


def _unpickled(payload: Mapping[str, Any] | None) -> Exception | None:
    if payload is None:
        return None
    try:
        error = payloads.decode(dict(payload))
    except Exception:  # noqa: BLE001 - reading a pickle may raise anything
        # An exception of a package that is not here, or with a constructor that cannot be called again.
        return None
    # SystemExit and its like are for the process they were raised in: raised here they would end the caller's.
    return error if isinstance(error, Exception) else None


def _is_plain(value: Any) -> bool:
    """Whether it is made of nothing but the language's own values."""
    stack: list[Any] = [value]
    looked_at = 0
    while stack:
        one = stack.pop()
        looked_at += 1
        if looked_at > _MOST_LOOKED_AT:
            return False
        kind = cast("type[object]", type(one))
        if kind in _PLAIN:
            continue
        if kind in _GROUPS:
            stack.extend(one)
        elif kind is dict:
            stack.extend(one.keys())
            stack.extend(one.values())
        else:
            return False
    return True
