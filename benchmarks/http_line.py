"""A citizen's connection to a server: HTTP/1.1 kept open, as light as possible, because thousands of them share the
machine with the server that is measured."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode

ANSWER_SECONDS = 60.0


class LineError(RuntimeError):
    """The connection broke, or what came over it is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``location`` is where a redirect leads; ``seconds`` from the request's first byte to the answer's last."""

    status: int
    location: str
    body: bytes
    seconds: float


class HttpLine(asyncio.Protocol):
    """One connection; requests one after another."""

    def __init__(self, host: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._tail = f" HTTP/1.1\r\nHost: {host}\r\n"
        self._transport: asyncio.Transport | None = None
        self._got = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._began = 0.0

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LineError(f"the connection was lost: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, _ = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        fields = _fields(bytes(head))
        whole = len(head) + 4 + int(fields.get("content-length", "0"))
        if len(self._got) < whole:
            return
        answer = Answer(
            status=int(head[9:12]),
            location=fields.get("location", ""),
            body=bytes(self._got[len(head) + 4 : whole]),
            seconds=self._loop.time() - self._began,
        )
        del self._got[:whole]
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    async def get(self, path: str, cookie: str = "") -> Answer:
        """Raises :class:`LineError`, and ``TimeoutError`` after a minute."""
        return await self._ask(f"GET {path}{self._tail}Cookie: {cookie}\r\n\r\n".encode())

    async def post(self, path: str, form: dict[str, str], cookie: str = "") -> Answer:
        """The same, with a form; redirects are not followed."""
        body = urlencode(form).encode()
        head = f"POST {path}{self._tail}Cookie: {cookie}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
        return await self._ask(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def _ask(self, request: bytes) -> Answer:
        if self._transport is None:
            raise LineError("not connected")
        self._answer = self._loop.create_future()
        self._began = self._loop.time()
        self._transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    found = dict(line.split(": ", 1) for line in lines if ": " in line)
    lowered = {name.lower(): value for name, value in found.items()}
    if "transfer-encoding" in lowered:
        raise LineError("an answer without a length")
    return lowered


async def dial(host: str, port: int) -> HttpLine:
    """A connection to a server of this machine. Raises ``OSError``."""
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: HttpLine(f"{host}:{port}"), host, port)
    return line
