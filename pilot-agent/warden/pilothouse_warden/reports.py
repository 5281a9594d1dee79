"""What the agent is told."""

from __future__ import annotations

import json
import os
from json.encoder import encode_basestring_ascii as quoted

from .captured import Growth, told
from .clients import Client, Message
from .ending import Endings
from .ledger import Ledger, Spawn
from .log import log

PROTOCOL = 2
"""Version of the messages; an agent of another one says so and ends."""


class Reports:
    """Gathers what there is to tell and sends it in one message, since at speed there is a lot of it."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings
        self._news: list[str] = []
        self._growth = Growth(8 << 20, 56 << 20)
        self.agent: Client | None = None
        """The connection of the agent that said hello last."""

    def greet(self, client: Client, hello: Message, spawns: list[Spawn]) -> None:
        """Tells a new agent everything; what was to be told to the one before is part of it."""
        if "keep" in hello:
            head, tail = hello["keep"]
            self._growth = Growth(int(head), int(tail))
        self._news.clear()
        self.agent = client
        head = f'{{"type":"state","protocol":{PROTOCOL},"pid":{os.getpid()},"keeper":{os.getppid()},"spawns":['
        client.send_line(head + ",".join(self._as_seen(spawn, with_files=True) for spawn in spawns) + "]}")

    def add(self, spawn: Spawn) -> None:
        """Has a spawn told as it is now."""
        if self.agent is not None:
            self._news.append(self._as_seen(spawn))

    def tell(self, message: Message) -> None:
        if self.agent is not None:
            self.send()
            self.agent.send(message)

    def send(self) -> None:
        if self._news and self.agent is not None:
            self.agent.send_line(f'{{"type":"news","seen":[{",".join(self._news)}]}}')
            self._news.clear()

    def due(self, ledger: Ledger) -> float | None:
        """When to call `look_at_growth`; None: nothing runs."""
        return self._growth.due(ledger.running > 1)

    def look_at_growth(self, ledger: Ledger) -> None:
        for path in self._growth.look(ledger.spawns.values()):
            log(f"{path} grows beyond what is kept, and its file system cannot give back the middle of a file")

    def _as_seen(self, spawn: Spawn, with_files: bool = False) -> str:
        head = f'{{"id":{quoted(spawn.id)},"state":'
        if spawn.error is not None:
            return f'{head}"failed","error":{json.dumps(spawn.error)}}}'
        if spawn.lost:
            return f'{head}"lost"}}'
        if spawn.limbo:
            return f'{head}"starting"}}'
        if with_files:
            head = f'{head[:-8]}"files":{json.dumps([spawn.stdout, spawn.stderr])},"state":'
        # What has ended, but of which something is left, counts as running: its end is reported when nothing is.
        if spawn.code is None or spawn.id in self._endings:
            return f'{head}"running","pid":{spawn.pid}}}'
        usage = "null" if spawn.usage is None else spawn.usage.line()
        oom = "" if spawn.oom is None else f',"oom":[{spawn.oom},{spawn.memory}]'
        return f'{head}"exited","pid":{spawn.pid},"code":{spawn.code},"usage":{usage}{oom}{told(spawn)}}}'
