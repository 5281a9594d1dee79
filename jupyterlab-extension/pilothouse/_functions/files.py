"""Files of the state root that large values travel in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from .._bridge.places import Places
from . import payloads


def keep(name: str, parts: Sequence[Any]) -> str:
    """Writes a file that workers read, and tells its path. One that is there already has the same content."""
    folder = Places.of().home / "values"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        payloads.write_private(str(path), list(parts))
    return str(path)


def keep_arguments(kind: str, parts: Sequence[Any]) -> str:
    """Writes the arguments of one call; the agent removes the file when the call is done."""
    return keep(f"args-{uuid.uuid4().hex}.{kind}", parts)
