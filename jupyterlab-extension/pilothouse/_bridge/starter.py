"""Starting the process that serves this user, detached from whoever asked for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..errors import PilothouseError
from .finder import Found, find_bridge
from .places import Places, check_socket_path

#: How long a start may take, in seconds.
START_SECONDS = 20.0
_POLL_SECONDS = 0.02
# Another starter may have been faster: its process needs a moment after ours has stepped back.
_GRACE_SECONDS = 3.0
_LOG_LINES = 15
# What the process is given of this one's environment. Keys and tokens of a notebook or portal are not its business, and
# must not reach what it starts.
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|LD_LIBRARY_PATH"
    r"|(PILOTHOUSE|SLURM|PBS|LSB)_\w+"
)
# A task may ask for it, and whatever carries a task's marks is ended with the task.
_MARKS = frozenset({"PILOTHOUSE_PILOT", "PILOTHOUSE_TASK_ID", "PILOTHOUSE_SPAWN_ID", "PILOTHOUSE_AGENT_OF"})


@dataclass(frozen=True)
class Launcher:
    """What ``launcher.json`` names: how to start the bridge, and how to run the command line."""

    argv: list[str]
    cli: list[str]
    version: str


def read_launcher(places: Places) -> Launcher:
    """Reads ``launcher.json``.

    Raises:
        PilothouseError: ``LAUNCHER_MISSING`` when it is not there or cannot be used.
    """
    path = places.launcher
    try:
        data = cast("dict[str, Any]", json.loads(path.read_bytes()))
        launcher = Launcher(_words(data["argv"]), _words(data["cli"]), str(data["version"]))
    except FileNotFoundError as error:
        raise _no_launcher(f"{path} is not there") from error
    except PermissionError as error:
        raise PilothouseError(
            "PERMISSION_DENIED",
            f"permission denied for {path}",
            hint="Set PILOTHOUSE_HOME to a folder of your own",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_launcher(f"{path} cannot be used: {error}") from error
    for program in (launcher.argv[0], launcher.argv[-1]):
        if not Path(program).exists():
            raise _no_launcher(f"{path} names {program}, which is not there")
    return launcher


def ensure_bridge(places: Places, *, timeout: float = START_SECONDS) -> Found:
    """Finds the process that serves this user, or starts it and waits until it answers.

    Args:
        places: The user's folders.
        timeout: How long the start may take, in seconds.

    Raises:
        PilothouseError: ``LAUNCHER_MISSING``, ``BRIDGE_START_FAILED`` with the last lines of its log,
            ``PERMISSION_DENIED``, ``OWNED_ELSEWHERE``, ``UNSAFE_PATH``.
    """
    found = find_bridge(places)
    if found is not None:
        return found
    launcher = read_launcher(places)
    check_socket_path(places.socket)
    places.make_runtime()
    log_start = places.log.stat().st_size if places.log.exists() else 0
    pid = _spawn(launcher.argv, places)
    deadline = time.monotonic() + timeout
    gone_at: float | None = None
    while True:
        found = find_bridge(places)
        if found is not None:
            return found
        now = time.monotonic()
        # The pid serves to see a failed start early, never to tell that something is alive.
        if gone_at is None and not Path(f"/proc/{pid}").exists():
            gone_at = now
        if gone_at is not None and now - gone_at > _GRACE_SECONDS:
            raise _start_failed("it ended before it answered", places, log_start)
        if now > deadline:
            raise _start_failed(f"it does not answer after {timeout:.0f} s", places, log_start)
        time.sleep(_POLL_SECONDS)


def _spawn(argv: list[str], places: Places) -> int:
    """Starts it through a shell that ends at once, so that it is nobody's child here; returns its pid."""
    env = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name) and name not in _MARKS}
    # The log is for this user alone; the bridge itself starts with the user's umask, which is what tasks get.
    script = (
        'log=$1; shift; mask=$(umask); umask 077; : >>"$log"; umask "$mask"; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    )
    try:
        shell = subprocess.run(
            ["/bin/sh", "-c", script, "sh", str(places.log), *argv],
            env=env,
            cwd="/",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=START_SECONDS,
        )
        return int(shell.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise PilothouseError(
            "BRIDGE_START_FAILED", f"{argv[0]} cannot be started: {error}", hint="Run `pilothouse doctor`"
        ) from error


def _start_failed(what: str, places: Places, log_start: int) -> PilothouseError:
    try:
        with places.log.open("rb") as log:
            log.seek(log_start)
            lines = log.read(256 * 1024).decode("utf-8", "replace").splitlines()[-_LOG_LINES:]
    except OSError as error:
        lines = [f"{places.log}: {error.strerror}"]
    return PilothouseError(
        "BRIDGE_START_FAILED",
        f"Pilothouse did not start: {what}; its log is {places.log}",
        hint="Run `pilothouse doctor`",
        evidence="\n".join(lines) or None,
    )


def _no_launcher(what: str) -> PilothouseError:
    return PilothouseError(
        "LAUNCHER_MISSING",
        what,
        hint="Run `npm start` in the folder of Pilothouse once, or set PILOTHOUSE_LAUNCHER to a launcher.json",
    )


def _words(value: Any) -> list[str]:
    words = cast("list[Any]", value) if isinstance(value, list) else []
    if not words or not all(isinstance(word, str) for word in words):
        raise TypeError("argv and cli must be lists of words")
    return words
