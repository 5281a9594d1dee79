"""Where a service answers and what opens it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import msgspec
import zmq

from ..errors import PilothouseError

_ANY_PORT = "tcp://127.0.0.1:*"


class Curve(msgspec.Struct):
    """A CURVE key pair as it lies in its file."""

    publicKey: str
    secretKey: str


class Settings(NamedTuple):
    """What a service needs to listen."""

    name: str
    address: str
    key_file: Path
    token: str
    curve: Curve
    by_hand: bool
    """Started by hand: its keys are its own."""


def settings_for(name: str, address: str | None) -> Settings:
    """What Pilothouse says in the environment of an instance; by hand, keys of its own, at each start the same.

    Raises:
        PilothouseError: ``INVALID_DESCRIPTION`` where the environment names files that cannot be used.
    """
    at = address or os.environ.get("PILOTHOUSE_SERVICE_ADDRESS", _ANY_PORT)
    key_file, curve_file = (os.environ.get(f"PILOTHOUSE_SERVICE_{what}_FILE") for what in ("KEY", "CURVE"))
    if key_file is not None and curve_file is not None:
        token, curve = _read(Path(key_file), Path(curve_file))
        launched_as = os.environ.get("PILOTHOUSE_SERVICE_NAME", name)
        return Settings(launched_as, at, Path(key_file), token, curve, by_hand=False)
    root = Path(os.environ.get("PILOTHOUSE_HOME") or Path.home() / ".pilothouse")
    folder = root / "own-services" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own_token, own_curve = folder / "token", folder / "curve"
    _make_once(own_token, secrets.token_urlsafe(32).encode())
    public, secret = zmq.curve_keypair()
    _make_once(own_curve, msgspec.json.encode(Curve(public.decode(), secret.decode())))
    return Settings(name, at, own_token, *_read(own_token, own_curve), by_hand=True)


def _read(key_file: Path, curve_file: Path) -> tuple[str, Curve]:
    try:
        token = key_file.read_text().strip()
        curve = msgspec.json.decode(curve_file.read_bytes(), type=Curve)
        if not token:
            raise ValueError(f"{key_file} is empty")
    except (OSError, ValueError) as error:
        raise PilothouseError(
            "INVALID_DESCRIPTION",
            f"The keys of the service cannot be read: {key_file}, {curve_file}: {error}",
            hint="Remove both files, or unset PILOTHOUSE_SERVICE_KEY_FILE and PILOTHOUSE_SERVICE_CURVE_FILE.",
        ) from error
    return token, curve


def _make_once(path: Path, content: bytes) -> None:
    """Two that start at the same moment must not end with half of each other's keys: the first complete file stays."""
    if path.exists():
        return
    written = path.with_name(f"{path.name}.{uuid4()}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        path.hardlink_to(written)
    except FileExistsError:
        pass
    finally:
        written.unlink()
