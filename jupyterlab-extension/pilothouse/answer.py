"""The answer to one question, while it streams and afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from ._background import iterate, run
from ._streams import Chunk
from .aio.answer import AnswerResult, AsyncAnswer
from .handle import Handle
from .records import AnswerRecord, Timing
from .states import RequestState
from .units import Duration


class Answer(Handle[AsyncAnswer]):
    """The answer to one question, while it streams and afterwards.

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
    def timing(self) -> Timing | None:
        """Milliseconds; None until it is final."""
        return self.record["timing"]

    def result(self, *, timeout: Duration | None = None) -> AnswerResult:
        """Waits for the end.

        Raises:
            PilothouseError: what made it fail, ``ANSWER_STOPPED``, or ``TIMEOUT``.
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

    def retry(self) -> Answer:
        """Asks the same again, as a new answer."""
        return Answer(run(self._async.retry()))
