"""Where a call comes from: it travels with each submit, so that nothing about this process is kept anywhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TypedDict

_TASK_SEES = ("PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "PYTHONPATH")


class Origin(TypedDict):
    """Whose a thing is, and what its tasks see of the caller."""

    name: str
    kind: str
    cwd: str
    env: dict[str, str]


def session_name() -> str:
    """The notebook's path in Jupyter, the script's path in a script, else ``python``."""
    notebook = os.environ.get("JPY_SESSION_NAME")
    if notebook:
        return notebook
    script = sys.argv[0] if sys.argv else ""
    return str(Path(script).resolve()) if script not in ("", "-c", "-m") and Path(script).exists() else "python"


def current_origin(name: str) -> Origin:
    """Taken anew for each submit: a notebook may have changed its folder or its PATH."""
    env = {key: os.environ[key] for key in _TASK_SEES if key in os.environ}
    return {"name": name, "kind": "python", "cwd": str(Path.cwd()), "env": env}
