"""The console script: hands over to the command line that `launcher.json` names."""

from __future__ import annotations

import os
import sys

from ._bridge.places import Places
from ._bridge.starter import read_launcher
from .errors import PilothouseError


def main() -> None:
    """Replaces this process by the command line, with the same arguments; exit code 69 where there is none."""
    try:
        program, *rest = read_launcher(Places.of()).cli
    except PilothouseError as error:
        print(f"pilothouse: {error}", file=sys.stderr)
        sys.exit(os.EX_UNAVAILABLE)
    try:
        os.execv(program, [program, *rest, *sys.argv[1:]])
    except OSError as error:
        print(f"pilothouse: {program} cannot be run: {error.strerror}", file=sys.stderr)
        sys.exit(os.EX_UNAVAILABLE)
