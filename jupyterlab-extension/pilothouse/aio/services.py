"""Services, answers and credentials, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..descriptions import Params, Ref, given, service_description
from ..records import AnswerRecord, CredentialReport, ServiceRecord, Template
from ..units import Duration
from .answer import AsyncAnswer
from .part import Part
from .service import AsyncService


class AsyncServices(Part):
    """Model services: started from a template or a command, or attached."""

    async def start(
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
    ) -> AsyncService:
        """Always a new one of a template, or with ``command`` of that name; the fields are those of :meth:`ensure`."""
        described = service_description(
            name=(name or what) if command is not None else name,
            template=None if command is not None else what,
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
        )
        return self._handle(await self._submit("services/start", timeout, description=described))

    async def ensure(
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
    ) -> AsyncService:
        """The live one of that name, else a new one; see :meth:`pilothouse.session.Services.ensure`."""
        described = service_description(
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
        )
        return self._handle(await self._submit("services/ensure", timeout, name=name, description=described))

    async def attach(
        self,
        url: str,
        *,
        name: str | None = None,
        credential: str | None = None,
        model: str | None = None,
        allow_unauthenticated: bool = False,
        timeout: Duration | None = None,
    ) -> AsyncService:
        """Checks a server that runs already, then keeps it; see :meth:`pilothouse.session.Services.attach`."""
        described = given(
            url=url,
            name=name,
            credential=credential,
            model=model,
            allowUnauthenticated=allow_unauthenticated or None,
        )
        return self._handle(await self._submit("services/attach", timeout, description=described))

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncService:
        """By id or name; ``SERVICE_NOT_FOUND``."""
        return self._handle(await self._ask("services/get", timeout, ref=ref))

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncService]:
        """The live ones; with ``all``, those that have ended too."""
        return [self._handle(record) for record in await self._ask("services/list", timeout, all=all)]

    async def templates(self, *, timeout: Duration | None = None) -> Sequence[Template]:
        """Ready-made services, and why one is not available here."""
        return cast("list[Template]", await self._ask("services/templates", timeout))

    def _handle(self, record: Any) -> AsyncService:
        return AsyncService(self._client, cast("ServiceRecord", record), self._owner)


class AsyncAnswers(Part):
    """Answers that are kept: still streaming, or of late."""

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncAnswer:
        """By id or name; ``ANSWER_NOT_FOUND``."""
        return self._handle(await self._ask("answers/get", timeout, ref=ref))

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncAnswer]:
        """Those that stream; with ``all``, those that have ended too."""
        return [self._handle(record) for record in await self._ask("answers/list", timeout, all=all)]

    def _handle(self, record: Any) -> AsyncAnswer:
        return AsyncAnswer(self._client, cast("AnswerRecord", record), self._owner)


class AsyncCredentials(Part):
    """Stored secrets. What is put in never comes back out."""

    async def list(self, *, timeout: Duration | None = None) -> Sequence[CredentialReport]:
        """Their names and when they were used."""
        return cast("list[CredentialReport]", await self._ask("credentials/list", timeout))

    async def put(self, name: str, secret: str, *, timeout: Duration | None = None) -> CredentialReport:
        """Stores or replaces one. Read the secret with ``getpass``: what stands in a cell is saved with it."""
        return cast("CredentialReport", await self._ask("credentials/put", timeout, name=name, secret=secret))

    async def remove(self, name: str, *, timeout: Duration | None = None) -> None:
        """Removes one."""
        await self._ask("credentials/remove", timeout, name=name)
