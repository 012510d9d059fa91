"""A connection of a load generator: as light as possible, because it shares the machine with the server."""

import asyncio
from collections.abc import Callable
from time import perf_counter

import aiohttp
import msgspec

from qingting.contract import hub as h
from qingting.contract.base import CONTRACT_VERSION

ANSWER_SECONDS = 30.0
_encoder = msgspec.json.Encoder()


class _Visit(msgspec.Struct):
    ticket: str


class _Entry(msgspec.Struct):
    """As much of a view as a load generator looks at."""

    visit: _Visit | None = None
    ticket: str = ""
    active: bool = False


class _Job(msgspec.Struct):
    ticket: str
    attempt: int


class Said(msgspec.Struct):
    """As much of a server's message as a load generator looks at."""

    type: str = ""
    id: int = 0
    ok: bool = False
    topic: str = ""
    answer: h.Answer | None = None
    problem: h.Problem | None = None
    set: dict[str, _Entry] = msgspec.field(default_factory=dict)
    job: _Job | None = None


_decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)


class BenchError(RuntimeError):
    """The measurement is worth nothing: a request was refused or a connection lost."""


class Line:
    """One socket; requests one after another, everything else goes to ``on_said``."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, on_said: Callable[[Said], None] | None = None
    ) -> None:
        self._socket = socket
        self._on_said = on_said
        self._number = 0
        self._answer: asyncio.Future[Said] | None = None
        self._reader = asyncio.create_task(self._read())
        self.ticket = ""
        """The visit at the window that this line watches."""

    async def ask(self, body: h.Request, key: str | None = None) -> Said:
        """Sends one request and waits for its answer; raises :class:`BenchError` when refused."""
        self._number += 1
        self._answer = asyncio.get_running_loop().create_future()
        await self._socket.send_frame(
            _encoder.encode(h.Ask(id=self._number, body=body, key=key)), aiohttp.WSMsgType.TEXT
        )
        said = await self._answer
        if not said.ok:
            raise BenchError(f"{type(body).__name__}: {said.problem}")
        return said

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            said = _decoder.decode(message.data)
            if said.type == "result":
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(said)
                continue
            if said.topic.startswith("window:") and "window" in said.set:
                visit = said.set["window"].visit
                self.ticket = visit.ticket if visit is not None else self.ticket
            if self._on_said is not None:
                self._on_said(said)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchError("connection lost"))


async def dial(
    client: aiohttp.ClientSession,
    url: str,
    device: str,
    key: str,
    on_said: Callable[[Said], None] | None = None,
) -> Line:
    """Connects and authenticates."""
    socket = await client.ws_connect(url, compress=0, max_msg_size=0, autoping=True)
    auth = h.Auth(device=device, key=key, version=CONTRACT_VERSION)
    await socket.send_frame(_encoder.encode(auth), aiohttp.WSMsgType.TEXT)
    async with asyncio.timeout(ANSWER_SECONDS):
        first = await socket.receive()
    if first.type is not aiohttp.WSMsgType.TEXT or _decoder.decode(first.data).type != "welcome":
        raise BenchError(f"{device} was not let in: {first.data!r}")
    return Line(socket, on_said)


class EchoLine:
    """A connection to the bare limit: a message out, the same message back."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def ask(self, body: h.Request, key: str | None = None) -> None:
        self._number += 1
        await self._socket.send_frame(
            _encoder.encode(h.Ask(id=self._number, body=body, key=key)), aiohttp.WSMsgType.TEXT
        )
        await self._socket.receive()

    async def close(self) -> None:
        await self._socket.close()


class Timings:
    """Seconds of each kind of command, kept only while ``counting``."""

    def __init__(self) -> None:
        self.counting = False
        self.seconds: dict[str, list[float]] = {}

    def note(self, kind: str, started: float) -> None:
        if self.counting:
            self.seconds.setdefault(kind, []).append(perf_counter() - started)


def percentile(values: list[float], share: float) -> float:
    """Nearest-rank percentile; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
