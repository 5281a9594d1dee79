"""The answer to one request, while it streams and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from .._client import Client
from .._ids import new_id
from .._origin import current_origin
from .._streams import Chunk, follow_answer
from ..errors import PilothouseError
from ..service_records import AnswerRecord, Timing, Usage
from ..states import Kind, RequestState
from ..units import Duration
from .base import AsyncHandle, failure_of, seconds, waited_too_long

T = TypeVar("T")
"""What an answer comes to."""


@dataclass(frozen=True)
class AnswerResult:
    """What an answer came to.

    Attributes:
        text: All of it.
        usage: Tokens read and written, where the server says.
        timing: Milliseconds, taken once, where the request was routed.
        instance: Number of the instance that answered.
        finish_reason: ``"stop"``, ``"length"`` …
        value: What came back where that is not text.
        model: Name of the model as the server gives it.
        revision: Its revision, where the server says so.
    """

    text: str
    usage: Usage | None
    timing: Timing | None
    instance: int | None
    finish_reason: str | None
    value: Any = None
    model: str | None = None
    revision: str | None = None


def whole(result: AnswerResult) -> AnswerResult:
    """Everything that an answer came to: the result of a request for text."""
    return result


class AsyncAnswer(AsyncHandle[AnswerRecord], Generic[T]):
    """The answer to one request. It goes on without this program until it is final or stopped.

    ``T`` is what it comes to: :class:`AnswerResult` for text, the value itself for everything else.
    """

    kind: ClassVar[Kind] = "answer"

    def __init__(self, client: Client, record: AnswerRecord, owner: str, read: Callable[[AnswerResult], T]) -> None:
        super().__init__(client, record)
        self._owner = owner
        self._read = read

    @property
    def state(self) -> RequestState:
        """As of the last call."""
        return self._record["state"]

    @property
    def timing(self) -> Timing | None:
        """Milliseconds; None until it is final."""
        return self._record["timing"]

    @property
    def usage(self) -> Usage | None:
        """Tokens read and written; None until it is final, or where the server does not say."""
        return self._record["usage"]

    @property
    def instance(self) -> int | None:
        """Number of the instance that answers; None while none has been found."""
        instance = self._record["instance"]
        return None if instance is None else instance["index"]

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

    async def result(self, *, timeout: Duration | None = None) -> T:
        """Waits for the end: text with what belongs to it, or the value that was asked for.

        Raises:
            PilothouseError: what made it fail, ``ANSWER_STOPPED``, ``INVALID_RESULT``, or ``TIMEOUT``.
        """
        if not self.final or self._record["text"] is None:
            try:
                await asyncio.wait_for(self._follow_to_end(), seconds(timeout))
            except asyncio.TimeoutError as error:
                raise waited_too_long(self._record, "for the answer", timeout) from error
            self._record = await self._call("get")
        self._raise_unless_done()
        record = self._record
        return self._read(
            AnswerResult(
                text=record["text"] or "",
                usage=record["usage"],
                timing=record["timing"],
                instance=self.instance,
                finish_reason=record["finishReason"],
                value=record["value"],
                model=record["model"],
                revision=record["revision"],
            )
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

    async def retry(self, *, timeout: Duration | None = None) -> AsyncAnswer[T]:
        """Asks the same again, as a new answer."""
        data: Mapping[str, Any] = {"ref": self.id, "origin": current_origin(self._owner), "key": new_id("key")}
        record = await self._client.call("answers/retry", data, timeout=seconds(timeout))
        return AsyncAnswer(self._client, cast("AnswerRecord", record), self._owner, self._read)
