"""Finds what is to be called."""

from __future__ import annotations

import base64
import functools
import importlib
import importlib.util
import pickle
import sys
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Refused(Exception):
    """It cannot be called here, and why, with the remedy."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def find(reference: dict[str, Any], modules: str) -> Function:
    """The function of a reference.

    Args:
        modules: Folder that modules are imported from first, for words.

    Raises:
        Refused: when it is not there, or cannot come from where it was defined.
        Exception: whatever importing its module raises.
    """
    if "python" in reference:
        return _imported(reference["python"], modules)
    if "pickled" in reference:
        return _by_value(reference)
    raise Refused("FUNCTION_NOT_SENDABLE", "this worker runs Python", "Give module:function.")


def name_of(reference: dict[str, Any]) -> str:
    return str(reference.get("python") or reference.get("name") or "the function")


def _imported(name: str, modules: str) -> Function:
    module_name, _, path = name.partition(":")
    module = _module(module_name, modules)
    try:
        function = functools.reduce(getattr, path.split("."), module)
    except AttributeError:
        file = getattr(module, "__file__", None) or module_name
        raise Refused(
            "FUNCTION_NOT_FOUND", f"there is no {path} in {file}", "Check the name after the colon."
        ) from None
    if not callable(function):
        raise Refused("FUNCTION_NOT_FOUND", f"{name} is no function", "Name something that can be called.")
    return function


def _module(name: str, modules: str) -> Any:
    # A file that was written a moment ago may be missing from what was read of its folder before.
    importlib.invalidate_caches()
    # Compiled files of the caller's own modules would hide an edit within the same second.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
        message = f"there is no module {name} in {modules} or among the packages of {sys.executable}"
        hint = f"Put {name.split('.')[0]}.py beside the notebook, or install it with: {sys.executable} -m pip install"
        raise Refused("FUNCTION_NOT_FOUND", message, hint) from None
    finally:
        sys.dont_write_bytecode = before


def _by_value(reference: dict[str, Any]) -> Function:
    name, theirs = reference["name"], reference["version"]
    if theirs != VERSION:
        raise Refused(
            "FUNCTION_NOT_SENDABLE",
            f"{name} was defined with Python {theirs}, and {sys.executable} is Python {VERSION}",
            f"Run it with an interpreter of Python {theirs}, or put it into a module and give module:function.",
        )
    pickled = reference["pickled"]
    if isinstance(pickled, str):
        data = base64.b64decode(pickled)
    else:
        with open(pickled["file"], "rb") as file:
            data = file.read()
    try:
        return pickle.loads(data)
    except ModuleNotFoundError as error:
        missing = error.name or str(error)
        raise Refused(
            "FUNCTION_NOT_SENDABLE",
            f"{name} needs the module {missing}, which {sys.executable} does not have",
            f"Install it with: {sys.executable} -m pip install {missing.split('.')[0]}",
        ) from error


def pickler() -> Callable[..., bytes] | None:
    """How values are pickled that the standard pickle cannot: with cloudpickle, where it is installed."""
    if importlib.util.find_spec("cloudpickle") is None:
        return None
    return importlib.import_module("cloudpickle").dumps
