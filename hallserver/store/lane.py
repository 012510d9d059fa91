"""A thread that owns one SQLite connection; everything done on it is shipped there whole, in order."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

C = TypeVar("C")
T = TypeVar("T")


class LaneClosedError(RuntimeError):
    """Work was given to a lane that is not running."""


@dataclass(slots=True)
class _Job:
    work: Callable[[Any], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


def _settle(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


class Lane(Generic[C]):
    """Runs functions on the connection that ``connect`` opened in the lane's own thread.

    ``start`` re-raises what ``connect`` raised. ``run`` re-raises what the work raised. A cancelled
    ``run`` does not stop the work: what reached the thread is done.
    """

    def __init__(
        self, name: str, connect: Callable[[], C], disconnect: Callable[[C], None]
    ) -> None:
        self.name = name
        self._connect = connect
        self._disconnect = disconnect
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.pending = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(
            target=self._serve, args=(loop, opened), name=self.name, daemon=True
        )
        self._thread.start()
        try:
            await opened
        except BaseException:
            await self.stop()
            raise

    async def run(self, work: Callable[[C], T]) -> T:
        if self._thread is None:
            raise LaneClosedError(self.name)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self.pending += 1
        self._jobs.put(_Job(work, loop, done))
        try:
            return await done
        finally:
            self.pending -= 1

    async def stop(self) -> None:
        """Lets the thread finish what it was given, close its connection and end; safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    def _serve(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._connect()
        except BaseException as error:
            _report(loop, opened, None, error)
            return
        _report(loop, opened, None, None)
        try:
            while (job := self._jobs.get()) is not None:
                try:
                    result, failure = job.work(connection), None
                except BaseException as error:
                    result, failure = None, error
                _report(job.loop, job.done, result, failure)
                del job, result, failure
        finally:
            self._disconnect(connection)


def _report(
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[Any],
    result: Any,
    error: BaseException | None,
) -> None:
    # A loop that was closed without stopping the lane has nobody left to tell.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, done, result, error)
