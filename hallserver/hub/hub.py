"""The hub of a hall: the sockets of every screen and agent, and the clockwork behind them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from hallserver.engine.timers import parks_over, silent_ratings
from hallserver.hall import Hall
from hallserver.hub import (
    codec,
    handlers_acts,
    handlers_agent,
    handlers_boards,
    handlers_continuity,
    handlers_face,
    handlers_kiosk,
    handlers_pads,
    handlers_visits,
)
from hallserver.hub.accounts import Accounts
from hallserver.hub.authority import held_window
from hallserver.hub.citizen_codes import CodeService
from hallserver.hub.door import (
    AUTH_SECONDS,
    ClientGoneError,
    Door,
    is_ping_pong,
    name_of,
    payload,
)
from hallserver.hub.door_book import TurnedAwayRefusal
from hallserver.hub.one_place import PROBE_SECONDS
from hallserver.hub.presence import TICK_SECONDS
from hallserver.hub.registry import REGISTRY, carry_out
from hallserver.hub.session import Outbox, Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub as h
from qingting.contract.base import CONTRACT_VERSION
from qingting.contract.commands import Command, EndAct, LeaveUnrated, ReportDevice, ReportPrint
from qingting.contract.errors import Refusal
from qingting.contract.states import App, Role
from qingting.kernel.aio.clock import Clock
from qingting.kernel.aio.tasks import Supervisor
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.security.seal import Sealer
from qingting.kernel.web.sender import sender_of

log = structlog.get_logger(__name__)

HANDLERS = (
    handlers_acts,
    handlers_agent,
    handlers_boards,
    handlers_face,
    handlers_kiosk,
    handlers_pads,
    handlers_visits,
    handlers_continuity,
)
"""Modules whose import fills the registry."""
HEARTBEAT_SECONDS = 4.0
"""A dead line is found within one and a half of these."""
HARD_LIMIT_BYTES = 2 * 1024 * 1024
"""Beyond this the library closes the line itself; up to it the client is told what was wrong."""


class Hub:
    """Made by the composition root; :meth:`running` starts it, :meth:`socket` is its route."""

    def __init__(
        self,
        hall: Hall,
        accounts: Accounts,
        sealer: Sealer,
        clock: Clock,
        *,
        base_url: str,
        city_link: Callable[[], bool] = lambda: False,
        code_service: CodeService | None = None,
        builds: Mapping[App, str] = MappingProxyType({}),
        proxies: frozenset[str] = frozenset(),
        auth_seconds: float = AUTH_SECONDS,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        assert REGISTRY, "no handlers"
        self.board = Switchboard(
            hall,
            accounts,
            sealer,
            clock,
            base_url=base_url,
            city_link=city_link,
            code_service=code_service,
            builds=builds,
        )
        self._hall = hall
        self._clock = clock
        self._door = Door(self.board, auth_seconds, probe_seconds)
        self._proxies = proxies
        self._sockets: set[web.WebSocketResponse] = set()

    # ---- life -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Hub"]:
        """The hub works inside; leaving it closes every connection."""
        unsubscribe = self._hall.subscribe(self.board.committed)
        self.board.printing.adopt(self._hall.state)
        self.board.acts.adopt()
        async with Supervisor("hub") as tasks, self.board.codes.asking:
            _ = tasks.keep("topics", self.board.topics.run)
            _ = tasks.keep("citizen codes", self.board.codes.watch)
            _ = tasks.keep("housekeeping", self._keep_house)
            try:
                yield self
            finally:
                unsubscribe()
                await self.close()

    async def close(self) -> None:
        """Hangs up on everybody; they come back when the server does."""
        closing = [one.close(code=WSCloseCode.GOING_AWAY) for one in list(self._sockets)]
        if closing:
            await asyncio.wait([asyncio.ensure_future(one) for one in closing], timeout=2)

    # ---- connections ----------------------------------------------------------------------------

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """The route ``/hub``."""
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=HARD_LIMIT_BYTES,
            decode_text=False,
            timeout=1.0,
            autoping=False,  # a pong is a sign of life that we want to see
            compress=False,  # one encoding serves all; a hall's own network is wide enough
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await self._receive(socket, sender_of(request, self._proxies) or "?")
        finally:
            self._sockets.discard(socket)
        return socket

    async def _receive(self, socket: web.WebSocketResponse, address: str) -> None:
        outbox = Outbox(socket)
        try:
            session = await self._door.admit(socket, address)
        except ClientGoneError:
            return
        except codec.BadMessageError as error:
            outbox.end(error.refusal)
        except Refusal as refusal:
            if isinstance(refusal, TurnedAwayRefusal):
                self.board.turned_away(refusal, address)
            log.info("hub.turned_away", code=refusal.code, address=address)
            outbox.end(refusal)
        else:
            if session is not None:
                await self._serve(session, socket)
                outbox = session.outbox
        await outbox.farewell()

    async def _serve(self, session: Session, socket: web.WebSocketResponse) -> None:
        self.board.join(session)
        self._greet(session)
        reading = asyncio.create_task(self._read(session, socket), name=f"hub/{session.device}/r")
        writing = asyncio.create_task(session.outbox.run(), name=f"hub/{session.device}/w")
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, writing):
                task.cancel()
            results = await asyncio.gather(reading, writing, return_exceptions=True)
            self.board.leave(session)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                log.error("hub.session_failed", device=session.device, exc_info=result)

    async def _read(self, session: Session, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            session.heard.set()
            if message.type is WSMsgType.ERROR:
                return
            if await is_ping_pong(socket, message):
                continue
            try:
                said = codec.decode(payload(message))
            except codec.BadMessageError as error:
                if error.id is None:
                    session.outbox.end(error.refusal)
                    return
                session.send(codec.refused(error.id, error.refusal))
                continue
            if not isinstance(said, h.Ask):
                session.outbox.end(Refusal("hub.bad_message", where="$.type"))
                return
            self.board.heard(session)
            session.send(await self._result(session, said))

    async def _result(self, session: Session, ask: h.Ask) -> h.Result:
        if ask.id <= session.last_id:
            return codec.refused(ask.id, Refusal("hub.bad_message", where="$.id"))
        session.last_id = ask.id
        session.busy = True
        try:
            return codec.granted(ask, await carry_out(self.board, session, ask))
        except Refusal as refusal:
            if isinstance(refusal, TurnedAwayRefusal):
                self.board.turned_away(refusal, session.address)
            return codec.refused(ask.id, refusal)
        except Exception:
            log.exception(
                "hub.request_failed", device=session.device, request=type(ask.body).__name__
            )
            return codec.refused(ask.id, Refusal("internal"))
        finally:
            session.busy = False

    def _greet(self, session: Session) -> None:
        state = self._hall.state
        session.send(
            h.Welcome(
                role=session.role,
                device=session.device,
                name=name_of(state, session.device),
                now=self._clock.now_ms(),
                version=CONTRACT_VERSION,
                window=held_window(state, session.staff) or session.bound,
                build=self.board.build_for(session.device),
                token=session.token,
            )
        )
        if session.role is Role.AGENT:
            self.board.agent_joined(session)
        elif session.role is Role.KIOSK:
            self.board.kiosk_joined(session)
        self.board.hands_joined(session)

    # ---- housekeeping ---------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self.board.wake.wait()
            self.board.wake.clear()
            await self._tidy()

    async def _tidy(self) -> None:
        """Reports what presence and printing know and the log does not; forgets what is over."""
        self.board.forget_leavers()
        state = self._hall.state
        reports: list[Command] = [*self.board.presence.due(state), *self.board.unprintable()]
        reports += self.board.printing.overdue(state)
        reports += silent_ratings(state, self._clock.now_ms())
        reports += parks_over(state, self._clock.now_ms())
        reports += self.board.acts.ends()
        await asyncio.gather(*(self._submit(report) for report in reports))
        for refusal in self.board.door_book.due():
            if await self._submit(refusal):
                self.board.door_book.told(refusal)

    async def _submit(self, command: Command) -> bool:
        """False when the hall refused it."""
        if isinstance(command, ReportPrint):
            key = f"system:print:{command.ticket}:{command.attempt}:{command.outcome.value}"
        elif isinstance(command, EndAct):
            key = f"system:act:{command.act}:{command.outcome.value}"
        elif isinstance(command, LeaveUnrated):
            key = f"system:silence:{command.case}"
        else:
            device = command.device if isinstance(command, ReportDevice) else "hall"
            key = f"system:{device}:{new_token()}"
        try:
            await self._hall.submit(command, key=key, actor="system")
        except Refusal as refusal:
            # Asked again at the next turn: what is due is computed from the state.
            log.warning("hub.report_refused", code=refusal.code, report=type(command).__name__)
            return False
        return True
