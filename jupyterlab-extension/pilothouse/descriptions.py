"""What users ask for, and how it travels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from .units import Duration, Size, wire_duration, wire_size


@runtime_checkable
class HasId(Protocol):
    """Any handle."""

    @property
    def id(self) -> str: ...


Ref = str | HasId
"""A handle, an id or a name."""

Params = Mapping[str, str | int | float | bool]
"""Parameters of a service template."""


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def ref_of(ref: Ref) -> str:
    """The id of a handle; an id or a name as it is."""
    return ref if isinstance(ref, str) else ref.id


def pilot_description(
    *,
    engine: str | None,
    cores: int | None,
    gpus: int | None,
    memory: Size | None,
    nodes: int | None,
    runtime: Duration,
    idle_after: Duration | None,
) -> dict[str, Any]:
    """A pilot as it travels."""
    return given(
        engine=engine,
        cores=cores,
        gpus=gpus,
        memory=None if memory is None else wire_size(memory),
        nodes=nodes,
        runtime=wire_duration(runtime),
        idleAfter=None if idle_after is None else wire_duration(idle_after),
    )
