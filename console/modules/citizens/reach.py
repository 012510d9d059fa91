"""How somebody can be reached besides phone and mail: on phones with the city's app, and at Alipay."""

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from console.core.delivering import DeliveryError
from console.core.senders.alipay_client import AlipayClient
from console.core.senders.port import PushDevice
from console.core.uow import ReadUow, Uow
from console.modules.citizens import repository_reach as repo
from console.modules.citizens.boxes import context_of
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest
from qingting.kernel.security.seal import Sealer, SealError

PLATFORMS = ("android", "ios", "harmony")
MOST_DEVICES = 10
SILENT_DAYS = 180
"""An app names its token whenever it is opened by somebody logged in; one that was not for so long is given up."""
ATTEMPT_MS = 10 * 60_000
_APP = re.compile(r"[A-Za-z0-9._-]{1,100}")
_TOKEN = re.compile(r"[!-~]{8,512}")


class _Asked(Strict, frozen=True, kw_only=True):
    """A citizen who went to Alipay and has to come back to the same browser."""

    citizen: str
    state: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone with the app as its owner sees it. ``key`` is the digest of its token, which reaches nothing."""

    key: str
    platform: str
    app: str
    seen_at: int


class Reachable:
    """Use cases of somebody's phones and Alipay account. ``alipay`` None: this city has none."""

    def __init__(self, clock: Clock, sealer: Sealer, alipay: AlipayClient | None) -> None:
        self._clock = clock
        self._sealer = sealer
        self.alipay = alipay

    # -- for whoever sends ------------------------------------------------------------------------

    async def push(self, uow: ReadUow, citizen: str) -> tuple[PushDevice, ...]:
        return tuple(
            PushDevice(
                platform=row["platform"],
                app=row["app"],
                token=self._sealer.open(row["box"], context=context_of("device", citizen)),
            )
            for row in await repo.devices(uow, citizen)
        )

    async def at_alipay(self, uow: ReadUow, citizen: str) -> str:
        """Empty where none was shown, or to another app of the city's."""
        row = await repo.alipay(uow, citizen)
        if row is None or self.alipay is None or row["app"] != self.alipay.app_id:
            return ""
        return self._sealer.open(row["box"], context=context_of("alipay", citizen))

    async def gone(self, uow: Uow, citizen: str, tokens: Collection[str]) -> None:
        _ = await repo.drop_devices(uow, citizen, [digest(one) for one in tokens])

    # -- phones -----------------------------------------------------------------------------------

    async def phones(self, uow: ReadUow, citizen: str) -> Sequence[Phone]:
        return [
            Phone(
                key=row["digest"], platform=row["platform"], app=row["app"], seen_at=row["seen_at"]
            )
            for row in await repo.devices(uow, citizen)
        ]

    async def name_phone(self, uow: Uow, citizen: str, session: str, device: PushDevice) -> None:
        """Keeps a phone, or that it is still there. Raises ``form.invalid``."""
        for field, fits in (
            ("platform", device.platform in PLATFORMS),
            ("app", _APP.fullmatch(device.app)),
            ("token", _TOKEN.fullmatch(device.token)),
        ):
            if not fits:
                raise Refusal("form.invalid", field=field)
        now = self._clock.now_ms()
        values = {
            "citizen": citizen,
            "session": session,
            "platform": device.platform,
            "app": device.app,
            "box": self._sealer.seal(device.token, context=context_of("device", citizen)),
            "made_at": now,
            "seen_at": now,
        }
        await repo.put_device(uow, digest(device.token), values)
        await repo.keep_newest(uow, citizen, MOST_DEVICES)

    async def drop_phone(self, uow: Uow, citizen: str, key: str) -> None:
        _ = await repo.drop_devices(uow, citizen, [key])

    async def drop_phones(self, uow: Uow, citizen: str) -> None:
        """All of somebody's, who ended all sessions."""
        _ = await repo.drop_devices(uow, citizen)

    async def logged_out(self, uow: Uow, session: str) -> None:
        """Who logs out on a phone gets no messages there any more; a session that just ran out changes nothing."""
        await repo.drop_devices_of(uow, [session])

    # -- Alipay -----------------------------------------------------------------------------------

    async def bound(self, uow: ReadUow, citizen: str) -> sa.RowMapping | None:
        """The account that messages go to now."""
        row = await repo.alipay(uow, citizen)
        here = row is not None and self.alipay is not None and row["app"] == self.alipay.app_id
        return row if here else None

    def begin(self, citizen: str, back: str) -> tuple[str, str]:
        """Where to send the browser, and the text to give it as a cookie. Raises ``page.not_found``."""
        asked = _Asked(citizen=citizen, state=secrets.token_urlsafe(24), at=self._clock.now_ms())
        sealed = self._sealer.seal(msgspec.json.encode(asked).decode(), context="citizen alipay go")
        return self._client().ask(back, asked.state), sealed

    async def finish(self, uow: Uow, citizen: str, sealed: str, state: str, code: str) -> None:
        """Keeps whom Alipay names, which is asked outside of the transaction. Raises ``citizen.alipay_mismatch`` (not begun by this person in this browser, or too
        long ago), ``citizen.alipay_failed``."""
        self._check(citizen, sealed, state)
        client = self._client()
        if not code:
            raise Refusal("citizen.alipay_failed")
        try:
            async with uow.outside():
                name = await client.who(code)
        except DeliveryError as error:
            raise Refusal("citizen.alipay_failed") from error
        values = {
            "app": client.app_id,
            "box": self._sealer.seal(name, context=context_of("alipay", citizen)),
            "masked": f"***{name[-4:]}",
            "made_at": self._clock.now_ms(),
        }
        await repo.put_alipay(uow, citizen, values)

    def _check(self, citizen: str, sealed: str, state: str) -> None:
        try:
            opened = self._sealer.open(sealed, context="citizen alipay go")
            asked = msgspec.json.decode(opened, type=_Asked)
        except (SealError, msgspec.DecodeError) as error:
            raise Refusal("citizen.alipay_mismatch") from error
        old = self._clock.now_ms() - asked.at > ATTEMPT_MS
        same = secrets.compare_digest(asked.state.encode(), state.encode())
        if old or not same or asked.citizen != citizen:
            raise Refusal("citizen.alipay_mismatch")

    def _client(self) -> AlipayClient:
        if self.alipay is None:
            raise Refusal("page.not_found")
        return self.alipay

    async def unbind(self, uow: Uow, citizen: str) -> None:
        _ = await repo.drop_alipay(uow, citizen)
