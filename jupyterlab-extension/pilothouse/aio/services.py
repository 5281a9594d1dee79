"""Services, answers and credentials, for ``async`` programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .._fields import takes
from ..descriptions import Ref, given, ref_of
from ..service_fields import Api, ServiceFields, service_description, worded
from ..service_records import AnswerRecord, CredentialReport, Detection, ServicePreview, ServiceRecord, Template
from ..states import RequestState
from ..units import Duration
from .answer import AnswerResult, AsyncAnswer, whole
from .part import Part
from .service import AsyncService

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AsyncServices(Part):
    """Model services: started from a template or a command, or attached."""

    @takes(ServiceFields)
    async def start(
        self,
        what: str | None = None,
        *,
        name: str | None = None,
        timeout: Duration | None = None,
        **fields: Unpack[ServiceFields],
    ) -> AsyncService:
        """Always a new one of a template, or with ``command`` of that name; the fields are those of :meth:`ensure`."""
        described = _described(what, name, fields)
        return self._handle(await self._submit("services/start", timeout, description=described))

    @takes(ServiceFields)
    async def ensure(
        self,
        name: str,
        *,
        template: str | None = None,
        timeout: Duration | None = None,
        **fields: Unpack[ServiceFields],
    ) -> AsyncService:
        """The live one of that name, else a new one; see :meth:`pilothouse.services.Services.ensure`."""
        described = service_description(None, template, fields)
        return self._handle(await self._submit("services/ensure", timeout, name=name, description=described))

    @takes(ServiceFields)
    async def preview(
        self,
        what: str | None = None,
        *,
        name: str | None = None,
        timeout: Duration | None = None,
        **fields: Unpack[ServiceFields],
    ) -> ServicePreview:
        """What :meth:`start` would run, and whether weights, memory of the GPUs and context fit. Starts nothing."""
        described = _described(what, name, fields)
        return cast("ServicePreview", await self._ask("services/preview", timeout, description=described))

    async def attach(
        self,
        url: str,
        *,
        name: str | None = None,
        api: Api | None = None,
        credential: str | None = None,
        server_key: str | None = None,
        model: str | None = None,
        routing: Mapping[str, Any] | None = None,
        allow_unauthenticated: bool = False,
        timeout: Duration | None = None,
    ) -> AsyncService:
        """Checks a server that runs already, then keeps it; see :meth:`pilothouse.services.Services.attach`."""
        described = given(
            url=url,
            name=name,
            api=api,
            credential=credential,
            serverKey=server_key,
            model=model,
            routing=worded(routing),
            allowUnauthenticated=allow_unauthenticated or None,
        )
        return self._handle(await self._submit("services/attach", timeout, description=described))

    async def detect(
        self,
        url: str,
        *,
        credential: str | None = None,
        server_key: str | None = None,
        timeout: Duration | None = None,
    ) -> Detection:
        """Which API answers at an address, with which models; see :meth:`pilothouse.services.Services.detect`."""
        described = given(url=url, credential=credential, serverKey=server_key)
        return cast("Detection", await self._ask("services/detect", timeout, description=described))

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


def _described(what: str | None, name: str | None, fields: ServiceFields) -> dict[str, Any]:
    """A command runs under the name given, a template under its own unless one is given."""
    if fields.get("command") is None:
        return service_description(name, what, fields)
    return service_description(name or what, None, fields)


class AsyncAnswers(Part):
    """Answers that are kept: still streaming, or of late."""

    async def get(self, ref: str, *, timeout: Duration | None = None) -> AsyncAnswer[AnswerResult]:
        """By id or name; ``ANSWER_NOT_FOUND``."""
        return self._handle(await self._ask("answers/get", timeout, ref=ref))

    async def list(self, *, all: bool = False, timeout: Duration | None = None) -> Sequence[AsyncAnswer[AnswerResult]]:
        """Those that stream; with ``all``, those that have ended too."""
        return [self._handle(record) for record in await self._ask("answers/list", timeout, all=all)]

    async def search(
        self,
        text: str = "",
        *,
        service: Ref | None = None,
        state: RequestState | Iterable[RequestState] | None = None,
        skip: int = 0,
        limit: int = 50,
        timeout: Duration | None = None,
    ) -> Sequence[AsyncAnswer[AnswerResult]]:
        """Kept answers by what was asked or said; see :meth:`pilothouse.services.Answers.search`."""
        states = [state] if isinstance(state, str) else None if state is None else [*state]
        of = None if service is None else ref_of(service)
        wanted = given(text=text, service=of, states=states, skip=skip, limit=limit)
        found = await self._ask("answers/search", timeout, **wanted)
        return [self._handle(record) for record in found["answers"]]

    def _handle(self, record: Any) -> AsyncAnswer[AnswerResult]:
        return AsyncAnswer(self._client, cast("AnswerRecord", record), self._owner, whole)


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
