"""What users ask for, and how it travels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Task:
    """A command on a pilot.

    Args:
        command: Program and arguments; no shell between. The program is looked up on the caller's ``PATH``.
        name: Unique among the live tasks; default: made from the command.
        env: Variables on top of the caller's ``PATH``, ``VIRTUAL_ENV``, ``CONDA_PREFIX``, ``LD_LIBRARY_PATH`` and
            ``PYTHONPATH``; a task sees nothing else of the notebook's environment.
        cwd: Working directory; default: the caller's. A relative one starts at the caller's.
        sandbox: A private folder instead.
        cores: CPU cores; default 1.
        gpus: GPUs; default 0.
        memory: For example ``"4GiB"``, or bytes; default: no limit of its own.
        services: Services that must be ready before it starts; their address is in its environment.
        pilot: Where it runs; default: the only live pilot.

    Example:
        >>> Task(["python", "prep.py", "--well", "A01"], name="A01", cores=2).command[0]
        'python'
    """

    command: Sequence[str]
    name: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str | None = None
    sandbox: bool = False
    cores: int | None = None
    gpus: int | None = None
    memory: Size | None = None
    services: Sequence[Ref] = ()
    pilot: Ref | None = None

    def to_wire(self) -> dict[str, Any]:
        """As it travels."""
        if isinstance(self.command, str):
            raise TypeError("a command is a list of words: ['python', 'prep.py']; there is no shell between")
        return given(
            command=list(self.command),
            name=self.name,
            env=dict(self.env) or None,
            cwd=self.cwd,
            sandbox=self.sandbox or None,
            cores=self.cores,
            gpus=self.gpus,
            memory=None if self.memory is None else wire_size(self.memory),
            services=[ref_of(service) for service in self.services] or None,
            pilot=None if self.pilot is None else ref_of(self.pilot),
        )


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
) -> dict[str, Any]:
    """A pilot as it travels."""
    return given(
        engine=engine,
        cores=cores,
        gpus=gpus,
        memory=None if memory is None else wire_size(memory),
        nodes=nodes,
        runtime=wire_duration(runtime),
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
