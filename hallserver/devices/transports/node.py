"""A byte pipe over a device node: USB printers, HID devices, keyboards. Reads and writes when the kernel is ready.

A node that goes away ends the pipe at once: its file descriptor reports an error. Nothing is asked in between.
"""

import asyncio
import contextlib
import errno
import os
import select
from typing import Protocol

from qingting.kernel.aio.pipe import ListeningEnd, PipeClosedError

READ_BYTES = 4096
EMPTY_PAUSE_S = 0.02
"""Some printers answer each look for data with nothing: they are not asked more often than this."""


class Wrapping(Protocol):
    """How bytes stand in what is read from and written to the node."""

    @property
    def read_bytes(self) -> int:
        """The most that one read takes."""
        ...

    def wrap(self, data: bytes) -> list[bytes]: ...

    def unwrap(self, data: bytes) -> bytes: ...


class Bare:
    """Bytes as they are."""

    read_bytes = READ_BYTES

    def wrap(self, data: bytes) -> list[bytes]:
        return [data]

    def unwrap(self, data: bytes) -> bytes:
        return data


def _hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


class NodePipe(ListeningEnd):
    """Implements ``kernel.aio.pipe.BytePipe`` over a non-blocking descriptor that can be waited for."""

    def __init__(self, descriptor: int, wrapping: Wrapping) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._wrapping = wrapping
        self._loop = asyncio.get_running_loop()
        self._writable: asyncio.Future[None] | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._loop.add_reader(descriptor, self._readable)

    # ---- reading ---------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, self._wrapping.read_bytes)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if not data and _hung_up(self._descriptor):
            self._lose(OSError(errno.ENODEV, os.strerror(errno.ENODEV)))
            return
        if not data:
            self._loop.remove_reader(self._descriptor)
            self._resume = self._loop.call_later(EMPTY_PAUSE_S, self._listen)
            return
        if plain := self._wrapping.unwrap(data):
            self._take(plain)

    def _listen(self) -> None:
        self._resume = None
        if not self._lost.is_set():
            self._loop.add_reader(self._descriptor, self._readable)

    # ---- BytePipe --------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """See ``BytePipe``; raises :class:`PipeClosedError`."""
        for piece in self._wrapping.wrap(data):
            await self._write_all(piece)

    async def _write_all(self, data: bytes) -> None:
        while data:
            if self._lost.is_set():
                raise PipeClosedError("the line is down") from self._cause
            try:
                data = data[os.write(self._descriptor, data) :]
            except (BlockingIOError, InterruptedError):
                await self._until_writable()
            except OSError as error:
                self._lose(error)

    async def _until_writable(self) -> None:
        self._writable = self._loop.create_future()
        self._loop.add_writer(self._descriptor, self._may_write)
        try:
            await self._writable
        finally:
            self._writable = None
            if not self._lost.is_set():
                self._loop.remove_writer(self._descriptor)

    def _may_write(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    async def close(self) -> None:
        """What the device has not taken is dropped."""
        self._lose(None)

    def _lose(self, cause: Exception | None) -> None:
        if self._lost.is_set():
            return
        if self._resume is not None:
            self._resume.cancel()
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        with contextlib.suppress(OSError):  # it is gone already
            os.close(self._descriptor)
        self._may_write()
        super()._lose(cause)
