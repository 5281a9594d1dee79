"""What users ask for, and how it travels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from .records import Message
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


def service_description(
    *,
    name: str | None = None,
    template: str | None,
    params: Params | None,
    command: Sequence[str] | None,
    env: Mapping[str, str] | None,
    cwd: str | None,
    model: str | None,
    resources: Mapping[str, Any] | None,
    instances: int | None,
    ready: str | Mapping[str, Any] | None,
    start_timeout: Duration | None,
    restarts: int | None,
    allow_unauthenticated: bool,
    pilot: Ref | None,
) -> dict[str, Any]:
    """A service as it travels. ``ready`` may be the path of the probe alone."""
    return given(
        name=name,
        template=template,
        params=None if params is None else dict(params),
        command=None if command is None else list(command),
        env=None if env is None else dict(env),
        cwd=cwd,
        model=model,
        resources=None if resources is None else _resources(resources),
        instances=instances,
        ready={"http": ready} if isinstance(ready, str) else None if ready is None else dict(ready),
        startTimeout=None if start_timeout is None else wire_duration(start_timeout),
        restarts=restarts,
        allowUnauthenticated=allow_unauthenticated or None,
        pilot=None if pilot is None else ref_of(pilot),
    )


def _resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    memory = resources.get("memory")
    return dict(resources) | ({} if memory is None else {"memory": wire_size(memory)})


def messages_of(prompt: str | Iterable[Message]) -> list[Message]:
    """A prompt as a conversation of one turn; a conversation as it is."""
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)


def chat_options(
    *, max_tokens: int | None, temperature: float | None, seed: int | None, timeout: Duration | None
) -> dict[str, Any]:
    """Options of a question as they travel."""
    return given(
        maxTokens=max_tokens,
        temperature=temperature,
        seed=seed,
        timeout=None if timeout is None else wire_duration(timeout),
    )
