"""How an error looks in a notebook: the reader's own lines, then the sentence."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

_PACKAGE = __name__.partition(".")[0]


def readers_lines(error: BaseException) -> list[str]:
    """The traceback down to the call into this package, whose own frames would bury what to do."""
    own = _until_here(error.__traceback__)
    # Only IPython asks for it; a plain interpreter has not loaded it and need not.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return traceback.format_exception(type(error), error, own)
    shown: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, own)
    return shown


def _until_here(trace: TracebackType | None) -> TracebackType | None:
    """A copy, so that a debugger still finds every frame."""
    if trace is None or trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        return None
    return TracebackType(_until_here(trace.tb_next), trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
