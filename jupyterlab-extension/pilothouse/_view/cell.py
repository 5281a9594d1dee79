"""The cell output that a view is shown in."""

from __future__ import annotations

import contextvars
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

Bundle = Mapping[str, Any]
"""The view, static HTML and text; every update carries all three."""


class Cell:
    """The output of the cell that runs now. Updates may come later and from another thread.

    The kernel keeps in context variables which cell a message belongs to, so they are taken along.
    """

    def __init__(self, publish: Callable[..., None], view_id: str) -> None:
        self._publish = publish
        self._context = contextvars.copy_context()
        self._view_id = view_id

    def show(self, bundle: Bundle) -> None:
        """Shows it under its display id."""
        self._send(bundle, update=False)

    def update(self, bundle: Bundle) -> None:
        """Replaces what is shown."""
        self._send(bundle, update=True)

    def _send(self, bundle: Bundle, *, update: bool) -> None:
        transient = {"display_id": self._view_id}
        self._context.run(self._publish, data=dict(bundle), metadata={}, transient=transient, update=update)


def current_cell(view_id: str) -> Cell | None:
    """The output of the cell that runs now; None outside a notebook's kernel, in a terminal or a script."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    if shell is None or getattr(shell, "kernel", None) is None:
        return None
    return Cell(cast("Callable[..., None]", shell.display_pub.publish), view_id)


def headless() -> bool:
    """Whether nobody can be looking: Jupyter names the notebook in the environment, nbconvert does not."""
    return not os.environ.get("JPY_SESSION_NAME")
