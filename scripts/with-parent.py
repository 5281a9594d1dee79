"""Runs a command that ends when whoever started it has ended: `with-parent.py COMMAND [ARGUMENT...]`.

Neither JupyterLab nor Deno's kernel watches its parent, so a parent that was killed would leave them behind for ever.
Linux can tell a process that its parent has ended. The wish survives exec, so nothing of this file stays in memory.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("Use: with-parent.py COMMAND [ARGUMENT...]")
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        reason = os.strerror(ctypes.get_errno())
        print(f"{sys.argv[1]} may stay when its parent is killed: {reason}", file=sys.stderr)
    # The parent may have gone before the wish was made; then nothing would ever come to end this process.
    if os.getppid() != parent:
        sys.exit("The parent ended before the command started.")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
