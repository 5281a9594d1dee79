"""What every peer prints at the end: one line of JSON on the standard output that this process started with."""

import json
import os
import sys

_out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.stdout = sys.stderr


def report(**figures: float) -> None:
    """Prints the figures: `tasks_per_s`, `functions_per_s`."""
    print(json.dumps(figures), file=_out, flush=True)
