"""The server: one loop over clients, children and timers."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
from types import FrameType

from .clients import Client
from .config import Config
from .host import become_subreaper
from .work import Work

LONGEST_PAUSE = 86400.0
"""Seconds that the loop sleeps at most."""
LONGEST_GATHERING = 0.01
GATHERING_EACH = 0.00025
SHORTEST_GATHERING = 0.0005
"""In a rush, seconds in which exits and orders are gathered. The more runs on each processor, the longer, as it has
the more to do meanwhile: nothing stands still, and much of each turn of the loop is done once for many.
"""


def serve(config: Config, listener: socket.socket, keeper: int) -> None:
    """Serves until the keeper is gone (then it returns) or the pilot is over (then the process ends with 0)."""
    become_subreaper()
    # What is made here forms no circles; looking for them every 700 objects costs more than all there is to find.
    gc.freeze()
    gc.set_threshold(50_000)
    server = Server(config, listener, keeper)
    try:
        server.run()
    finally:
        server.close()


class Server:
    def __init__(self, config: Config, listener: socket.socket, keeper: int) -> None:
        self._listener = listener
        self._keeper = keeper
        self._clients: dict[int, Client] = {}
        self._poll = select.epoll()
        self._bell, bell_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._bell_end = bell_end
        self._terminate = False
        self._gathering = GATHERING_EACH / len(os.sched_getaffinity(0))
        signal.set_wakeup_fd(bell_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _only_wake)
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._work = Work(config, self._poll)
        for fd in (listener.fileno(), keeper, self._bell):
            self._poll.register(fd, select.EPOLLIN)

    def run(self) -> None:
        self._work.begin()
        last = 0.0
        while True:
            pause = min(LONGEST_GATHERING, self._work.running * self._gathering)
            now = time.monotonic()
            if pause > SHORTEST_GATHERING and now - last < 2 * pause:
                self._gather(pause)
            last = now
            due = self._work.due()
            for fd, events in self._poll.poll(_pause_until(due)):
                if fd == self._keeper:
                    if not self._hear_keeper():
                        return
                elif fd == self._bell:
                    _drain(self._bell)
                elif fd == self._listener.fileno():
                    self._accept()
                elif not self._work.hear(fd):
                    self._handle(fd, events)
            self._work.reap()
            self._work.step()
            if self._terminate:
                self._terminate = False
                self._work.terminate()
            self._work.on_time()
            self._work.flush()
            self._flush()
            if self._work.over:
                self._work.remove_files(self._listener)
                sys.stdout.flush()
                os._exit(0)

    def close(self) -> None:
        """Gives back everything but the listener: as the keeper, this process needs none of it."""
        signal.set_wakeup_fd(-1)
        for client in self._clients.values():
            client.socket.close()
        self._clients.clear()
        self._work.close()
        self._poll.close()
        for fd in (self._bell, self._bell_end, self._keeper):
            os.close(fd)

    def _gather(self, seconds: float) -> None:
        """Lets exits and orders come together for a moment. A signal for each would cost as much as what it saves."""
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
        time.sleep(seconds)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))

    def _hear_keeper(self) -> bool:
        try:
            alive = os.read(self._keeper, 4096) != b""
        except BlockingIOError:
            return True
        if alive:
            self._work.read_orphans()
        return alive

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        client = Client(connection)
        if not client.trusted():
            connection.close()
            return
        self._clients[client.fileno] = client
        self._poll.register(client.fileno, select.EPOLLIN)

    def _handle(self, fd: int, events: int) -> None:
        client = self._clients.get(fd)
        if client is None or not events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            return
        try:
            for message in client.receive():
                self._work.obey(client, message)
        except EOFError:
            self._drop(client)
        except (ValueError, KeyError, TypeError) as error:
            client.send({"type": "error", "message": f"malformed message: {error!r}"})
            with contextlib.suppress(OSError):
                client.flush()
            self._drop(client)
        except OSError:
            self._drop(client)

    def _flush(self) -> None:
        for client in list(self._clients.values()):
            try:
                done = client.flush()
            except OSError:
                self._drop(client)
                continue
            events = select.EPOLLIN if done else select.EPOLLIN | select.EPOLLOUT
            if events != client.events:
                client.events = events
                self._poll.modify(client.fileno, events)

    def _drop(self, client: Client) -> None:
        if self._clients.pop(client.fileno, None) is not None:
            self._poll.unregister(client.fileno)
            client.socket.close()

    def _on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        self._terminate = True


def _pause_until(due: float | None) -> float:
    """Seconds for `poll`; -1: for ever. It takes some 24 days at most, and a pilot may last longer."""
    return -1 if due is None else min(LONGEST_PAUSE, max(0.0, due - time.monotonic()))


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """A handler must be there for the wake-up descriptor to be written."""


def _drain(fd: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(fd, 4096):
            pass
