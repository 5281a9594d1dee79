"""One event loop on a daemon thread per process: what blocking calls wait for, and where live views work.

A kernel's own loop is busy with the cell, so it can carry neither.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

from .errors import PilothouseError

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, started at the first call."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="pilothouse", daemon=True).start()
        return _loop


def _forget_loop() -> None:
    # A forked child has the loop's memory without its thread.
    global _loop, _lock
    _loop, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_loop)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on the background loop and waits; whatever ends the waiting cancels it."""
    if sys.is_finalizing():
        work.close()
        raise RuntimeError("the interpreter is ending")
    future = asyncio.run_coroutine_threadsafe(work, background_loop())
    try:
        return future.result()
    except PilothouseError as error:
        # Said in full by the error itself; the frames in between are not the reader's.
        raise error.with_traceback(None) from error.__cause__
    except BaseException:
        future.cancel()
        raise


def run_later(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Has it done on the background loop, without waiting; at the end of the interpreter nothing is left to do."""
    if not sys.is_finalizing():
        asyncio.run_coroutine_threadsafe(work(), background_loop())


async def in_thread(work: Callable[[], T]) -> T:
    """Runs blocking work on a daemon thread. Those of ``asyncio.to_thread`` would hold up the interpreter's end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not done.done():
            set_it(value)

    def body() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is handed on to whoever waits
            report = (settle, done.set_exception, error)
        else:
            report = (settle, done.set_result, value)
        if not loop.is_closed():
            loop.call_soon_threadsafe(*report)

    threading.Thread(target=body, name="pilothouse-work", daemon=True).start()
    return await done


class _Reader(Generic[T]):
    """One reader's place in a stream. A read that was interrupted has ended before the stream is closed."""

    def __init__(self, values: AsyncGenerator[T, None]) -> None:
        self._values = values
        self._reading = asyncio.Lock()

    async def next(self) -> tuple[T] | None:
        async with self._reading:
            async for value in self._values:
                return (value,)
            return None

    async def close(self) -> None:
        async with self._reading:
            await self._values.aclose()


def iterate(
    values: AsyncGenerator[T, None], wait: Callable[[Coroutine[Any, Any, tuple[T] | None]], tuple[T] | None] = run
) -> Iterator[T]:
    """Reads a stream from code that blocks.

    Args:
        values: What is read; it is closed when the reader has enough.
        wait: How each value is waited for; a handle's own way says what goes on when it is interrupted.
    """
    reader = _Reader(values)
    try:
        while (found := wait(reader.next())) is not None:
            yield found[0]
    finally:
        # Whoever collects garbage may come here, on any thread and at the very end; so nobody waits.
        run_later(reader.close)
