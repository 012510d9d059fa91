"""Who is let in, and how others are turned away."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from patience import HANG_S, limit_s
from websockets.exceptions import ConnectionClosed

from qingting.contract import hub as h
from qingting.contract.ids import DeviceId, ItemId
from qingting.contract.states import DeviceKind, DeviceState, Role

House = Any


async def test_a_paired_device_is_welcomed_by_role_and_name(house: House) -> None:
    async with await house.dial() as client:
        await client.say(h.Auth(device="pad1", key=await house.key_of("pad1"), version=1))
        welcome = await client.get(h.Welcome)
        assert (welcome.role, welcome.name, welcome.window) == (Role.CALL_PAD, "1号呼叫器", "w1")
        assert abs(welcome.now - house.clock.now_ms()) < 5_000


@pytest.mark.parametrize(
    ("device", "key", "version", "code", "retry"),
    [
        ("k1", "wrong", 1, "hub.not_authenticated", False),
        ("nobody", "wrong", 1, "hub.unknown_device", False),
        ("k2", "wrong", 1, "hub.unknown_device", False),
        ("k1", None, 0, "hub.version", False),
    ],
    ids=["wrong key", "unknown device", "never paired", "too old"],
)
async def test_who_cannot_prove_itself_is_told_why(
    house: House, device: str, key: str | None, version: int, code: str, retry: bool
) -> None:
    right = await house.key_of("k1")
    client = await house.dial()
    await client.say(h.Auth(device=device, key=key or right, version=version))
    bye = await client.bye()
    assert (bye.problem.code, bye.retry) == (code, retry)


async def test_a_peripheral_has_no_connection_of_its_own(house: House) -> None:
    client = await house.dial()
    await client.say(h.Auth(device="k1-printer", key=await house.key_of("k1-printer"), version=1))
    assert (await client.bye()).problem.code == "hub.unknown_device"


async def test_a_key_of_one_device_does_not_open_for_another(house: House) -> None:
    await house.key_of("k1")
    client = await house.dial()
    await client.say(h.Auth(device="k1", key=await house.key_of("pad1"), version=1))
    assert (await client.bye()).problem.code == "hub.not_authenticated"


async def test_silence_ends_after_the_time_to_authenticate(house: House) -> None:
    await house.stop()
    house.auth_seconds = 0.1
    await house.start()
    client = await house.dial()
    bye = await client.bye()
    assert (bye.problem.code, bye.retry) == ("hub.auth_timeout", True)


async def test_nothing_is_answered_before_authentication(house: House) -> None:
    client = await house.dial()
    await client.say(h.Ask(id=1, body=h.Subscribe(topics=("board",))))
    assert (await client.bye()).problem.code == "hub.not_authenticated"
    assert not [one for one in client.messages if isinstance(one, h.Snapshot)]


@pytest.mark.parametrize(
    "text",
    ["", "{}", "not json", '{"type":"ask"}', '{"type":"surprise","id":1}', '"auth"', '[{"id":3}]'],
)
async def test_what_is_no_message_ends_an_open_door(house: House, text: str) -> None:
    client = await house.dial()
    await client.line.send(text)
    bye = await client.bye()
    assert (bye.problem.code, bye.retry) == ("hub.bad_message", False)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "made.up"},
        {"type": "ticket.take"},
        {"type": "ticket.take", "item": "advice", "vip": True},
        {"type": "ticket.take", "item": 7},
        {"type": "rating.submit", "ticket": "t", "level": "excellent"},
    ],
    ids=["unknown type", "field missing", "unknown field", "wrong kind", "unknown word"],
)
async def test_a_request_that_does_not_parse_is_refused_and_the_line_stays(
    house: House, body: dict[str, object]
) -> None:
    async with await house.join("k1") as client:
        await client.line.send(json.dumps({"type": "ask", "id": 41, "key": "k" * 12, "body": body}))
        result = await client.get(h.Result)
        assert (result.id, result.ok, result.problem.code) == (41, False, "hub.bad_message")
        await client.ask(h.Ping(), key=None)


async def test_a_refusal_never_repeats_what_was_sent(house: House) -> None:
    async with await house.join("k1-agent") as client:
        card = {"type": "identity.card", "device": "r", "kind": "x", "number": "230602199001011238"}
        await client.line.send(json.dumps({"type": "ask", "id": 1, "body": card}))
        result = await client.get(h.Result)
        assert "230602199001011238" not in str(result)


async def test_a_broken_text_without_a_number_ends_the_session(house: House) -> None:
    client = await house.join("k1")
    await client.line.send("{")
    assert (await client.bye()).problem.code == "hub.bad_message"


async def test_bytes_end_the_session(house: House) -> None:
    client = await house.join("k1")
    await client.line.send(b'{"type":"ask"}')
    assert (await client.bye()).problem.code == "hub.bad_message"


async def test_a_message_too_long_ends_the_session_and_says_so(house: House) -> None:
    client = await house.join("k1-agent")
    await client.line.send(json.dumps({"type": "ask", "id": 1, "pad": "x" * h.MAX_MESSAGE_BYTES}))
    bye = await client.bye()
    assert bye.problem.code == "hub.message_too_long"
    assert bye.problem.params == {"limit": h.MAX_MESSAGE_BYTES}


async def test_a_monstrous_message_is_cut_off(house: House) -> None:
    client = await house.join("k1")
    with suppress(ConnectionClosed):
        await client.line.send("x" * 3_000_000)
    async with asyncio.timeout(HANG_S):
        await client.line.wait_closed()
    await client.close()


async def test_a_device_does_not_authenticate_twice(house: House) -> None:
    client = await house.join("k1")
    await client.say(h.Auth(device="k1", key=await house.key_of("k1"), version=1))
    assert (await client.bye()).problem.code == "hub.bad_message"


async def test_request_numbers_must_rise(house: House) -> None:
    async with await house.join("k1") as client:
        for number, ok in ((5, True), (5, False), (4, False), (6, True)):
            await client.say(h.Ask(id=number, body=h.Ping()))
            assert (await client.get(h.Result)).ok is ok


async def test_what_changes_the_hall_needs_a_key(house: House) -> None:
    async with await house.join("k1") as client:
        body = h.TakeTicket(item=ItemId("advice"))
        assert await client.refused(body, key=None) == "hub.key_missing"
        assert not house.hall.state.tickets


async def test_a_second_connection_of_a_device_replaces_the_first(house: House) -> None:
    first = await house.join("k1")
    async with await house.join("k1") as second:
        bye = await first.bye()
        assert (bye.problem.code, bye.retry) == ("hub.replaced", False)
        await second.ask(h.Ping(), key=None)


async def test_many_boards_may_show_as_one_device(house: House) -> None:
    async with await house.join("lcd") as one, await house.join("lcd") as other:
        await one.ask(h.Ping(), key=None)
        await other.ask(h.Ping(), key=None)


async def test_a_revoked_device_is_not_let_in_again(house: House) -> None:
    client = await house.join("k1")
    await house.accounts.devices.revoke(DeviceId("k1"))
    house.hub.board.disconnect(DeviceId("k1"), "hub.not_authenticated")
    assert (await client.bye()).problem.code == "hub.not_authenticated"
    again = await house.dial()
    await again.say(h.Auth(device="k1", key=house.keys["k1"], version=1))
    assert (await again.bye()).problem.code == "hub.unknown_device"


async def test_idle_lines_do_not_keep_the_server_from_stopping(house: House) -> None:
    clients = [await house.dial() for _ in range(20)]
    async with asyncio.timeout(limit_s(5)):
        await house.stop()
    for client in clients:
        await client.close()


async def test_a_connected_device_is_ready_and_a_blink_makes_no_event(house: House) -> None:
    first = await house.join("k1")
    await house.until(lambda: house.device("k1").state is DeviceState.READY)
    seq = house.hall.state.seq
    await first.close()
    async with await house.join("k1"):
        house.clock.shift += 2.9
        await house.hub._tidy()
        assert house.hall.state.seq == seq
        assert house.device("k1").kind is DeviceKind.KIOSK
