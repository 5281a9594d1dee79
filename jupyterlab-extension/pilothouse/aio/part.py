"""What the groups of calls of a session have in common."""

from __future__ import annotations

from typing import Any

from .._client import Client
from .._ids import new_id
from .._origin import current_origin
from ..units import Duration
from .base import seconds


class Part:
    """One group of calls of a session."""

    def __init__(self, client: Client, owner: str) -> None:
        self._client = client
        self._owner = owner

    async def _submit(self, path: str, timeout: Duration | None, **data: Any) -> Any:
        """Calls something that makes a thing: with where it comes from, and a key that makes it safe to repeat."""
        submitted = data | {"origin": current_origin(self._owner), "key": new_id("key")}
        return await self._client.call(path, submitted, timeout=seconds(timeout))

    async def _ask(self, path: str, timeout: Duration | None, **data: Any) -> Any:
        return await self._client.call(path, data, timeout=seconds(timeout))
