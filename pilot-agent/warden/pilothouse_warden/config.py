"""What a warden is told when it starts."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass

MAX_SOCKET_PATH = 107
"""Longest path, in bytes, that Linux takes for a unix socket; beyond it the address is cut without a word."""


@dataclass(frozen=True)
class Config:
    pilot: str
    folder: str
    runtime: float
    """Seconds that the pilot may last."""
    agent: list[str]
    socket_path: str
    spawns_path: str
    orphans_path: str
    umask: int
    """The umask it was started with, which is the one tasks get; its own files are for this user alone."""
    slack: float
    """Seconds beyond the runtime after which it ends everything itself, whatever the agent does."""

    @property
    def task_mark(self) -> str:
        return f"PILOTHOUSE_PILOT={self.pilot}"

    @property
    def agent_mark(self) -> str:
        return f"PILOTHOUSE_AGENT_OF={self.pilot}"


def read_config(arguments: list[str], umask: int) -> Config:
    """Reads the command line and `pilot.json`; ends the process with one clear line when they cannot be used."""
    if "--" not in arguments:
        sys.exit("usage: warden.py PILOT_FOLDER [--slack SECONDS] -- AGENT_PROGRAM [ARGUMENT ...]")
    split = arguments.index("--")
    own, agent = arguments[:split], arguments[split + 1 :]
    slack = 60.0
    if len(own) == 3 and own[1] == "--slack":
        slack = float(own[2])
        own = own[:1]
    if len(own) != 1 or not agent:
        sys.exit("usage: warden.py PILOT_FOLDER [--slack SECONDS] -- AGENT_PROGRAM [ARGUMENT ...]")
    folder = os.path.abspath(own[0])
    file = os.path.join(folder, "pilot.json")
    try:
        with open(file, encoding="utf-8") as stream:
            pilot = json.load(stream)
        place = os.path.join(pilot["runtimeDir"], "w")
        name = pilot["id"]
        runtime = float(pilot["runtime"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{file}: cannot be used as the description of a pilot: {error!r}")
    socket_path = os.path.join(place, f"{name}.sock")
    if len(os.fsencode(socket_path)) > MAX_SOCKET_PATH:
        sys.exit(
            f"{socket_path}: longer than the {MAX_SOCKET_PATH} bytes a unix socket's path may have; "
            "set PILOTHOUSE_RUNTIME_DIR to a shorter folder"
        )
    return Config(
        pilot=name,
        folder=folder,
        runtime=runtime,
        agent=agent,
        socket_path=socket_path,
        spawns_path=os.path.join(place, f"{name}.spawns"),
        orphans_path=os.path.join(place, f"{name}.orphans"),
        umask=umask,
        slack=slack,
    )
