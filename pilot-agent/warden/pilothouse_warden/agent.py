"""Keeps an agent running."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from .config import Config
from .host import boot_seconds
from .ledger import Spawn
from .log import log
from .spawning import Order, environment

DELAYS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before the agent is started again, by how often it has ended in a row."""
STEADY = 60.0
"""Seconds after which earlier failures no longer count."""


class AgentKeeper:
    def __init__(self, config: Config, spawn: Callable[[str, str, Order], Spawn]) -> None:
        self._config = config
        self._spawn = spawn
        self._failures = 0
        self._since = time.monotonic()
        self._at: float | None = None

    def is_agent(self, spawn: Spawn) -> bool:
        return spawn.mark == self._config.agent_mark

    def due(self) -> float | None:
        """When to call `start`; None: one runs, or none is wanted."""
        return self._at

    def folder_is_gone(self) -> bool:
        """Whether the pilot's folder is gone for good; a file system that does not answer does not count."""
        try:
            os.stat(os.path.join(self._config.folder, "pilot.json"))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    def start(self) -> Spawn:
        """Starts one. The spawn that comes back may have failed."""
        self._at = None
        variable, _, value = self._config.agent_mark.partition("=")
        order = Order(
            path=self._config.agent[0],
            argv=self._config.agent,
            env=environment(
                {**os.environ, variable: value, "PILOTHOUSE_WARDEN": self._how_to_start_a_warden(variable)}
            ),
            cwd="/",
            stdout=None,
            stderr=None,
            cpus=None,
            umask=0o077,
        )
        self._since = time.monotonic()
        spawn_id = f"\0agent {int(boot_seconds() * 1000)} {os.getpid()} {self._failures}"
        return self._spawn(spawn_id, self._config.agent_mark, order)

    def _how_to_start_a_warden(self, mark: str) -> str:
        """For an agent that finds both processes of this pair killed."""
        argv = [sys.executable, *sys.orig_argv[1:]]
        return json.dumps({"argv": argv, "umask": self._config.umask, "mark": mark})

    def ended(self, code: int | None) -> None:
        """Has another one started after a while."""
        if time.monotonic() - self._since > STEADY:
            self._failures = 0
        delay = DELAYS[min(self._failures, len(DELAYS) - 1)]
        self._failures += 1
        self._at = time.monotonic() + delay
        log(f"the agent ended with {code}; starting it again in {delay} s")

    def give_up(self) -> None:
        self._at = None
