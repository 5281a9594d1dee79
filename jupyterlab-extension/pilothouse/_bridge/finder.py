"""Finding the process that serves this user: by the lease, and alive only if its socket answers."""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from ..errors import PilothouseError
from .places import Places, check_socket_path

#: A heartbeat older than this, in seconds, lets another host take over.
LEASE_STALE_SECONDS = 60
_CONNECT_SECONDS = 2.0
_NOBODY_THERE = {errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR}


@dataclass(frozen=True)
class Found:
    """A process that answers, and the path of its socket on this host."""

    socket: Path


@dataclass(frozen=True)
class Lease:
    """Who owns the picture; what a client needs of ``lease/<epoch>``."""

    epoch: int
    host: str
    socket: Path
    heartbeat: datetime
    released: bool

    @property
    def held_elsewhere(self) -> bool:
        """Whether another host holds it and said so of late."""
        age = (datetime.now(timezone.utc) - self.heartbeat).total_seconds()
        return self.host != socket.gethostname() and not self.released and age < LEASE_STALE_SECONDS


def read_lease(places: Places) -> Lease | None:
    """The lease with the highest epoch; None where there is none that can be read.

    A file that cannot be understood is no error here: whoever starts next checks the leases and says what is wrong.
    """
    try:
        epochs = [int(file.name) for file in places.leases.iterdir() if file.name.isdecimal()]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise _denied(places.leases) from error
    if not epochs:
        return None
    try:
        data = cast("dict[str, Any]", json.loads((places.leases / str(max(epochs))).read_bytes()))
        return Lease(
            epoch=int(data["epoch"]),
            host=str(data["host"]),
            socket=Path(str(data["socket"])),
            heartbeat=datetime.fromisoformat(str(data["heartbeat"]).replace("Z", "+00:00")),
            released=bool(data["released"]),
        )
    except PermissionError as error:
        raise _denied(places.leases) from error
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def connect_socket(path: Path) -> socket.socket | None:
    """Connects to a socket of this user; None when nobody listens there.

    Raises:
        PilothouseError: ``PERMISSION_DENIED`` when it is another user's, ``UNSAFE_PATH`` when another user answers.
    """
    check_socket_path(path)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_CONNECT_SECONDS)
        connection.connect(str(path))
        # The kernel says who listens, so a socket that somebody else put in the way is not spoken to.
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid = struct.unpack("3i", peer)[1]
    except PermissionError as error:
        connection.close()
        raise _denied(path) from error
    except TimeoutError as error:
        connection.close()
        raise PilothouseError(
            "BRIDGE_UNREACHABLE",
            f"{path} takes no connection within {_CONNECT_SECONDS:.0f} s",
            hint="The machine is overloaded or the process behind it hangs; try again",
        ) from error
    except OSError as error:
        connection.close()
        if error.errno in _NOBODY_THERE:
            return None
        raise PilothouseError("BRIDGE_UNREACHABLE", f"{path} cannot be reached: {error.strerror}") from error
    if uid != os.getuid():
        connection.close()
        raise PilothouseError(
            "UNSAFE_PATH",
            f"{path} is answered by the user with id {uid}",
            hint="Remove it, or set PILOTHOUSE_RUNTIME_DIR to a folder of your own",
        )
    connection.settimeout(None)
    return connection


def open_bridge(places: Places) -> tuple[Path, socket.socket] | None:
    """Connects to the process that serves this user; None when there is none on any host.

    Raises:
        PilothouseError: ``OWNED_ELSEWHERE``, ``PERMISSION_DENIED``, ``UNSAFE_PATH`` or ``BRIDGE_UNREACHABLE``.
    """
    lease = read_lease(places)
    if lease is not None and lease.held_elsewhere:
        if os.environ.get("PILOTHOUSE_TAKE_OVER") == "1":
            return None
        raise PilothouseError(
            "OWNED_ELSEWHERE",
            f"Pilothouse runs for you on {lease.host}",
            hint=f"Work on {lease.host}, stop it there with `pilothouse bridge stop`, "
            "or set PILOTHOUSE_TAKE_OVER=1 to move it here",
        )
    here = lease is not None and lease.host == socket.gethostname() and not lease.released
    for path in [lease.socket, places.socket] if here and lease is not None else [places.socket]:
        connection = connect_socket(path)
        if connection is not None:
            return path, connection
    return None


def find_bridge(places: Places) -> Found | None:
    """Like :func:`open_bridge`, without keeping the connection."""
    opened = open_bridge(places)
    if opened is None:
        return None
    path, connection = opened
    connection.close()
    return Found(path)


def _denied(path: Path) -> PilothouseError:
    return PilothouseError(
        "PERMISSION_DENIED",
        f"permission denied for {path}: it belongs to another user",
        hint="Use your own account, or set PILOTHOUSE_HOME and PILOTHOUSE_RUNTIME_DIR to folders of your own",
    )
