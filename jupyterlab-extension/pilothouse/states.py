"""States and what may follow them: the same tables as on the other side of the socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["pilot", "task", "set", "service", "answer", "batch"]
PilotState = Literal["NEW", "QUEUED", "STARTING", "ACTIVE", "DRAINING", "DONE", "FAILED", "CANCELED"]
TaskState = Literal[
    "NEW",
    "WAITING",
    "SCHEDULING",
    "STAGING_INPUT",
    "LAUNCHING",
    "RUNNING",
    "STAGING_OUTPUT",
    "DONE",
    "FAILED",
    "CANCELED",
]
TaskSetState = Literal["RUNNING", "DONE", "FAILED", "CANCELED"]
ServiceState = Literal["STARTING", "READY", "DEGRADED", "UNAVAILABLE", "STOPPING", "STOPPED", "FAILED"]
InstanceState = Literal[
    "NEW",
    "WAITING",
    "SCHEDULING",
    "LAUNCHING",
    "INITIALIZING",
    "READY",
    "UNHEALTHY",
    "BACKOFF",
    "STOPPING",
    "STOPPED",
    "FAILED",
]
RequestState = Literal["NEW", "QUEUED", "STREAMING", "DONE", "FAILED", "CANCELED"]
BatchState = Literal["NEW", "WAITING", "RUNNING", "DONE", "FAILED", "CANCELED"]

Transitions = Mapping[str, tuple[str, ...]]

PILOT: Transitions = {
    "NEW": ("QUEUED", "STARTING", "FAILED", "CANCELED"),
    "QUEUED": ("STARTING", "ACTIVE", "DRAINING", "FAILED", "CANCELED"),
    "STARTING": ("ACTIVE", "DRAINING", "FAILED", "CANCELED"),
    "ACTIVE": ("DRAINING", "DONE", "FAILED", "CANCELED"),
    "DRAINING": ("DONE", "FAILED", "CANCELED"),
    "DONE": (),
    "FAILED": (),
    "CANCELED": (),
}
TASK: Transitions = {
    "NEW": ("WAITING", "SCHEDULING", "FAILED", "CANCELED"),
    "WAITING": ("SCHEDULING", "FAILED", "CANCELED"),
    "SCHEDULING": ("WAITING", "STAGING_INPUT", "LAUNCHING", "FAILED", "CANCELED"),
    "STAGING_INPUT": ("LAUNCHING", "WAITING", "FAILED", "CANCELED"),
    "LAUNCHING": ("RUNNING", "WAITING", "FAILED", "CANCELED"),
    "RUNNING": ("STAGING_OUTPUT", "WAITING", "DONE", "FAILED", "CANCELED"),
    "STAGING_OUTPUT": ("DONE", "WAITING", "FAILED", "CANCELED"),
    "DONE": (),
    "FAILED": (),
    "CANCELED": (),
}
TASK_SET: Transitions = {"RUNNING": ("DONE", "FAILED", "CANCELED"), "DONE": (), "FAILED": (), "CANCELED": ()}
SERVICE: Transitions = {
    "STARTING": ("READY", "DEGRADED", "UNAVAILABLE", "STOPPING", "STOPPED", "FAILED"),
    "READY": ("DEGRADED", "UNAVAILABLE", "STOPPING", "STOPPED", "FAILED"),
    "DEGRADED": ("READY", "UNAVAILABLE", "STOPPING", "STOPPED", "FAILED"),
    "UNAVAILABLE": ("READY", "DEGRADED", "STOPPING", "STOPPED", "FAILED"),
    "STOPPING": ("STOPPED", "FAILED"),
    "STOPPED": (),
    "FAILED": (),
}
REQUEST: Transitions = {
    "NEW": ("QUEUED", "FAILED", "CANCELED"),
    "QUEUED": ("STREAMING", "DONE", "FAILED", "CANCELED"),
    "STREAMING": ("DONE", "FAILED", "CANCELED"),
    "DONE": (),
    "FAILED": (),
    "CANCELED": (),
}
BATCH: Transitions = {
    "NEW": ("WAITING", "RUNNING", "DONE", "FAILED", "CANCELED"),
    "WAITING": ("RUNNING", "DONE", "FAILED", "CANCELED"),
    "RUNNING": ("WAITING", "DONE", "FAILED", "CANCELED"),
    "DONE": (),
    "FAILED": (),
    "CANCELED": (),
}
TABLES: Mapping[Kind, Transitions] = {
    "pilot": PILOT,
    "task": TASK,
    "set": TASK_SET,
    "service": SERVICE,
    "answer": REQUEST,
    "batch": BATCH,
}
"""The table of each kind of thing."""


def plural(kind: Kind) -> str:
    """The word for several of them, as calls and pictures name them."""
    return "batches" if kind == "batch" else f"{kind}s"


def is_final(kind: Kind, state: str) -> bool:
    """Whether nothing can follow that state."""
    return TABLES[kind].get(state) == ()


def can_reach(kind: Kind, start: str, goal: str) -> bool:
    """Whether ``goal`` can still come after ``start``, in any number of steps; a state reaches itself."""
    table, seen, todo = TABLES[kind], {start}, [start]
    while todo:
        for following in table.get(todo.pop(), ()):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return goal in seen
