"""Takes calls to their methods and what comes back to the callers."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, cast

from .._wire.body import Body, encode_body
from .._wire.headers import Failure, failure, failure_of
from ..errors import PilothouseError
from ._calls import TakenCall
from ._methods import Method

T = TypeVar("T")
_LONGEST = 8000
"""Characters of a traceback."""
_END: Any = object()


class Answering(Protocol):
    """Where answers go."""

    def chunk(self, call: TakenCall, number: int, body: Body) -> None: ...
    def reply(self, call: TakenCall, body: Body) -> None: ...
    def fail(self, call: TakenCall, error: Failure) -> None: ...


class Runner:
    """Coroutines run in the loop, other methods in threads."""

    def __init__(self, name: str, methods: Mapping[str, Method], concurrency: int, answering: Answering) -> None:
        self._name = name
        self._methods = methods
        self._answering = answering
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=name)

    def close(self) -> None:
        """Threads that still work are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, group: list[TakenCall]) -> None:
        """Handles a group of calls of one method. Never raises."""
        method = self._methods[group[0].method]
        started = time.perf_counter()
        for call in group:
            call.started = started
        if method.batch is not None:
            await self._run_batch(method, group)
            return
        [call] = group
        call.task = asyncio.current_task()
        try:
            call.enter()
            await self._run_one(method, call)
        except asyncio.CancelledError:
            # Whoever has canceled the call waits for no answer.
            if not call.canceled:
                raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the caller's to know
            self._answering.fail(call, self._raised(error, method))
        finally:
            call.task = None

    async def _run_one(self, method: Method, call: TakenCall) -> None:
        positional, named = method.read(call.value)
        if method.streams:
            value = await self._in_pieces(method, call, method.call(*positional, **named))
        elif method.is_async:
            value = await method.call(*positional, **named)
        else:
            value = await self._in_thread(lambda: method.call(*positional, **named))
            if inspect.isawaitable(value):
                value = await value
        self._reply(call, method, value)

    def _reply(self, call: TakenCall, method: Method, value: Any) -> None:
        try:
            body = encode_body(value, f"The output of {self._name}.{method.name}")
        except PilothouseError as error:
            raise PilothouseError("INVALID_RESULT", error.message, hint=error.hint) from error
        self._answering.reply(call, body)

    async def _in_pieces(self, method: Method, call: TakenCall, pieces: Any) -> list[Any] | None:
        """Sends what comes; a caller that takes no pieces gets all of them as its value."""
        kept: list[Any] = []
        if inspect.isawaitable(pieces):
            pieces = await pieces
        source = pieces if hasattr(pieces, "__aiter__") else self._from_thread(pieces)
        try:
            async for piece in cast("AsyncIterator[Any]", source):
                if not call.streams:
                    kept.append(piece)
                    continue
                body = encode_body(piece, f"A piece of {self._name}.{method.name}")
                number = await call.next_piece()
                if number is None:
                    return None
                self._answering.chunk(call, number, body)
        finally:
            # Its own `finally` runs, also where the caller has gone.
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
        return None if call.streams else kept

    async def _from_thread(self, pieces: Iterator[Any]) -> AsyncIterator[Any]:
        try:
            while (piece := await self._in_thread(lambda: next(pieces, _END))) is not _END:
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                await self._in_thread(close)

    async def _run_batch(self, method: Method, group: list[TakenCall]) -> None:
        ready: list[tuple[TakenCall, Any]] = []
        for call in group:
            try:
                positional, _ = method.read(call.value)
                ready.append((call, positional[0]))
            except PilothouseError as error:
                self._answering.fail(call, failure_of(error))
        if not ready:
            return
        inputs = [value for _, value in ready]
        try:
            if method.is_async:
                outputs = await method.call(inputs)
            else:
                outputs = await self._in_thread(lambda: method.call(inputs))
            if len(outputs) != len(ready):
                raise TypeError(f"the method gave {len(outputs)} outputs for {len(ready)} inputs")
        except Exception as error:  # noqa: BLE001 - as above
            for call, _ in ready:
                self._answering.fail(call, self._raised(error, method))
            return
        for (call, _), output in zip(ready, outputs, strict=True):
            try:
                if isinstance(output, Exception):
                    raise output
                self._reply(call, method, output)
            except Exception as error:  # noqa: BLE001 - as above
                self._answering.fail(call, self._raised(error, method))

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)

    def _raised(self, error: Exception, method: Method) -> Failure:
        if isinstance(error, PilothouseError):
            return failure_of(error)
        lines = "".join(traceback.format_exception(error))
        message = f"{self._name}.{method.name} failed: {type(error).__name__}: {error}"
        return failure("FUNCTION_RAISED", message, evidence=lines[-_LONGEST:])
