"""Byte pipes: serial, TCP and null-modem all look like this to a driver."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class PipeClosedError(ConnectionError):
    """The other side is gone: unplugged, refused or closed."""


class BytePipe(Protocol):
    """An open connection that moves bytes.

    ``on_data`` registers the one sink that is called in the loop with every chunk received.
    ``on_close`` registers a callback for the loss of the line, called once with the cause or None.
    ``write`` raises :class:`PipeClosedError` when the line is down, else returns when the bytes are
    handed to the operating system (with back-pressure).
    """

    async def write(self, data: bytes) -> None: ...

    def on_data(self, sink: Callable[[bytes], None]) -> None: ...

    def on_close(self, sink: Callable[[Exception | None], None]) -> None: ...

    async def close(self) -> None: ...


class ListeningEnd:
    """What every :class:`BytePipe` does for its reader: keeps what comes before anybody listens, and tells the loss
    of the line once, also to who asks afterwards. A pipe calls ``_take`` and ``_lose`` in the loop."""

    def __init__(self) -> None:
        self._sink: Callable[[bytes], None] | None = None
        self._closed_sink: Callable[[Exception | None], None] | None = None
        self._early: list[bytes] = []
        self._cause: Exception | None = None
        self._lost = asyncio.Event()

    def on_data(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        early, self._early = self._early, []
        for data in early:
            sink(data)

    def on_close(self, sink: Callable[[Exception | None], None]) -> None:
        self._closed_sink = sink
        if self._lost.is_set():
            sink(self._cause)

    def _take(self, data: bytes) -> None:
        if self._lost.is_set():
            return
        if self._sink is None:
            self._early.append(data)
        else:
            self._sink(data)

    def _lose(self, cause: Exception | None) -> None:
        if self._lost.is_set():
            return
        self._cause = cause
        self._lost.set()
        if self._closed_sink is not None:
            self._closed_sink(cause)


class NullModemEnd(ListeningEnd):
    """One end of an in-process cable. ``manipulate`` may split, drop or change what this end sends."""

    def __init__(self) -> None:
        super().__init__()
        self._peer: NullModemEnd | None = None
        self.manipulate: Callable[[bytes], list[bytes]] = lambda data: [data]

    async def write(self, data: bytes) -> None:
        if self._lost.is_set() or self._peer is None or self._peer._lost.is_set():
            raise PipeClosedError("null modem is unplugged")
        for piece in self.manipulate(data):
            asyncio.get_running_loop().call_soon(self._peer._take, piece)
        await asyncio.sleep(0)

    async def close(self) -> None:
        self.unplug(None)

    def unplug(self, cause: Exception | None) -> None:
        """Takes the line down at both ends."""
        for end in (self, self._peer):
            if end is not None:
                end._lose(cause)


def null_modem() -> tuple[NullModemEnd, NullModemEnd]:
    """Two ends of one cable."""
    left, right = NullModemEnd(), NullModemEnd()
    left._peer, right._peer = right, left
    return left, right
