"""Starts one process: own session, own environment, nothing inherited."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Python ignores these, and an ignored signal stays ignored in a new program.
RESET_SIGNALS = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]


@dataclass(frozen=True)
class Order:
    """What to start. `path` is the program's file; nothing is looked up on a PATH here."""

    path: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    stdout: str | None
    """File that output is added to; None: the warden's own."""
    stderr: str | None
    cpus: list[int] | None
    umask: int


def start(order: Order) -> int:
    """Starts it and returns its pid. Raises OSError with the file concerned in `filename`."""
    with _as_the_process(order):
        opened: list[int] = []
        try:
            actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            ]
            for target, file in ((1, order.stdout), (2, order.stderr)):
                if file is not None:
                    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                    opened.append(fd)
                    actions.append((os.POSIX_SPAWN_DUP2, fd, target))
            return os.posix_spawn(
                order.path,
                order.argv,
                order.env,
                file_actions=actions,
                setsid=True,
                setsigmask=[],
                setsigdef=RESET_SIGNALS,
            )
        finally:
            for fd in opened:
                os.close(fd)


@contextmanager
def _as_the_process(order: Order) -> Iterator[None]:
    """Takes on what posix_spawn can only hand down: folder, umask, CPUs."""
    own_cpus = os.sched_getaffinity(0) if order.cpus is not None else None
    try:
        os.chdir(order.cwd)
        if order.cpus is not None:
            os.sched_setaffinity(0, order.cpus)
        os.umask(order.umask)
        yield
    finally:
        os.umask(0o077)
        if own_cpus is not None:
            os.sched_setaffinity(0, own_cpus)
        os.chdir("/")
