"""A card gives a kiosk a token for two minutes, once; nobody else, nothing in clear."""

import asyncio
import sqlite3
from typing import Any

import pytest

from qingting.contract import hub as h
from qingting.contract.ids import DeviceId, ItemId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.kernel.security.persons import open_person

House = Any
TAKE = ItemId("id-renew")


def take(token: str | None, item: str = TAKE) -> h.TakeTicket:
    return h.TakeTicket(item=ItemId(item), identity=token)


async def test_a_card_becomes_a_ticket_with_masked_name_and_number(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.BeginIdentity(), key=None)
        assert (await agent.get(h.ArmReader)).armed
        await agent.ask(house.card(), key=None)
        read = await kiosk.get(h.IdentityRead)
        assert (read.masked_name, read.masked_number) == ("张*三", "230602********1238")
        assert not (await agent.get(h.ArmReader)).armed
        answer = await kiosk.ask(take(read.token))
        person = house.hall.state.tickets[answer.ticket].person
        assert person.masked_name == "张*三"
        assert open_person(house.sealer, person) == ("张小三", "230602199001011238")


async def test_no_clear_name_or_number_is_in_the_file_or_in_a_message(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        await kiosk.ask(take(await house.identify(kiosk, agent)))
        order = await agent.get(h.PrintOrder)
        for seen in (str(kiosk.messages), str(agent.messages), str(order)):
            assert "199001011238" not in seen
            assert "张小三" not in seen
    await house.stop()
    dump = await asyncio.to_thread(lambda: "\n".join(sqlite3.connect(house.path).iterdump()))
    assert "199001011238" not in dump
    assert "张小三" not in dump
    assert "230602********1238" in dump


async def test_an_item_that_needs_identity_is_not_given_without(house: House) -> None:
    async with await house.join("k1") as kiosk:
        assert await kiosk.refused(take(None)) == "ticket.identity_needed"
        assert await kiosk.refused(take("made-up-token")) == "identity.token_expired"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"valid_to": "20200101"}, "identity.expired"),
        ({"valid_from": "20990101"}, "identity.not_yet_valid"),
        ({"number": "230602199001011232"}, "identity.bad_number"),
        ({"number": "230602199001011232", "kind": "residence_permit"}, "identity.bad_number"),
        ({"name": ""}, "identity.unreadable"),
    ],
)
async def test_a_card_that_cannot_be_used_is_refused_and_the_next_may_come(
    house: House, card: dict[str, str], code: str
) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.BeginIdentity(), key=None)
        await agent.ask(house.card(**card), key=None)
        assert (await kiosk.get(h.IdentityRefused)).problem.code == code
        await agent.ask(house.card(), key=None)
        await kiosk.get(h.IdentityRead)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("identity.removed", "identity.removed"),
        ("identity.unreadable", "identity.unreadable"),
        ("store.unavailable", "identity.unreadable"),
        ("identity.made_up", "identity.unreadable"),
    ],
)
async def test_a_reader_s_fault_reaches_the_kiosk_in_known_words(
    house: House, told: str, code: str
) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.BeginIdentity(), key=None)
        await agent.ask(h.CardFault(device=DeviceId("k1-reader"), code=told), key=None)
        assert (await kiosk.get(h.IdentityRefused)).problem.code == code


