"""Pilothouse for ``async`` programs: the same words, awaited."""

from .answer import AnswerResult, AsyncAnswer
from .base import AsyncHandle
from .batch import AsyncBatch
from .pilots import AsyncPilot
from .service import AsyncService
from .session import AsyncSession, aconnect
from .task import AsyncTask, TaskResult
from .task_set import AsyncTaskSet

__all__ = [
    "AnswerResult",
    "AsyncAnswer",
    "AsyncBatch",
    "AsyncHandle",
    "AsyncPilot",
    "AsyncService",
    "AsyncSession",
    "AsyncTask",
    "AsyncTaskSet",
    "TaskResult",
    "aconnect",
]
