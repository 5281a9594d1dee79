"""Handles of services, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from .._client import Client
from .._ids import new_id
from .._origin import current_origin
from ..descriptions import chat_options, messages_of
from ..records import LogChunk, Message, ServiceRecord
from ..states import Kind, ServiceState, is_final
from ..units import Duration
from .answer import AsyncAnswer
from .base import AsyncHandle, failure_of, seconds
from .task import Stream


class AsyncService(AsyncHandle[ServiceRecord]):
    """A model service: one or more instances behind one name."""

    kind: ClassVar[Kind] = "service"

    def __init__(self, client: Client, record: ServiceRecord, owner: str) -> None:
        super().__init__(client, record)
        self._owner = owner

    @property
    def state(self) -> ServiceState:
        """As of the last call."""
        return self._record["state"]

    async def ready(self, *, timeout: Duration | None = None) -> None:
        """Waits until it can be called.

        Raises:
            PilothouseError: ``SERVICE_FAILED`` (or what made it fail), ``SERVICE_STOPPED`` or ``TIMEOUT``.
        """
        callable_states = ("READY", "DEGRADED")
        await self._wait(
            lambda record: record["state"] in callable_states or is_final("service", record["state"]),
            timeout,
            "until it is ready",
        )
        if self.state == "FAILED":
            raise failure_of(self._record, "SERVICE_FAILED", f"service {self.name} failed")
        if self.state not in callable_states:
            raise failure_of(self._record, "SERVICE_STOPPED", f"service {self.name} was stopped")

    async def chat(
        self,
        prompt: str | Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        timeout: Duration | None = None,
    ) -> AsyncAnswer:
        """Asks it. Asked before it is ready, the question waits.

        Args:
            prompt: The question, or a conversation: ``[{"role": "user", "content": "…"}]``.
            max_tokens: Most tokens to write; default: the server's.
            temperature: 0 to 2; default: the server's.
            seed: For the same answer again, where the server can.
            timeout: Of the whole answer, waiting included; default 10 minutes.
        """
        options = chat_options(max_tokens=max_tokens, temperature=temperature, seed=seed, timeout=timeout)
        data: dict[str, Any] = {
            "service": self.id,
            "messages": messages_of(prompt),
            "options": options,
            "origin": current_origin(self._owner),
            "key": new_id("key"),
        }
        return AsyncAnswer(self._client, await self._client.call("answers/chat", data), self._owner)

    async def log(
        self,
        stream: Stream = "stdout",
        *,
        instance: int = 1,
        offset: int = 0,
        limit: int = 64 * 1024,
        timeout: Duration | None = None,
    ) -> LogChunk:
        """A piece of the output of one instance; bytes, as for tasks."""
        data = {"ref": self.id, "stream": stream, "offset": offset, "limit": limit, "instance": instance}
        return cast("LogChunk", await self._client.call("services/log", data, timeout=seconds(timeout)))

    async def probe(self, *, timeout: Duration | None = None) -> None:
        """Probes every instance now."""
        self._record = await self._call("probe", timeout=timeout)

    async def stop(self, *, timeout: Duration | None = None) -> None:
        """Stops it; an attached service is only let go."""
        self._record = await self._call("stop", timeout=timeout)
