"""What the server does: spawns, ends, reports, and keeps an agent running."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from .clients import Client, Message
from .config import Config
from .cut_off import CutOff
from .ending import Ending, Endings
from .foreign import Foreign
from .host import TICKS_PER_SECOND, boot_ticks, carries, environ_of, look_at
from .keeper import how_it_ended
from .ledger import Ledger, Spawn
from .leftovers import Leftovers
from .lines import LineFile
from .spawning import Order, start

AGENT_DELAYS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before the agent is started again, by how often it has ended in a row."""
AGENT_IS_STEADY = 60.0


class Work:
    def __init__(self, config: Config, poll: select.epoll) -> None:
        self._config = config
        self._agent: Client | None = None
        """The connection of the agent that said hello last; what an earlier one still asks for is not done."""
        self._ledger = Ledger(config.spawns_path)
        self._orphans = LineFile(config.orphans_path)
        self._endings = Endings()
        self._leftovers = Leftovers(self._endings, config.task_mark)
        self._cut_off = CutOff(self._ledger)
        self._foreign = Foreign(self._ledger, poll)
        self._settled: set[tuple[int, int]] = set()
        """Foreign processes whose end was seen before the keeper wrote it down."""
        self._agent_at: float | None = None
        self._agent_failures = 0
        self._agent_since = time.monotonic()
        self._finishing = False
        elapsed = (boot_ticks() - self._ledger.started) / TICKS_PER_SECOND
        self._deadline = time.monotonic() + config.runtime + config.slack - elapsed
        self.over = False

    # What the loop calls

    def begin(self) -> None:
        self.read_orphans()
        self._cut_off.find_alive()
        for spawn in list(self._ledger.spawns.values()):
            if spawn.running:
                self._foreign.watch(spawn)
            if spawn.code is not None or spawn.grace is not None:
                # Whether anything of it is left is not known to a new server.
                self._end(spawn, 5.0 if spawn.grace is None else spawn.grace)
        if not any(self._is_agent(spawn) and (spawn.running or spawn.limbo) for spawn in self._ledger.spawns.values()):
            self._start_agent()

    def due(self) -> float | None:
        times = [self._deadline, self._endings.due(), self._leftovers.due(), self._agent_at]
        times += [self._cut_off.due(), self._foreign.due()]
        return min(moment for moment in times if moment is not None)

    def on_time(self) -> None:
        now = time.monotonic()
        if self._agent_at is not None and now >= self._agent_at:
            self._start_agent()
        due = self._leftovers.due()
        if due is not None and now >= due:
            self._leftovers.look()
        due = self._endings.due()
        if due is not None and now >= due:
            self._endings.look()
        for spawn in self._foreign.settle():
            self._settled.add((spawn.pid, spawn.start))
            self._has_ended_elsewhere(spawn)
        due = self._cut_off.due()
        if due is not None and now >= due:
            self._settle_the_cut_off()
        if now >= self._deadline and not self._finishing:
            _log("the pilot's time is over and its agent has not ended it; ending everything")
            self._deadline = now + 1e9
            self._finish()

    def reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            spawn = self._ledger.by_pid(ended.si_pid)
            if spawn is not None:
                # Written down before it is reaped: a server killed between leaves the zombie to the keeper.
                self._ledger.exited(spawn, how_it_ended(ended))
            os.waitpid(ended.si_pid, 0)
            if spawn is not None:
                self._has_exited(spawn)

    def hear(self, fd: int) -> bool:
        """Takes a descriptor that became readable; False when it is not of the work's own."""
        return self._foreign.hear(fd)

    def read_orphans(self) -> None:
        """Takes over what the keeper wrote down about children of a server that is gone."""
        for record in self._orphans.read_on():
            spawn = self._ledger.by_pid(record["pid"])
            if spawn is not None and record["start"] in (0, spawn.start):
                self._ledger.exited(spawn, record["code"])
                self._has_exited(spawn)
            elif record["leader"] and (record["pid"], record["start"]) not in self._settled:
                self._cut_off.unclaimed.append(record)

    def terminate(self) -> None:
        """Somebody wants this node back: the agent ends the pilot in order; without one, everything ends here."""
        for spawn in self._ledger.spawns.values():
            if self._is_agent(spawn) and spawn.running:
                os.kill(spawn.pid, signal.SIGTERM)
                return
        self._finish()

    def obey(self, client: Client, message: Message) -> None:
        kind = message["type"]
        if kind == "ping":
            client.send({"type": "pong", "pid": os.getpid(), "keeper": os.getppid()})
        elif kind == "hello":
            self._hello(client)
        elif client is not self._agent:
            client.send({"type": "error", "message": "say hello first"})
        elif kind == "spawn":
            self._spawn_for(client, message)
        elif kind == "end":
            for spawn_id in message["ids"]:
                spawn = self._ledger.spawns.get(spawn_id)
                if spawn is not None and spawn.pid:
                    self._ledger.ends(spawn, float(message["grace"]))
                    self._end(spawn, float(message["grace"]))
        elif kind == "ack":
            for spawn_id in message["ids"]:
                spawn = self._ledger.spawns.get(spawn_id)
                if spawn is not None and not spawn.running and not spawn.limbo:
                    self._ledger.forget(spawn)
        elif kind == "sweep":
            self._sweep("\0sweep", float(message["grace"]), lambda: self._tell({"type": "swept"}))
        else:
            client.send({"type": "error", "message": f"unknown message {kind!r}"})

    def remove_files(self, listener: socket.socket) -> None:
        listener.close()
        if os.path.exists(self._config.socket_path):
            os.unlink(self._config.socket_path)
        self._ledger.remove()

    def close(self) -> None:
        self._foreign.close()
        self._ledger.close()

    # Tasks

    def _hello(self, client: Client) -> None:
        if not carries(environ_of(client.pid), self._config.agent_mark):
            client.send({"type": "refused", "message": f"process {client.pid} is not an agent of this pilot"})
            return
        self._agent = client
        spawns = [self._as_seen(spawn) for spawn in self._ledger.spawns.values() if not self._is_agent(spawn)]
        client.send({"type": "state", "pid": os.getpid(), "keeper": os.getppid(), "spawns": spawns})

    def _spawn_for(self, client: Client, message: Message) -> None:
        spawn_id = message["id"]
        spawn = self._ledger.spawns.get(spawn_id)
        if spawn is None:
            order = Order(
                path=message["path"],
                argv=message["argv"],
                env=message["env"],
                cwd=message["cwd"],
                stdout=message["stdout"],
                stderr=message["stderr"],
                cpus=message.get("cpus"),
                umask=self._config.umask,
            )
            spawn = self._spawn(spawn_id, message["mark"], order)
        if spawn.limbo:
            return  # told when it is known
        client.send({**self._as_seen(spawn), "type": "spawned"})

    def _spawn(self, spawn_id: str, mark: str, order: Order) -> Spawn:
        spawn = self._ledger.intend(spawn_id, mark)
        try:
            pid = start(order)
        except (OSError, ValueError, TypeError) as error:
            number = error.errno if isinstance(error, OSError) else None
            self._ledger.could_not_start(spawn, {"errno": number, "message": str(error)})
            return spawn
        process = look_at(pid)
        self._ledger.has_pid(spawn, pid, process.start if process else spawn.asked)
        return spawn

    def _has_exited(self, spawn: Spawn) -> None:
        if self._is_agent(spawn):
            self._agent_has_exited(spawn)
        elif spawn.id in self._endings:
            pass  # reported when nothing of it is left
        elif _group_exists(spawn.pid):
            self._end(spawn, 5.0)
        else:
            self._report(spawn)
            self._leftovers.suspect(spawn)

    def _end(self, spawn: Spawn, grace: float) -> None:
        def done() -> None:
            # A leader that has gone but is not reaped yet is reported by whoever reaps it.
            if spawn.code is not None:
                self._report(spawn)

        self._endings.add(spawn.id, Ending(spawn.mark, spawn.pid, spawn.start, grace, done))

    def _tell(self, message: Message) -> None:
        if self._agent is not None:
            self._agent.send(message)

    def _report(self, spawn: Spawn) -> None:
        if not self._is_agent(spawn):
            self._tell({"type": "exit", "id": spawn.id, "code": spawn.code})

    def _as_seen(self, spawn: Spawn) -> dict[str, Any]:
        if spawn.error is not None:
            return {"id": spawn.id, "state": "failed", "error": spawn.error}
        if spawn.lost:
            return {"id": spawn.id, "state": "lost"}
        if spawn.limbo:
            return {"id": spawn.id, "state": "starting"}
        # What has ended, but of which something is left, counts as running: its end is reported when nothing is.
        if spawn.code is None or spawn.id in self._endings:
            return {"id": spawn.id, "state": "running", "pid": spawn.pid}
        return {"id": spawn.id, "state": "exited", "pid": spawn.pid, "code": spawn.code}

    def _settle_the_cut_off(self) -> None:
        """Tells what became of the spawn that the last server was killed in."""
        for spawn in self._cut_off.settle():
            self._tell({**self._as_seen(spawn), "type": "spawned"})
            if spawn.running:
                self._foreign.watch(spawn)
            else:
                self._has_ended_elsewhere(spawn)

    def _has_ended_elsewhere(self, spawn: Spawn) -> None:
        """For spawns that are not reaped here."""
        if spawn.code is not None:
            self._has_exited(spawn)
        elif self._is_agent(spawn):
            self._agent_has_exited(spawn)
        else:
            self._tell({**self._as_seen(spawn), "type": "spawned"})
            if spawn.pid:
                self._end(spawn, 5.0)

    # The agent

    def _is_agent(self, spawn: Spawn) -> bool:
        return spawn.mark == self._config.agent_mark

    def _start_agent(self) -> None:
        self._agent_at = None
        if self._is_forgotten():
            _log("the pilot's folder was removed; ending everything")
            self._finish()
            return
        variable, _, value = self._config.agent_mark.partition("=")
        order = Order(
            path=self._config.agent[0],
            argv=self._config.agent,
            env={**os.environ, variable: value},
            cwd="/",
            stdout=None,
            stderr=None,
            cpus=None,
            umask=0o077,
        )
        self._agent_since = time.monotonic()
        spawn = self._spawn(
            f"\0agent {boot_ticks()} {os.getpid()} {self._agent_failures}", self._config.agent_mark, order
        )
        if spawn.error is not None:
            _log(f"cannot start the agent: {spawn.error['message']}")
            self._agent_has_exited(spawn)

    def _is_forgotten(self) -> bool:
        """Whether the pilot's folder is gone for good; a file system that does not answer does not count."""
        try:
            os.stat(os.path.join(self._config.folder, "pilot.json"))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    def _agent_has_exited(self, spawn: Spawn) -> None:
        self._ledger.forget(spawn)
        if self._finishing:
            return
        if spawn.code == 0:
            self._finish()
            return
        if time.monotonic() - self._agent_since > AGENT_IS_STEADY:
            self._agent_failures = 0
        delay = AGENT_DELAYS[min(self._agent_failures, len(AGENT_DELAYS) - 1)]
        self._agent_failures += 1
        self._agent_at = time.monotonic() + delay
        _log(f"the agent ended with {spawn.code}; starting it again in {delay} s")

    # The end

    def _sweep(self, key: str, grace: float, done: Callable[[], None]) -> None:
        since = self._ledger.started - 1
        self._endings.add(key, Ending(self._config.task_mark, 0, since, grace, done))

    def _finish(self) -> None:
        """Ends whatever is left of the pilot, and then this pair."""
        self._finishing = True
        self._agent_at = None
        for spawn in self._ledger.spawns.values():
            if self._is_agent(spawn) and spawn.running:
                os.kill(spawn.pid, signal.SIGKILL)
        self._sweep("\0finish", 5.0, self._is_over)

    def _is_over(self) -> None:
        self.over = True


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _log(text: str) -> None:
    print(f"warden: {text}", file=sys.stderr, flush=True)
