"""Pilothouse: pilots, model services and streamed answers, from Python and in notebook cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._version import __version__
from .errors import PilothouseError

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["PilothouseError", "__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@pilothouse/jupyterlab"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pilothouse"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    # Imported here: a kernel's environment has the client without jupyter_server.
    from ._server import add_handlers

    add_handlers(app)
