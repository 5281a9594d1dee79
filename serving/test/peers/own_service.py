"""A service of one's own for tests; where it listens and what opens it stands in its environment."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pilothouse.serving import Service


class Demo(Service):
    async def scale(self, values: list[float], factor: float) -> list[float]:
        """Multiplies."""
        return [value * factor for value in values]

    async def count(self, upto: int) -> AsyncIterator[int]:
        for number in range(upto):
            yield number

    async def fails(self, why: str) -> None:
        raise ValueError(why)


if __name__ == "__main__":
    Demo().serve()
