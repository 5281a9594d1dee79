"""Batches: many requests to one service as one thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from ._background import iterate, run
from .aio.batch import AsyncBatch, AsyncBatches
from .batch_records import BatchProgress, BatchRecord, BatchRow
from .handle import Handle
from .states import BatchState
from .units import Duration


class Batch(Handle[AsyncBatch]):
    """Many requests to one service as one thing.

    It runs beside the service and needs neither kernel nor session. In a notebook it shows itself live: a bar, the
    rate, and when it will be done.
    """

    @property
    def record(self) -> BatchRecord:
        """Everything known, as of now."""
        return run(self._async.refresh())

    @property
    def state(self) -> BatchState:
        """As of now."""
        return self.record["state"]

    @property
    def progress(self) -> BatchProgress:
        """How far it is, as of now: rows answered, failed and under way, rate, when it will be done."""
        return self.record["progress"]

    @property
    def out(self) -> str:
        """Absolute path of the file of rows."""
        return self._async.out

    def rows(self, start: int = 0) -> Iterator[BatchRow]:
        """Every row from number ``start`` on, as it comes out; ends with the batch, whatever its end is.

        Example:
            ``for row in batch.rows(): print(row["key"], row["text"])``
        """
        yield from iterate(self._async.rows(start), self._wait)

    def results(self, *, settled: bool = False, timeout: Duration | None = None) -> list[BatchRow]:
        """Waits for its end and gives all rows.

        Those whose keys are numbers (lines of a list) come in the order of their keys, others as they came out.

        Args:
            settled: Give failed rows among the others, instead of raising.
            timeout: Default: none.

        Raises:
            PilothouseError: ``BATCH_FAILED`` (or what made it fail), ``BATCH_CANCELED``, ``TIMEOUT``.
            KeyboardInterrupt: The waiting was interrupted; the batch goes on.
        """
        return self._wait(self._async.results(settled=settled, timeout=timeout))

    def to_pandas(self, *, wait: bool = True, timeout: Duration | None = None) -> Any:
        """Gives a ``pandas.DataFrame`` with one row per input, by its key.

        Its columns are text, value, error, prompt_tokens, completion_tokens, instance, total (milliseconds) and model.

        Args:
            wait: For the end; False gives what there is.
            timeout: Of the waiting; default: none.

        Raises:
            ImportError: pandas is not installed in this environment.
        """
        try:
            pandas = import_module("pandas")
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: install it into this notebook's environment") from error
        if wait:
            rows = self.results(settled=True, timeout=timeout)
        else:
            # The end of what there is at this moment: a batch that runs has no other.
            so_far = self.progress
            count = so_far["done"] + so_far["failed"]
            rows = [row for row, _ in zip(self.rows(), range(count), strict=False)] if count else []
        return pandas.DataFrame([_row(row) for row in rows], columns=["key", *_COLUMNS]).set_index("key")

    def cancel(self) -> None:
        """Ends it; rows that have come out stay, and the same call again does the rest."""
        run(self._async.cancel())


_COLUMNS = ("text", "value", "error", "prompt_tokens", "completion_tokens", "instance", "total", "model")


def _row(row: BatchRow) -> dict[str, Any]:
    error, usage = row["error"], row["usage"] or {}
    return {
        "key": row["key"],
        "text": row["text"],
        "value": row["value"],
        "error": None if error is None else f"{error['code']}: {error['message']}",
        "prompt_tokens": usage.get("promptTokens"),
        "completion_tokens": usage.get("completionTokens"),
        "instance": row["instance"],
        "total": row["total"],
        "model": row["model"],
    }


class Batches:
    """Batches: many requests to one service as one thing. :meth:`pilothouse.Service.map` starts them."""

    def __init__(self, calls: AsyncBatches) -> None:
        self._async = calls

    def get(self, ref: str) -> Batch:
        """By id or name; ``BATCH_NOT_FOUND``."""
        return Batch(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Sequence[Batch]:
        """The live ones; with ``all``, those that have ended too."""
        return [Batch(batch) for batch in run(self._async.list(all=all))]
