"""Pilothouse for ``async`` programs: the same words, awaited."""

from .answer import AnswerResult, AsyncAnswer
from .base import AsyncHandle
from .handles import AsyncPilot, AsyncService, AsyncTask, AsyncTasks, Counts, TaskResult
from .session import AsyncSession, aconnect

__all__ = [
    "AnswerResult",
    "AsyncAnswer",
    "AsyncHandle",
    "AsyncPilot",
    "AsyncService",
    "AsyncSession",
    "AsyncTask",
    "AsyncTasks",
    "Counts",
    "TaskResult",
    "aconnect",
]
