"""Starts one process: own session, own environment, nothing inherited."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What Python or a starter ignores stays ignored in a new program, so each is set back.
RESET_SIGNALS = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
OUTPUT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
NOTHING = bytes(4)


@dataclass(slots=True)
class Order:
    """What to start. `path` is the program's file; nothing is looked up on a PATH here."""

    path: str
    argv: list[str]
    env: list[bytes]
    """NAME=value each."""
    cwd: str
    stdout: str | None
    """File that output is added to; None: the warden's own."""
    stderr: str | None
    cpus: list[int] | None
    umask: int


def environment(variables: dict[str, str]) -> list[bytes]:
    """An environment as processes take it."""
    return [os.fsencode(f"{name}={value}") for name, value in variables.items()]


class Spawner:
    """Starts processes by `vfork` where this Python offers it (a third cheaper), else by `posix_spawn`.

    What `subprocess` itself calls is no public interface. It is therefore tried once on a program that is not there:
    only when it says at once what is wrong, as it does when it takes these arguments and really shares the memory of
    the parent until the new program runs, it is used.
    """

    def __init__(self) -> None:
        self._own_cpus = os.sched_getaffinity(0)
        self._cpus: list[int] | None = None
        """The CPUs that this process is on for the sake of what it starts; None: its own."""
        self._null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._errors, self._errors_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._fork_exec = self._find_fork_exec()

    def start(self, order: Order) -> int:
        """Starts it and returns its pid. Raises OSError with the file concerned in `filename`."""
        if order.cpus != self._cpus:
            os.sched_setaffinity(0, self._own_cpus if order.cpus is None else order.cpus)
            self._cpus = order.cpus
        out = err = -1
        try:
            if order.stdout is not None:
                out = os.open(order.stdout, OUTPUT_FLAGS, 0o600)
            if order.stderr is not None:
                err = os.open(order.stderr, OUTPUT_FLAGS, 0o600)
            if self._fork_exec is None:
                return self._posix_spawn(order, out, err)
            pid = self._fork_exec(order, out, err)
            failure = self._failure()
            if failure is None:
                return pid
            os.waitpid(pid, 0)
            number, before_exec = failure
            raise OSError(number, os.strerror(number), order.cwd if before_exec else order.path)
        finally:
            # Not kept for the next one, though it may use the same: each open file costs every spawn, which gets a
            # copy of all and closes it, more than opening it anew.
            if out >= 0:
                os.close(out)
            if err >= 0:
                os.close(err)

    def restore_cpus(self) -> None:
        """Goes back to its own CPUs, so that a task bound to one does not hold up the warden."""
        if self._cpus is not None:
            os.sched_setaffinity(0, self._own_cpus)
            self._cpus = None

    def close(self) -> None:
        for fd in (self._null, self._errors, self._errors_end):
            os.close(fd)

    def _failure(self) -> tuple[int, bool] | None:
        """Why what was just started could not run: the error's number, and whether it was its folder."""
        if fcntl.ioctl(self._errors, termios.FIONREAD, NOTHING) == NOTHING:
            return None
        said = os.read(self._errors, 4096)
        _, number, text = said.split(b":", 2)
        return int(number, 16), text == b"noexec"

    def _find_fork_exec(self) -> Callable[[Order, int, int], int] | None:
        try:
            from _posixsubprocess import fork_exec
        except ImportError:
            return None
        # The process group came with 3.11, and so did whether it may share memory until the program runs.
        group, may_share = ((-1,), (True,)) if sys.version_info >= (3, 11) else ((), ())
        null, said, say = self._null, self._errors, self._errors_end
        closing: tuple[Any, ...] = (False, ())  # everything that is open here closes by itself
        session: tuple[Any, ...] = (True, True, *group, None, None, None)

        def start(order: Order, out: int, err: int) -> int:
            files = (null, -1, -1, out, -1, err, said, say)
            program = (os.fsencode(order.path),)
            arguments = (*closing, order.cwd, order.env, *files, *session, order.umask, None, *may_share)
            call: Callable[..., int] = fork_exec
            return call(order.argv, program, *arguments)

        with contextlib.suppress(TypeError, ValueError, OSError):
            nothing = Order("/dev/null/no-program", ["no-program"], [], "/", None, None, None, 0o077)
            os.waitpid(start(nothing, -1, -1), 0)
            if self._failure() is not None:
                return start
        return None

    def _posix_spawn(self, order: Order, out: int, err: int) -> int:
        # Folder and umask can only be handed down.
        try:
            os.chdir(order.cwd)
            os.umask(order.umask)
            actions: list[tuple[int, int, int]] = [(os.POSIX_SPAWN_DUP2, self._null, 0)]
            actions += [(os.POSIX_SPAWN_DUP2, fd, target) for fd, target in ((out, 1), (err, 2)) if fd >= 0]
            return os.posix_spawn(
                order.path,
                order.argv,
                {name: value for name, _, value in (variable.partition(b"=") for variable in order.env)},
                file_actions=actions,
                setsid=True,
                setsigmask=[],
                setsigdef=RESET_SIGNALS,
            )
        finally:
            os.umask(0o077)
            os.chdir("/")
