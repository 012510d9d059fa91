"""A citizen code before the scanner: from the platform over HTTP to a ticket, like a card; and when that fails."""

import asyncio
import logging
import sqlite3
from typing import Any

import pytest
from structlog.testing import capture_logs

from hallserver.app.code_platform import open_code_service
from hallserver.app.settings import HallSettings
from qingting.contract import hub as h
from qingting.contract.hub_face import IdentityChecking
from qingting.contract.ids import DeviceId, ItemId
from qingting.contract.states import DeviceKind, DeviceState, IdentityWay
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.security.lease_keys import new_lease_token
from simulators.citizen_code import Fault

House = Any
TAKE = ItemId("id-renew")
DEADLINE_S = 0.5


async def ready(house: House, kiosk: Any) -> None:
    """The kiosk shows that codes can be used, and waits for somebody."""
    await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
    await kiosk.until(lambda: IdentityWay.CODE in kiosk.topics["kiosk:k1"]["kiosk"].ways)
    await kiosk.ask(h.BeginIdentity(), key=None)


async def scan(agent: Any, text: str) -> None:
    await agent.ask(h.CodeScanned(device=DeviceId("k1-scanner"), text=text), key=None)


async def refusal(kiosk: Any) -> str:
    return (await kiosk.get(h.IdentityRefused)).problem.code


async def test_a_citizen_code_becomes_a_ticket_with_masked_name_and_leaves_no_trace(
    coded: House, platform: Any, asked_for: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    codes, _ = platform
    caplog.set_level(logging.DEBUG, "aiohttp")
    caplog.set_level(logging.DEBUG, "asyncio")
    with capture_logs() as logs:
        async with await coded.agent() as agent, await coded.join("k1") as kiosk:
            await ready(coded, kiosk)
            code = codes.shown("citizen").text
            await scan(agent, code)
            await kiosk.get(IdentityChecking)
            read = await kiosk.get(h.IdentityRead)
            assert (read.masked_name, read.masked_number) == ("张*例", "230602********1238")
            await agent.until(
                lambda: any(
                    isinstance(one, h.ArmReader) and not one.armed for one in agent.messages
                )
            )
            by_code = await kiosk.ask(h.TakeTicket(item=TAKE, identity=read.token))
            card = await coded.identify(kiosk, agent, name="张示例")
            by_card = await kiosk.ask(h.TakeTicket(item=TAKE, identity=card))
            one, other = (coded.hall.state.tickets[it.ticket].person for it in (by_code, by_card))
            assert one.masked_name == "张*例"
            assert one.index == other.index, "the same person, whatever was shown"
            # A code is good once.
            await kiosk.ask(h.BeginIdentity(), key=None)
            await scan(agent, code)
            assert await refusal(kiosk) == "citizen_code.used"
            seen = f"{logs} {caplog.text} {kiosk.messages} {asked_for}"
    await coded.stop()
    dump = await asyncio.to_thread(lambda: "\n".join(sqlite3.connect(coded.path).iterdump()))
    for secret in (code, "张示例", "230602199001011238", "a secret"):
        assert secret not in seen
        assert secret not in dump
    assert set(asked_for) == {"/codes/api/v1/check", "/codes/api/v1/resolve"}


async def test_what_the_hall_knows_comes_first_and_nothing_is_asked_unasked(
    coded: House, platform: Any
) -> None:
    codes, _ = platform
    async with await coded.agent() as agent, await coded.join("k1") as kiosk:
        code = codes.shown("citizen").text
        await scan(agent, code)
        assert (await kiosk.get(h.CodeRefused)).problem.code == "code.pick_first"
        await ready(coded, kiosk)
        ticket = await coded.ticket(kiosk)
        await kiosk.ask(h.BeginIdentity(), key=None)
        await scan(agent, coded.hall.state.tickets[ticket].token)
        assert (await kiosk.get(h.CodeFound)).ticket == ticket
        await scan(agent, "http://hall.test/t/nosuchticket1")
        assert (await kiosk.get(h.CodeRefused)).problem.code == "code.unknown"
        for yesterdays in (new_token(), new_lease_token(b"another day", "ga", 7)):
            await scan(agent, yesterdays)
            assert (await kiosk.get(h.CodeRefused)).problem.code == "code.unknown"
        await scan(agent, "x" * 3000)
        assert await refusal(kiosk) == "citizen_code.unknown"
        assert codes.asked == 0
        await scan(agent, "no-code-of-anybody")
        assert await refusal(kiosk) == "citizen_code.unknown"
        await scan(agent, codes.shown("lapsed").text)
        assert await refusal(kiosk) == "identity.expired"
        assert codes.asked == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.UNKNOWN, "citizen_code.unknown"),
        (Fault.EXPIRED, "citizen_code.expired"),
        (Fault.MALFORMED, "citizen_code.malformed"),
    ],
)
async def test_a_code_that_is_no_good_is_told_and_the_next_may_come(
    coded: House, platform: Any, fault: Fault, code: str
) -> None:
    codes, _ = platform
    async with await coded.agent() as agent, await coded.join("k1") as kiosk:
        await ready(coded, kiosk)
        codes.set_fault(fault)
        with capture_logs() as logs:
            for _ in range(2):
                await scan(agent, codes.shown("woman").text)
                assert await refusal(kiosk) == code
            codes.set_fault(None)
            await scan(agent, codes.shown("woman").text)
            assert (await kiosk.get(h.IdentityRead)).masked_name == "李*本"
        told = [one["event"] for one in logs if one["event"].startswith("citizen_code.answers_")]
        malformed = ["citizen_code.answers_malformed", "citizen_code.answers_sound"]
        assert told == (malformed if fault is Fault.MALFORMED else []), (
            "once, and once when it ends"
        )


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SLOW])
async def test_a_platform_that_cannot_be_reached_is_said_cards_go_on_and_it_comes_back(
    coded: House, platform: Any, fault: Fault
) -> None:
    codes, _ = platform
    with capture_logs() as logs:
        async with await coded.agent() as agent, await coded.join("k1") as kiosk:
            await ready(coded, kiosk)
            codes.set_fault(fault)
            await scan(agent, codes.shown("citizen").text)
            assert await refusal(kiosk) == "citizen_code.unavailable"
            shown = await kiosk.until(
                lambda: next(
                    (one for one in (kiosk.topics["kiosk:k1"]["kiosk"],) if one.code_down), None
                )
            )
            assert shown.ways == (IdentityWay.CARD,)
            await coded.identify(kiosk, agent)
            codes.set_fault(None)
            coded.clock.shift += 60
            await ready(coded, kiosk)
            await scan(agent, codes.shown("citizen").text)
            await kiosk.get(h.IdentityRead)
    about = [one["event"] for one in logs if one["event"].startswith("citizen_code.service")]
    assert about == ["citizen_code.service_lost", "citizen_code.service_back"]


