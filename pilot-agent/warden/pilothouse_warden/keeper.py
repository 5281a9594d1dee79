"""The keeper: waits for children, writes down how orphans end, starts the server again."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from types import FrameType

from .config import Config
from .host import become_subreaper, boot_seconds, look_at
from .ledger import rusage_of
from .lines import LineFile


def keep(config: Config, listener: socket.socket) -> int:
    """Keeps the pair alive until the server ends on purpose, and then ends this process.

    Returns in each forked server only: the reading end of a pipe that closes when the keeper dies, and in which a byte
    arrives after each orphan that was written down.
    """
    become_subreaper()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    orphans = LineFile(config.orphans_path)
    orphans.open_for_writing()
    delay = 0.0
    while True:
        time.sleep(delay)
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        started = time.monotonic()
        server = os.fork()
        if server == 0:
            os.close(writing)
            orphans.close()
            return reading
        os.close(reading)

        def end_gently(_number: int, _frame: FrameType | None, server: int = server) -> None:
            os.kill(server, signal.SIGTERM)

        signal.signal(signal.SIGTERM, end_gently)
        status = _wait_for(server, orphans, writing)
        os.close(writing)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if status == 0:
            orphans.remove()
            listener.close()
            os._exit(0)
        print(f"keeper: the server ended with {status}; starting another", file=sys.stderr, flush=True)
        # A server that was killed comes back at once; one that fails by itself must not take the core for it.
        delay = 0.0 if time.monotonic() - started > 5 else min(5.0, delay * 2 + 0.05)


def _wait_for(server: int, orphans: LineFile, doorbell: int) -> int:
    """Reaps children until the server ends; gives its exit code, or minus the number of the signal."""
    while True:
        # Looked at first and reaped only when it is written down: a keeper killed between loses nothing, as the
        # zombie goes to whoever reaps next.
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is None:
            continue
        pid, code = ended.si_pid, how_it_ended(ended)
        if pid != server:
            process = look_at(pid)
            orphans.append(
                {
                    "pid": pid,
                    "start": process.start if process else 0,
                    "leader": process is not None and process.session == pid,
                    "code": code,
                }
            )
        used = os.wait4(pid, 0)[2]
        if pid != server:
            # Known only now. A keeper killed between takes it along, but not how the process ended.
            orphans.append({"pid": pid, "used": rusage_of(used), "at": boot_seconds()})
        if pid == server:
            return code
        try:
            os.write(doorbell, b"!")
        except BlockingIOError:
            pass  # the bell rings already
        except BrokenPipeError:
            pass  # the server is gone; the next one reads the file


def how_it_ended(ended: os.waitid_result) -> int:
    """The exit code, or minus the number of the signal."""
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
