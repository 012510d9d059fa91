"""What the providers know: what they took, the receipts they owe, how they misbehave.

Written from ``docs/integrators/sms.md`` alone; shares nothing with the console's senders.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from qingting.kernel.aio.clock import Clock, SystemClock

CLOCK_MS = 5 * 60_000
"""A request signed longer ago or ahead than this is refused."""
KEPT = 200
RETRY_AFTER = 20
SLOW_SECONDS = 30.0


class Way(StrEnum):
    """What a provider carries."""

    SMS = "sms"
    PUSH = "push"
    MAIL = "mail"
    ALIPAY = "alipay"


class Fault(StrEnum):
    """How a provider misbehaves. ``lost_answer``: it takes the message, and the line breaks before it says so. ``forged``:
    somebody else signs the answers. The last four are about receipts, which only SMS has."""

    DOWN = "down"
    SLOW = "slow"
    GARBAGE = "garbage"
    LOST_ANSWER = "lost_answer"
    REFUSE = "refuse"
    BUSY = "busy"
    RATE_LIMIT = "rate_limit"
    NO_BALANCE = "no_balance"
    FORGED = "forged"
    UNDELIVERED = "undelivered"
    LATE_RECEIPTS = "late_receipts"
    LOST_RECEIPTS = "lost_receipts"
    REPEATED_RECEIPTS = "repeated_receipts"


FAULTS_OF: dict[Way, tuple[Fault, ...]] = {
    Way.SMS: tuple(one for one in Fault if one is not Fault.FORGED),
    Way.PUSH: (
        Fault.DOWN,
        Fault.SLOW,
        Fault.GARBAGE,
        Fault.LOST_ANSWER,
        Fault.REFUSE,
        Fault.BUSY,
        Fault.RATE_LIMIT,
    ),
    Way.MAIL: (Fault.DOWN, Fault.SLOW, Fault.REFUSE, Fault.BUSY),
    Way.ALIPAY: (
        Fault.DOWN,
        Fault.SLOW,
        Fault.GARBAGE,
        Fault.LOST_ANSWER,
        Fault.REFUSE,
        Fault.BUSY,
        Fault.FORGED,
    ),
}


class Arrived(msgspec.Struct, kw_only=True):
    """A message on somebody's phone or in a mailbox."""

    no: int
    way: Way
    id: str
    to: str
    title: str
    text: str
    at: int
    segments: int
    link: str = ""
    asked: int = 1
    """How often it was handed in: more than once is a repetition that was not sent again."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an SMS."""

    id: str
    status: str
    at: int
    reason: str = ""


