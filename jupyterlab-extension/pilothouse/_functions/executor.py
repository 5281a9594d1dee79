"""``concurrent.futures`` over warm workers."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from .._background import background_loop, run
from ..errors import PilothouseError
from .references import function_reference
from .values import encode_arguments

if TYPE_CHECKING:
    from ..aio.task_set import AsyncTaskSet
    from ..aio.tasks import AsyncTaskCalls

T = TypeVar("T")

#: Calls in one piece, and about how much text of arguments.
_PIECE = 4000
_PIECE_BYTES = 3 * 1024 * 1024
#: Calls of which it is asked whether they run, before the rest is canceled: more cannot run at once on most nodes.
_ASKED = 64
#: Functions that are remembered as they were sent.
_REMEMBERED = 256
_WAITING = frozenset({"NEW", "WAITING", "SCHEDULING"})


class CallFuture(concurrent.futures.Future[Any]):
    """A call in a worker. It can be canceled until it begins."""

    def __init__(self, on_cancel: Callable[[list[CallFuture]], None]) -> None:
        super().__init__()
        self._on_cancel = on_cancel
        self._settling = threading.Lock()
        self.number: int | None = None
        """Its number in the set of calls; ``None``: it was not sent yet."""

    def cancel(self) -> bool:
        """Cancels the call unless it has begun or ended; tells whether it was canceled."""
        if not self.done():
            self._on_cancel([self])
        return self.cancelled()

    def drop(self) -> None:
        """Is canceled, whatever becomes of the call."""
        with self._settling:
            if not self.done() and super().cancel():
                self.set_running_or_notify_cancel()

    def settle(self, value: Any) -> None:
        """Takes what the call gave, or the exception that says why it gave nothing."""
        with self._settling:
            if self.done() or not self.set_running_or_notify_cancel():
                return
        if isinstance(value, BaseException):
            self.set_exception(value)
        else:
            self.set_result(value)


class Executor(concurrent.futures.Executor):
    """Runs calls in warm workers of a pilot: ``with s.executor(pilot) as ex: list(ex.map(score, wells))``.

    Functions may be defined in the notebook. Exceptions are raised as they are, with the worker's traceback as their
    cause. All calls are tasks of one set, which shows how far they are.

    Args:
        tasks: The calls of a session about tasks.
        template: Fields that all calls share: ``pilot``, ``cores``, ``gpus`` …
        name: Of the set.
    """

    def __init__(
        self, tasks: AsyncTaskCalls, *, template: Mapping[str, Any] | None = None, name: str | None = None
    ) -> None:
        self._calls = tasks
        self._template = dict(template or {})
        self._name = name
        self._lock = threading.Lock()
        self._unsent: deque[tuple[CallFuture, dict[str, Any]]] = deque()
        self._futures: dict[int, CallFuture] = {}
        """Those that were sent and have not ended, by number."""
        self._references: dict[Callable[..., Any], dict[str, Any]] = {}
        self._sent = 0
        self._shut = False
        self._set: AsyncTaskSet | None = None
        self._worker: concurrent.futures.Future[None] | None = None
        self._wake: asyncio.Event | None = None
        self._sender: concurrent.futures.Future[None] | None = None

    @property
    def set(self) -> AsyncTaskSet | None:
        """The set of its calls; ``None`` before the first."""
        return self._set

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[T]:
        """Has ``fn(*args, **kwargs)`` called in a worker.

        Raises:
            RuntimeError: after :meth:`shutdown`.
            PilothouseError: ``FUNCTION_NOT_SENDABLE``.
        """
        entry = {"call": {**self._reference(fn), "args": encode_arguments(args, kwargs)}}
        future = CallFuture(self._cancel)
        with self._lock:
            if self._shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._unsent.append((future, entry))
            if self._sender is None:
                self._wake = asyncio.Event()
                self._sender = asyncio.run_coroutine_threadsafe(self._send_all(self._wake), background_loop())
        self._nudge()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes no more calls. What was submitted goes on.

        Args:
            wait: Until all calls have ended.
            cancel_futures: Cancel what has not begun.
        """
        with self._lock:
            self._shut = True
        if cancel_futures:
            with self._lock:
                pending = [future for future, _ in self._unsent] + list(self._futures.values())
            self._cancel(pending)
        self._nudge()
        if wait and self._sender is not None:
            _wait(self._sender)
            if self._worker is not None:
                _wait(self._worker)

    def _reference(self, fn: Callable[..., Any]) -> dict[str, Any]:
        try:
            found = self._references.get(fn)
        except TypeError:
            return self._made(fn)
        if found is None:
            if len(self._references) >= _REMEMBERED:
                self._references.clear()
            found = self._references[fn] = self._made(fn)
        return found

    def _made(self, fn: Callable[..., Any]) -> dict[str, Any]:
        call: dict[str, Any] = {"function": function_reference(fn)}
        if "environment" not in self._template:
            call["interpreter"] = sys.executable
        return call

    # On the background loop

    async def _send_all(self, wake: asyncio.Event) -> None:
        made: AsyncTaskSet | None = None
        try:
            while True:
                await wake.wait()
                wake.clear()
                if made is None:
                    made = await self._open()
                while piece := self._take():
                    await made.add([entry for _, entry in piece], self._sent_before(piece))
                if self._shut and not self._unsent:
                    await made.add([], self._sent, close=True)
                    return
        except BaseException as error:  # noqa: BLE001 - whoever waits for a future gets it
            self._fail_all(error)

    async def _open(self) -> AsyncTaskSet:
        template = dict(self._template)
        with self._lock:
            if self._unsent:
                call = self._unsent[0][1]["call"]
                template["call"] = {key: value for key, value in call.items() if key != "args"}
        made = self._set = await self._calls.open_set(self._name, template=template)
        self._worker = asyncio.run_coroutine_threadsafe(self._collect(made), background_loop())
        self._shared = template.get("call")
        return made

    _shared: Mapping[str, Any] | None = None

    def _take(self) -> list[tuple[CallFuture, dict[str, Any]]]:
        """The next piece; its calls have numbers from now on."""
        piece: list[tuple[CallFuture, dict[str, Any]]] = []
        size = 0
        with self._lock:
            while self._unsent and len(piece) < _PIECE and size < _PIECE_BYTES:
                future, entry = self._unsent.popleft()
                if future.cancelled():
                    continue
                call = entry["call"]
                if self._shared is not None and call["function"] is self._shared["function"]:
                    # Calls of one function differ in their arguments alone.
                    entry = {"args": call["args"]}
                future.number = self._sent
                self._futures[self._sent] = future
                self._sent += 1
                size += len(call["args"].get("pickle", "")) + (0 if "args" in entry else len(str(call["function"])))
                piece.append((future, entry))
        return piece

    @staticmethod
    def _sent_before(piece: list[tuple[CallFuture, dict[str, Any]]]) -> int:
        number = piece[0][0].number
        return 0 if number is None else number

    async def _collect(self, made: AsyncTaskSet) -> None:
        from ..aio.task_set import value_of

        try:
            async with aclosing(made.outcomes()) as outcomes:
                async for outcome in outcomes:
                    with self._lock:
                        future = self._futures.pop(outcome["number"], None)
                    if future is None:
                        continue
                    if outcome["state"] == "CANCELED" and outcome["exception"] is None:
                        future.drop()
                        continue
                    try:
                        value = value_of(outcome)
                    except Exception as error:  # noqa: BLE001 - it is the future's
                        value = error
                    future.settle(value)
        except BaseException as error:  # noqa: BLE001 - whoever waits for a future gets it
            self._fail_all(error)

    def _fail_all(self, error: BaseException) -> None:
        with self._lock:
            self._shut = True
            left = [future for future, _ in self._unsent] + list(self._futures.values())
            self._unsent.clear()
            self._futures.clear()
        reason = error if isinstance(error, Exception) else PilothouseError("CLOSED", "the executor was ended")
        for future in left:
            future.settle(reason)

    # Canceling

    def _cancel(self, futures: list[CallFuture]) -> None:
        """Cancels those that have not begun, and waits until that is known."""
        sent: list[CallFuture] = []
        for future in futures:
            with self._lock:
                if future.number is None:
                    future.drop()
                    continue
            sent.append(future)
        if sent and self._set is not None:
            run(self._cancel_sent(self._set, sent))

    async def _cancel_sent(self, made: AsyncTaskSet, futures: list[CallFuture]) -> None:
        # What runs or is about to is among the first; of the others nobody needs to be asked.
        first, rest = futures[:_ASKED], futures[_ASKED:]
        states = await asyncio.gather(*(self._waits(made, future) for future in first))
        waiting = [future for future, waits in zip(first, states, strict=False) if waits] + rest
        await self._calls.cancel_many([f"{made.id}.{future.number}" for future in waiting])
        for future in waiting:
            future.drop()

    async def _waits(self, made: AsyncTaskSet, future: CallFuture) -> bool:
        return future.number is not None and (await made.task(future.number)).state in _WAITING

    def _nudge(self) -> None:
        wake = self._wake
        if wake is not None:
            background_loop().call_soon_threadsafe(wake.set)


def _wait(future: concurrent.futures.Future[None]) -> None:
    concurrent.futures.wait([future])
