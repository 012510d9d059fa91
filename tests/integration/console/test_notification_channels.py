"""Alipay, the city's app and pushed receipts: each works, fails, is marked once, and works again."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import structlog
from aiohttp import web
from notice_stage import NOON, OPEN_ID, PHONE, PHONES, Stage, stage

from console.core.senders.alipay import AlipaySender
from console.core.senders.gateways import SmsSender
from console.modules.notifications import callback, claims
from console.modules.notifications import repository as repo
from console.modules.notifications.api import Reach
from console.modules.notifications.topics import Channel, Wording
from qingting.contract.states import Language
from simulators.messages import Fault, Way

pytestmark = pytest.mark.postgres
TEMPLATE = "ALI_TPL_1001"


@pytest.fixture
async def on(city_url: str) -> AsyncIterator[Stage]:
    async with stage(city_url) as one:
        yield one


async def approved(on: Stage, code: str) -> None:
    """Somebody entered a template's number."""
    topic = on.service.topics["visit.alipay"]
    body = Wording(title="预约成功", text="{hall}{time}", code=code)
    async with on.db.write() as uow:
        version, _ = await repo.wording(uow, topic, Channel.ALIPAY, Language.ZH)
        assert await repo.add_wording(
            uow, topic, Channel.ALIPAY, Language.ZH, version + 1, body, 1, "test"
        )


async def test_alipay_works_fails_is_marked_once_and_works_again(on: Stage) -> None:
    await on.tell("visit.alipay")
    await on.work()
    # Nothing goes to Alipay that it has approved no template for.
    assert (await on.states())["alipay"] == "dropped:no_template"
    assert (await on.states())["sms"] == "sent:"
    await approved(on, TEMPLATE)
    await on.tell("visit.alipay")
    await on.work()
    assert await on.states() == {"in_site": "delivered:", "alipay": "sent:", "sms": "waiting:"}
    arrived = on.platform.arrived[0]
    assert (arrived.way, arrived.to, arrived.text) == (
        "alipay",
        "张示例",
        "萨尔图区政务服务中心11月23日 12:00",
    )
    assert arrived.link == "https://city.example/c/bookings"
    with structlog.testing.capture_logs() as logs:
        on.platform.set_fault(Way.ALIPAY, Fault.DOWN)
        await on.tell("visit.alipay")
        await on.work()
        on.platform.set_fault(Way.ALIPAY, Fault.FORGED)
        await on.minutes(0.5)
        # An answer that Alipay did not sign is none.
        assert (await on.states())["alipay"] == "queued:unreadable"
        async with on.db.read() as uow:
            assert (await claims.channels(uow))["alipay"]["down_since"] == NOON
        on.platform.set_fault(Way.ALIPAY, None)
        await on.minutes(1)
    assert (await on.states())["alipay"] == "sent:"
    assert [one["event"] for one in logs] == ["notice.channel_down", "notice.channel_back"]
    assert OPEN_ID not in str(logs)


async def test_who_does_not_follow_the_life_account_gets_an_sms(on: Stage) -> None:
    await approved(on, TEMPLATE)
    on.platform.set_fault(Way.ALIPAY, Fault.REFUSE)
    await on.tell("visit.alipay")
    await on.work()
    assert (await on.states())["alipay"] == "failed:PUB.USER_NOT_FOLLOW"
    assert (await on.states())["sms"] == "sent:"
    on.platform.set_fault(Way.ALIPAY, Fault.BUSY)
    await on.tell("visit.alipay")
    await on.work()
    assert (await on.states())["alipay"] == "queued:PUB.MSG_BATCH_SD_OVER"


async def test_a_signature_that_the_citys_key_did_not_make_is_refused_by_alipay(on: Stage) -> None:
    sender = on.senders["alipay"]
    assert isinstance(sender, AlipaySender)
    params = sender.client.request("alipay.system.oauth.token", {"code": "x"}) | {"code": "y"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{on.api}/alipay/gateway.do", data=params) as got,
    ):
        assert "isv.invalid-signature" in await got.text()


async def test_an_app_message_shows_up_on_every_phone_and_one_without_the_app_is_given_up(
    on: Stage,
) -> None:
    await on.tell("visit.news")
    await on.work()
    assert (await on.states())["push"] == "sent:"
    assert {one.to for one in on.platform.arrived} == {one.token for one in PHONES}
    on.platform.uninstalled.add(PHONES[0].token)
    await on.tell("visit.news")
    await on.work()
    assert (await on.states())["push"] == "sent:"
    assert on.book.known["zhang"].push == PHONES[1:]
    on.platform.uninstalled.add(PHONES[1].token)
    await on.tell("visit.news")
    await on.work()
    assert (await on.states())["push"] == "failed:no_device"
    assert (await on.states())["sms"] == "sent:"
    assert on.book.known["zhang"].push == ()
    await on.tell("visit.news")
    await on.work()
    assert (await on.states())["push"] == "dropped:no_address"


async def test_app_and_alipay_are_offered_to_who_has_them(on: Stage) -> None:
    on.service.ready = frozenset(Channel(name) for name in on.senders)
    on.book.known["li"] = Reach(phone=PHONE)
    async with on.db.read() as uow:
        for citizen, there in (("zhang", True), ("li", False)):
            offered = await on.service.choices(uow, citizen, Language.ZH)
            ways = {way for one in offered for way, _ in one.ways}
            assert (Channel.ALIPAY in ways, Channel.PUSH in ways) == (there, there)
            assert Channel.SMS in ways


async def test_receipts_that_the_provider_brings_are_taken_once_and_from_it_alone(
    on: Stage,
) -> None:
    sender = on.senders["sms"]
    assert isinstance(sender, SmsSender)
    app = web.Application()
    app.add_routes(callback.routes(on.db, on.post, sender))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{callback.SMS_REPORTS}"
        await on.tell()
        await on.work()
        secret, on.platform.secret = on.platform.secret, "another one of sixteen"
        assert await on.platform.push_reports(url) == "bad_signature"
        assert (await on.states())["sms"] == "sent:"
        on.platform.secret = secret
        assert await on.platform.push_reports(url) == "OK"
        assert (await on.states())["sms"] == "delivered:"
        on.platform.set_fault(Way.SMS, Fault.UNDELIVERED)
        await on.tell()
        await on.work()
        assert await on.platform.push_reports(url) == "OK"
        await on.work()
        assert (await on.states())["sms"] == "failed:absent"
        assert (await on.states())["mail"] == "sent:"
        # What was brought is not fetched once more.
        assert await on.receiving.fetch() == 0
        body = b'{"reports": "none"}'
        async with aiohttp.ClientSession() as http, http.post(url, data=body) as got:
            assert (await got.json())["code"] == "bad_account"
    finally:
        await runner.cleanup()
