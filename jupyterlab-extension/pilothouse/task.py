"""What users ask for when they ask for a task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict, TypeVar

from .descriptions import Ref, given, ref_of
from .units import Duration, Size, wire_duration, wire_size

Directive = str | Mapping[str, Any]
"""Data to stage: a path, or ``{"from": "out/*.npy", "to": "features/", "action": "copy"}``."""

After = Ref | Mapping[str, Any]
"""Another task, or ``{"task": other, "when": "finished"}``; ``when`` is done (default), finished or failed."""

Retries = int | Mapping[str, Any]
"""How often it is run again, or a policy: ``{"max": 3, "on": ["exit"], "backOff": {"first": "5s"}}``."""


@dataclass(frozen=True)
class Task:
    """A command on a pilot.

    Args:
        command: Program and arguments; no shell between. The program is looked up on the caller's ``PATH``; ``{cores}``
            and ``{gpus}`` are filled in. Left out only where it is the template of a set.
        name: Unique among the live tasks, or within its set; default: made from the command.
        env: Variables on top of the caller's ``PATH``, ``VIRTUAL_ENV``, ``CONDA_PREFIX``, ``LD_LIBRARY_PATH`` and
            ``PYTHONPATH``; a task sees nothing else of the notebook's environment.
        environment: One of ``{"conda": name}``, ``{"venv": path}``, ``{"modules": [...]}``, ``{"container": {"image":
            …, "runtime": "apptainer" | "podman", "binds": [...], "gpu": True}}``.
        setup: Shell lines that run before the command, in the same shell.
        cwd: Working directory; default: the caller's. A relative one starts at the caller's.
        sandbox: A private folder instead.
        cores: CPU cores; default 1. With ``ranks`` cores, GPUs and memory are per rank, with ``nodes`` per node.
        gpus: GPUs, or a part of one such as ``0.5``; default 0.
        memory: For example ``"4GiB"``, or bytes; default: no limit of its own. Beyond it the task fails with
            ``OUT_OF_MEMORY``.
        nodes: Number of nodes it spans.
        ranks: MPI ranks.
        uses_mpi: Whether it is started as MPI even with one rank.
        launcher: ``"fork"``, ``"mpiexec"``, ``"srun"`` or ``"flux"``; default: what the pilot has.
        bind: Bind it to its own CPUs.
        priority: Higher goes first; default 0. Nothing starves.
        tags: Words that ``near`` and ``apart`` of other tasks name.
        near: On the same node as tasks with one of these tags.
        apart: On no node where a task with one of these tags runs.
        metadata: Yours; it is only kept.
        expected_duration: How long it takes: it is not started where less time is left.
        max_duration: Failed with ``DURATION_EXCEEDED`` after this long.
        retries: How often it is run again after a failure, or a policy. Lost nodes and the pilot's end use none up.
        after: Tasks that come first.
        services: Services that must be ready before it starts; their address is in its environment.
        stage_in: Data brought to it before it starts.
        stage_out: Data brought away after it.
        inputs: Files that must be there; waited for while a task that stages them out is under way.
        own_files: Keep stdout and stderr as files of their own beside the packed log.
        on_walltime: ``{"signal": "USR1", "grace": "2m"}``: told so long before the pilot's time is over.
        checkpoint: Folder for checkpoints; makes the task go on in the next pilot.
        pilot: Where it runs; default: the only live pilot, or the first of several that has room.

    Example:
        >>> Task(["python", "prep.py", "--well", "A01"], name="A01", cores=2).command[0]
        'python'
    """

    command: Sequence[str] | None = None
    name: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: Mapping[str, Any] | None = None
    setup: Sequence[str] = ()
    cwd: str | None = None
    sandbox: bool | None = None
    cores: int | None = None
    gpus: float | None = None
    memory: Size | None = None
    nodes: int | None = None
    ranks: int | None = None
    uses_mpi: bool | None = None
    launcher: str | None = None
    bind: bool | None = None
    priority: int | None = None
    tags: Sequence[str] = ()
    near: Sequence[str] = ()
    apart: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expected_duration: Duration | None = None
    max_duration: Duration | None = None
    retries: Retries | None = None
    after: Sequence[After] = ()
    services: Sequence[Ref] = ()
    stage_in: Sequence[Directive] = ()
    stage_out: Sequence[Directive] = ()
    inputs: Sequence[str] = ()
    own_files: bool | None = None
    on_walltime: Mapping[str, Any] | None = None
    checkpoint: str | None = None
    pilot: Ref | None = None

    def __post_init__(self) -> None:
        for name in ("command", *_LISTS):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a list: {name}=[{getattr(self, name)!r}]; there is no shell between words")

    def to_wire(self) -> dict[str, Any]:
        """As it travels: only what was given."""
        return given(
            command=None if self.command is None else list(self.command),
            name=self.name,
            env=dict(self.env) or None,
            environment=None if self.environment is None else dict(self.environment),
            setup=list(self.setup) or None,
            cwd=self.cwd,
            sandbox=self.sandbox,
            cores=self.cores,
            gpus=self.gpus,
            memory=None if self.memory is None else wire_size(self.memory),
            nodes=self.nodes,
            ranks=self.ranks,
            usesMpi=self.uses_mpi,
            launcher=self.launcher,
            bind=self.bind,
            priority=self.priority,
            tags=list(self.tags) or None,
            near=list(self.near) or None,
            apart=list(self.apart) or None,
            metadata=dict(self.metadata) or None,
            expectedDuration=_duration(self.expected_duration),
            maxDuration=_duration(self.max_duration),
            retries=dict(self.retries) if isinstance(self.retries, Mapping) else self.retries,
            after=[_after(item) for item in self.after] or None,
            services=[ref_of(item) for item in self.services] or None,
            stageIn=[_directive(item) for item in self.stage_in] or None,
            stageOut=[_directive(item) for item in self.stage_out] or None,
            inputs=list(self.inputs) or None,
            ownFiles=self.own_files,
            onWalltime=None if self.on_walltime is None else dict(self.on_walltime),
            checkpoint=self.checkpoint,
            pilot=None if self.pilot is None else ref_of(self.pilot),
        )


_LISTS = ("setup", "tags", "near", "apart", "after", "services", "stage_in", "stage_out", "inputs")


def _duration(duration: Duration | None) -> Any:
    return None if duration is None else wire_duration(duration)


def _directive(item: Directive) -> dict[str, Any]:
    return {"from": item} if isinstance(item, str) else dict(item)


def _after(item: After) -> Any:
    return {**item, "task": ref_of(item["task"])} if isinstance(item, Mapping) else ref_of(item)


class TaskFields(TypedDict, total=False):
    """The fields of a :class:`Task` beside its command, for calls that take them as keywords."""

    name: str | None
    env: Mapping[str, str]
    environment: Mapping[str, Any] | None
    setup: Sequence[str]
    cwd: str | None
    sandbox: bool | None
    cores: int | None
    gpus: float | None
    memory: Size | None
    nodes: int | None
    ranks: int | None
    uses_mpi: bool | None
    launcher: str | None
    bind: bool | None
    priority: int | None
    tags: Sequence[str]
    near: Sequence[str]
    apart: Sequence[str]
    metadata: Mapping[str, Any]
    expected_duration: Duration | None
    max_duration: Duration | None
    retries: Retries | None
    after: Sequence[After]
    services: Sequence[Ref]
    stage_in: Sequence[Directive]
    stage_out: Sequence[Directive]
    inputs: Sequence[str]
    own_files: bool | None
    on_walltime: Mapping[str, Any] | None
    checkpoint: str | None
    pilot: Ref | None


F = TypeVar("F", bound=Callable[..., Any])


def takes_task_fields(method: F) -> F:
    """Lets a method with ``**fields`` say which these are, so that a notebook can complete them."""
    signature = inspect.signature(method)
    own = [item for item in signature.parameters.values() if item.kind is not inspect.Parameter.VAR_KEYWORD]
    taken = {item.name for item in own} | {"command"}
    added = [
        inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=item.type)
        for item in fields(Task)
        if item.name not in taken
    ]
    method.__signature__ = signature.replace(parameters=[*own, *added])
    return method


def task_of(command: Task | Sequence[str], given_fields: TaskFields) -> Task:
    """The task that a call describes: a :class:`Task` as it is, or a command with fields."""
    if not isinstance(command, Task):
        return Task(command, **given_fields)
    if given_fields:
        raise TypeError(f"a Task brings its own fields; put {', '.join(given_fields)} into it")
    return command
