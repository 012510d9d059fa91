"""How somebody can be reached: a phone number or mail address is kept once a code that was sent there came back."""

import json
from collections.abc import Sequence

from console.core.codes import plain_number
from console.core.permissions import Subject
from console.core.personal import PersonalData
from console.core.uow import ReadUow, Uow
from console.modules.citizens import repository as repo
from console.modules.citizens.people import (
    checked_mail,
    checked_person,
    checked_phone,
    mask_mail,
)
from console.modules.citizens.service import HOLDER, PROOF, CitizenService
from console.modules.notifications.api import (
    Channel,
    FieldKind,
    NotificationsApi,
    Topic,
    TopicField,
    topics,
)
from console.modules.privacy.api import PrivacyApi
from qingting.contract.errors import Refusal
from qingting.contract.people import mask_phone
from qingting.contract.states import CertificateKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, matches, new_pairing_code, new_token

CHANNELS = ("phone", "mail")
PROOF_MS = 10 * 60_000
AGAIN_MS = 60_000
"""Another code is sent after this at the earliest: each costs a message."""
MOST_TRIES = 5
CODE_DIGITS = 6


def _topic(channel: str, way: Channel) -> Topic:
    code = TopicField(id="code", kind=FieldKind.CODE, example="123456")
    return Topic(
        id=f"citizen.confirm_{channel}",
        fields=(code,),
        chain=(way,),
        urgent=True,
        keep_minutes=PROOF_MS // 60_000,
    )


TOPICS = topics(
    "console.modules.citizens", _topic("phone", Channel.SMS), _topic("mail", Channel.MAIL)
)


class Contact:
    """Use cases of somebody's own addresses."""

    def __init__(
        self,
        clock: Clock,
        service: CitizenService,
        notifications: NotificationsApi,
        holders: Sequence[PersonalData],
        privacy: PrivacyApi,
    ) -> None:
        self._privacy = privacy
        self._clock = clock
        self._service = service
        self._notifications = notifications
        self._holders = holders

    async def pending(self, uow: ReadUow, citizen: str) -> dict[str, str]:
        """Masked addresses that wait for their code, by channel."""
        found = {}
        for channel in CHANNELS:
            row = await repo.proof(uow, citizen, channel)
            if row is not None and row["expires_at"] > self._clock.now_ms():
                found[channel] = _mask(channel, self._service.opened(row["box"], channel, citizen))
        return found

    async def begin(self, uow: Uow, citizen: str, channel: str, text: str) -> None:
        """Sends a code to an address. Raises ``citizen.phone``, ``citizen.mail``, ``citizen.code_again``."""
        value = checked_phone(text) if channel == "phone" else checked_mail(text)
        now = self._clock.now_ms()
        before = await repo.proof(uow, citizen, channel)
        left = 0 if before is None else before["expires_at"] - PROOF_MS + AGAIN_MS - now
        if left > 0:
            raise Refusal("citizen.code_again", seconds=-(-left // 1000))
        code = new_pairing_code()[:CODE_DIGITS]
        values = {
            "box": self._service.sealed(value, channel, citizen),
            "code": digest(_salted(citizen, channel, code)),
            "expires_at": now + PROOF_MS,
            "tries": 0,
        }
        again = now + PROOF_MS - AGAIN_MS
        if not await repo.put_proof(uow, citizen, channel, values, again):
            raise Refusal("citizen.code_again", seconds=AGAIN_MS // 1000)
        await self._notifications.tell(
            uow,
            f"citizen.confirm_{channel}",
            f"{PROOF}{citizen}:{channel}",
            {"code": code},
            key=f"citizen proof {new_token()}",
        )

    async def confirm(self, uow: Uow, citizen: str, channel: str, code: str) -> Refusal | None:
        """Keeps the address, or gives the refusal to show: a wrong try is counted, so that it is no exception."""
        row = await repo.take_try(uow, citizen, channel, self._clock.now_ms(), MOST_TRIES)
        if row is None:
            return Refusal("citizen.code_over")
        if not matches(row["code"], _salted(citizen, channel, plain_number(code))):
            return Refusal("citizen.code_wrong", left=MOST_TRIES - row["tries"])
        value = self._service.opened(row["box"], channel, citizen)
        values = {f"{channel}_box": row["box"], f"masked_{channel}": _mask(channel, value)}
        if channel == "phone":
            values["phone_index"] = self._service.phone_index(value)
        await repo.change(uow, citizen, values)
        await repo.drop_proof(uow, citizen, channel)
        return None

    async def remove_mail(self, uow: Uow, citizen: str) -> None:
        await repo.change(uow, citizen, {"mail_box": "", "masked_mail": ""})

    async def put_comes(self, uow: Uow, citizen: str, name: str, number: str) -> None:
        """Who comes to the halls for a firm that logged in itself. Raises ``citizen.name``, ``citizen.number``."""
        name, number = checked_person(CertificateKind.RESIDENT_ID, name, number)
        text = json.dumps({"name": name, "number": number}, ensure_ascii=False)
        box = self._service.sealed(text, "comes", citizen)
        await repo.change(uow, citizen, {"comes_box": box})

    async def forget(self, uow: Uow, citizen: str, address: str) -> None:
        """Somebody's own wish: the account goes, and with it the name wherever else it need not stay (个人信息保护法
        Art. 47)."""
        actor = Subject(id=f"citizen {citizen}", name="", address=address)
        sought = await self._service.sought(uow, citizen)
        for one in self._holders:
            if one.holder == HOLDER:
                continue
            left = (await one.erase(uow, sought)).left
            if any(kept.why == "booked" for kept in left):
                # Booked a moment ago, perhaps at another window: nobody books any more until the commit.
                raise Refusal("citizen.has_bookings")
            await self._privacy.finish_later(uow, one.holder, left)
        await self._privacy.forget_in_halls(uow, sought.number)
        await self._service.forget(uow, actor, citizen)


def _mask(channel: str, value: str) -> str:
    return mask_phone(value) if channel == "phone" else mask_mail(value)


def _salted(citizen: str, channel: str, code: str) -> str:
    return f"{citizen} {channel} {code}"
