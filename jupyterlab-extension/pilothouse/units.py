"""Lengths of time and amounts of memory as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

Duration = str | int | float | timedelta
"""A length of time: ``"90s"``, ``"2h"``, ``"1h30m"``, ``"500ms"``, a number of seconds, or a ``timedelta``."""

Size = str | int
"""An amount of memory: ``"512MiB"``, ``"16GiB"``, ``"1.5GB"``, or a number of bytes."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def to_seconds(duration: Duration) -> float:
    """Turns a duration into seconds.

    Raises:
        ValueError: The text is not a duration, or the number is negative.

    Example:
        >>> to_seconds("1h30m")
        5400.0
    """
    if isinstance(duration, timedelta):
        duration = duration.total_seconds()
    if isinstance(duration, (int, float)):
        if duration < 0:
            raise ValueError(f"{duration} is not a duration; it is negative")
        return float(duration)
    if _WHOLE.fullmatch(duration) is None:
        raise ValueError(f'"{duration}" is not a duration; write 90s, 30m, 2h or 1h30m')
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(duration))


def wire_duration(duration: Duration) -> str | dict[str, float]:
    """A duration as it travels: text as it was written, everything else in seconds."""
    return duration if isinstance(duration, str) else {"seconds": to_seconds(duration)}


def wire_size(size: Size) -> str:
    """A size as it travels."""
    return size if isinstance(size, str) else f"{size}B"
