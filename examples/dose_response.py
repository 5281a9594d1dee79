"""A service of one's own in Python: fits a Hill curve, as ``dose-response.ts`` does.

Start it by hand with ``python dose_response.py``, or let Pilothouse start it: docs/guide/own-service.md says how.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from statistics import fmean

from pilothouse.serving import Service, current_call


@dataclass
class Fit:
    """The curve: response = 1 / (1 + (ec50 / dose) ** hill)."""

    ec50: float
    hill: float


@dataclass
class Point:
    """One point of a curve."""

    dose: float
    response: float


class DoseResponse(Service):
    """Its name for callers is ``dose-response``."""

    concurrency = 4

    def fit(self, dose: list[float], response: list[float]) -> Fit:
        """Least squares of the logit of the response over the logarithm of the dose: a straight line there."""
        x = [log(one) for one in dose]
        y = [log(one / (1 - one)) for one in response]
        mean_x, mean_y = fmean(x), fmean(y)
        hill = fmean((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / fmean(
            (a - mean_x) ** 2 for a in x
        )
        return Fit(exp(mean_x - mean_y / hill), hill)

    def curve(self, ec50: float, hill: float, points: int = 50) -> Iterator[Point]:
        """The curve, one point after the other."""
        for point in range(1, points + 1):
            current_call().raise_if_canceled()
            dose = ec50 * 2 * point / points
            yield Point(dose, 1 / (1 + (ec50 / dose) ** hill))


if __name__ == "__main__":
    DoseResponse().serve()
