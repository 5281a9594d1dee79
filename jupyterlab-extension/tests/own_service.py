"""A service of one's own, as tests start it: ``python own_service.py``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.serving import Service, current_call, method


@dataclass
class Fit:
    """What comes out of ``fit``."""

    ec50: float
    hill: float


class DoseResponse(Service):
    """Everything that a service can be."""

    version = "1.2"
    concurrency = 2
    queue = 4

    def __init__(self) -> None:
        self.canceled = 0

    async def fit(self, dose: list[float], response: list[float], model: Literal["hill", "line"] = "hill") -> Fit:
        """Fits a curve."""
        return Fit(sum(dose), sum(response) if model == "hill" else 1)

    async def echo(self, value: Any, /) -> Any:
        """Gives back what came."""
        return value

    async def wait(self) -> str:
        """Waits until nobody waits for it."""
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.canceled += 1
            raise
        return "waited"

    def wait_in_thread(self) -> str:
        """As :meth:`wait`, in a thread."""
        while not current_call().canceled:
            time.sleep(0.005)
        self.canceled += 1
        return "canceled"

    async def canceled_calls(self) -> int:
        """How many have been canceled."""
        return self.canceled

    async def count(self, until: int) -> AsyncIterator[int]:
        """Counts in pieces."""
        for number in range(until):
            yield number

    def count_in_thread(self, until: int) -> Iterator[int]:
        """As :meth:`count`, in a thread."""
        yield from range(until)

    @method(batch=4, window=600)
    def many(self, inputs: list[int]) -> list[list[int] | Exception]:
        """Several at once."""
        return [ValueError("negative") if one < 0 else [one, len(inputs)] for one in inputs]

    def fail(self) -> None:
        """Raises."""
        raise ValueError("bad dose")

    async def health(self) -> str:
        """Says how it is."""
        return "model loaded"


if __name__ == "__main__":
    DoseResponse().serve()
