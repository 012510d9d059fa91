"""Tasks with an owner: named, kept, cancelled and awaited; a crash is logged and, where asked, restarted."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

from qingting.kernel.aio.backoff import Backoff

log = structlog.get_logger(__name__)


class Supervisor:
    """Owns background tasks. Use as ``async with``; leaving it cancels and awaits everything.

    ``run`` starts a task that is expected to end by itself; ``keep`` starts a service that is
    started again after a crash, with backoff, until the supervisor closes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def run(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Starts ``work``; an exception is logged with its traceback."""
        if self._closing:
            work.close()
            raise RuntimeError(f"{self.name} is closing")
        task = asyncio.create_task(work, name=f"{self.name}/{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(
        self, name: str, service: Callable[[], Awaitable[None]], backoff: Backoff | None = None
    ) -> asyncio.Task[Any]:
        """Runs ``service()`` again whenever it fails; stops when it returns."""
        return self.run(name, self._keep(name, service, backoff or Backoff()))

    async def _keep(
        self, name: str, service: Callable[[], Awaitable[None]], backoff: Backoff
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await service()
            except asyncio.CancelledError:
                raise
            except Exception:
                if loop.time() - started > backoff.cap:
                    backoff.reset()
                delay = backoff.next()
                log.exception(
                    "service.crashed", service=f"{self.name}/{name}", again_in=round(delay, 2)
                )
                await asyncio.sleep(delay)
            else:
                return

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("task.failed", task=task.get_name(), exc_info=error)

    async def close(self) -> None:
        """Cancels and awaits all tasks; safe to call twice."""
        self._closing = True
        me = asyncio.current_task()
        while tasks := [task for task in self._tasks if task is not me]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=10)
