"""A byte pipe over UDP: what is written together goes out as one datagram."""

import asyncio

from qingting.kernel.aio.pipe import ListeningEnd, PipeClosedError


class DatagramPipe(ListeningEnd, asyncio.DatagramProtocol):
    """Implements ``kernel.aio.pipe.BytePipe``; is itself the transport's protocol.

    UDP has no connection: the line counts as lost when the other machine says that nobody listens there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own one acts as a DatagramTransport without deriving from it.
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._take(data)

    def error_received(self, exc: Exception) -> None:
        self._cause = exc
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(self._cause or exc)

    async def write(self, data: bytes) -> None:
        """See ``BytePipe``; raises :class:`PipeClosedError`."""
        if self._transport is None or self._transport.is_closing():
            raise PipeClosedError("the line is down") from self._cause
        self._transport.sendto(data)

    async def close(self) -> None:
        if self._transport is not None and not self._lost.is_set():
            self._transport.abort()
            await self._lost.wait()
