"""Where the handlers are put into a Jupyter server."""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join

from .gateway import GatewayHandler
from .handlers import StartHandler, StatusHandler
from .relay import RelayHandler
from .supply import Supply


def add_handlers(app: ServerApp) -> None:
    """Adds ``pilothouse/ws``, ``status``, ``start`` and ``v1/…`` under the server's base URL."""
    web_app = app.web_app
    base = web_app.settings["base_url"]
    shared = {"supply": Supply()}
    web_app.add_handlers(
        ".*$",
        [
            (url_path_join(base, "pilothouse", "ws"), RelayHandler, shared),
            (url_path_join(base, "pilothouse", "status"), StatusHandler, shared),
            (url_path_join(base, "pilothouse", "start"), StartHandler, shared),
            (url_path_join(base, "pilothouse", "v1") + "/(.+)", GatewayHandler, shared),
        ],
    )
    app.log.info("Pilothouse is at %s", url_path_join(base, "pilothouse"))
