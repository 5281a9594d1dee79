"""Handles of model services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ._background import run
from ._fields import takes
from .aio.answer import AnswerResult
from .aio.batch import Inputs, MapOptions
from .aio.service import AsyncService, HttpMethod
from .aio.task import Stream
from .answer import Answer
from .batch import Batch
from .handle import Handle
from .questions import AskOptions, Prompt, ReplyOptions, TensorLike
from .records import LogChunk
from .service_fields import Instances
from .service_records import RestReply, ServiceRecord, ServiceStatistics, Tensor
from .states import ServiceState
from .units import Duration

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .direct import DirectClient


class Service(Handle[AsyncService]):
    """A model service: one or more instances behind one name.

    Every request returns at once with an :class:`Answer`; asked before the service is ready, it waits. What any
    request may be given: ``timeout`` of the whole answer, waiting included (default 10 minutes), ``priority`` (higher
    goes first where requests wait), ``session`` (one instance for all of it, where the policy is
    ``session-affinity``), ``instance`` (number of the one to ask), ``attempt_timeout`` and ``hedge_after`` as in the
    service's routing, and ``extra`` (parameters that are passed on as they are).
    """

    @property
    def record(self) -> ServiceRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> ServiceState:
        """As of now."""
        return self.record["state"]

    def ready(self, *, timeout: Duration | None = None) -> None:
        """Waits until it can be called.

        Raises:
            PilothouseError: ``SERVICE_FAILED`` (or what made it fail), ``SERVICE_STOPPED`` or ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the service goes on.
        """
        self._wait(self._async.ready(timeout=timeout))

    @takes(AskOptions)
    def chat(self, prompt: Prompt, **options: Unpack[AskOptions]) -> Answer[AnswerResult]:
        """Asks a model.

        Args:
            prompt: The question; its parts, ``[{"text": "How many nuclei?"}, {"image": "data/A01.png"}]``; or a
                conversation, ``[{"role": "user", "content": "…"}]``. An image is a path on the side of the service,
                which reads it; it must lie within the folders that it may read.
            options: ``max_tokens``, ``temperature`` (0 to 2), ``top_p``, ``seed``, ``stop`` (texts to stop at), and
                what any request may be given.

        Raises:
            PilothouseError: ``SERVICE_FAILED``, ``SERVICE_STOPPED``, ``QUEUE_FULL`` (see ``retry_after``),
                ``INVALID_DESCRIPTION``, ``UNSUPPORTED_REQUEST``.

        Example:
            ``for chunk in llm.chat("Name a star.", max_tokens=20): print(chunk["text"], end="")``
        """
        return Answer(run(self._async.chat(prompt, **options)))

    @takes(AskOptions)
    def complete(self, prompt: str, **options: Unpack[AskOptions]) -> Answer[AnswerResult]:
        """Text that goes on from a prompt; options and errors as for :meth:`chat`.

        Example:
            ``llm.complete("DNA repair is", max_tokens=20).result().text``
        """
        return Answer(run(self._async.complete(prompt, **options)))

    @takes(ReplyOptions)
    def embed(self, texts: str | Iterable[str], **options: Unpack[ReplyOptions]) -> Answer[list[list[float]]]:
        """One vector per text.

        Example:
            ``first, second = embedder.embed(["DNA repair", "double strand break"]).result()``
        """
        return Answer(run(self._async.embed(texts, **options)))

    @takes(ReplyOptions)
    def infer(
        self,
        inputs: Mapping[str, TensorLike] | Iterable[Tensor],
        *,
        outputs: Iterable[str] | None = None,
        stream: bool = False,
        **options: Unpack[ReplyOptions],
    ) -> Answer[list[Tensor]]:
        """Tensors in, tensors out: Open Inference Protocol v2.

        Args:
            inputs: By name, NumPy arrays or lists within lists (whole numbers become INT64, others FP64); or tensors as
                the protocol has them, ``[{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]``.
            outputs: Names of those wanted; default: all.
            stream: Take the answer in pieces: ``chunk["data"]``.
            options: What any request may be given.

        Example:
            ``model.infer({"x": np.zeros((1, 4), "float32")}).result()[0]["data"]``
        """
        return Answer(run(self._async.infer(inputs, outputs=outputs, stream=stream, **options)))

    @takes(ReplyOptions)
    def call(
        self, method: str, input: Any = None, *, stream: bool | None = None, **options: Unpack[ReplyOptions]
    ) -> Answer[Any]:
        """A method of a service of one's own.

        Args:
            method: Its name; ``"call"`` where the service has but one.
            input: A JSON value.
            stream: Take the answer in pieces: ``chunk["data"]``; default: where the method is known to answer so.
            options: What any request may be given.

        Raises:
            PilothouseError: ``METHOD_NOT_FOUND``; waiting for the result: ``INVALID_DESCRIPTION`` for an input that the
                method refuses, ``FUNCTION_RAISED`` for what it raised.

        Example:
            ``fit.call("call", {"dose": [1, 2], "response": [3, 4]}).result()["ec50"]``
        """
        return Answer(run(self._async.call(method, input, stream=stream, **options)))

    @takes(ReplyOptions)
    def rest(
        self, path: str, *, method: HttpMethod = "POST", body: Any = None, **options: Unpack[ReplyOptions]
    ) -> Answer[RestReply]:
        """A plain HTTP request to it.

        Args:
            path: Of the service's own API, such as ``"/predict"``.
            method: Of HTTP.
            body: Sent as JSON.
            options: What any request may be given.

        Example:
            ``llm.rest("/predict", body={"x": 1}).result()["body"]``
        """
        return Answer(run(self._async.rest(path, method=method, body=body, **options)))

    @takes(MapOptions)
    def map(self, inputs: Inputs, **options: Unpack[MapOptions]) -> Batch:
        """Asks it for each input, as one thing that runs on without this program.

        The same call again does only what is missing.

        Args:
            inputs: A list, or the path of a file: JSON Lines, or with ``.txt`` one prompt a line. Each input is a
                text, or an object with ``prompt`` or ``messages`` (chat, complete), ``input`` (embed), ``inputs``
                (infer) or anything (call).
            options: ``out`` (file of the rows that come out, JSON Lines), ``key`` (field that tells inputs apart),
                ``name``, ``op`` (``"chat"``, ``"complete"``, ``"embed"``, ``"infer"``, ``"call"``, ``"openai"``),
                ``method`` (of a call), ``on_error`` (``"keep"`` or ``"stop"``), ``tries``, ``concurrency``, ``pilot``,
                and what each request may be given: ``max_tokens``, ``temperature``, ``top_p``, ``seed``, ``stop``,
                ``timeout``, ``priority``, ``extra``.

        Raises:
            PilothouseError: ``INVALID_DESCRIPTION``, ``DATA_NOT_FOUND``, ``PILOT_NOT_FOUND``.

        Example:
            ``batch = llm.map("prompts.jsonl", out="answers.jsonl", key="id", max_tokens=200)``
        """
        return Batch(run(self._async.map(inputs, **options)))

    def direct(self) -> DirectClient:
        """Calls of a ZeroMQ service on this host straight at its instances: the shortest way there is.

        What is called so is kept nowhere. Close it, or use it as a context.

        Raises:
            PilothouseError: ``UNSUPPORTED_REQUEST`` for any other service.

        Example:
            ``with fit.direct() as client: client.call("call", {"dose": [1], "response": [2]})``
        """
        # Imported here: ZeroMQ takes memory and threads, and most programs need none of it.
        from .direct import DirectClient

        return DirectClient.to(self)

    def scale(self, instances: Instances) -> None:
        """Another number of instances, or between how many: ``(0, 4)``. Those too many finish what they have."""
        run(self._async.scale(instances))

    def drain(self, instance: int | None = None) -> None:
        """The instance (default: all) takes nothing new and stops when what it has is answered."""
        run(self._async.drain(instance))

    def restart(self, instance: int | None = None) -> None:
        """Starts the instance anew (default: one after the other)."""
        run(self._async.restart(instance))

    def statistics(self, *, step: Duration = "2s", buckets: int = 60) -> ServiceStatistics:
        """Requests over the last time, oldest first; times in milliseconds.

        Args:
            step: Length of a bucket, 1 second to 1 hour.
            buckets: How many, up to 600.
        """
        return run(self._async.statistics(step=step, buckets=buckets))

    def log(self, stream: Stream = "stdout", *, instance: int = 1, offset: int = 0, limit: int = 64 * 1024) -> LogChunk:
        """A piece of the output of one instance; bytes, as for tasks."""
        return run(self._async.log(stream, instance=instance, offset=offset, limit=limit))

    def probe(self) -> None:
        """Probes every instance now."""
        run(self._async.probe())

    def stop(self) -> None:
        """Stops it; an attached service is only let go."""
        run(self._async.stop())
