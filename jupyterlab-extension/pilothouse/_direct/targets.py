"""Instances of services of one's own, as they are reached."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import PilothouseError
from ..service_records import ServiceRecord


@dataclass(frozen=True)
class Target:
    """Where one instance answers, and what opens it.

    Attributes:
        address: ``tcp://host:port`` or ``ipc:///path``
        server_key: Its public CURVE key (Z85), as it prints when it starts.
        token: The content of its key file.
        name: For error sentences: ``dose-response instance 2``.
        ids: Ids for errors: ``{"service": …, "instance": …}``.
        index: 1, 2, 3 …
    """

    address: str
    server_key: str
    token: str = field(repr=False)
    name: str = "the service"
    ids: Mapping[str, str] = field(default_factory=dict[str, str], hash=False, compare=False)
    index: int = 1


def targets_of(record: ServiceRecord) -> list[Target]:
    """The instances of a service's record that take calls now and that this host may reach."""
    if record["api"] != "zeromq" or record["origin"] != "launched":
        raise PilothouseError(
            "UNSUPPORTED_REQUEST",
            f"{record['name']} cannot be called past Pilothouse: only own services that Pilothouse has started can.",
            hint="Call it with service.call().",
            ids={"service": record["id"]},
        )
    found: list[Target] = []
    for instance in record["instances"]:
        endpoint = instance["endpoint"]
        if endpoint is None or instance["state"] != "READY" or instance["draining"]:
            continue
        if endpoint["keyFile"] is None or endpoint["serverKey"] is None:
            continue
        name = f"{record['name']} instance {instance['index']}"
        ids = {"service": record["id"], "instance": instance["id"]}
        token = read_token(endpoint["keyFile"], name)
        found.append(Target(endpoint["url"], endpoint["serverKey"], token, name, ids, instance["index"]))
    return found


def target_from_environment(service: str) -> Target:
    """The service that a task has named in ``services``: Pilothouse says in its environment where it is.

    Raises:
        PilothouseError: ``SERVICE_NOT_FOUND`` where the task has not named it.
    """
    prefix = f"PILOTHOUSE_SERVICE_{re.sub(r'[^A-Za-z0-9]', '_', service).upper()}"
    address, key_file, server_key = (os.environ.get(f"{prefix}{what}") for what in ("", "_KEY_FILE", "_SERVER_KEY"))
    if address is None or key_file is None or server_key is None:
        raise PilothouseError(
            "SERVICE_NOT_FOUND",
            f"The environment has no {prefix}, {prefix}_KEY_FILE and {prefix}_SERVER_KEY.",
            hint=f"Name it when you submit the task: services=[{service!r}].",
        )
    return Target(address, server_key, read_token(key_file, service), service)


def read_token(key_file: str, name: str) -> str:
    """The token in a key file.

    Raises:
        PilothouseError: ``AUTHENTICATION_FAILED`` where it cannot be read.
    """
    try:
        return Path(key_file).read_text().strip()
    except OSError as error:
        raise PilothouseError(
            "AUTHENTICATION_FAILED",
            f"The key file of {name} cannot be read: {key_file}",
            hint="Call it with service.call(), which goes through Pilothouse.",
        ) from error


def unreachable(target: Target, what: str) -> PilothouseError:
    """``SERVICE_UNREACHABLE`` of that instance."""
    return PilothouseError(
        "SERVICE_UNREACHABLE",
        f"{target.name} at {target.address} {what}.",
        hint="Look at its log; another instance may answer.",
        ids=target.ids,
    )


def key_refused(target: Target) -> PilothouseError:
    """What listens there has another key."""
    return PilothouseError(
        "AUTHENTICATION_FAILED",
        f"What listens at {target.address} is not {target.name}: the server key does not fit.",
        hint="Take the server key that the service prints when it starts.",
        ids=target.ids,
    )


def cut(error: PilothouseError, pieces: int) -> PilothouseError:
    """The error of a stream that had begun."""
    if not pieces or error.code != "SERVICE_UNREACHABLE":
        return error
    said = error.message.rstrip(".")
    made = PilothouseError(
        "STREAM_CUT", f"{said}, after {pieces} pieces of the answer.", hint="Ask again.", ids=error.ids
    )
    made.__cause__ = error
    return made
