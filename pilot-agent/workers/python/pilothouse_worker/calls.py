"""Makes one call, and tells how it went."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import pickle
import resource
import time
import traceback
from typing import Any, NamedTuple

from . import payloads
from .captured import Captured
from .functions import Function, Refused, find, name_of, pickler

_TRACEBACK_CHARACTERS = 64 * 1024
_MESSAGE_CHARACTERS = 8 * 1024
_SELF = resource.RUSAGE_SELF


class Call(NamedTuple):
    number: int
    run: str
    """`<task>:<attempt>`"""
    function: int
    args: payloads.Payload | None
    cwd: str | None
    """Another folder than the one that modules come from."""


class Caller:
    """Makes calls, one after another."""

    def __init__(self, values: str, modules: str, out: Captured, err: Captured) -> None:
        self._values = values
        self._modules = modules
        self._cwd = modules
        self._out = out
        self._err = err
        self._references: dict[int, dict[str, Any]] = {}
        self._functions: dict[int, Function] = {}

    def learn(self, references: dict[str, dict[str, Any]]) -> None:
        for number, reference in references.items():
            self._references[int(number)] = reference
            self._functions.pop(int(number), None)

    @property
    def known(self) -> int:
        """Highest number of a function."""
        return max(self._references, default=0)

    def make(self, call: Call) -> str:
        """Makes a call and gives its result as JSON: `[number, run, outcome, wall, cpu, maxRss, stdout, stderr]`."""
        self._prepare(call)
        before = time.process_time()
        start = time.perf_counter()
        outcome = self._outcome(call)
        wall = time.perf_counter() - start
        cpu = time.process_time() - before
        rss = resource.getrusage(_SELF).ru_maxrss * 1024
        out, err = self._out.take(), self._err.take()
        printed = f",{json.dumps(out)},{json.dumps(err)}" if out or err else ""
        # Ids hold nothing that JSON would escape.
        return f'[{call.number},"{call.run}",{outcome},{wall:.6f},{cpu:.6f},{rss}{printed}]'

    def _prepare(self, call: Call) -> None:
        os.environ["PILOTHOUSE_TASK_ID"] = call.run.rpartition(":")[0]
        # A function may have gone elsewhere; the next one starts in its own folder all the same.
        wanted = call.cwd or self._modules
        if wanted != self._cwd or os.getcwd() != wanted:
            os.chdir(wanted)
            self._cwd = wanted

    def _outcome(self, call: Call) -> str:
        reference = self._references.get(call.function, {})
        exact = "pickled" in reference
        try:
            function = self._functions.get(call.function)
            if function is None:
                function = self._functions[call.function] = find(reference, self._modules)
            positional, named, pickled = _arguments(call.args)
            exact = exact or pickled
            value = function(*positional, **named)
            if inspect.iscoroutine(value):
                value = asyncio.run(_awaited(value))
        except Refused as refusal:
            return _refused(refusal)
        except BaseException as error:  # noqa: BLE001 - a call may raise anything, SystemExit too
            return self._raised(error, call, exact)
        try:
            return f'{{"value":{payloads.as_text(self._encode(value, call, exact))}}}'
        except BaseException as error:  # noqa: BLE001 - so may pickling what it gave
            message = f"the result of {name_of(reference)} cannot be sent: {_message(error)}"
            hint = "Return plain data, such as numbers, text, lists, dicts, arrays or data frames."
            return _refused(Refused("FUNCTION_NOT_SENDABLE", message, hint))

    def _encode(self, value: Any, call: Call, exact: bool) -> payloads.Payload:
        def keep(kind: str, parts: list[Any]) -> str:
            os.makedirs(self._values, mode=0o700, exist_ok=True)
            path = os.path.join(self._values, f"{call.run.replace(':', '.')}.{kind}")
            payloads.write_private(path, parts)
            return path

        try:
            return payloads.encode(value, keep, pickle.dumps, exact)
        except OSError:
            raise
        except Exception:
            # What comes from a notebook (a class defined there) has no module that pickle could name.
            dumps = pickler()
            if dumps is None:
                raise
            return payloads.encode(value, keep, dumps, exact)

    def _raised(self, error: BaseException, call: Call, exact: bool) -> str:
        # The frames of the worker itself say nothing to its user.
        trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
        text = "".join(traceback.format_exception(type(error), error, trace))
        kind = type(error)
        where = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
        exception: dict[str, Any] = {
            "type": where + kind.__qualname__,
            "message": _message(error)[:_MESSAGE_CHARACTERS],
            "traceback": text[-_TRACEBACK_CHARACTERS:],
        }
        payload = self._exception_payload(error, call) if exact else None
        if payload is not None:
            exception["payload"] = payload
        return f'{{"exception":{json.dumps(exception)}}}'

    def _exception_payload(self, error: BaseException, call: Call) -> payloads.Payload | None:
        """The exception itself, when it can be sent and read again: many cannot."""
        try:
            payload = payloads.as_data(self._encode(error, call, True))
            payloads.decode(payload)
        except BaseException:  # noqa: BLE001 - so may reading it again
            return None
        return payload


def _arguments(payload: payloads.Payload | None) -> tuple[Any, dict[str, Any], bool]:
    if payload is None:
        return (), {}, False
    if "json" in payload:
        return payload["json"], {}, False
    try:
        value = payloads.decode(payload)
    except FileNotFoundError as error:
        raise Refused(
            "DATA_NOT_FOUND", f"the arguments were in {error.filename}, which is gone", "Submit the call again."
        ) from None
    except (ModuleNotFoundError, AttributeError) as error:
        raise Refused(
            "FUNCTION_NOT_SENDABLE",
            f"the arguments cannot be read: {error}",
            "Make sure that the worker's interpreter has the same packages as the caller's.",
        ) from error
    if payload.get("format") == "json":
        return value, {}, False
    positional, named = value
    return positional, named, True


async def _awaited(value: Any) -> Any:
    return await value


def _refused(refusal: Refused) -> str:
    fields = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}
    return f'{{"refused":{json.dumps(fields)}}}'


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - it is the user's own class
        return "(its text cannot be made)"
