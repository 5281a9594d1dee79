"""Keywords that several methods take alike, named once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def takes(*groups: type) -> Callable[[F], F]:
    """Lets a method with ``**fields`` say which these are, so that a notebook can complete them.

    Args:
        groups: The ``TypedDict`` classes that name them.
    """

    def tell(method: F) -> F:
        signature = inspect.signature(method)
        own = [item for item in signature.parameters.values() if item.kind is not inspect.Parameter.VAR_KEYWORD]
        taken = {item.name for item in own}
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for group in groups
            for name, annotation in group.__annotations__.items()
            if name not in taken
        ]
        method.__signature__ = signature.replace(parameters=[*own, *added])
        return method

    return tell
