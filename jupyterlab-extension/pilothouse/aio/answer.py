"""The answer to one question, while it streams and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from .._client import Client
from .._ids import new_id
from .._origin import current_origin
from .._streams import Chunk, follow_answer
from ..errors import PilothouseError
from ..records import AnswerRecord, Timing, Usage
from ..states import Kind, RequestState
from ..units import Duration
from .base import AsyncHandle, failure_of, seconds, waited_too_long


@dataclass(frozen=True)
class AnswerResult:
    """What an answer came to.

    Attributes:
        text: All of it.
        usage: Tokens read and written, where the server says.
        timing: Milliseconds, taken once, where the request was routed.
        instance: Number of the instance that answered.
        finish_reason: ``"stop"``, ``"length"`` …
    """

    text: str
    usage: Usage | None
    timing: Timing | None
    instance: int | None
    finish_reason: str | None


class AsyncAnswer(AsyncHandle[AnswerRecord]):
    """The answer to one question. It goes on without this program until it is final or stopped."""

    kind: ClassVar[Kind] = "answer"

    def __init__(self, client: Client, record: AnswerRecord, owner: str) -> None:
        super().__init__(client, record)
        self._owner = owner

    @property
    def state(self) -> RequestState:
        """As of the last call."""
        return self._record["state"]

    @property
    def timing(self) -> Timing | None:
        """Milliseconds; None until it is final."""
        return self._record["timing"]

    async def text(self) -> str:
        """All text so far."""
        if not self.final or self._record["text"] is None:
            self._record = await self._call("get")
        return self._record["text"] or ""

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Every chunk from the first on, none lost or doubled, also across lost connections.

        Raises:
            PilothouseError: what made it fail, or ``ANSWER_STOPPED``, after the last chunk.
        """
        return self.chunks()

    async def chunks(self, start: int = 0) -> AsyncGenerator[Chunk, None]:
        """Like iterating, from chunk number ``start`` on."""
        async with aclosing(follow_answer(self._client, self.id, start)) as batches:
            async for batch in batches:
                if batch["answer"] is not None:
                    self._record = batch["answer"]
                for chunk in batch["chunks"]:
                    yield chunk
        self._raise_unless_done()

    async def result(self, *, timeout: Duration | None = None) -> AnswerResult:
        """Waits for the end.

        Raises:
            PilothouseError: what made it fail, ``ANSWER_STOPPED``, or ``TIMEOUT``.
        """
        if not self.final or self._record["text"] is None:
            try:
                await asyncio.wait_for(self._follow_to_end(), seconds(timeout))
            except asyncio.TimeoutError as error:
                raise waited_too_long(self._record, "for the answer", timeout) from error
            self._record = await self._call("get")
        self._raise_unless_done()
        record = self._record
        return AnswerResult(
            text=record["text"] or "",
            usage=record["usage"],
            timing=record["timing"],
            instance=None if record["instance"] is None else record["instance"]["index"],
            finish_reason=record["finishReason"],
        )

    async def _follow_to_end(self) -> None:
        async with aclosing(follow_answer(self._client, self.id, self._record["chunks"])) as batches:
            async for _ in batches:
                pass

    def _raise_unless_done(self) -> None:
        state = self._record["state"]
        if state == "CANCELED":
            raise failure_of(self._record, "ANSWER_STOPPED", f"the answer {self.name} was stopped")
        if state == "FAILED":
            raise failure_of(self._record, "BACKEND_FAILED", f"the answer {self.name} failed")

    async def explain(self, *, timeout: Duration | None = None) -> str:
        """Why it is not further than it is, in words."""
        record = await self.refresh(timeout=timeout)
        if record["error"] is not None:
            return str(PilothouseError.from_data(record["error"]))
        return f"{self.name} is {record['state']}" if record["reason"] is None else record["reason"]["text"]

    async def stop(self, *, timeout: Duration | None = None) -> None:
        """Stops it, at the server too."""
        self._record = await self._call("stop", timeout=timeout)

    async def retry(self, *, timeout: Duration | None = None) -> AsyncAnswer:
        """Asks the same again, as a new answer."""
        data: Mapping[str, Any] = {"ref": self.id, "origin": current_origin(self._owner), "key": new_id("key")}
        record = await self._client.call("answers/retry", data, timeout=seconds(timeout))
        return AsyncAnswer(self._client, cast("AnswerRecord", record), self._owner)
