"""Starts the warden of one pilot: `python3 -I -S -E warden.py PILOT_FOLDER -- AGENT_PROGRAM ARGUMENT ...`.

Python's standard library alone, so that it runs on whatever python3 a node has. See `pilothouse_warden/__init__.py`
for how it works.
"""

import os
import sys

if sys.version_info < (3, 10):  # noqa: UP036  the node's python3 may be older than what we ask for
    sys.exit(f"the warden needs Python 3.10 or newer; {sys.executable} is {sys.version.split()[0]}")

# `-I` keeps the script's own folder off the path, which is right for a program that others start, so it is named here.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pilothouse_warden.main import main

if __name__ == "__main__":
    main(sys.argv[1:])
