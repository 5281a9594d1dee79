"""Starts so many noop instances with no runtime at all and waits until each has answered; prints the seconds it took.

bare.py COUNT [SECONDS]

Waits as the product does, so that the waiting takes as little from those that start: it looks at the system's table of
sockets, asks nobody before he listens, and all at once who do. Each gets a session of its own, as the product gives it:
Linux shares the processors out among sessions.
"""

import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path

PAUSE = 0.01
LONGEST = 0.1
SHARE = 0.15
"""At most so much of the time goes into looking."""
LISTENS = b"0A"
LINE = 150
"""Bytes of a line of the table."""
NOOP = str(Path(__file__).resolve().parent / "noop.py")
TABLE = Path("/proc/net/tcp")
ENV = {"PATH": "/usr/bin:/bin"}
REQUEST = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def listening() -> set[int]:
    """Those come first in the table: what follows is not read."""
    found: set[int] = set()
    with TABLE.open("rb", buffering=0) as table:
        table.read(LINE)
        while lines := table.read(26 * LINE):
            for start in range(0, len(lines), LINE):
                fields = lines[start : start + LINE].split()
                if fields[3] != LISTENS:
                    return found
                found.add(int(fields[1].rpartition(b":")[2], 16))
    return found


def main() -> None:
    count = int(sys.argv[1])
    ports = free_ports(count)
    command = [sys.executable, "-I", "-S", NOOP]
    began = time.monotonic()
    pids = [os.posix_spawn(sys.executable, [*command, str(port), *sys.argv[2:]], ENV, setsid=True) for port in ports]
    silent = set(ports)
    open_calls = selectors.DefaultSelector()
    answered = 0
    pause = 0.0
    looked = 0.0
    while answered < count:
        if time.monotonic() - looked >= pause:
            looked = time.monotonic()
            for port in listening() & silent:
                silent.remove(port)
                client = socket.create_connection(("127.0.0.1", port))
                client.sendall(REQUEST)
                open_calls.register(client, selectors.EVENT_READ)
            pause = min(LONGEST, max(PAUSE, (time.monotonic() - looked) / SHARE))
        for key, _ in open_calls.select(max(0.0, looked + pause - time.monotonic())):
            client = key.fileobj
            assert isinstance(client, socket.socket)
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            open_calls.unregister(client)
            client.close()
            answered += 1
    print(time.monotonic() - began)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


main()
