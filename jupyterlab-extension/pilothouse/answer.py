"""The answer to one request, while it streams and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

from ._background import iterate, run
from ._streams import Chunk
from .aio.answer import AnswerResult, AsyncAnswer, T
from .handle import Handle
from .service_records import AnswerRecord, Timing, Usage
from .states import RequestState, is_final
from .units import Duration

__all__ = ["Answer", "AnswerResult"]


class Answer(Handle[AsyncAnswer[T]], Generic[T]):
    """The answer to one request, while it streams and afterwards.

    As the last line of a cell it shows itself: tokens while they are made, then text and timing. Iterating gives
    chunks; ``print(answer.text)`` gives what is there by now.
    """

    @property
    def record(self) -> AnswerRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> RequestState:
        """As of now."""
        return self.record["state"]

    @property
    def text(self) -> str:
        """All text so far."""
        return run(self._async.text())

    @property
    def value(self) -> T | None:
        """What :meth:`result` gives, once it is there."""
        return run(self._async.result()) if is_final("answer", self.state) else None

    @property
    def timing(self) -> Timing | None:
        """Milliseconds; None until it is final."""
        return self.record["timing"]

    @property
    def usage(self) -> Usage | None:
        """Tokens read and written; None until it is final, or where the server does not say."""
        return self.record["usage"]

    @property
    def instance(self) -> int | None:
        """Number of the instance that answers; None while none has been found."""
        instance = self.record["instance"]
        return None if instance is None else instance["index"]

    def result(self, *, timeout: Duration | None = None) -> T:
        """Waits for the end: text with what belongs to it, or the value that was asked for.

        Args:
            timeout: Of the waiting; default: none.

        Raises:
            PilothouseError: what made it fail, ``ANSWER_STOPPED``, ``INVALID_RESULT``, or ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the answer goes on.
        """
        return self._wait(self._async.result(timeout=timeout))

    def __iter__(self) -> Iterator[Chunk]:
        """Every chunk from the first on, none lost or doubled, also across lost connections.

        Raises:
            PilothouseError: what made it fail, or ``ANSWER_STOPPED``, after the last chunk.
            KeyboardInterrupt: The waiting was interrupted; the answer goes on.
        """
        yield from iterate(self._async.chunks(), self._wait)

    def stop(self) -> None:
        """Stops it, at the server too."""
        run(self._async.stop())

    def retry(self) -> Answer[T]:
        """Asks the same again, as a new answer."""
        return Answer(run(self._async.retry()))
