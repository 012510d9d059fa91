"""The door of the hub: who connects proves who it is within ten seconds, or is paired."""

import asyncio
from dataclasses import dataclass

import structlog
from aiohttp import WSMessage, WSMsgType, web

from hallserver.engine.state import HallState
from hallserver.hall import Hall
from hallserver.hub import codec
from hallserver.hub.accounts import Accounts
from hallserver.hub.session import ROLES, Outbox, Session
from qingting.contract.base import MIN_CONTRACT_VERSION
from qingting.contract.commands import RegisterDevice
from qingting.contract.errors import Refusal
from qingting.contract.hub import Ask, Auth, Pair, Paired
from qingting.contract.ids import DeviceId
from qingting.contract.states import Role
from qingting.kernel.aio.clock import Clock

log = structlog.get_logger(__name__)

AUTH_SECONDS = 10.0
LOGIN_MS = 12 * 3_600_000
"""A clerk's login on a pad lasts a working day at most."""


class ClientGoneError(Exception):
    """The connection ended before anything was said."""


def payload(message: WSMessage) -> bytes:
    """The bytes of a text message; raises :class:`codec.BadMessageError` for anything else."""
    if message.type is not WSMsgType.TEXT:
        raise codec.BadMessageError(Refusal("hub.bad_message", where="frame"), None)
    data = message.data
    return data if isinstance(data, bytes) else str(data).encode()


@dataclass(frozen=True, slots=True)
class Door:
    """Lets devices in."""

    hall: Hall
    accounts: Accounts
    clock: Clock
    seconds: float = AUTH_SECONDS

    async def admit(self, socket: web.WebSocketResponse, address: str) -> Session | None:
        """The session of a device that proved itself; None after a pairing.

        Raises :class:`Refusal`, :class:`codec.BadMessageError` or :class:`ClientGoneError`.
        """
        try:
            async with asyncio.timeout(self.seconds):
                message = await socket.receive()
        except TimeoutError:
            raise Refusal("hub.auth_timeout") from None
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            raise ClientGoneError
        said = codec.decode(payload(message))
        if isinstance(said, Ask):
            raise Refusal("hub.not_authenticated")
        if said.version < MIN_CONTRACT_VERSION:
            raise Refusal("hub.version", version=said.version)
        if isinstance(said, Pair):
            await self._pair(said, socket, address)
            return None
        return await self._authenticate(said, socket)

    async def _authenticate(self, said: Auth, socket: web.WebSocketResponse) -> Session:
        device = DeviceId(said.device)
        life = self.hall.state.devices.get(device)
        right = await self.accounts.devices.key_is_right(device, said.key)
        if life is None or right is None or life.kind not in ROLES:
            raise Refusal("hub.unknown_device", device=device)
        if not right:
            raise Refusal("hub.not_authenticated")
        session = Session(
            device=device,
            kind=life.kind,
            role=ROLES[life.kind],
            outbox=Outbox(socket),
            bound=life.window,
            parent=life.parent,
        )
        if session.role is Role.CALL_PAD:
            await self._resume_login(session)
        return session

    async def _resume_login(self, session: Session) -> None:
        since = self.clock.now_ms() - LOGIN_MS
        staff = await self.accounts.devices.login_of(session.device, since)
        if staff is not None and staff in self.hall.state.staff:
            session.staff = staff

    async def _pair(self, said: Pair, socket: web.WebSocketResponse, address: str) -> None:
        devices = self.accounts.devices
        pairing = await devices.find_code(said.code, said.kind, address)
        command = RegisterDevice(
            device=pairing.device,
            kind=pairing.kind,
            name=pairing.name,
            name_en=pairing.name_en,
            parent=pairing.parent,
            window=pairing.window,
        )
        # Registered first: a code whose device cannot be registered stays good.
        key = f"pair:{pairing.device}:{self.clock.now_ms()}"
        await self.hall.submit(command, key=key, actor=f"device:{pairing.device}")
        secret = await devices.use_code(said.code, pairing.device)
        paired = Paired(device=pairing.device, key=secret)
        await socket.send_frame(codec.encode(paired), WSMsgType.TEXT)
        log.info("hub.paired", device=pairing.device, kind=pairing.kind.value)


def name_of(state: HallState, device: DeviceId) -> str:
    life = state.devices.get(device)
    return life.name if life is not None else device
