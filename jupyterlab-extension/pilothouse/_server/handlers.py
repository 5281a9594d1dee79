"""``<base>/pilothouse/status`` and ``<base>/pilothouse/start``: whether Pilothouse runs, and starting it."""

from __future__ import annotations

from http.client import SERVICE_UNAVAILABLE
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..errors import PilothouseError
from .supply import Supply


class _SupplyHandler(APIHandler):
    def initialize(self, supply: Supply) -> None:
        self.supply = supply

    def answer(self, state: str, error: Any = None) -> None:
        """Ends the request with ``{state, error?}``."""
        self.finish({"state": state} if error is None else {"state": state, "error": error})


class StatusHandler(_SupplyHandler):
    """GET: ``{state: 'running' | 'stopped' | 'failed', error?}``; never starts anything."""

    @web.authenticated
    async def get(self) -> None:
        try:
            running = await self.supply.running()
        except PilothouseError as error:
            self.answer("failed", error.to_data())
            return
        if running:
            self.answer("running")
        elif self.supply.last_failure is not None:
            self.answer("failed", self.supply.last_failure)
        else:
            self.answer("stopped")


class StartHandler(_SupplyHandler):
    """POST: starts Pilothouse where it does not run; 503 with the same form when it cannot."""

    @web.authenticated
    async def post(self) -> None:
        try:
            await self.supply.start()
        except PilothouseError as error:
            self.set_status(SERVICE_UNAVAILABLE)
            self.answer("failed", error.to_data())
            return
        self.answer("running")
