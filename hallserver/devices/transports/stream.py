"""A byte pipe over any asyncio transport: serial ports of either library and TCP."""

import asyncio

from qingting.kernel.aio.pipe import ListeningEnd, PipeClosedError

CLOSE_TIMEOUT_S = 2.0


class StreamPipe(ListeningEnd, asyncio.Protocol):
    """Implements ``kernel.aio.pipe.BytePipe``; is itself the transport's protocol."""

    def __init__(self) -> None:
        super().__init__()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.made = asyncio.Event()

    # ---- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # pyserial-asyncio and serialx transports act as asyncio.Transport without deriving from it.
        self._transport = transport  # type: ignore[assignment]
        assert self._transport is not None
        # Nothing is left behind in user space: a finished write is with the operating system.
        self._transport.set_write_buffer_limits(high=0)
        self.made.set()

    def data_received(self, data: bytes) -> None:
        self._take(bytes(data))

    def eof_received(self) -> bool:
        """The other end is gone; a half-open line is of no use with a device."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(exc)
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # ---- BytePipe --------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """See ``BytePipe``; raises :class:`PipeClosedError`."""
        if self._lost.is_set() or self._transport is None or self._transport.is_closing():
            raise PipeClosedError("the line is down")
        try:
            self._transport.write(data)
        except OSError as error:
            raise PipeClosedError(str(error)) from error
        await self._writable.wait()
        if self._lost.is_set():
            raise PipeClosedError("the line went down while writing") from self._cause

    async def close(self) -> None:
        """Drops what is not yet written: a device that does not take it would hold us for ever."""
        if self._transport is None or self._lost.is_set():
            return
        if self._writable.is_set():
            self._transport.close()
        else:
            self._transport.abort()
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await self._lost.wait()
