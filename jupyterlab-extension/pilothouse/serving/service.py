"""The base class of services of one's own."""

from __future__ import annotations

import asyncio
import inspect
import re
import signal
from collections.abc import Callable
from typing import Any

import zmq

from ..units import Duration, to_seconds
from ._methods import methods_of
from ._server import Server
from ._settings import Settings, settings_for


class Service:
    """A service of one's own: its public methods can be called from anywhere, in Python and TypeScript.

    What goes in and comes out follows from the type hints: the parameters are the fields of the input (one parameter
    before a ``/`` is the whole input), and what is sent is checked against them. Coroutines run side by side in one
    loop, other methods in threads. A generator answers in pieces.

    Example:
        >>> from pilothouse.serving import Service
        >>> class DoseResponse(Service):
        ...     async def fit(self, dose: list[float], response: list[float]) -> float:
        ...         return sum(response) / sum(dose)
        >>> DoseResponse().name
        'dose-response'
    """

    name: str = ""
    """Default: the class's, in lower case with dashes."""
    version: str = ""
    """Told in a ping."""
    concurrency: int = 16
    """Calls that are handled at a time. A batch counts as one."""
    queue: int = 1024
    """Calls that may wait; beyond it ``QUEUE_FULL``."""
    drain_timeout: Duration = "30s"
    """How long calls under way may take when the service is asked to end."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.__dict__.get("name"):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    async def start(self) -> None:
        """Called before it listens: load models here. It counts as starting until this returns."""

    async def stop(self) -> None:
        """Called when nothing is under way any more."""

    async def health(self) -> bool | str:
        """What a ping is told: ``False`` or an exception is "not healthy", a text says how it is."""
        return True

    def serve(self, *, address: str | None = None) -> None:
        """Serves until the process is told to end (SIGTERM, SIGINT), then drains.

        Args:
            address: ``tcp://127.0.0.1:5555``; default: what Pilothouse says, else a free port of this machine.

        Raises:
            PilothouseError: ``PORT_IN_USE``, ``INVALID_DESCRIPTION``.
        """
        asyncio.run(self.serve_forever(address=address))

    async def serve_forever(
        self, *, address: str | None = None, on_ready: Callable[[Serving], None] | None = None
    ) -> None:
        """As :meth:`serve`, within a loop; ends also when the task is canceled.

        Args:
            address: As in :meth:`serve`.
            on_ready: Called once it listens.
        """
        settings = settings_for(self.name, address)
        methods = methods_of(settings.name, self, Service)
        await self.start()
        context: zmq.Context[Any] = zmq.Context()
        server = Server(
            settings,
            methods,
            concurrency=self.concurrency,
            queue=self.queue,
            version=self.version,
            health=self._health,
        )
        ending = asyncio.Event()
        try:
            listening = server.listen(context)
            _end_on_signals(ending)
            serving = Serving(settings, listening, ending)
            if settings.by_hand:
                print(serving.how_to_attach(), flush=True)
            if on_ready is not None:
                on_ready(serving)
            await ending.wait()
            await server.drain(to_seconds(self.drain_timeout))
        finally:
            server.close()
            context.term()
            await self.stop()

    async def _health(self) -> bool | str:
        said: Any = self.health()
        return await said if inspect.isawaitable(said) else said


class Serving:
    """A service that runs in this process."""

    def __init__(self, settings: Settings, address: str, ending: asyncio.Event) -> None:
        self.name = settings.name
        self.address = address
        """Where it answers, with the port that it got."""
        self.server_key = settings.curve.publicKey
        """Its public CURVE key (Z85)."""
        self.key_file = settings.key_file
        """File that holds the token which callers need."""
        self._ending = ending

    def end(self) -> None:
        """Drains it, then ends it."""
        self._ending.set()

    def how_to_attach(self) -> str:
        """What to do to call it from Pilothouse."""
        key, name = self.server_key, self.name
        return "\n".join(
            [
                f"{name} answers at {self.address}",
                f"Attach it once its token is stored: pilothouse credentials add {name} < {self.key_file}",
                f'  Python:     s.services.attach("{self.address}", server_key="{key}", credential="{name}")',
                f"  TypeScript: await session.services.attach({{ url: '{self.address}', serverKey: '{key}', "
                f"credential: '{name}' }})",
            ]
        )


def serve(service: Service, *, address: str | None = None) -> None:
    """Serves a service until the process is told to end; see :meth:`Service.serve`."""
    service.serve(address=address)


def _end_on_signals(ending: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(each, ending.set)
        except (RuntimeError, ValueError):
            # In a thread of its own: whoever started it ends it.
            return
