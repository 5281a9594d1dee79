"""Limits of the protocol; the same as the TypeScript side has."""

from __future__ import annotations

PROTOCOL = 1
"""Version."""
MAX_HEADER = 64 * 1024
MAX_FRAME = 256 * 1024 * 1024
MAX_BINARIES = 1024
MAX_CALLS = 4096
"""Calls of one connection that are not answered yet."""
MAX_CREDITS = 1024
CREDITS = 64
"""Pieces that may come ahead of their reader."""
HEARTBEAT_MS = 5000
HEARTBEAT_TIMEOUT_MS = 20_000
