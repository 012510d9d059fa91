"""A device of a hall as its server sees it: one WebSocket that speaks ``qingting.contract.hub``."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import aiohttp
import msgspec

from qingting.contract import hub
from qingting.contract.base import CONTRACT_VERSION, Strict
from qingting.contract.views import View
from qingting.kernel.aio.tasks import Supervisor

ANSWER_S = 30.0
"""A hall that does not answer within this time counts as gone."""

_server: msgspec.json.Decoder[hub.ServerMessage] = msgspec.json.Decoder(hub.ServerMessage)


class Credentials(Strict, frozen=True, kw_only=True):
    """Identity of a paired device."""

    device: str
    key: str

    def __repr__(self) -> str:
        return f"Credentials({self.device})"


class RefusedError(Exception):
    """The hall refused a request; ``code`` is an error code of the contract."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SessionEndedError(ConnectionError):
    """The session is over: connection lost, or the server said goodbye."""


def new_key() -> str:
    """An idempotency key for one press of a button."""
    return f"sim-{uuid4().hex}"


class HubSession:
    """One authenticated session. Use :func:`hub_session`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last_id = 0
        self._waiting: dict[int, asyncio.Future[hub.Answer]] = {}
        self._seq: dict[str, int] = {}
        self._stale: set[str] = set()
        self._changed = asyncio.Event()
        self.ended = asyncio.Event()
        self.views: dict[str, dict[str, View]] = {}
        self.identities: asyncio.Queue[hub.IdentityRead | hub.IdentityRefused] = asyncio.Queue()

    async def ask(self, body: hub.Request, key: str | None = None) -> hub.Answer:
        """Sends a request and waits for its answer.

        Raises :class:`RefusedError`, or :class:`SessionEndedError` when nobody knows what became of it;
        the same ``key`` may then be sent again in a new session.
        """
        if self.ended.is_set():
            raise SessionEndedError
        self._last_id += 1
        number = self._last_id
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send(hub.Ask(id=number, body=body, key=key))
            return await asyncio.wait_for(self._waiting[number], ANSWER_S)
        except TimeoutError as error:
            raise SessionEndedError("no answer") from error
        finally:
            del self._waiting[number]

    async def press(self, body: hub.Request) -> hub.Answer:
        """A request that changes the hall, with a fresh key."""
        return await self.ask(body, new_key())

    async def subscribe(self, *topics: str) -> None:
        await self.ask(hub.Subscribe(topics=topics))

    async def until(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Waits until what is shown fulfils ``condition``; False when ``seconds`` passed before.

        Raises :class:`SessionEndedError`.
        """
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    if self.ended.is_set():
                        raise SessionEndedError
                    self._changed.clear()
                    await self._changed.wait()
                    await self._refresh_stale()
        except TimeoutError:
            return False
        return True

    async def _send(self, message: hub.ClientMessage) -> None:
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except (ConnectionError, RuntimeError) as error:
            raise SessionEndedError from error

    async def listen(self) -> None:
        """Takes everything the server sends until the session ends."""
        try:
            async for message in self._socket:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    self._take(_server.decode(message.data))
        finally:
            self.ended.set()
            self._changed.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(SessionEndedError())

    def _take(self, message: hub.ServerMessage) -> None:
        match message:
            case hub.Result():
                self._answered(message)
            case hub.Snapshot():
                self._seq[message.topic] = message.seq
                self.views[message.topic] = dict(message.entries)
            case hub.Delta():
                self._apply(message)
            case hub.IdentityRead() | hub.IdentityRefused():
                self.identities.put_nowait(message)
            case _:
                """Print orders, reader arming and codes are not for the devices played here."""
        self._changed.set()

    def _answered(self, result: hub.Result) -> None:
        future = self._waiting.get(result.id)
        if future is None or future.done():
            return
        if result.ok:
            future.set_result(result.answer or hub.Answer())
        else:
            future.set_exception(
                RefusedError(result.problem.code if result.problem else "internal")
            )

    def _apply(self, delta: hub.Delta) -> None:
        """A gap in the numbers makes the topic stale: it is asked for again as a whole."""
        if delta.seq != self._seq.get(delta.topic, -1) + 1:
            self._stale.add(delta.topic)
            return
        self._seq[delta.topic] = delta.seq
        entries = self.views.setdefault(delta.topic, {})
        entries.update(delta.set)
        for key in delta.gone:
            entries.pop(key, None)

    async def _refresh_stale(self) -> None:
        topics, self._stale = tuple(self._stale), set()
        if topics:
            await self.subscribe(*topics)


@contextlib.asynccontextmanager
async def hub_session(
    http: aiohttp.ClientSession, url: str, credentials: Credentials
) -> AsyncIterator[HubSession]:
    """Connects and authenticates; ``url`` is the hall's ``ws://…/hub``.

    Raises OSError or :class:`SessionEndedError` when there is no hall, :class:`RefusedError` when it
    does not want this device.
    """
    try:
        socket = await http.ws_connect(url, heartbeat=20)
    except aiohttp.ClientError as error:
        raise SessionEndedError(str(error)) from error
    async with socket, Supervisor(f"hub session of {credentials.device}") as supervisor:
        session = HubSession(socket)
        await _authenticate(socket, credentials)
        _ = supervisor.run("listen", session.listen())
        yield session


async def _authenticate(
    socket: aiohttp.ClientWebSocketResponse, credentials: Credentials
) -> hub.Welcome:
    auth = hub.Auth(device=credentials.device, key=credentials.key, version=CONTRACT_VERSION)
    await socket.send_str(msgspec.json.encode(auth).decode())
    message = await socket.receive(timeout=ANSWER_S)
    if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        raise SessionEndedError("closed during authentication")
    match _server.decode(message.data):
        case hub.Welcome() as welcome:
            return welcome
        case hub.Bye(problem=problem) if problem.code not in ("hub.too_slow", "internal"):
            raise RefusedError(problem.code)
        case _:
            raise SessionEndedError("no welcome")
