"""Orders of the agent that wait to be carried out."""

from __future__ import annotations

from collections import deque
from typing import Any

from .spawning import Order, environment

Waiting = tuple[str, str, Order, int | None]
"""Id, mark, order, memory."""


class Orders:
    def __init__(self, umask: int) -> None:
        self._umask = umask
        self._waiting: deque[dict[str, Any]] = deque()
        self._environments: dict[int, list[bytes]] = {}
        """What many orders share, by the key that the agent gave it."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def clear(self) -> None:
        self._waiting.clear()
        self._environments.clear()

    def learn(self, key: int, variables: dict[str, str] | None) -> None:
        """Takes an environment that orders will refer to; None: it is no longer needed."""
        if variables is None:
            self._environments.pop(key, None)
        else:
            self._environments[key] = environment(variables)

    def take(self, orders: list[dict[str, Any]]) -> None:
        self._waiting.extend(orders)

    def next(self) -> Waiting | None:
        """The one that has waited longest. Raises KeyError, TypeError for what is no order."""
        if not self._waiting:
            return None
        order = self._waiting.popleft()
        env = environment(order["env"])
        if "base" in order:
            env = self._environments[order["base"]] + env
        started_from = Order(
            order["path"],
            order["argv"],
            env,
            order["cwd"],
            order["stdout"],
            order["stderr"],
            order["cpus"],
            self._umask,
        )
        return order["id"], order["mark"], started_from, order.get("memory")
