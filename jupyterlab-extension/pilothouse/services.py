"""Services, answers and credentials of a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._background import run
from ._fields import takes
from .aio.answer import AnswerResult
from .aio.services import AsyncServices
from .aio.session import AsyncSession
from .answer import Answer
from .descriptions import Ref
from .service import Service
from .service_fields import Api, ServiceFields
from .service_records import CredentialReport, Detection, ServicePreview, Template
from .states import RequestState
from .units import Duration

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Services:
    """Model services: started from a template or a command, or attached."""

    def __init__(self, calls: AsyncServices) -> None:
        self._async = calls

    @takes(ServiceFields)
    def ensure(
        self,
        name: str,
        *,
        template: str | None = None,
        timeout: Duration | None = None,
        **fields: Unpack[ServiceFields],
    ) -> Service:
        """The live one of that name, else a new one: running all cells twice never makes a second service.

        In mappings, keys may be written as in Python (``attempt_timeout``).

        Args:
            name: Its name; also the template where neither template nor command is given.
            template: A ready-made service; see :meth:`templates`.
            timeout: Of the call; default 30 s. It does not wait until the service is ready.
            fields: The service:

                params: Parameters of the template.
                command: Instead of a template: program and arguments. ``{port}``, ``{port:NAME}``, ``{host}``,
                    ``{cores}``, ``{gpus}``, ``{instance}`` and ``{apiKeyFile}`` in it and in ``env`` stand for what the
                    instance gets; ``{apiKey}`` in ``env`` alone.
                env: Variables of the instances.
                environment: One of ``{"conda": name}``, ``{"venv": path}``, ``{"modules": [...]}``, ``{"container":
                    {"image": …}}``.
                setup: Shell lines before the command.
                cwd: Working directory; default: the caller's.
                api: ``"openai"`` (default for a command), ``"ollama"``, ``"open-inference"``, ``"zeromq"``,
                    ``"ru-zmq"``, ``"rest"`` or ``"any"``.
                model: Model name sent with each request; default: the first that the server lists.
                resources: ``{"cores": 2, "gpus": 1, "memory": "8GiB"}`` of each instance.
                instances: Running copies; default 1. ``(1, 4)`` scales between the two by what there is to do,
                    ``(0, 4)`` down to none.
                ports: Names of ports of each instance, or ``{"name": …, "protocol": …}``; the first is called.
                ready: Path of the readiness probe, or the whole probe; default: what fits the API.
                startup, liveness: The other two probes.
                start_timeout: How long an instance may take to become ready; default 5 minutes.
                restarts: Automatic restarts before an instance counts as failed; default 3.
                warm_up: ``{"path": …, "body": …}``: asked before an instance counts as ready.
                routing: ``{"policy": "power-of-two", "concurrency": 8, "queue": 256, …}``.
                lifetime: How long it may be idle before it stops, or ``{"idle": "1h", "until": time}``.
                after: Services that must be ready, and tasks that must be done, before it starts.
                before: Services that start only when this one is ready.
                files: Folders whose files requests may name (images); default: the working directory.
                allow_unauthenticated: Start it although it asks for no key: open to users of the node.
                pilot: Where it runs; default: the only live pilot.

        Raises:
            PilothouseError: ``TEMPLATE_UNAVAILABLE``, ``DESCRIPTION_CHANGED``, ``INVALID_DESCRIPTION``,
                ``PILOT_NOT_FOUND``.

        Example:
            ``llm = s.services.ensure("vllm", params={"model": "/models/m"}, resources={"gpus": 1}, instances=(1, 4))``
        """
        return Service(run(self._async.ensure(name, template=template, timeout=timeout, **fields)))

    @takes(ServiceFields)
    def start(
        self,
        what: str | None = None,
        *,
        name: str | None = None,
        timeout: Duration | None = None,
        **fields: Unpack[ServiceFields],
    ) -> Service:
        """Always a new one of a template, or with ``command`` of that name; the fields are those of :meth:`ensure`."""
        return Service(run(self._async.start(what, name=name, timeout=timeout, **fields)))

    @takes(ServiceFields)
    def preview(
        self,
        what: str | None = None,
        *,
        name: str | None = None,
        timeout: Duration | None = None,
        **fields: Unpack[ServiceFields],
    ) -> ServicePreview:
        """What :meth:`start` would run, and whether weights, memory of the GPUs and context fit. Starts nothing."""
        return run(self._async.preview(what, name=name, timeout=timeout, **fields))

    def attach(
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
    ) -> Service:
        """Checks a server that runs already, then keeps it as a service; stopping it only lets it go.

        Args:
            url: Where it answers: ``http://host:port`` (with or without ``/v1``), or ``tcp://host:port`` for ZeroMQ.
            name: Default: made from the host.
            api: Default: found out by asking; see :meth:`detect`.
            credential: Name of a stored credential; the secret itself never travels in a description.
            server_key: Public CURVE key (40 characters of Z85) of a ZeroMQ service.
            model: Default: the first that the server lists.
            routing: As for :meth:`ensure`.
            allow_unauthenticated: Accept a server that asks for no key.
            timeout: Of the call; default 30 s.

        Raises:
            PilothouseError: ``AUTHENTICATION_FAILED``, ``UNAUTHENTICATED_SERVICE``, ``API_NOT_RECOGNISED``,
                ``SERVICE_UNREACHABLE``, ``CERTIFICATE_REFUSED``, ``CREDENTIAL_NOT_FOUND``.

        Example:
            ``remote = s.services.attach("https://r3.example.org/v1", credential="r3")``
        """
        found = self._async.attach(
            url,
            name=name,
            api=api,
            credential=credential,
            server_key=server_key,
            model=model,
            routing=routing,
            allow_unauthenticated=allow_unauthenticated,
            timeout=timeout,
        )
        return Service(run(found))

    def detect(
        self,
        url: str,
        *,
        credential: str | None = None,
        server_key: str | None = None,
        timeout: Duration | None = None,
    ) -> Detection:
        """Which API answers at an address, with which models, and what to do where it cannot be attached.

        Keeps nothing.

        Example:
            ``s.services.detect("http://127.0.0.1:8000")["api"]``
        """
        return run(self._async.detect(url, credential=credential, server_key=server_key, timeout=timeout))

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

    def get(self, ref: str) -> Answer[AnswerResult]:
        """By id or name; ``ANSWER_NOT_FOUND``."""
        return Answer(run(self._async.get(ref)))

    def list(self, *, all: bool = False) -> Sequence[Answer[AnswerResult]]:
        """Those that stream; with ``all``, those that have ended too."""
        return [Answer(answer) for answer in run(self._async.list(all=all))]

    def search(
        self,
        text: str = "",
        *,
        service: Ref | None = None,
        state: RequestState | Iterable[RequestState] | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> Sequence[Answer[AnswerResult]]:
        """Kept answers whose question or text holds some words, newest first.

        Args:
            text: In whatever case; default: all.
            service: Only of this one.
            state: Only in this state, or in one of these.
            skip: Go on after this many.
            limit: At most so many, up to 200.

        Example:
            ``s.answers.search("dose", service=llm, state="DONE")[0].text``
        """
        found = self._async.search(text, service=service, state=state, skip=skip, limit=limit)
        return [Answer(answer) for answer in run(found)]


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
