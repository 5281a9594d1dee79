"""Pilothouse: pilots, model services and streamed answers, from Python and in notebook cells."""

# Jupyter finds the functions at the end by their names.
# pyright: reportUnusedFunction=false

from __future__ import annotations

from typing import TYPE_CHECKING

from ._version import __version__
from .aio import AnswerResult, AsyncSession, TaskResult, aconnect
from .answer import Answer
from .batch import Batch
from .errors import ErrorCode, PilothouseError
from .pilots import Pilot
from .service import Service
from .session import Session, connect
from .task import Task
from .tasks import TaskHandle, TaskSet

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = [
    "Answer",
    "AnswerResult",
    "AsyncSession",
    "Batch",
    "ErrorCode",
    "Pilot",
    "PilothouseError",
    "Service",
    "Session",
    "Task",
    "TaskHandle",
    "TaskResult",
    "TaskSet",
    "__version__",
    "aconnect",
    "connect",
]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@pilothouse/jupyterlab"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "pilothouse"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    # Imported here: a kernel's environment has the client without jupyter_server.
    from ._server import add_handlers

    add_handlers(app)
