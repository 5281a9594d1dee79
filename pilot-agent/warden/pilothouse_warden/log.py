"""What the warden says to people."""

import sys


def log(text: str) -> None:
    print(f"warden: {text}", file=sys.stderr, flush=True)
