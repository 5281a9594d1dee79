"""Handles of services, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from .._client import Client
from .._fields import takes
from .._ids import new_id
from .._origin import current_origin
from ..descriptions import given
from ..questions import (
    AskOptions,
    Prompt,
    ReplyOptions,
    TensorLike,
    messages_of,
    options_of,
    path_of,
    tensors_of,
    texts_of,
)
from ..records import LogChunk
from ..service_fields import Instances, instances_of
from ..service_records import RestReply, ServiceRecord, ServiceStatistics, Tensor
from ..states import Kind, ServiceState, is_final
from ..units import Duration, to_seconds
from . import readings
from .answer import AnswerResult, AsyncAnswer, whole
from .base import AsyncHandle, failure_of, seconds
from .batch import AsyncBatch, Inputs, MapOptions, start_batch
from .task import Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..direct import AsyncDirectClient

T = TypeVar("T")
HttpMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


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

    @takes(AskOptions)
    async def chat(self, prompt: Prompt, **options: Unpack[AskOptions]) -> AsyncAnswer[AnswerResult]:
        """Asks a model; see :meth:`pilothouse.Service.chat`."""
        return await self._question({"op": "chat", "messages": messages_of(prompt)}, options, whole)

    @takes(AskOptions)
    async def complete(self, prompt: str, **options: Unpack[AskOptions]) -> AsyncAnswer[AnswerResult]:
        """Text that goes on from a prompt; see :meth:`pilothouse.Service.complete`."""
        return await self._question({"op": "complete", "prompt": prompt}, options, whole)

    @takes(ReplyOptions)
    async def embed(
        self, texts: str | Iterable[str], **options: Unpack[ReplyOptions]
    ) -> AsyncAnswer[list[list[float]]]:
        """One vector per text; see :meth:`pilothouse.Service.embed`."""
        return await self._question({"op": "embed", "input": texts_of(texts)}, options, readings.vectors_of)

    @takes(ReplyOptions)
    async def infer(
        self,
        inputs: Mapping[str, TensorLike] | Iterable[Tensor],
        *,
        outputs: Iterable[str] | None = None,
        stream: bool = False,
        **options: Unpack[ReplyOptions],
    ) -> AsyncAnswer[list[Tensor]]:
        """Tensors in, tensors out; see :meth:`pilothouse.Service.infer`."""
        wanted = None if outputs is None else list(outputs)
        request = given(op="infer", inputs=tensors_of(inputs), outputs=wanted, stream=stream)
        return await self._question(request, options, readings.tensors_from)

    @takes(ReplyOptions)
    async def call(
        self, method: str, input: Any = None, *, stream: bool | None = None, **options: Unpack[ReplyOptions]
    ) -> AsyncAnswer[Any]:
        """A method of a service of one's own; see :meth:`pilothouse.Service.call`."""
        pieces = self._streams(method) if stream is None else stream
        request = {"op": "call", "method": method, "input": input, "stream": pieces}
        return await self._question(request, options, readings.value_of)

    @takes(ReplyOptions)
    async def rest(
        self, path: str, *, method: HttpMethod = "POST", body: Any = None, **options: Unpack[ReplyOptions]
    ) -> AsyncAnswer[RestReply]:
        """A plain HTTP request to it; see :meth:`pilothouse.Service.rest`."""
        request = given(op="rest", method=method, path=path_of(path), body=body)
        return await self._question(request, options, readings.reply_of)

    @takes(MapOptions)
    async def map(self, inputs: Inputs, **options: Unpack[MapOptions]) -> AsyncBatch:
        """Asks it for each input, as one thing; see :meth:`pilothouse.Service.map`."""
        return await start_batch(self._client, self._owner, self.id, inputs, options)

    def direct(self) -> AsyncDirectClient:
        """Calls of a ZeroMQ service on this host, past Pilothouse; see :meth:`pilothouse.Service.direct`."""
        # Imported here: ZeroMQ takes memory and threads, and most programs need none of it.
        from ..direct import AsyncDirectClient

        return AsyncDirectClient.to(self)

    async def scale(self, instances: Instances, *, timeout: Duration | None = None) -> None:
        """Another number of instances, or between how many: ``(0, 4)``. Those too many finish what they have."""
        await self._change("scale", timeout, instances=instances_of(instances))

    async def drain(self, instance: int | None = None, *, timeout: Duration | None = None) -> None:
        """The instance (default: all) takes nothing new and stops when what it has is answered."""
        await self._change("drain", timeout, instance=instance)

    async def restart(self, instance: int | None = None, *, timeout: Duration | None = None) -> None:
        """Starts the instance anew (default: one after the other)."""
        await self._change("restart", timeout, instance=instance)

    async def statistics(
        self, *, step: Duration = "2s", buckets: int = 60, timeout: Duration | None = None
    ) -> ServiceStatistics:
        """Requests over the last time; see :meth:`pilothouse.Service.statistics`."""
        data = {"ref": self.id, "step": to_seconds(step), "buckets": buckets}
        found = await self._client.call("services/statistics", data, timeout=seconds(timeout))
        return cast("ServiceStatistics", found)

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

    def _streams(self, method: str) -> bool:
        """Whether that method is known to answer in pieces."""
        methods = self._record["methods"] or []
        return any(one["name"] == method and one["chunk"] is not None for one in methods)

    async def _question(
        self, request: Mapping[str, Any], options: AskOptions | ReplyOptions, read: Callable[[AnswerResult], T]
    ) -> AsyncAnswer[T]:
        data: dict[str, Any] = {
            "service": self.id,
            "request": request,
            "options": options_of(options),
            "origin": current_origin(self._owner),
            "key": new_id("key"),
        }
        return AsyncAnswer(self._client, await self._client.call("answers/ask", data), self._owner, read)

    async def _change(self, procedure: str, timeout: Duration | None, **data: Any) -> None:
        asked = given(ref=self.id, **data)
        found = await self._client.call(f"services/{procedure}", asked, timeout=seconds(timeout))
        self._record = cast("ServiceRecord", found)
