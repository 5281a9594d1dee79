"""Start of a warm worker: `python worker.py SOCKET ID FOLDER VALUES MODULES`, run by the user's interpreter.

SOCKET is where the agent listens, FOLDER the worker's own on the node, VALUES where large results go, and MODULES the
folder that modules are imported from first: the caller's.
"""

import sys

MINIMUM = (3, 9)

if sys.version_info < MINIMUM:
    sys.exit("functions need Python {}.{} or newer; this is {}".format(*MINIMUM, sys.version.split()[0]))

# The package of the worker is found beside this file; the caller's folder takes its place, as it is for a script there.
from pilothouse_worker.worker import main  # noqa: E402

if __name__ == "__main__":
    _, socket_path, worker_id, folder, values, modules = sys.argv
    sys.path[0] = modules
    sys.argv = [""]
    main(socket_path, worker_id, folder, values, modules)
