"""Notices on their way outside, to a real web server and a real mail server on this machine."""

import asyncio
import email
import email.policy
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from alarm_stage import MINUTE, Stage, kiosk_lost, printer, stage
from patience import until

from console.core.channels import (
    ChannelSettings,
    MailChannel,
    Message,
    WebhookChannel,
    channel_faults,
    open_channels,
)
from console.core.delivering import DeliveryError
from console.modules.alarms.outbox import MAX_TRIES
from qingting.contract.conditions import Severity
from qingting.contract.states import Condition
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
SECRET = "a secret of sixteen or more"
OPEN = (Condition.COVER_OPEN,)


@dataclass
class Receiver:
    """A web server that takes webhooks, answering with ``status``."""

    status: int = 200
    url: str = ""
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.queries.append(request.query_string)
        self.taken.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class MailServer:
    """The part of SMTP (RFC 5321) that takes a mail; ``answer`` is what it says at the end of one."""

    answer: str = "250 taken"
    port: int = 0
    mails: list[tuple[list[str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receivers: list[str] = []
        writer.write(b"220 test\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                data = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append((receivers, data))
                writer.write(f"{self.answer}\r\n".encode())
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                if word == b"RCPT":
                    receivers.append(line.decode().strip())
                writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def mailing() -> AsyncIterator[MailServer]:
    mail = MailServer()
    server = await asyncio.start_server(mail.serve, "127.0.0.1", 0)
    mail.port = server.sockets[0].getsockname()[1]
    async with server:
        yield mail


async def states(on: Stage, channel: str) -> list[str]:
    async with on.city.db.read() as uow:
        from console.core.permissions import SYSTEM

        found = await on.alarms.notices(uow, SYSTEM)
    return [
        f"{sent.state}:{sent.reason}"
        for one in reversed(found)
        for sent in one.deliveries
        if sent.channel == channel
    ]


async def test_a_webhook_is_signed_tried_again_after_a_failure_and_told_once_for_a_group(
    city_url: str,
) -> None:
    async with receiving() as receiver:
        clock = ManualClock()
        hook = WebhookChannel(url=receiver.url, secret=SECRET, clock=clock)
        async with stage(city_url, clock=clock, channels=(hook,)) as on:
            receiver.status = 503
            await on.hears(*kiosk_lost())
            await on.minutes(1.1)
            await on.look()
            await until(lambda: len(receiver.taken) == 1)

            async def failed() -> bool:
                return await states(on, "webhook") == ["pending:HTTP 503"]

            await until(failed)
            receiver.status = 204
            await on.minutes(1)
            await on.deliver()

            async def sent() -> bool:
                return await states(on, "webhook") == ["sent:"]

            await until(sent)
            assert len(receiver.taken) == 2, "one notice for the kiosk and what is behind it"
            (headers, body), (again, same) = receiver.taken
            assert body == same
            assert headers["Idempotency-Key"] == again["Idempotency-Key"]
            stamp, _, mac = again["X-Qingting-Signature"].partition(",v1=")
            signed = f"{stamp.removeprefix('t=')}.".encode() + body
            assert hmac.new(SECRET.encode(), signed, "sha256").hexdigest() == mac
            told = json.loads(body)
            assert told["severity"] == "critical"
            assert told["facts"]["device"] == "k1"
            assert "4 台设备" in told["text"]
            assert "4 devices" in told["text"]
            receiver.status = 400
            await on.hears(printer(*OPEN))


async def test_mail_arrives_and_a_recovery_is_told_once_it_has_lasted(city_url: str) -> None:
    async with mailing() as server:
        mail = MailChannel(
            host="127.0.0.1",
            port=server.port,
            sender="qingting@city.example",
            receivers=("duty@city.example", "second@city.example"),
            security="none",
        )
        async with stage(city_url, channels=(mail,)) as on:
            await on.hears(printer(*OPEN))
            await on.look()
            await on.deliver()
            await until(lambda: len(server.mails) == 1)
            receivers, data = server.mails[0]
            assert len(receivers) == 2
            found = email.message_from_bytes(data, policy=email.policy.default)
            assert (
                found["Subject"] == "[严重] 萨尔图区政务服务中心 1号取号机 · k1-printer：机盖打开"
            )
            assert found["Auto-Submitted"] == "auto-generated"
            await on.hears(printer(Condition.PAPER_LOW))
            await on.minutes(9)
            await on.look()
            assert len(server.mails) == 1
            await on.minutes(2)
            await on.look()
            await on.deliver()
            await until(lambda: len(server.mails) == 2)
            found = email.message_from_bytes(server.mails[1][1], policy=email.policy.default)
            assert str(found["Subject"]).startswith("[恢复]")
            # A warning does not go by mail: mail is for what is critical.
            await on.minutes(30)
            await on.look()
            assert await on.count("alarm_notice") == 3
            assert await on.count("alarm_delivery") == 2


async def test_a_refused_message_is_given_up_at_once_and_a_dead_server_after_many_tries(
    city_url: str,
) -> None:
    async with receiving() as receiver:
        receiver.status = 400
        clock = ManualClock()
        hook = WebhookChannel(url=receiver.url, secret=SECRET, clock=clock)
        dead = WebhookChannel(url="http://127.0.0.1:9/", secret=SECRET, clock=clock, name="mail")
        async with stage(city_url, clock=clock, channels=(hook, dead)) as on:
            await on.hears(printer(*OPEN))
            await on.look()

            async def refused() -> bool:
                return await states(on, "webhook") == ["failed:HTTP 400"]

            await until(refused)
            for _ in range(3 * MAX_TRIES):
                if "failed" in (await states(on, "mail"))[0]:
                    break
                await on.minutes(61)
                await on.deliver()
            assert await states(on, "mail") == ["failed:ClientConnectorError"]
            assert await on.count("alarm_delivery", f"tries = {MAX_TRIES}") == 1


async def test_a_mail_server_that_is_not_there_or_refuses_says_so() -> None:
    message = Message(
        id="1", at=MINUTE, severity=Severity.INFO, act="raised", title="a\r\nBcc: x", text="b"
    )

    def channel(port: int) -> MailChannel:
        return MailChannel(
            host="127.0.0.1",
            port=port,
            sender="a@b.example",
            receivers=("c@d.example",),
            security="none",
        )

    with pytest.raises(DeliveryError) as refused:
        await channel(9).send(message)
    assert not refused.value.lasting
    async with mailing() as server:
        server.answer = "554 no"
        with pytest.raises(DeliveryError) as refused:
            await channel(server.port).send(message)
        assert (refused.value.reason, refused.value.lasting) == ("SMTP 554", True)
        assert b"\r\nBcc:" not in server.mails[0][1], "a name is no header"


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        (ChannelSettings(), 0),
        (ChannelSettings(webhook_url="https://x.example/", webhook_secret=SECRET), 0),
        (ChannelSettings(webhook_url="http://x.example/", webhook_secret="short"), 2),
        (ChannelSettings(webhook_url="http://127.0.0.1:8080/", webhook_secret=SECRET), 0),
        (ChannelSettings(webhook_url="http://localhost.x.example/", webhook_secret=SECRET), 1),
        (ChannelSettings(webhook_url="http://localhost@x.example/", webhook_secret=SECRET), 1),
        (ChannelSettings(mail_server="mail.example"), 2),
        (ChannelSettings(mail_server="m:25", mail_from="a", mail_to="b", mail_security="x"), 1),
        (ChannelSettings(mail_server="m:25", mail_from="a@b.example"), 0),
        (ChannelSettings(webhook_secret="short"), 1),
    ],
)
def test_settings_of_channels_are_checked_at_the_start(
    settings: ChannelSettings, faults: int
) -> None:
    found = channel_faults(settings)
    assert len(found) == faults
    assert SECRET not in "".join(found)
    if not faults:
        opened = open_channels(settings, ManualClock())
        assert len(opened) == bool(settings.webhook_url) + bool(settings.mail_server)
        assert sum(one.carries_all for one in opened) == bool(settings.webhook_url)