async def test_an_answer_never_reaches_whoever_comes_next(coded: House, platform: Any) -> None:
    codes, _ = platform
    async with await coded.agent() as agent, await coded.join("k1") as kiosk:
        await ready(coded, kiosk)
        codes.hold.clear()
        await scan(agent, codes.shown("citizen").text)
        await coded.until(lambda: codes.asked)
        await kiosk.ask(h.EndIdentity(), key=None)
        await kiosk.ask(h.BeginIdentity(), key=None)
        codes.hold.set()
        await coded.until(lambda: not coded.hub.board.codes.busy)
        await kiosk.ask(h.Ping(), key=None)
        assert not [one for one in kiosk.messages if isinstance(one, h.IdentityRead)]


async def test_a_kiosk_whose_reader_fails_still_takes_codes(coded: House, platform: Any) -> None:
    codes, _ = platform
    async with await coded.agent() as agent, await coded.join("k1") as kiosk:
        await ready(coded, kiosk)
        lost = h.DeviceReport(
            device=DeviceId("k1-reader"), kind=DeviceKind.ID_READER, state=DeviceState.LOST
        )
        await agent.ask(lost)
        assert await refusal(kiosk) == "identity.reader_fault"
        await scan(agent, codes.shown("elder").text)
        read = await kiosk.get(h.IdentityRead)
        assert read.priority == "elderly"
        await kiosk.ask(h.EndIdentity(), key=None)
        await kiosk.ask(h.BeginIdentity(), key=None)


async def test_a_hall_without_a_platform_says_so(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        assert kiosk.topics["kiosk:k1"]["kiosk"].ways == (IdentityWay.CARD,)
        assert not kiosk.topics["kiosk:k1"]["kiosk"].code_down
        await kiosk.ask(h.BeginIdentity(), key=None)
        await scan(agent, "a-code-of-some-platform")
        assert await refusal(kiosk) == "citizen_code.not_offered"


async def test_a_hall_with_the_wrong_secret_never_offers_codes(house: House, platform: Any) -> None:
    _, server = platform
    settings = HallSettings(
        citizen_code_url=str(server.make_url("/codes/api")),
        citizen_code_key="hall-1",
        citizen_code_secret="wrong",
    )
    with capture_logs() as logs:
        async with open_code_service(settings, house.clock) as service:
            await house.stop()
            house.code_service = service
            await house.start()
            async with await house.join("k1") as kiosk:
                await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
                await house.until(lambda: any("cause" in one for one in logs))
                assert kiosk.topics["kiosk:k1"]["kiosk"].code_down
            await house.stop()
    causes = [one["cause"] for one in logs if one["event"] == "citizen_code.service_lost"]
    assert causes == ["key refused"]