class NotAllowedError(Exception):
    """The request is not signed by an account that the provider knows; ``code`` is what it answers."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MessagePlatform:
    """``account`` and ``secret`` are what it gave to the city, ``sign`` the signature that it approved."""

    def __init__(
        self, account: str, secret: str, sign: str = "大庆政务", clock: Clock | None = None
    ) -> None:
        self.account = account
        self.secret = secret
        self.sign = sign
        self.clock = clock or SystemClock()
        self.faults: dict[Way, Fault | None] = dict.fromkeys(Way)
        self.arrived: deque[Arrived] = deque(maxlen=KEPT)
        self.asked: dict[Way, int] = dict.fromkeys(Way, 0)
        self.uninstalled: set[str] = set()
        """Tokens of phones that have the app no more."""
        self._known: dict[tuple[Way, str], Arrived] = {}
        self._reports: list[Report] = []
        self._batch: tuple[str, list[Report]] = ("", [])
        self._batches = 0
        self._nonces: set[str] = set()
        self._lifted = asyncio.Event()

    def set_fault(self, way: Way, fault: Fault | None) -> None:
        """From now on; what waited for a slow provider goes on."""
        self.faults[way] = fault
        self._lifted.set()
        self._lifted = asyncio.Event()

    async def dawdle(self, way: Way) -> None:
        """A slow provider: answers come when it is slow no more, or after half a minute."""
        if self.faults[way] is Fault.SLOW:
            try:
                await asyncio.wait_for(self._lifted.wait(), SLOW_SECONDS)
            except TimeoutError:
                return

    # ---- who asks ------------------------------------------------------------------------------------

    def admit(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """Raises :class:`NotAllowedError`."""
        if headers.get("x-account") != self.account:
            raise NotAllowedError("bad_account")
        stamp, nonce = headers.get("x-timestamp", ""), headers.get("x-nonce", "")
        if not stamp.isdigit() or abs(self.clock.now_ms() - int(stamp)) > CLOCK_MS:
            raise NotAllowedError("bad_signature")
        lines = [method, path, stamp, nonce, hashlib.sha256(body).hexdigest()]
        mac = hmac.new(self.secret.encode(), digestmod="sha256")
        for place, line in enumerate(lines):
            mac.update((b"\n" if place else b"") + line.encode())
        given = headers.get("x-signature", "")
        if not nonce or nonce in self._nonces or not hmac.compare_digest(mac.hexdigest(), given):
            raise NotAllowedError("bad_signature")
        self._nonces.add(nonce)

    # ---- messages ------------------------------------------------------------------------------------

    def refusal(self, way: Way) -> dict[str, Any] | None:
        """What a provider in its present mood answers instead of taking anything."""
        match self.faults[way]:
            case Fault.REFUSE:
                return {"code": "no_device" if way is Way.PUSH else "bad_address"}
            case Fault.BUSY:
                return {"code": "busy"}
            case Fault.RATE_LIMIT:
                return {"code": "rate_limited", "retry_after": RETRY_AFTER}
            case Fault.NO_BALANCE:
                return {"code": "no_balance"}
            case _:
                return None

    def sms(self, body: dict[str, Any]) -> dict[str, Any]:
        """Takes an SMS, or says why not."""
        self.asked[Way.SMS] += 1
        phone, text = str(body.get("phone", "")), str(body.get("text", ""))
        if (refused := self.refusal(Way.SMS)) is not None:
            return refused
        if body.get("sign") != self.sign:
            return {"code": "bad_sign"}
        if not (phone.isdigit() and len(phone) == 11 and phone[0] == "1"):
            return {"code": "bad_address"}
        if not text or not body.get("id"):
            return {"code": "bad_text"}
        whole = f"【{self.sign}】{text}"
        known = self._known.get((Way.SMS, str(body["id"])))
        one = self.take(Way.SMS, str(body["id"]), phone, "", whole, billed(whole))
        if known is None:
            self._owe(one)
        return {"code": "OK", "reference": f"S{one.no:08d}", "segments": one.segments}

    def push(self, body: dict[str, Any]) -> dict[str, Any]:
        """Takes an app message, or says why not."""
        self.asked[Way.PUSH] += 1
        if (refused := self.refusal(Way.PUSH)) is not None:
            return refused
        tokens = [str(one.get("token", "")) for one in body.get("devices", [])]
        dead = [one for one in tokens if one in self.uninstalled]
        there = [one for one in tokens if one and one not in self.uninstalled]
        if not there:
            return {"code": "no_device"}
        title, text, link = (str(body.get(name, "")) for name in ("title", "text", "link"))
        arrived = [
            self.take(Way.PUSH, f"{body['id']} {token}", token, title, text, link=link)
            for token in there
        ]
        return {"code": "OK", "reference": f"P{arrived[0].no:08d}", "dead": dead}

    def mail(self, id: str, to: str, title: str, text: str) -> None:  # noqa: A002 - the mail's own
        self.asked[Way.MAIL] += 1
        _ = self.take(Way.MAIL, id, to, title, text)

    def take(
        self,
        way: Way,
        id: str,  # noqa: A002
        to: str,
        title: str,
        text: str,
        segments: int = 0,
        link: str = "",
    ) -> Arrived:
        """Brings a message to somebody; one that is known by its ``id`` is only counted again."""
        known = self._known.get((way, id))
        if known is not None:
            known.asked += 1
            return known
        one = Arrived(
            no=len(self._known) + 1,
            way=way,
            id=id,
            to=to,
            title=title,
            text=text,
            at=self.clock.now_ms(),
            segments=segments,
            link=link,
        )
        self._known[way, id] = one
        self.arrived.appendleft(one)
        return one

    # ---- receipts ------------------------------------------------------------------------------------

    def _owe(self, one: Arrived) -> None:
        fault = self.faults[Way.SMS]
        if fault is Fault.LOST_RECEIPTS:
            return
        failed = fault is Fault.UNDELIVERED
        report = Report(
            id=one.id,
            status="failed" if failed else "delivered",
            at=self.clock.now_ms(),
            reason="absent" if failed else "",
        )
        self._reports.append(report)

    def reports(self, most: int, confirmed: str) -> dict[str, Any]:
        """The receipts that are owed: the same ones until their batch is confirmed."""
        fault = self.faults[Way.SMS]
        batch, given = self._batch
        if given and confirmed == batch and fault is not Fault.REPEATED_RECEIPTS:
            self._batch = batch, given = "", []
        if not given and fault is not Fault.LATE_RECEIPTS:
            given, self._reports = self._reports[:most], self._reports[most:]
            self._batches += bool(given)
            batch = f"B{self._batches}" if given else ""
            self._batch = (batch, given)
        return {"code": "OK", "batch": batch, "reports": given}

    async def push_reports(self, url: str) -> str:
        """Hands the receipts that are owed to the city at ``url``, signed as the city signs; gives the code of its answer.
        What it did not take is owed still."""
        owed = list(self._reports)
        body = msgspec.json.encode({"reports": owed})
        stamp, nonce = str(self.clock.now_ms()), secrets.token_hex(12)
        lines = ["POST", urlsplit(url).path, stamp, nonce, hashlib.sha256(body).hexdigest()]
        mac = hmac.new(self.secret.encode(), "\n".join(lines).encode(), hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "X-Account": self.account,
            "X-Timestamp": stamp,
            "X-Nonce": nonce,
            "X-Signature": mac.hexdigest(),
        }
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=body, headers=headers) as got,
        ):
            code = str((await got.json())["code"])
        if code == "OK":
            self._reports = [one for one in self._reports if one not in owed]
        return code

    def state(self) -> dict[str, Any]:
        """What the control page shows."""
        return {
            "faults": self.faults,
            "asked": self.asked,
            "arrived": list(self.arrived),
            "owed": len(self._reports) + len(self._batch[1]),
        }


def billed(text: str) -> int:
    """70 characters are one message, longer ones are parts of 67; a surrogate pair counts twice."""
    units = sum(2 if ord(one) > 0xFFFF else 1 for one in text)
    if units <= 70:
        return 1
    parts, rest = divmod(units, 67)
    return parts + (rest > 0)
