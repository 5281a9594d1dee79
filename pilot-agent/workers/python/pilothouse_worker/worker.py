"""The loop of a warm worker."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections import deque
from typing import Any

from .begun import Begun
from .calls import Call, Caller
from .captured import Captured
from .connection import Connection
from .functions import VERSION
from .sources import Sources

PATIENCE = 600.0
"""Seconds without an agent after which a worker gives up."""


class Worker:
    def __init__(self, connection: Connection, worker_id: str, begun: Begun, caller: Caller, sources: Sources) -> None:
        self._connection = connection
        self._id = worker_id
        self._begun = begun
        self._caller = caller
        self._sources = sources
        self._waiting: deque[Call] = deque()
        self._unacknowledged: dict[int, str] = {}
        """Results that the agent may still lose, by number of the call, in order."""
        self._stale = False
        self._rested = True

    def run(self) -> None:
        """Works until the agent says that it is enough."""
        while True:
            if self._waiting:
                self._work(self._waiting.popleft())
                self._rested = False
                continue
            self._rested = True
            messages = self._connection.receive()
            if messages is None:
                # An agent that was killed is another one now, and knows nothing of what was sent and not begun.
                if not self._connection.open():
                    return
                self._greet()
                continue
            for message in messages:
                if message["type"] == "exit":
                    return
                self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        if "acked" in message:
            self._acknowledged(message["acked"])
        if message["type"] == "calls":
            self._caller.learn(message.get("functions", {}))
            self._waiting.extend(Call(*fields) for fields in message["calls"])

    def _work(self, call: Call) -> None:
        if self._stale:
            return
        if self._sources.changed(self._rested):
            # A module that was imported cannot be taken back in whole: another process starts afresh.
            self._stale = True
            self._send(f'{{"type":"stale","from":{call.number}}}')
            return
        if not self._begun.begin(call.number, call.run):
            self._send(f'{{"type":"skipped","upto":{call.number}}}')
            return
        result = self._caller.make(call)
        self._sources.remember()
        self._unacknowledged[call.number] = result
        self._send(f'{{"type":"results","results":[{result}]}}')

    def _send(self, text: str) -> None:
        # Without a connection nothing is lost: the greeting of the next one has all results.
        self._connection.send(text)

    def _greet(self) -> None:
        self._waiting.clear()
        head = {
            "type": "hello",
            "worker": self._id,
            "pid": os.getpid(),
            "version": VERSION,
            "functions": self._caller.known,
            "stale": self._stale,
        }
        results = ",".join(self._unacknowledged.values())
        self._send(f'{json.dumps(head)[:-1]},"results":[{results}]}}')

    def _acknowledged(self, upto: int) -> None:
        for number in list(self._unacknowledged):
            if number > upto:
                return
            del self._unacknowledged[number]
        self._begun.trim()


def main(socket_path: str, worker_id: str, folder: str, values: str, modules: str) -> None:
    faulthandler.enable()
    out, err = Captured("stdout"), Captured("stderr")
    caller = Caller(values, modules, out, err)
    worker = Worker(Connection(socket_path, PATIENCE), worker_id, Begun(folder), caller, Sources(modules))
    sys.stdout, sys.stderr = out, err
    try:
        worker.run()
    except BaseException:
        sys.stderr = sys.__stderr__
        raise
    finally:
        sys.stdout = sys.__stdout__
    # Threads that a function has left behind would keep the process.
    os._exit(0)
