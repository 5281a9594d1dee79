"""Finding the process that all clients of one user meet at, and starting it where there is none.

Only the standard library: the Jupyter server loads this too.
"""

from .finder import Found, find_bridge
from .places import Places
from .starter import ensure_bridge

__all__ = ["Found", "Places", "ensure_bridge", "find_bridge"]
