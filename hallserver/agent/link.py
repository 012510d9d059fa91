"""The agent's WebSocket to the hall hub: authenticate, ask, be answered, come back when it breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidURI, WebSocketException

from hallserver.devices.waiting import first_of, within
from qingting.contract.base import CONTRACT_VERSION
from qingting.contract.continuity import OfflineKit
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.hub import (
    ArmReader,
    Ask,
    Auth,
    Bye,
    Pair,
    Paired,
    PrintOrder,
    Problem,
    Request,
    Result,
    Welcome,
)
from qingting.contract.hub_acts import ActOrder, HandsInForce
from qingting.contract.hub_face import ArmFace
from qingting.contract.hub_sound import SayCall
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.backoff import Backoff
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

Order = PrintOrder | ArmReader | ArmFace | SayCall | OfflineKit | ActOrder | HandsInForce
Inbound = Welcome | Result | Order | Bye | Paired

ANSWER_S = 6.0
"""A hub that does not answer a request for this long is taken for dead."""
PING_S = 5.0
MAX_MESSAGE = 1024 * 1024
_HANDLED = frozenset(
    {
        *("welcome", "result", "print", "identity.arm", "face.arm", "say", "offline.kit"),
        *("act", "hands", "bye", "paired"),
    }
)
_decode = msgspec.json.Decoder(Inbound).decode
_encode = msgspec.json.Encoder().encode


class LinkDownError(ConnectionError):
    """There is no connection to the hall at the moment."""


class _Typed(msgspec.Struct):
    type: str


_type_of = msgspec.json.Decoder(_Typed).decode


def read_message(data: str | bytes) -> Inbound | None:
    """A message that an agent handles; None for other types and for what makes no sense."""
    try:
        kind = _type_of(data).type
        return _decode(data) if kind in _HANDLED else None
    except msgspec.DecodeError as error:
        log.warning("agent.bad_message", why=type(error).__name__)
        return None


def refusal_of(problem: Problem) -> Refusal:
    """The hub's problem as a refusal; a code that this version does not know is ``internal``."""
    code = problem.code if problem.code in error_texts() else "internal"
    return Refusal(code, **problem.params)


class HubLink:
    """Keeps one authenticated connection. ``ask`` works only while it stands."""

    def __init__(
        self,
        auth: Auth,
        url: str,
        *,
        clock: Clock,
        on_order: Callable[[Order], None],
        on_down: Callable[[], None],
    ) -> None:
        self._auth = auth
        self._url = url
        self._clock = clock
        self._on_order = on_order
        self._on_down = on_down
        self._socket: ClientConnection | None = None
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Result]] = {}
        self._loss_logged = False

    @property
    def is_up(self) -> bool:
        return self._socket is not None

    async def run(self, converse: Callable[[Welcome], Awaitable[None]]) -> None:
        """Runs ``converse`` in every connection, again after each loss, until cancelled.

        Raises a :class:`Refusal` when the hall sends the agent away for good, ``ValueError`` for an
        address that is none.
        """
        backoff = Backoff(first=0.2, cap=2.0)
        while True:
            try:
                await self._connection(converse, backoff)
            except InvalidURI as error:
                raise ValueError(f"hall address: {error}") from error
            except (OSError, WebSocketException, TimeoutError) as error:
                if not self._loss_logged:
                    self._loss_logged = True
                    log.warning("agent.hall_lost", why=type(error).__name__)
            await self._clock.sleep(backoff.next())

    async def ask(self, body: Request, key: str | None = None) -> Result:
        """Sends a request and waits for its result; raises :class:`LinkDownError`."""
        socket = self._socket
        if socket is None:
            raise LinkDownError("not connected")
        number = next(self._ids)
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await socket.send(_encode(Ask(id=number, body=body, key=key)).decode())
            return await within(self._clock, ANSWER_S, answer)
        except TimeoutError as error:
            await socket.close()
            raise LinkDownError("the hall does not answer") from error
        except WebSocketException as error:
            raise LinkDownError("the connection is gone") from error
        finally:
            self._waiting.pop(number, None)

    # ---- one connection --------------------------------------------------------------------------

    async def _connection(
        self, converse: Callable[[Welcome], Awaitable[None]], backoff: Backoff
    ) -> None:
        async with connect(
            self._url,
            max_size=MAX_MESSAGE,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            open_timeout=ANSWER_S,
            close_timeout=1,
            compression=None,
            proxy=None,
        ) as socket:
            welcome = await within(self._clock, ANSWER_S, self._authenticate(socket))
            self._socket = socket
            self._loss_logged = False
            backoff.reset()
            log.info("agent.connected", device=welcome.device)
            try:
                await first_of(self._listen(socket), _as_coroutine(converse(welcome)))
            finally:
                self._socket = None
                self._fail_waiting()
                self._on_down()

    async def _authenticate(self, socket: ClientConnection) -> Welcome:
        await socket.send(_encode(self._auth).decode())
        async for data in socket:
            match read_message(data):
                case Welcome() as welcome:
                    return welcome
                case Bye() as bye:
                    _leave(bye)
                case _:
                    pass  # nothing else counts before the welcome
        raise LinkDownError("closed before the welcome")

    async def _listen(self, socket: ClientConnection) -> None:
        async for data in socket:
            match read_message(data):
                case Result() as result:
                    answer = self._waiting.get(result.id)
                    if answer is not None and not answer.done():
                        answer.set_result(result)
                case message if isinstance(message, Order):
                    self._on_order(message)
                case Bye() as bye:
                    _leave(bye)
                case _:
                    pass  # meant for screens
        raise LinkDownError("closed by the hall")

    def _fail_waiting(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkDownError("the connection is gone"))


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


def _leave(bye: Bye) -> None:
    """Raises what the farewell means."""
    if not bye.retry:
        raise refusal_of(bye.problem)
    raise LinkDownError(bye.problem.code)


async def pair_agent(url: str, code: str) -> Paired:
    """Makes this machine an agent of the hall with the code that its manager's page shows.

    Returns the identity and key to store. Raises :class:`Refusal` for a wrong code and ``OSError``
    or ``WebSocketException`` when the hall cannot be reached.
    """
    pair = Pair(code=code, kind=DeviceKind.AGENT, version=CONTRACT_VERSION)
    async with connect(url, proxy=None, open_timeout=ANSWER_S, close_timeout=1) as socket:
        await socket.send(_encode(pair).decode())
        async with asyncio.timeout(ANSWER_S):
            async for data in socket:
                match read_message(data):
                    case Paired() as paired:
                        return paired
                    case Bye(problem=problem):
                        raise refusal_of(problem)
                    case _:
                        pass  # meant for paired devices
    raise LinkDownError("closed before the answer")
