"""Starts so many noop instances with no runtime at all and waits until each has answered; prints the seconds it took.

bare.py COUNT [SECONDS]

Waits as the product does, so that the waiting takes as little from those that start: it looks at the system's table of
sockets, and asks nobody before he listens.
"""

import os
import signal
import socket
import sys
import time

PAUSE = 0.01
SHARE = 0.15
"""At most so much of the time goes into looking."""
LISTENS = "0A"
NOOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "noop.py")


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def listening() -> set[int]:
    with open("/proc/net/tcp") as table:
        lines = [line.split() for line in table.readlines()[1:]]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == LISTENS}


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            return client.recv(4096).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


def main() -> None:
    count = int(sys.argv[1])
    ports = free_ports(count)
    command = [sys.executable, "-I", "-S", NOOP]
    began = time.monotonic()
    pids = [
        os.posix_spawn(sys.executable, [*command, str(port), *sys.argv[2:]], {"PATH": "/usr/bin:/bin"}) for port in ports
    ]
    waiting = set(ports)
    while waiting:
        looked = time.monotonic()
        waiting -= {port for port in listening() & waiting if answers(port)}
        if waiting:
            time.sleep(max(PAUSE, (time.monotonic() - looked) / SHARE))
    print(time.monotonic() - began)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


main()
