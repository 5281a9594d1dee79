"""What the server does: spawns, ends, reports, and keeps an agent running."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable

from .agent import AgentKeeper
from .clients import Client, Message
from .config import Config
from .cut_off import CutOff
from .ending import Ending, Endings
from .family import Family
from .foreign import Foreign
from .host import boot_seconds, carries, environ_of, to_ticks
from .keeper import how_it_ended
from .ledger import Ledger, Spawn, rusage_of, usage_of
from .leftovers import Leftovers
from .lines import LineFile
from .log import log
from .memory import MemoryWatch
from .orders import Orders
from .reports import Reports
from .spawning import Order, Spawner

GRACE = 5.0
"""Seconds between TERM and KILL for what a task has left behind."""
AT_ONCE = 32
"""Spawns before the rest of the world is looked at again."""


class Work:
    def __init__(self, config: Config, poll: select.epoll) -> None:
        self._config = config
        self._ledger = Ledger(config.spawns_path)
        self._orphans = LineFile(config.orphans_path)
        self._family = Family(self._ledger)
        self._endings = Endings(self._family)
        self._leftovers = Leftovers(self._endings, config.task_mark)
        self._cut_off = CutOff(self._ledger)
        self._foreign = Foreign(self._ledger, poll)
        self._spawner = Spawner()
        self._orders = Orders(config.umask)
        self._memory = MemoryWatch(self._family, self._out_of_memory)
        self._reports = Reports(self._endings)
        self._agent = AgentKeeper(config, self._spawn)
        self._settled: set[int] = set()
        """Foreign processes whose end was seen before the keeper wrote it down."""
        self._finishing = False
        elapsed = boot_seconds() - self._ledger.started
        self._deadline = time.monotonic() + config.runtime + config.slack - elapsed
        self.over = False

    # What the loop calls

    @property
    def running(self) -> int:
        """How many spawns run, the agent among them."""
        return self._ledger.running

    def begin(self) -> None:
        self.read_orphans()
        self._cut_off.find_alive()
        for spawn in list(self._ledger.spawns.values()):
            if spawn.running:
                self._foreign.watch(spawn)
                self._memory.watch(spawn)
            if spawn.code is not None or spawn.grace is not None:
                # Whether anything of it is left is not known to a new server.
                self._end(spawn, GRACE if spawn.grace is None else spawn.grace)
        spawns = self._ledger.spawns.values()
        if not any(self._agent.is_agent(spawn) and (spawn.running or spawn.limbo) for spawn in spawns):
            self._start_agent()

    def due(self) -> float | None:
        if self._orders:
            return 0.0
        times = [self._deadline, self._endings.due(), self._leftovers.due(), self._agent.due()]
        times += [self._cut_off.due(), self._foreign.due(), self._memory.due(), self._reports.due(self._ledger)]
        return min(moment for moment in times if moment is not None)

    def on_time(self) -> None:
        now = time.monotonic()
        if _is_due(self._agent.due(), now):
            self._start_agent()
        if _is_due(self._leftovers.due(), now):
            self._leftovers.look()
        if _is_due(self._memory.due(), now):
            self._memory.look()
        if _is_due(self._reports.due(self._ledger), now):
            self._reports.look_at_growth(self._ledger)
        if _is_due(self._endings.due(), now):
            self._endings.look()
        for spawn in self._foreign.settle():
            self._settled.add(spawn.pid)
            self._has_ended_elsewhere(spawn)
        if _is_due(self._cut_off.due(), now):
            self._settle_the_cut_off()
        if now >= self._deadline and not self._finishing:
            log("the pilot's time is over and its agent has not ended it; ending everything")
            self._deadline = now + 1e9
            self._finish()

    def step(self) -> None:
        """Carries out some of the orders that wait."""
        for _ in range(AT_ONCE):
            waiting = self._orders.next()
            if waiting is None:
                break
            self._carry_out(*waiting)
        self._spawner.restore_cpus()

    def reap(self) -> None:
        ended: list[Spawn] = []
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                break
            if info is None:
                break
            pid = info.si_pid
            spawn = self._ledger.by_pid(pid)
            if spawn is not None:
                # Written down before it is reaped: a server killed between leaves the zombie to the keeper.
                self._ledger.exited(spawn, how_it_ended(info))
            used = os.wait4(pid, 0)[2]
            if spawn is None:
                self._family.reaped(pid)
            else:
                spawn.usage = usage_of(rusage_of(used), boot_seconds() - spawn.asked, self._memory.ended(spawn))
                ended.append(spawn)
        if ended:
            self._ledger.used(ended)
            self._have_exited(ended)

    def hear(self, fd: int) -> bool:
        """Takes a descriptor that became readable; False when it is not of the work's own."""
        return self._foreign.hear(fd)

    def flush(self) -> None:
        """Puts together what the agent is to be told."""
        self._reports.send()

    def read_orphans(self) -> None:
        """Takes over what the keeper wrote down about children of a server that is gone."""
        ended: dict[int, Spawn] = {}
        for record in self._orphans.read_on():
            pid = record["pid"]
            spawn = self._ledger.by_pid(pid)
            if "used" in record:
                if (spawn := ended.get(pid)) is not None:
                    wall = record["at"] - spawn.asked
                    spawn.usage = usage_of(record["used"], wall, self._memory.ended(spawn))
            elif spawn is not None and (record["start"] == 0 or spawn.started_at(record["start"])):
                self._ledger.exited(spawn, record["code"])
                ended[pid] = spawn
            elif record["leader"] and pid not in self._settled:
                self._cut_off.unclaimed.append(record)
        self._ledger.used(list(ended.values()))
        self._have_exited(list(ended.values()))

    def terminate(self) -> None:
        """Somebody wants this node back: the agent ends the pilot in order; without one, everything ends here."""
        for spawn in self._ledger.spawns.values():
            if self._agent.is_agent(spawn) and spawn.running:
                os.kill(spawn.pid, signal.SIGTERM)
                return
        self._finish()

    def obey(self, client: Client, message: Message) -> None:
        kind = message["type"]
        if kind == "ping":
            client.send({"type": "pong", "pid": os.getpid(), "keeper": os.getppid()})
        elif kind == "hello":
            self._hello(client, message)
        elif client is not self._reports.agent:
            client.send({"type": "error", "message": "say hello first"})
        elif kind == "env":
            self._orders.learn(message["key"], message["env"])
        elif kind == "spawn":
            self._orders.take(message["orders"])
        elif kind == "end":
            self._end_for(message)
        elif kind == "ack":
            spawns = [spawn for name in message["ids"] if (spawn := self._ledger.spawns.get(name)) is not None]
            self._ledger.forget([spawn for spawn in spawns if not spawn.running and not spawn.limbo])
        elif kind == "sweep":
            self._carry_out_all()
            self._sweep("\0sweep", float(message["grace"]), lambda: self._reports.tell({"type": "swept"}))
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
        self._spawner.close()

    # Tasks

    def _hello(self, client: Client, message: Message) -> None:
        if not carries(environ_of(client.pid), self._config.agent_mark):
            client.send({"type": "refused", "message": f"process {client.pid} is not an agent of this pilot"})
            return
        # What an earlier agent still asks for is not done.
        self._orders.clear()
        spawns = [spawn for spawn in self._ledger.spawns.values() if not self._agent.is_agent(spawn)]
        self._reports.greet(client, message, spawns)

    def _carry_out(self, spawn_id: str, mark: str, order: Order, memory: int | None) -> None:
        spawn = self._ledger.spawns.get(spawn_id)
        if spawn is None:
            spawn = self._spawn(spawn_id, mark, order, memory)
            self._memory.watch(spawn)
        if not spawn.limbo:  # that is told when it is known
            self._reports.add(spawn)

    def _carry_out_all(self) -> None:
        """Carries out all orders that wait: what comes now is about them too."""
        while (waiting := self._orders.next()) is not None:
            self._carry_out(*waiting)

    def _spawn(self, spawn_id: str, mark: str, order: Order, memory: int | None = None) -> Spawn:
        spawn = Spawn(spawn_id, mark, boot_seconds(), order.stdout, order.stderr, memory)
        self._ledger.intend(spawn)
        try:
            pid = self._spawner.start(order)
        except (OSError, ValueError, TypeError) as error:
            number = error.errno if isinstance(error, OSError) else None
            self._ledger.could_not_start(spawn, {"errno": number, "message": str(error)})
            return spawn
        spawn.own = self._family.known
        self._ledger.has_pid(spawn, pid, boot_seconds())
        return spawn

    def _end_for(self, message: Message) -> None:
        if self._orders:
            self._carry_out_all()
        number = signal.Signals[f"SIG{message.get('signal', 'TERM')}"]
        grace = float(message["grace"])
        for spawn_id in message["ids"]:
            spawn = self._ledger.spawns.get(spawn_id)
            if spawn is not None and spawn.pid:
                self._ledger.ends(spawn, grace)
                self._end(spawn, grace, number)

    def _have_exited(self, spawns: list[Spawn]) -> None:
        own = [spawn for spawn in spawns if spawn.own]
        left = self._family.with_something_left(own) if own else set()
        for spawn in spawns:
            if self._agent.is_agent(spawn):
                if spawn.id in left:
                    self._end(spawn, GRACE)
                self._agent_has_exited(spawn)
            elif spawn.id in self._endings:
                pass  # reported when nothing of it is left
            elif spawn.id in left or (not spawn.own and _group_exists(spawn.pid)):
                self._end(spawn, GRACE)
            else:
                self._reports.add(spawn)
                if not spawn.own:
                    self._leftovers.suspect(spawn)

    def _out_of_memory(self, spawn: Spawn, taken: int) -> None:
        self._ledger.out_of_memory(spawn, taken)
        self._end(spawn, 0.0, signal.SIGKILL)

    def _end(self, spawn: Spawn, grace: float, first: int = signal.SIGTERM) -> None:
        def done() -> None:
            self._family.forget(spawn)
            # A leader that has gone but is not reaped yet is reported by whoever reaps it.
            if spawn.code is not None and not self._agent.is_agent(spawn):
                self._reports.add(spawn)

        self._endings.add(spawn.id, Ending(spawn.mark, spawn.since, grace, done, spawn, first=first))

    def _settle_the_cut_off(self) -> None:
        """Tells what became of the spawns that the last server was killed in."""
        for spawn in self._cut_off.settle():
            self._reports.add(spawn)
            if spawn.running:
                self._foreign.watch(spawn)
                self._memory.watch(spawn)
            else:
                self._has_ended_elsewhere(spawn)

    def _has_ended_elsewhere(self, spawn: Spawn) -> None:
        """For spawns that are not reaped here."""
        if spawn.code is not None:
            self._have_exited([spawn])
        elif self._agent.is_agent(spawn):
            self._agent_has_exited(spawn)
        else:
            self._reports.add(spawn)
            if spawn.pid:
                self._end(spawn, GRACE)

    # The agent

    def _start_agent(self) -> None:
        if self._agent.folder_is_gone():
            log("the pilot's folder was removed; ending everything")
            self._finish()
            return
        spawn = self._agent.start()
        if spawn.error is not None:
            log(f"cannot start the agent: {spawn.error['message']}")
            self._agent_has_exited(spawn)

    def _agent_has_exited(self, spawn: Spawn) -> None:
        self._ledger.forget([spawn])
        if self._finishing:
            return
        if spawn.code == 0:
            self._finish()
        else:
            self._agent.ended(spawn.code)

    # The end

    def _sweep(self, key: str, grace: float, done: Callable[[], None]) -> None:
        since = to_ticks(self._ledger.started) - 1
        ending = Ending(self._config.task_mark, since, grace, done, spared=self._config.agent_mark)
        self._endings.add(key, ending)

    def _finish(self) -> None:
        """Ends whatever is left of the pilot, and then this pair."""
        self._finishing = True
        self._agent.give_up()
        for spawn in self._ledger.spawns.values():
            if self._agent.is_agent(spawn) and spawn.running:
                os.kill(spawn.pid, signal.SIGKILL)
        self._sweep("\0finish", GRACE, self._is_over)

    def _is_over(self) -> None:
        self.over = True


def _is_due(moment: float | None, now: float) -> bool:
    return moment is not None and now >= moment


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
