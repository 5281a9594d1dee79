"""Where Pilothouse keeps its files for this user."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import PilothouseError

#: What fits into a Unix socket address on Linux, without the closing zero byte.
MAX_SOCKET_PATH = 107


@dataclass(frozen=True)
class Places:
    """The folders of one user: durable state, and what belongs to this host alone."""

    home: Path
    runtime: Path
    launcher: Path

    @classmethod
    def of(cls, env: Mapping[str, str] | None = None) -> Places:
        """Reads them from the environment.

        ``PILOTHOUSE_HOME`` (default ``~/.pilothouse``), ``PILOTHOUSE_RUNTIME_DIR`` (default
        ``/tmp/pilothouse-<uid>``) and ``PILOTHOUSE_LAUNCHER`` (default ``launcher.json`` in the former).
        """
        env = os.environ if env is None else env
        home = Path(env.get("PILOTHOUSE_HOME") or Path.home() / ".pilothouse").absolute()
        runtime = Path(env.get("PILOTHOUSE_RUNTIME_DIR") or f"/tmp/pilothouse-{os.getuid()}").absolute()
        launcher = Path(env.get("PILOTHOUSE_LAUNCHER") or home / "launcher.json").absolute()
        return cls(home, runtime, launcher)

    @property
    def socket(self) -> Path:
        """Where the socket is unless the lease names another path."""
        return self.runtime / "bridge.sock"

    @property
    def log(self) -> Path:
        return self.runtime / "bridge.log"

    @property
    def leases(self) -> Path:
        return self.home / "lease"

    def make_runtime(self) -> None:
        """Makes the runtime folder, or checks the one that is there.

        Raises:
            PilothouseError: ``UNSAFE_PATH`` when somebody else could have put it there or can look into it.
        """
        try:
            self.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise _unsafe(self.runtime, "is not a folder") from error
        except OSError as error:
            raise _unsafe(self.runtime, f"cannot be made ({error.strerror})") from error
        info = self.runtime.lstat()
        if stat.S_ISLNK(info.st_mode):
            raise _unsafe(self.runtime, "is a symbolic link")
        if info.st_uid != os.getuid():
            raise _unsafe(self.runtime, f"belongs to the user with id {info.st_uid}")
        if stat.S_IMODE(info.st_mode) & 0o077:
            raise _unsafe(self.runtime, f"is open to others (mode {stat.S_IMODE(info.st_mode):04o})")


def check_socket_path(path: Path) -> None:
    """Raises ``UNSAFE_PATH`` when the path is longer than a Unix socket address can hold."""
    length = len(os.fsencode(path))
    if length > MAX_SOCKET_PATH:
        raise PilothouseError(
            "UNSAFE_PATH",
            f"the socket path {path} has {length} bytes; at most {MAX_SOCKET_PATH} fit",
            hint="Set PILOTHOUSE_RUNTIME_DIR to a shorter path",
        )


def _unsafe(path: Path, what: str) -> PilothouseError:
    return PilothouseError(
        "UNSAFE_PATH",
        f"the runtime folder {path} {what}",
        hint="Remove it, or set PILOTHOUSE_RUNTIME_DIR to a folder of your own",
    )
