"""Methods of a service: what their type hints say, as JSON Schema and as a check of what comes in."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from ..errors import PilothouseError

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = "__pilothouse_method__"
_PIECES = (collections.abc.AsyncIterator, collections.abc.AsyncGenerator, collections.abc.AsyncIterable)
_SYNC_PIECES = (collections.abc.Iterator, collections.abc.Generator)
_PLACE = re.compile(r" - at `\$(?P<path>.*)`$", re.DOTALL)


@dataclass(frozen=True)
class Batch:
    """How calls are collected: at most ``max``, waiting at most ``window`` seconds for more."""

    max: int
    window: float = 0.002


class _Options(msgspec.Struct, frozen=True):
    name: str | None
    batch: Batch | None


@typing.overload
def method(function: F, /) -> F: ...
@typing.overload
def method(*, name: str | None = None, batch: int | None = None, window: float = 0.002) -> Callable[[F], F]: ...
def method(function: Any = None, /, *, name: str | None = None, batch: int | None = None, window: float = 0.002) -> Any:
    """Says more of a method of a :class:`Service` than its signature does. Public methods need it not.

    Args:
        function: The method itself, where the decorator is used without parentheses.
        name: Its name for callers; default: its own.
        batch: It takes a list of inputs, of as many calls, and gives a list of as many outputs. An exception among them
            fails that call alone.
        window: Seconds that a call waits for others, where ``batch`` is given.

    Example:
        ``@method(batch=16) def embed(self, texts: list[str]) -> list[list[float]]: ...``
    """

    def mark(marked: Any) -> Any:
        setattr(marked, _OPTIONS, _Options(name, None if batch is None else Batch(batch, window)))
        return marked

    return mark if function is None else mark(function)


@dataclass(frozen=True)
class Method:
    """One method, ready to be called with what came in."""

    name: str
    description: str | None
    call: Callable[..., Any]
    is_async: bool
    streams: bool
    batch: Batch | None
    input: JsonSchema
    output: JsonSchema
    chunk: JsonSchema | None
    read: Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]
    """Arguments for an input; raises ``INVALID_DESCRIPTION``."""

    def published(self) -> dict[str, Any]:
        """As callers learn of it."""
        return {
            "name": self.name,
            "description": self.description,
            "input": self.input,
            "output": self.output,
            "chunk": self.chunk,
        }


JsonSchema = dict[str, Any]


def methods_of(name: str, service: object, base: type) -> dict[str, Method]:
    """The public methods that a service adds to its base class, by name.

    Raises:
        PilothouseError: ``INVALID_DESCRIPTION`` for a method that cannot be called from elsewhere.
    """
    found: dict[str, Method] = {}
    # In the order in which they are written, those of a parent first.
    attributes = dict.fromkeys(attribute for each in reversed(type(service).__mro__) for attribute in vars(each))
    for attribute in attributes:
        if attribute.startswith("_") or hasattr(base, attribute):
            continue
        bound = getattr(service, attribute)
        if inspect.ismethod(bound) or inspect.isfunction(bound):
            made = _method(name, attribute, bound)
            found[made.name] = made
    if not found:
        raise PilothouseError(
            "INVALID_DESCRIPTION",
            f"{type(service).__name__} has no public method.",
            hint="Give it one: `async def fit(self, dose: list[float]) -> float`.",
        )
    return found


def _method(service: str, attribute: str, bound: Callable[..., Any]) -> Method:
    options: _Options = getattr(bound, _OPTIONS, _Options(None, None))
    name = options.name or attribute
    hints = _hints(bound)
    parameters = list(inspect.signature(bound).parameters.values())
    returned = hints.get("return", Any)
    is_async = inspect.iscoroutinefunction(bound) or inspect.isasyncgenfunction(bound)
    chunk = _piece_of(returned)
    streams = chunk is not None or inspect.isasyncgenfunction(bound) or inspect.isgeneratorfunction(bound)
    if streams:
        # Whoever takes no pieces gets all of them as a list; whoever does has them already.
        output = {"anyOf": [{"type": "array", "items": _schema(chunk or Any)}, {"type": "null"}]}
    else:
        output = _schema(_item_of(returned) if options.batch else returned)
    read, taken = _reader(service, name, parameters, hints, batch=options.batch is not None)
    return Method(
        name=name,
        description=inspect.getdoc(bound),
        call=bound,
        is_async=is_async,
        streams=streams,
        batch=options.batch,
        input=taken,
        output=output,
        chunk=_schema(chunk or Any) if streams else None,
        read=read,
    )


def _reader(
    service: str, name: str, parameters: list[inspect.Parameter], hints: dict[str, Any], *, batch: bool
) -> tuple[Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]], JsonSchema]:
    where = f"{service}.{name}"
    [first, *more] = parameters or [None]
    if batch:
        if first is None or more:
            raise _refuse(where, "takes its inputs as one list: `def embed(self, texts: list[str])`")
        return _whole(where, _item_of(hints.get(first.name, Any)))
    if first is not None and not more and first.kind is inspect.Parameter.POSITIONAL_ONLY:
        return _whole(where, hints.get(first.name, Any))
    fields: list[Any] = []
    for parameter in parameters:
        if parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
            raise _refuse(where, f"takes *{parameter.name}, and callers could not know what that is")
        hint = _known(hints.get(parameter.name, Any))
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, hint))
        else:
            # Whatever the default is, the method fills it in itself; absent is not sent to it.
            fields.append((parameter.name, hint | msgspec.UnsetType, msgspec.UNSET))
    made = msgspec.defstruct(f"{name}_input", fields, kw_only=True, forbid_unknown_fields=True)
    names = [parameter.name for parameter in parameters]
    convert = _converter(where, made)

    def read(value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        converted = convert(value if value is not None or names else {})
        given = ((each, getattr(converted, each)) for each in names)
        return (), {each: found for each, found in given if found is not msgspec.UNSET}

    schema = _schema(made)
    # Titles of classes that nobody has written help nobody.
    schema.pop("title", None)
    for parameter in parameters:
        _say_default(schema, parameter)
    return read, schema


def _say_default(schema: JsonSchema, parameter: inspect.Parameter) -> None:
    default = parameter.default
    if default is None or isinstance(default, (str, int, float, bool)):
        schema.get("properties", {}).get(parameter.name, {})["default"] = default


def _whole(where: str, hint: Any) -> tuple[Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]], JsonSchema]:
    convert = _converter(where, _known(hint))
    return lambda value: ((convert(value),), {}), _schema(hint)


def _converter(where: str, hint: Any) -> Callable[[Any], Any]:
    if hint is Any:
        return lambda value: value

    def convert(value: Any) -> Any:
        try:
            return msgspec.convert(value, hint, dec_hook=_as_it_is)
        except msgspec.ValidationError as error:
            raise _invalid_input(where, str(error)) from error

    return convert


def _invalid_input(where: str, said: str) -> PilothouseError:
    place = _PLACE.search(said)
    path = re.sub(r"\[(\d+)\]", r".\1", place["path"]) if place else ""
    field = f"input{path}".replace("[...]", "")
    message = _PLACE.sub("", said)
    return PilothouseError(
        "INVALID_DESCRIPTION", f"{where}, {field}: {message}", field=field, hint=f"Correct what is given to {where}."
    )


def _as_it_is(hint: type, value: Any) -> Any:
    if isinstance(value, hint):
        return value
    validate = getattr(hint, "model_validate", None)
    if callable(validate):
        return validate(value)
    if hint.__name__ == "ndarray":
        import numpy

        return numpy.asarray(value)
    raise NotImplementedError(f"Expected `{hint.__name__}`, got `{type(value).__name__}`")


def _schema(hint: Any) -> JsonSchema:
    """JSON Schema of a type, with its own definition at the top where it has one."""
    if hint is inspect.Signature.empty:
        return {}
    schema = msgspec.json.schema(_known(hint), schema_hook=_unknown_schema)
    definitions = schema.get("$defs", {})
    reference = schema.get("$ref", "")
    if not reference.startswith("#/$defs/"):
        return schema
    top = definitions.pop(reference.removeprefix("#/$defs/"))
    return {**top, "$defs": definitions} if definitions else top


def _unknown_schema(hint: type) -> JsonSchema:
    schema: Callable[[], JsonSchema] | None = getattr(hint, "model_json_schema", None)
    # What JSON Schema cannot say is taken as it comes; only its name is told.
    return schema() if callable(schema) else {"title": hint.__name__}


@functools.cache
def _generic(origin: Any) -> bool:
    """Whether a generic class is one whose parameters say nothing that could be checked: `NDArray[float64]`."""
    return getattr(origin, "__name__", "") == "ndarray"


def _known(hint: Any) -> Any:
    """The type without parameters that only a type checker can use."""
    origin = typing.get_origin(hint)
    if origin is None:
        return Any if hint in (inspect.Signature.empty, object) or isinstance(hint, TypeVar) else hint
    if _generic(origin):
        return origin
    if origin in (list, tuple, dict, set, frozenset):
        container: Any = origin
        return container[tuple(each if each is ... else _known(each) for each in typing.get_args(hint))]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_known(each) for each in typing.get_args(hint))]  # noqa: UP007 - of a tuple
    return hint


def _hints(bound: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(bound, include_extras=True)
    except NameError as error:
        raise PilothouseError(
            "INVALID_DESCRIPTION",
            f"A type hint of {bound.__qualname__} is not known when the service starts: {error}",
            hint="Import it at the top of the module, outside TYPE_CHECKING.",
        ) from error


def _piece_of(returned: Any) -> Any:
    if typing.get_origin(returned) in (*_PIECES, *_SYNC_PIECES):
        arguments = typing.get_args(returned)
        return arguments[0] if arguments else Any
    return None


def _item_of(hint: Any) -> Any:
    arguments = typing.get_args(hint)
    item = arguments[0] if arguments else Any
    # `list[float | Exception]`: what fails is no output.
    if typing.get_origin(item) in (typing.Union, types.UnionType):
        kept = [each for each in typing.get_args(item) if not _is_exception(each)]
        return typing.Union[tuple(kept)] if kept else Any  # noqa: UP007 - of a tuple
    return item


def _is_exception(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseException)


def _refuse(where: str, what: str) -> PilothouseError:
    return PilothouseError("INVALID_DESCRIPTION", f"{where} {what}.", hint="Change its parameters.")