async def test_a_token_is_good_once(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        token = await house.identify(kiosk, agent)
        first = await kiosk.ask(take(token), key="press-0001")
        assert await kiosk.refused(take(token), key="press-0002") == "identity.token_expired"
        assert await kiosk.ask(take(token), key="press-0001") == first, "the same press repeated"


async def test_a_token_survives_a_refused_press(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        token = await house.identify(kiosk, agent)
        assert await kiosk.refused(take(token, "no-such-item")) == "ticket.unknown_item"
        await kiosk.ask(take(token))


async def test_a_token_is_of_no_use_at_another_kiosk(house: House) -> None:
    async with (
        await house.agent() as agent,
        await house.join("k1") as kiosk,
        await house.join("k2") as other,
    ):
        token = await house.identify(kiosk, agent)
        assert await other.refused(take(token)) == "identity.token_expired"
        await kiosk.ask(take(token))


async def test_a_token_is_over_after_two_minutes(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        token = await house.identify(kiosk, agent)
        house.clock.shift += 121
        assert await kiosk.refused(take(token)) == "identity.token_expired"


async def test_leaving_the_step_forgets_the_person(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        token = await house.identify(kiosk, agent)
        await kiosk.ask(h.EndIdentity(), key=None)
        assert await kiosk.refused(take(token)) == "identity.token_expired"


async def test_a_kiosk_that_stays_away_is_forgotten_but_a_blink_is_not(house: House) -> None:
    async with await house.agent() as agent:
        kiosk = await house.join("k1")
        token = await house.identify(kiosk, agent)
        await kiosk.close()
        async with await house.join("k1") as again:
            await again.ask(take(token))
        kiosk = await house.join("k1")
        token = await house.identify(kiosk, agent)
        await kiosk.close()
        await house.until(lambda: not house.hub.board.presence.connected(DeviceId("k1")))
        house.clock.shift += 4
        await house.until(lambda: not house.hub.board.identity._held)
        async with await house.join("k1") as again:
            assert await again.refused(take(token)) == "identity.token_expired"


async def test_a_card_nobody_asked_for_is_not_read(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await agent.ask(house.card(), key=None)
        await kiosk.ask(h.BeginIdentity(), key=None)
        await kiosk.ask(h.EndIdentity(), key=None)
        await agent.ask(house.card(), key=None)
        await kiosk.ask(h.Ping(), key=None)
        assert not [one for one in kiosk.messages if isinstance(one, h.IdentityRead)]


async def test_the_reader_goes_dark_when_nobody_uses_it(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.BeginIdentity(), key=None)
        await agent.get(h.ArmReader)
        house.clock.shift += 76
        assert not (await agent.get(h.ArmReader)).armed


async def test_the_reader_goes_dark_when_the_kiosk_is_gone(house: House) -> None:
    async with await house.agent() as agent:
        async with await house.join("k1") as kiosk:
            await kiosk.ask(h.BeginIdentity(), key=None)
            await agent.get(h.ArmReader)
        assert not (await agent.get(h.ArmReader)).armed


async def test_without_a_ready_reader_the_kiosk_says_so_at_once(house: House) -> None:
    async with await house.join("k1") as kiosk:
        assert await kiosk.refused(h.BeginIdentity(), key=None) == "identity.no_reader"
        async with await house.agent("k1-printer"):
            assert await kiosk.refused(h.BeginIdentity(), key=None) == "identity.no_reader"


async def test_a_reader_that_fails_meanwhile_is_told(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await kiosk.ask(h.BeginIdentity(), key=None)
        report = h.DeviceReport(
            device=DeviceId("k1-reader"),
            kind=DeviceKind.ID_READER,
            state=DeviceState.LOST,
            conditions=(Condition.COMM_ERROR,),
        )
        await agent.ask(report)
        assert (await kiosk.get(h.IdentityRefused)).problem.code == "identity.reader_fault"


async def test_an_agent_that_drops_off_meanwhile_is_told(house: House) -> None:
    async with await house.join("k1") as kiosk:
        async with await house.agent():
            await kiosk.ask(h.BeginIdentity(), key=None)
        assert (await kiosk.get(h.IdentityRefused)).problem.code == "identity.reader_fault"


async def test_an_unknown_code_is_refused_in_words(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        for text in ("http://hall.test/t/nosuchtoken1", "hello", ""):
            await agent.ask(h.CodeScanned(device=DeviceId("k1-scanner"), text=text), key=None)
            assert (await kiosk.get(h.CodeRefused)).problem.code == "code.unknown"


async def test_an_agent_that_connects_anew_goes_on_reading(house: House) -> None:
    async with await house.join("k1") as kiosk:
        first = await house.agent()
        await kiosk.ask(h.BeginIdentity(), key=None)
        async with await house.agent() as second:
            await first.bye()
            assert (await second.get(h.ArmReader)).armed
            await second.ask(house.card(), key=None)
            await kiosk.get(h.IdentityRead)
        await first.close()
