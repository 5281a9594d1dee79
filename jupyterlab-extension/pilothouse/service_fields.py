"""What users ask for when they ask for a service, and how it travels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict, cast

from .descriptions import Params, Ref, given, ref_of
from .units import Duration, wire_duration, wire_size

Api = Literal["openai", "ollama", "open-inference", "zeromq", "ru-zmq", "rest", "any"]
"""Which API a service speaks; ``any``: Pilothouse only starts and watches it."""

Instances = int | tuple[int, int] | Mapping[str, Any]
"""Running copies: a number, ``(min, max)``, or ``{"min": 0, "max": 4, "up_after": "3s", "down_after": "5m"}``."""

Probe = str | Mapping[str, Any]
"""A path (``"/health"``), or one of ``{"http": path}``, ``{"tcp": True}``, ``{"zmq": True}``, ``{"pattern": regex}``,
``{"command": [...]}``, each with ``interval``, ``timeout``, ``failures``, ``successes``, ``initial_delay``."""


class ServiceFields(TypedDict, total=False):
    """The fields of a service beside its name and template; see :meth:`pilothouse.services.Services.ensure`."""

    params: Params | None
    command: Sequence[str] | None
    env: Mapping[str, str] | None
    environment: Mapping[str, Any] | None
    setup: Sequence[str] | None
    cwd: str | None
    api: Api | None
    model: str | None
    resources: Mapping[str, Any] | None
    instances: Instances | None
    ports: Sequence[str | Mapping[str, Any]] | None
    ready: Probe | None
    startup: Probe | None
    liveness: Probe | None
    start_timeout: Duration | None
    restarts: int | Mapping[str, Any] | None
    warm_up: Mapping[str, Any] | None
    routing: Mapping[str, Any] | None
    lifetime: Duration | Mapping[str, Any] | None
    after: Sequence[Ref] | None
    before: Sequence[Ref] | None
    files: Sequence[str] | None
    allow_unauthenticated: bool | None
    pilot: Ref | None


def service_description(name: str | None, template: str | None, fields: ServiceFields) -> dict[str, Any]:
    """A service as it travels: only what was given."""
    get = cast("dict[str, Any]", fields).get
    for key in ("command", "setup", "after", "before", "files", "ports"):
        if isinstance(get(key), str):
            raise TypeError(f"{key} is a list: {key}=[{get(key)!r}]")
    unknown = sorted(set(fields) - set(ServiceFields.__annotations__))
    if unknown:
        raise TypeError(f"a service has no {', '.join(unknown)}; it has {', '.join(ServiceFields.__annotations__)}")
    pilot = get("pilot")
    probes = given(readiness=_probe(get("ready")), startup=_probe(get("startup")), liveness=_probe(get("liveness")))
    return given(
        name=name,
        template=template,
        params=_dict(get("params")),
        command=_list(get("command")),
        env=_dict(get("env")),
        environment=_dict(get("environment")),
        setup=_list(get("setup")),
        cwd=get("cwd"),
        api=get("api"),
        model=get("model"),
        resources=_resources(get("resources")),
        instances=instances_of(get("instances")),
        ports=_ports(get("ports")),
        probes=probes or None,
        startTimeout=_duration(get("start_timeout")),
        restarts=worded(get("restarts")),
        warmUp=_warm_up(get("warm_up")),
        routing=worded(get("routing")),
        lifetime=_lifetime(get("lifetime")),
        after=_refs(get("after")),
        before=_refs(get("before")),
        files=_list(get("files")),
        allowUnauthenticated=get("allow_unauthenticated") or None,
        pilot=None if pilot is None else ref_of(pilot),
    )


def instances_of(instances: Instances | None) -> Any:
    """A number of instances as it travels."""
    if isinstance(instances, tuple):
        least, most = instances
        return {"min": least, "max": most}
    return worded(instances)


def worded(value: Any) -> Any:
    """The words of the interface (``attemptTimeout``) for those of Python (``attempt_timeout``), at every depth."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return {_camel(key): worded(item) for key, item in pairs}
    if isinstance(value, (list, tuple)):
        return [worded(item) for item in cast("Sequence[Any]", value)]
    return wire_duration(value) if isinstance(value, timedelta) else value


def _camel(word: str) -> str:
    first, *rest = word.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _probe(probe: Probe | None) -> Any:
    return {"http": probe} if isinstance(probe, str) else worded(probe)


def _lifetime(lifetime: Duration | Mapping[str, Any] | None) -> Any:
    """A duration alone is how long it may be idle."""
    if lifetime is None or isinstance(lifetime, Mapping):
        return worded(lifetime)
    return {"idle": wire_duration(lifetime)}


def _warm_up(warm_up: Mapping[str, Any] | None) -> Any:
    """The body is the server's, and stays as it is."""
    if warm_up is None:
        return None
    return {key: value if key == "body" else worded(value) for key, value in warm_up.items()}


def _ports(ports: Sequence[str | Mapping[str, Any]] | None) -> Any:
    return None if ports is None else [{"name": port} if isinstance(port, str) else dict(port) for port in ports]


def _resources(resources: Mapping[str, Any] | None) -> Any:
    if resources is None:
        return None
    memory = resources.get("memory")
    return dict(resources) | ({} if memory is None else {"memory": wire_size(memory)})


def _refs(refs: Sequence[Ref] | None) -> Any:
    return None if refs is None else [ref_of(ref) for ref in refs]


def _duration(duration: Duration | None) -> Any:
    return None if duration is None else wire_duration(duration)


def _list(items: Sequence[str] | None) -> Any:
    return None if items is None else list(items)


def _dict(items: Mapping[str, Any] | None) -> Any:
    return None if items is None else dict(items)
