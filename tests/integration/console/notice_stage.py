"""The notifier of one or more workers before simulated providers, with a clock that the test moves."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import sqlalchemy as sa
from aiohttp import web

from console.core.db import Database
from console.core.mailing import MailServer
from console.core.senders.alipay import AlipaySender
from console.core.senders.alipay_client import AlipayClient, private_key, public_key
from console.core.senders.gateways import MailSender, PushSender, SmsSender
from console.core.senders.port import PushDevice, Sender
from console.core.senders.signing import Gateway
from console.core.uow import ReadUow, Uow
from console.modules.notifications import models as m
from console.modules.notifications.api import Reach
from console.modules.notifications.receiving import Receiving
from console.modules.notifications.sending import Post
from console.modules.notifications.service import NotificationService
from console.modules.notifications.topics import (
    Channel,
    DeclaredTopic,
    FieldKind,
    Topic,
    TopicField,
)
from qingting.contract.states import Language
from qingting.kernel.aio.clock import ManualClock
from simulators.messages import AlipayPlatform, MessagePlatform, create_messages_app, serve_mail

CHINA = 480
SECRET = "a secret of sixteen or more"
PHONE, MAIL = "13945678901", "zhang@example.com"
OPEN_ID = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"
PHONES = tuple(
    PushDevice(platform=platform, app="cn.daqing.app", token=f"token-of-{platform}")
    for platform in ("android", "harmony")
)


def china(text: str) -> int:
    """UTC milliseconds of a wall time in China."""
    return int(datetime.fromisoformat(f"{text}+08:00").astimezone(UTC).timestamp() * 1000)


NOON = china("2026-11-23 12:00")


def topic(
    id: str = "visit.booked",  # noqa: A002
    *,
    chain: tuple[Channel, ...] = (Channel.SMS, Channel.MAIL),
    urgent: bool = False,
    before_minutes: int | None = None,
) -> DeclaredTopic:
    """A topic with a hall, a time and a code."""
    words = {Language.ZH: "{hall}{time}，{code}", Language.EN: "{hall} {time}, {code}"}
    return DeclaredTopic(
        topic=Topic(
            id=id,
            fields=(
                TopicField(id="hall", example="萨尔图"),
                TopicField(id="time", kind=FieldKind.MOMENT, example=NOON),
                TopicField(id="code", kind=FieldKind.CODE, example="8F3K2M"),
            ),
            chain=chain,
            urgent=urgent,
            before_minutes=before_minutes,
            link="/c/bookings",
        ),
        names={Language.ZH: "预约成功", Language.EN: "Booked"},
        field_names={
            (one, language): one for one in ("hall", "time", "code") for language in Language
        },
        titles={Language.ZH: "预约成功", Language.EN: "Booked"},
        texts=words,
        short=words,
    )


PARAMS = {"hall": "萨尔图区政务服务中心", "time": NOON, "code": "8F3K2M"}
TOPICS = (
    topic(),
    topic("visit.reminder", before_minutes=60),
    topic("login.code", chain=(Channel.SMS,), urgent=True),
    topic("visit.news", chain=(Channel.PUSH, Channel.SMS)),
    topic("visit.alipay", chain=(Channel.ALIPAY, Channel.SMS)),
)


@dataclass
class Book:
    """Who is reached where."""

    known: dict[str, Reach] = field(default_factory=dict)

    async def reach(self, uow: ReadUow, citizen: str) -> Reach | None:
        return self.known.get(citizen)

    async def gone(self, uow: Uow, citizen: str, tokens: Collection[str]) -> None:
        one = self.known[citizen]
        left = tuple(device for device in one.push if device.token not in tokens)
        self.known[citizen] = replace(one, push=left)


@dataclass
class Stage:
    """``post`` and ``other`` are two workers over one database."""

    db: Database
    clock: ManualClock
    platform: MessagePlatform
    api: str
    service: NotificationService
    post: Post
    other: Post
    receiving: Receiving
    senders: dict[str, Sender]
    book: Book
    told: int = 0

    async def tell(self, topic: str = "visit.booked", citizen: str = "zhang", **how: object) -> str:
        self.told += 1
        key = f"key-{self.told}"
        params = {**PARAMS, "code": f"CODE{self.told}"}
        async with self.db.write() as uow:
            await self.service.tell(uow, topic, citizen, params, key=key, **how)  # type: ignore[arg-type]
        return key

    async def work(self, post: Post | None = None) -> None:
        """As the job does: again while there may be more, and when it has changed something itself."""
        for _ in range(3):
            while not await (post or self.post).work():
                pass

    async def minutes(self, minutes: float) -> None:
        """Time passes, and the worker looks again."""
        await self.clock.advance(minutes * 60)
        await self.work()

    async def states(self, key: str = "") -> dict[str, str]:
        """State and reason of each way of a message, the last one told unless it is named."""
        statement = (
            sa.select(m.delivery.c.channel, m.delivery.c.state, m.delivery.c.reason)
            .join(m.message, m.message.c.no == m.delivery.c.message)
            .where(m.message.c.key == (key or f"key-{self.told}"))
        )
        async with self.db.read() as uow:
            rows = await uow.all(statement)
        return {one["channel"]: f"{one['state']}:{one['reason']}" for one in rows}

    async def message_state(self, key: str) -> str:
        async with self.db.read() as uow:
            return str(await uow.scalar(sa.select(m.message.c.state).where(m.message.c.key == key)))

    def texts(self, way: str) -> list[str]:
        """What arrived, oldest first."""
        return [one.text for one in reversed(self.platform.arrived) if one.way == way]


@asynccontextmanager
async def stage(url: str, topics: Sequence[DeclaredTopic] = TOPICS) -> AsyncIterator[Stage]:
    clock = ManualClock(NOON)
    platform = MessagePlatform("daqing", SECRET, clock=clock)
    alipay = AlipayPlatform(platform)
    app = create_messages_app(platform, alipay)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    page = f"http://127.0.0.1:{runner.addresses[0][1]}"
    api = f"{page}/api"
    client = AlipayClient(
        app_id=alipay.app_id,
        key=private_key(alipay.city_key),
        alipay_key=public_key(alipay.alipay_key),
        clock=clock,
        gateway=f"{page}/alipay/gateway.do",
    )
    gateway = Gateway(url=api, account="daqing", secret=SECRET, clock=clock)
    db = Database(url)
    service = NotificationService(clock, CHINA)
    service.declare(topics)
    book = Book({"zhang": Reach(phone=PHONE, mail=MAIL, push=PHONES, alipay=OPEN_ID)})
    service.reached_by(book)
    async with serve_mail(platform) as port:
        server = MailServer(host="127.0.0.1", port=port, sender="no@city.example", security="none")
        senders: dict[str, Sender] = {
            "sms": SmsSender(gateway=gateway, sign=platform.sign),
            "push": PushSender(gateway=gateway),
            "mail": MailSender(server=server),
            "alipay": AlipaySender(client=client),
        }
        post, other = (Post(db, service, senders, "https://city.example") for _ in range(2))
        receiving = Receiving(db, post, senders)
        try:
            yield Stage(db, clock, platform, page, service, post, other, receiving, senders, book)
        finally:
            await runner.cleanup()
            await db.close()
