"""Becomes the keeper, and changes between keeper and server when one of the pair is killed."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
from types import FrameType

from .config import Config, read_config
from .keeper import keep
from .server import serve


def main(arguments: list[str]) -> None:
    umask = os.umask(0o077)
    # Whatever the starter left open would otherwise reach every task.
    os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
    signal.signal(signal.SIGHUP, _unmoved)
    signal.signal(signal.SIGINT, _unmoved)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    config = read_config(arguments, umask)
    os.chdir("/")
    listener = _listen(config)
    while True:
        keeper_gone = keep(config, listener)
        # Only a freshly forked server comes back from `keep`; it comes back from `serve` when the keeper is gone.
        serve(config, listener, keeper_gone)


def _unmoved(_number: int, _frame: FrameType | None) -> None:
    """A handler, since what is ignored here would stay ignored in every task."""


def _listen(config: Config) -> socket.socket:
    """Binds the socket of this pilot, unless another warden lives behind it already."""
    place = os.path.dirname(config.socket_path)
    os.makedirs(place, mode=0o700, exist_ok=True)
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        sys.exit(f"{place}: must be a folder of your own that nobody else can enter (mode 0700)")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(config.socket_path)
    except OSError:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            try:
                caller.connect(config.socket_path)
            except OSError:
                os.unlink(config.socket_path)
            else:
                sys.exit(f"{config.socket_path}: this pilot has a warden already")
        listener.bind(config.socket_path)
    listener.listen(16)
    listener.setblocking(False)
    return listener
