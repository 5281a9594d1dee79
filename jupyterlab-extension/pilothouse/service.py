"""Handles of model services."""

from __future__ import annotations

from collections.abc import Sequence

from ._background import run
from .aio.service import AsyncService
from .aio.task import Stream
from .answer import Answer
from .handle import Handle
from .records import LogChunk, Message, ServiceRecord
from .states import ServiceState
from .units import Duration


class Service(Handle[AsyncService]):
    """A model service: one or more instances behind one name."""

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

    def chat(
        self,
        prompt: str | Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        timeout: Duration | None = None,
    ) -> Answer:
        """Asks it and returns at once. Asked before it is ready, the question waits.

        Args:
            prompt: The question, or a conversation: ``[{"role": "user", "content": "…"}]``.
            max_tokens: Most tokens to write; default: the server's.
            temperature: 0 to 2; default: the server's.
            seed: For the same answer again, where the server can.
            timeout: Of the whole answer, waiting included; default 10 minutes.

        Raises:
            PilothouseError: ``SERVICE_FAILED``, ``SERVICE_STOPPED``, ``QUEUE_FULL``, ``INVALID_DESCRIPTION``.

        Example:
            ``for chunk in llm.chat("Name a star."): print(chunk["text"], end="")``
        """
        asked = self._async.chat(prompt, max_tokens=max_tokens, temperature=temperature, seed=seed, timeout=timeout)
        return Answer(run(asked))

    def log(self, stream: Stream = "stdout", *, instance: int = 1, offset: int = 0, limit: int = 64 * 1024) -> LogChunk:
        """A piece of the output of one instance; bytes, as for tasks."""
        return run(self._async.log(stream, instance=instance, offset=offset, limit=limit))

    def probe(self) -> None:
        """Probes every instance now."""
        run(self._async.probe())

    def stop(self) -> None:
        """Stops it; an attached service is only let go."""
        run(self._async.stop())
