"""Functions as they travel: by name where a worker can import them, else by value."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import sys
from collections.abc import Callable
from typing import Any

from ..errors import PilothouseError
from .files import keep
from .payloads import INLINE_BYTES
from .pickling import dumps_by_value

_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def function_reference(function: Callable[..., Any] | str) -> dict[str, Any]:
    """A function as it travels.

    What a module defines goes by name, and the module is imported in the worker, with the caller's folder first. What a
    notebook or script defines, lambdas and closures go by value, with everything they use from there.

    Args:
        function: Or its name, ``"module:function"``.

    Raises:
        PilothouseError: ``FUNCTION_NOT_SENDABLE``, with what to do.

    Example:
        >>> import math
        >>> function_reference(math.sqrt)
        {'python': 'math:sqrt'}
    """
    if isinstance(function, str):
        if not _NAME.fullmatch(function):
            raise PilothouseError(
                "FUNCTION_NOT_SENDABLE", f"{function!r} names no function", hint="Write module:function."
            )
        return {"python": function}
    if not callable(function):
        raise PilothouseError(
            "FUNCTION_NOT_SENDABLE",
            f"a {type(function).__name__} cannot be called",
            hint="Give the function itself, without calling it, and its arguments after it.",
        )
    name = _importable(function)
    return _by_value(function) if name is None else {"python": name}


def name_of(function: Callable[..., Any] | str) -> str:
    """What people call it."""
    if isinstance(function, str):
        return function
    if isinstance(function, functools.partial):
        return name_of(function.func)
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def _importable(function: Callable[..., Any]) -> str | None:
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str) or module == "__main__":
        return None
    name = f"{module}:{path}"
    if not _NAME.fullmatch(name) or "<" in path:
        return None
    try:
        found = functools.reduce(getattr, path.split("."), sys.modules[module])
    except (KeyError, AttributeError):
        return None
    # A decorated or replaced function has a name under which something else is found.
    return name if found is function else None


def _by_value(function: Callable[..., Any]) -> dict[str, Any]:
    name = name_of(function)
    try:
        pickled = dumps_by_value(function, protocol=5)
    except Exception as error:
        raise PilothouseError(
            "FUNCTION_NOT_SENDABLE",
            f"{name} cannot be sent to a worker: {error}",
            hint="It uses something of this process, such as an open file or a lock; make that inside the function.",
        ) from error
    reference: dict[str, Any] = {"name": name, "version": VERSION}
    if len(pickled) * 4 // 3 <= INLINE_BYTES:
        return {"pickled": base64.b64encode(pickled).decode(), **reference}
    file = keep(f"function-{hashlib.sha256(pickled).hexdigest()}.pickle", [pickled])
    return {"pickled": {"file": file}, **reference}
