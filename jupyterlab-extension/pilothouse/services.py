"""Services, answers and credentials of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._background import run
from .aio.services import AsyncServices
from .aio.session import AsyncSession
from .answer import Answer
from .descriptions import Params, Ref
from .records import CredentialReport, Template
from .service import Service
from .units import Duration


class Services:
    """Model services: started from a template or a command, or attached."""

    def __init__(self, calls: AsyncServices) -> None:
        self._async = calls

    def ensure(
        self,
        name: str,
        *,
        template: str | None = None,
        params: Params | None = None,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        model: str | None = None,
        resources: Mapping[str, Any] | None = None,
        instances: int | None = None,
        ready: str | Mapping[str, Any] | None = None,
        start_timeout: Duration | None = None,
        restarts: int | None = None,
        allow_unauthenticated: bool = False,
        pilot: Ref | None = None,
        timeout: Duration | None = None,
    ) -> Service:
        """The live one of that name, else a new one: running all cells twice never makes a second service.

        Args:
            name: Its name; also the template where neither template nor command is given.
            template: A ready-made service; see :meth:`templates`.
            params: Its parameters.
            command: Instead of a template: program and arguments. ``{port}``, ``{host}``, ``{cores}`` and
                ``{apiKeyFile}`` in it and in ``env`` stand for what the instance gets.
            env: Variables of the instances.
            cwd: Working directory; default: the caller's.
            model: Model name sent with each request; default: the first that the server lists.
            resources: ``{"cores": 2, "gpus": 1, "memory": "8GiB"}`` of each instance.
            instances: Running copies; default 1.
            ready: Path of the readiness probe, or the whole probe; default ``"/health"``.
            start_timeout: How long an instance may take to become ready; default 5 minutes.
            restarts: Automatic restarts before an instance counts as failed; default 3.
            allow_unauthenticated: Start it although it asks for no key: open to users of the node.
            pilot: Where it runs; default: the only live pilot.
            timeout: Of the call; default 30 s. It does not wait until the service is ready.

        Raises:
            PilothouseError: ``TEMPLATE_UNAVAILABLE``, ``DESCRIPTION_CHANGED``, ``INVALID_DESCRIPTION``,
                ``PILOT_NOT_FOUND``.

        Example:
            ``llm = s.services.ensure("smollm2", pilot=pilot)``
        """
        found = self._async.ensure(
            name,
            template=template,
            params=params,
            command=command,
            env=env,
            cwd=cwd,
            model=model,
            resources=resources,
            instances=instances,
            ready=ready,
            start_timeout=start_timeout,
            restarts=restarts,
            allow_unauthenticated=allow_unauthenticated,
            pilot=pilot,
            timeout=timeout,
        )
        return Service(run(found))

    def start(
        self,
        what: str | None = None,
        *,
        name: str | None = None,
        params: Params | None = None,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        model: str | None = None,
        resources: Mapping[str, Any] | None = None,
        instances: int | None = None,
        ready: str | Mapping[str, Any] | None = None,
        start_timeout: Duration | None = None,
        restarts: int | None = None,
        allow_unauthenticated: bool = False,
        pilot: Ref | None = None,
        timeout: Duration | None = None,
    ) -> Service:
        """Always a new one of a template, or with ``command`` of that name; the fields are those of :meth:`ensure`."""
        made = self._async.start(
            what,
            name=name,
            params=params,
            command=command,
            env=env,
            cwd=cwd,
            model=model,
            resources=resources,
            instances=instances,
            ready=ready,
            start_timeout=start_timeout,
            restarts=restarts,
            allow_unauthenticated=allow_unauthenticated,
            pilot=pilot,
            timeout=timeout,
        )
        return Service(run(made))

    def attach(
        self,
        url: str,
        *,
        name: str | None = None,
        credential: str | None = None,
        model: str | None = None,
        allow_unauthenticated: bool = False,
        timeout: Duration | None = None,
    ) -> Service:
        """Checks a server that runs already, then keeps it as a service; stopping it only lets it go.

        Args:
            url: Base URL of an OpenAI-compatible API, ending in ``/v1``.
            name: Default: made from the host.
            credential: Name of a stored credential; the secret itself never travels in a description.
            model: Default: the first that the server lists.
            allow_unauthenticated: Accept a server that asks for no key.
            timeout: Of the call; default 30 s.

        Raises:
            PilothouseError: ``AUTHENTICATION_FAILED``, ``UNAUTHENTICATED_SERVICE``, ``API_NOT_RECOGNISED``,
                ``SERVICE_UNREACHABLE``, ``CREDENTIAL_NOT_FOUND``.

        Example:
            ``remote = s.services.attach("https://r3.example.org/v1", credential="r3")``
        """
        found = self._async.attach(
            url,
            name=name,
            credential=credential,
            model=model,
            allow_unauthenticated=allow_unauthenticated,
            timeout=timeout,
        )
        return Service(run(found))

    def get(self, ref: str) -> Service:
        """By id or name; ``SERVICE_NOT_FOUND``."""
        return Service(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Sequence[Service]:
        """The live ones; with ``all``, those that have ended too."""
        return [Service(service) for service in run(self._async.list(all=all))]

    def templates(self) -> Sequence[Template]:
        """Ready-made services, and why one is not available here."""
        return run(self._async.templates())


class Answers:
    """Answers that are kept: still streaming, or of late."""

    def __init__(self, session: AsyncSession) -> None:
        self._async = session.answers

    def get(self, ref: str) -> Answer:
        """By id or name; ``ANSWER_NOT_FOUND``."""
        return Answer(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Sequence[Answer]:
        """Those that stream; with ``all``, those that have ended too."""
        return [Answer(answer) for answer in run(self._async.list(all=all))]


class Credentials:
    """Stored secrets. What is put in never comes back out."""

    def __init__(self, session: AsyncSession) -> None:
        self._async = session.credentials

    def list(self) -> Sequence[CredentialReport]:
        """Their names and when they were used."""
        return run(self._async.list())

    def put(self, name: str, secret: str) -> CredentialReport:
        """Stores or replaces one. Read the secret with ``getpass``: what stands in a cell is saved with it."""
        return run(self._async.put(name, secret))

    def remove(self, name: str) -> None:
        """Removes one."""
        run(self._async.remove(name))
