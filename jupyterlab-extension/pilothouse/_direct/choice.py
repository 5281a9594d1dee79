"""Which instance a call goes to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable

from ..errors import PilothouseError
from .targets import Target

_FIRST_EJECTION = 1.0
_LONGEST_EJECTION = 30.0


class _Seat:
    def __init__(self) -> None:
        self.outstanding = 0
        self.others = 0
        self.ejection = _FIRST_EJECTION
        self.ejected_until = 0.0


class Choice:
    """The less busy of two instances drawn at random, by what they report and what this client has under way there.

    One that cannot be reached is left out for a second, then twice as long each time, as long as there is another.
    """

    def __init__(self, targets: Iterable[Target] = ()) -> None:
        self._lock = threading.Lock()
        self._seats: dict[Target, _Seat] = {}
        self.update(targets)

    @property
    def targets(self) -> list[Target]:
        """The instances that take calls now."""
        return list(self._seats)

    def update(self, targets: Iterable[Target]) -> None:
        """Says which instances take calls now."""
        with self._lock:
            self._seats = {target: self._seats.get(target) or _Seat() for target in targets}

    def acquire(self, tried: set[Target]) -> Target:
        """An instance for one call; give it back with one of the others.

        Raises:
            PilothouseError: ``SERVICE_NOT_READY`` where there is none.
        """
        with self._lock:
            now = time.monotonic()
            seats = [each for each in self._seats.items() if each[0] not in tried] or list(self._seats.items())
            if not seats:
                raise PilothouseError(
                    "SERVICE_NOT_READY", "No instance of the service takes calls.", hint="Wait until it is ready."
                )
            usable = [each for each in seats if each[1].ejected_until <= now] or seats
            target, seat = usable[0]
            if len(usable) > 1:
                drawn = random.sample(usable, 2)
                target, seat = min(drawn, key=lambda each: each[1].outstanding + each[1].others)
            seat.outstanding += 1
            return target

    def has_other(self, tried: set[Target]) -> bool:
        """Whether there is an instance that is not among these."""
        return any(target not in tried for target in self._seats)

    def give_back(self, target: Target, *, reached: bool | None = True) -> None:
        """The call is over; ``reached`` is ``None`` where that says nothing about the instance."""
        with self._lock:
            seat = self._seats.get(target)
            if seat is None:
                return
            seat.outstanding = max(0, seat.outstanding - 1)
            if reached is None:
                return
            if reached:
                seat.ejection, seat.ejected_until = _FIRST_EJECTION, 0.0
            else:
                seat.ejected_until = time.monotonic() + seat.ejection
                seat.ejection = min(seat.ejection * 2, _LONGEST_EJECTION)

    def reported(self, target: Target, total: int) -> None:
        """It said how many calls it has, whoever sent them."""
        seat = self._seats.get(target)
        if seat is not None:
            seat.others = max(0, total - seat.outstanding)
