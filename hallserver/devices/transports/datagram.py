"""A byte pipe over UDP: what is written together goes out as one datagram."""

import asyncio
from collections.abc import Callable

from qingting.kernel.aio.pipe import PipeClosedError


class DatagramPipe(asyncio.DatagramProtocol):
    """Implements ``kernel.aio.pipe.BytePipe``; is itself the transport's protocol.

    UDP has no connection: the line counts as lost when the other machine says that nobody listens there.
    """

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._closed_sink: Callable[[Exception | None], None] | None = None
        self._early = bytearray()
        self._cause: Exception | None = None
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own one acts as a DatagramTransport without deriving from it.
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self._sink is None:
            self._early += data
        else:
            self._sink(data)

    def error_received(self, exc: Exception) -> None:
        self._cause = exc
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cause = self._cause or exc
        self._lost.set()
        if self._closed_sink is not None:
            self._closed_sink(self._cause)

    async def write(self, data: bytes) -> None:
        """See ``BytePipe``; raises :class:`PipeClosedError`."""
        if self._transport is None or self._transport.is_closing():
            raise PipeClosedError("the line is down") from self._cause
        self._transport.sendto(data)

    def on_data(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            sink(early)

    def on_close(self, sink: Callable[[Exception | None], None]) -> None:
        self._closed_sink = sink
        if self._lost.is_set():
            sink(self._cause)

    async def close(self) -> None:
        if self._transport is not None and not self._lost.is_set():
            self._transport.abort()
            await self._lost.wait()
