"""The door of the hub: who connects proves who it is within ten seconds, or is paired."""

import asyncio
from dataclasses import dataclass

import structlog
from aiohttp import WSMessage, WSMsgType, web

from hallserver.engine.state import DeviceLife, HallState
from hallserver.hub import codec
from hallserver.hub.door_book import TurnedAwayRefusal
from hallserver.hub.one_place import PROBE_SECONDS, is_elsewhere, take_place
from hallserver.hub.session import ROLES, TOKENED, Outbox, Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract.base import MIN_CONTRACT_VERSION
from qingting.contract.commands import KeyDevice, RegisterDevice
from qingting.contract.errors import Refusal
from qingting.contract.hub import Ask, Auth, Pair, Paired
from qingting.contract.ids import DeviceId, StaffId
from qingting.contract.states import Role, TurnedAway
from qingting.kernel.security.device_keys import new_token

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


async def is_ping_pong(socket: web.WebSocketResponse, message: WSMessage) -> bool:
    """True for a sign of life that says nothing else; a ping is answered."""
    if message.type is WSMsgType.PING:
        await socket.pong(message.data)
    return message.type in (WSMsgType.PING, WSMsgType.PONG)


async def _first_words(socket: web.WebSocketResponse) -> WSMessage:
    message = await socket.receive()
    while await is_ping_pong(socket, message):
        message = await socket.receive()
    return message


@dataclass(frozen=True, slots=True)
class Door:
    """Lets devices in. ``probe_seconds``: see :mod:`hallserver.hub.one_place`."""

    hub: Switchboard
    seconds: float = AUTH_SECONDS
    probe_seconds: float = PROBE_SECONDS

    async def admit(self, socket: web.WebSocketResponse, address: str) -> Session | None:
        """The session of a device that proved itself; None after a pairing.

        Raises :class:`Refusal`, among them :class:`TurnedAwayRefusal` for who is somebody else,
        :class:`codec.BadMessageError` or :class:`ClientGoneError`.
        """
        try:
            async with asyncio.timeout(self.seconds):
                message = await _first_words(socket)
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
        session = await self._authenticate(said, socket, address)
        while is_elsewhere(self.hub, session):
            await take_place(self.hub, session, self.probe_seconds)
            # The key may have been taken away meanwhile, and the other place with it.
            session = await self._authenticate(said, socket, address)
        return session

    async def _authenticate(
        self, said: Auth, socket: web.WebSocketResponse, address: str
    ) -> Session:
        device = DeviceId(said.device)
        life = self.hub.hall.state.devices.get(device)
        right = await self.hub.accounts.devices.key_is_right(device, said.key)
        if life is None or life.kind not in ROLES or not right:
            raise await self._stranger(device, said.key, life, right)
        role = ROLES[life.kind]
        return Session(
            device=device,
            kind=life.kind,
            role=role,
            outbox=Outbox(socket),
            bound=life.window,
            parent=life.parent,
            staff=await self._login_of(device) if role is Role.CALL_PAD else None,
            install=said.install,
            build=said.build,
            address=address,
            presented=said.token,
            token=new_token() if role in TOKENED else "",
            since=self.hub.clock.monotonic(),
        )

    async def _stranger(
        self, device: DeviceId, key: str, life: DeviceLife | None, right: bool | None
    ) -> TurnedAwayRefusal:
        """What somebody without the right key is, seen from here."""
        owner = await self.hub.accounts.devices.owner_of(key)
        why = TurnedAway.WRONG_KEY if right is False else TurnedAway.REVOKED_KEY
        if life is None:
            why = TurnedAway.UNKNOWN_DEVICE
        elif owner is not None or life.kind not in ROLES:
            why = TurnedAway.SPOOFED_ID
        is_known = life is not None and life.kind in ROLES and right is not None
        code = "hub.not_authenticated" if is_known else "hub.unknown_device"
        return TurnedAwayRefusal(code, why, device, owner)

    async def _login_of(self, device: DeviceId) -> StaffId | None:
        """Who was logged in on the pad before it reloaded."""
        since = self.hub.clock.now_ms() - LOGIN_MS
        staff = await self.hub.accounts.devices.login_of(device, since)
        return staff if staff in self.hub.hall.state.staff else None

    async def _pair(self, said: Pair, socket: web.WebSocketResponse, address: str) -> None:
        """The new key replaces the former one at once, and with it whoever was connected or logged in."""
        devices, hall = self.hub.accounts.devices, self.hub.hall
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
        key, actor = f"pair:{pairing.device}:{new_token()}", f"device:{pairing.device}"
        await hall.submit(command, key=key, actor=actor)
        secret = await devices.use_code(said.code, pairing.device)
        await devices.forget_login(device=pairing.device)
        self.hub.disconnect(pairing.device, "hub.not_authenticated")
        await hall.submit(KeyDevice(device=pairing.device), key=f"{key}:key", actor=actor)
        paired = Paired(device=pairing.device, key=secret)
        await socket.send_frame(codec.encode(paired), WSMsgType.TEXT)
        log.info("hub.paired", device=pairing.device, kind=pairing.kind.value)


def name_of(state: HallState, device: DeviceId) -> str:
    life = state.devices.get(device)
    return life.name if life is not None else device
