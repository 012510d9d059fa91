"""SMS, app messages and mail to citizens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from console.core.mailing import MailServer
from console.core.senders.port import Letter, Receipt, Receipts, Taken
from console.core.senders.signing import Gateway

MOST_RECEIPTS = 200
MOST_PUSHED = 1000


class _Sent(msgspec.Struct):
    reference: str
    segments: int = 0
    dead: list[str] = []


class _Report(msgspec.Struct):
    id: str
    status: str
    at: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
    reason: str = ""


class _Reports(msgspec.Struct):
    batch: str
    reports: list[_Report]


class _Pushed(msgspec.Struct):
    reports: Annotated[list[_Report], msgspec.Meta(max_length=MOST_PUSHED)]


ARRIVED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSender:
    """SMS through a provider's gateway (短信网关); see docs/integrators/sms.md. ``sign`` is the approved signature
    (签名), which the provider puts in front as 【签名】."""

    gateway: Gateway
    sign: str
    name: str = "sms"

    async def send(self, letter: Letter) -> Taken:
        body = {
            "id": letter.id,
            "phone": letter.to,
            "sign": self.sign,
            "template": letter.template,
            "params": dict(letter.params),
            "text": letter.text,
        }
        sent = await self.gateway.call("/sms", body, _Sent)
        return Taken(sent.reference, sent.segments)

    async def receipts(self, confirmed: str) -> Receipts:
        body = {"most": MOST_RECEIPTS, "confirmed": confirmed}
        got = await self.gateway.call("/reports", body, _Reports)
        return Receipts(got.batch, [_receipt_of(one) for one in got.reports])

    def pushed(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[str, list[Receipt]]:
        """Receipts that the provider brings by itself: the code to answer when they are not taken, else what they say."""
        if refused := self.gateway.refused(method, path, headers, body):
            return refused, []
        try:
            found = msgspec.json.decode(body, type=_Pushed)
        except msgspec.DecodeError:
            return "bad_request", []
        return "", [_receipt_of(one) for one in found.reports]


def _receipt_of(report: _Report) -> Receipt:
    return Receipt(report.id, report.status == ARRIVED, report.reason[:40], report.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSender:
    """Messages on the screen of the city's app (App 推送), on all devices of ``letter``."""

    gateway: Gateway
    name: str = "push"
    sign: str = ""

    async def send(self, letter: Letter) -> Taken:
        body = {
            "id": letter.id,
            "devices": [
                {"platform": one.platform, "app": one.app, "token": one.token}
                for one in letter.devices
            ],
            "title": letter.title,
            "text": letter.text,
            "link": letter.link,
        }
        sent = await self.gateway.call("/push", body, _Sent)
        return Taken(sent.reference, dead=tuple(sent.dead))

    async def receipts(self, confirmed: str) -> Receipts:
        return Receipts()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSender:
    """Mail to a citizen; a mail server says nothing afterwards."""

    server: MailServer
    name: str = "mail"
    sign: str = ""

    async def send(self, letter: Letter) -> Taken:
        text = f"{letter.text}\n\n{letter.link}" if letter.link else letter.text
        await self.server.post(
            self.server.mail(
                (letter.to,), id=letter.id, at=letter.at, title=letter.title, text=text
            )
        )
        return Taken(letter.id)

    async def receipts(self, confirmed: str) -> Receipts:
        return Receipts()
