"""Wrong keys, copied keys and spoofed ids are refused and told; a pad that reloads never is."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import HANG_S

from hallserver.hub.accounts import Pairing
from hallserver.hub.one_place import HAND_OVER_SECONDS, continues
from qingting.contract import hub as h
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.pads import PadFacts, PadReport
from qingting.contract.states import (
    AddressClass,
    Condition,
    DeviceKind,
    DeviceState,
    TurnedAway,
)

House = Any
HOME, MOVED = "192.168.7.21", "192.168.7.94"


async def knock(house: House, device: str, key: str, **more: str) -> Any:
    client = await house.dial(more.pop("address", HOME))
    await client.say(h.Auth(device=device, key=key, version=1, **more))
    return client


async def join(house: House, device: str, install: str, address: str = HOME) -> Any:
    key = await house.key_of(device)
    client = await knock(house, device, key, install=install, address=address)
    await client.get(h.Welcome)
    return client


def told(house: House) -> set[tuple[str, TurnedAway, str | None]]:
    return {(one.device, one.why, one.by) for one in house.hall.state.turned_away.values()}


async def test_who_is_not_the_device_is_refused_and_the_log_says_what_it_was(house: House) -> None:
    pad = await house.key_of("pad1")
    await house.key_of("k1")
    cases = {
        ("k1", TurnedAway.WRONG_KEY, None): ("k1", "made-up-key"),
        ("k1", TurnedAway.SPOOFED_ID, "pad1"): ("k1", pad),
        ("k1-printer", TurnedAway.SPOOFED_ID, "pad1"): ("k1-printer", pad),
        ("pad2", TurnedAway.REVOKED_KEY, None): ("pad2", "made-up-key"),
        ("nobody", TurnedAway.UNKNOWN_DEVICE, None): ("nobody", "made-up-key"),
    }
    for device, key in cases.values():
        assert not (await (await knock(house, device, key)).bye()).retry
    await house.until(lambda: told(house) == set(cases))
    assert {one.origin for one in house.hall.state.turned_away.values()} == {
        AddressClass.OWN_NETWORK
    }


async def test_many_wrong_keys_are_two_events(house: House) -> None:
    await house.key_of("k1")
    await (await knock(house, "k1", "wrong")).bye()
    await house.until(lambda: told(house))
    for _ in range(40):
        await (await knock(house, "k1", "wrong")).bye()
    await house.hub._tidy()
    [knocks] = house.hall.state.turned_away.values()
    assert knocks.count == 1
    house.clock.shift += 601
    await house.until(lambda: knocks.count == 41)


@pytest.mark.parametrize(
    ("install", "address"),
    [("two", MOVED), ("two", HOME), ("one", MOVED), ("", MOVED)],
    ids=["copied key", "same network address", "whole storage copied", "program without an id"],
)
async def test_a_copied_key_is_refused_while_the_first_is_alive_and_the_first_works_on(
    house: House, install: str, address: str
) -> None:
    async with await join(house, "pad1", "one") as first:
        for _ in range(3):
            key = await house.key_of("pad1")
            bye = await (await knock(house, "pad1", key, install=install, address=address)).bye()
            assert (bye.problem.code, bye.retry) == ("hub.key_in_use", True)
        await first.ask(h.Ping(), key=None)
        await house.until(lambda: told(house) == {("pad1", TurnedAway.COPIED_KEY, None)})


async def test_of_two_copies_at_the_same_moment_one_gets_in(house: House) -> None:
    key = await house.key_of("pad1")
    clients = [await knock(house, "pad1", key, install=f"copy-{n}") for n in range(4)]
    await house.until(lambda: told(house))
    [inside] = house.hub.board.sessions()
    ended = [one for one in clients if one._task.done()]
    assert len(ended) <= 3
    assert inside.device == "pad1"
    for client in clients:
        await client.close()


async def test_a_reload_takes_its_own_place_over_and_nobody_hears_of_it(house: House) -> None:
    client = await join(house, "pad1", "one")
    for _ in range(5):
        fresh = await join(house, "pad1", "one")
        assert (await client.bye()).problem.code == "hub.replaced"
        client = fresh
    await client.close()
    async with await join(house, "pad1", "other-browser", MOVED):
        await house.hub._tidy()
        assert told(house) == set()


async def test_a_pad_whose_old_line_died_comes_back_from_another_address(house: House) -> None:
    await house.stop()
    house.probe_seconds = 0.2
    await house.start()
    auth = h.Auth(device="pad1", key=await house.key_of("pad1"), version=1, install="one")
    url = f"ws://127.0.0.1:{house.port}/hub"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, autoping=False) as dead,
    ):
        await dead.send_str(msgspec.json.encode(auth).decode())
        await dead.receive(HANG_S)
        # Nobody reads that line any more, so no ping is answered.
        async with await join(house, "pad1", "one", MOVED) as back:
            await back.ask(h.Ping(), key=None)
    assert told(house) == set()


async def test_a_key_taken_away_while_a_copy_is_probed_lets_the_copy_in_no_more(
    house: House,
) -> None:
    first = await join(house, "pad1", "one")
    for session in house.hub.board.sessions_of(DeviceId("pad1")):
        session.busy = False
        session.outbox.ping = _never  # type: ignore[method-assign]
    copy = await knock(house, "pad1", house.keys["pad1"], install="two", address=MOVED)
    await house.until(lambda: _never.asked)
    await house.accounts.devices.revoke(DeviceId("pad1"))
    house.hub.board.disconnect(DeviceId("pad1"), "hub.not_authenticated")
    assert (await copy.bye()).problem.code == "hub.unknown_device"
    await first.bye()


class _Never:
    """A ping that says that it was asked for and is never answered."""

    asked = False

    async def __call__(self) -> None:
        self.asked = True


_never = _Never()


async def test_pairing_anew_ends_the_former_key_its_connection_and_its_clerk(house: House) -> None:
    old = await house.clerk("pad1")
    await (await knock(house, "pad1", "wrong")).bye()
    await house.until(lambda: told(house))
    pairing = Pairing(
        device=DeviceId("pad1"), kind=DeviceKind.CALL_PAD, name="1号呼叫器", window=WindowId("w1")
    )
    code, _ = await house.accounts.devices.make_code(pairing, StaffId("s-0101"))
    new = await house.dial()
    await new.say(h.Pair(code=code, kind=DeviceKind.CALL_PAD, version=1))
    paired = await new.get(h.Paired)
    assert (await old.bye()).problem.code == "hub.not_authenticated"
    assert told(house) == set(), "the new key settles what was said before"
    late = await knock(house, "pad1", house.keys["pad1"])
    assert (await late.bye()).problem.code == "hub.not_authenticated"
    house.keys["pad1"] = paired.key
    async with await join(house, "pad1", "new pad") as pad:
        refusal = await pad.refused(h.Next())
        assert refusal == "hub.not_logged_in"


async def test_an_agent_that_reports_for_another_kiosk_is_refused_and_told(house: House) -> None:
    async with await house.join("k2-agent") as agent:
        report = h.DeviceReport(
            device=DeviceId("k1-printer"), kind=DeviceKind.PRINTER, state=DeviceState.READY
        )
        assert await agent.refused(report) == "hub.forbidden"
        await house.until(
            lambda: told(house) == {("k1-printer", TurnedAway.SPOOFED_ID, "k2-agent")}
        )


async def test_what_a_pad_says_is_shown_and_only_its_change_of_class_is_logged(
    house: House,
) -> None:
    async with await join(house, "pad1", "one") as pad:
        await house.until(lambda: house.device("pad1").state is DeviceState.READY)
        seq = house.hall.state.seq
        for level in range(99, 19, -1):
            facts = PadFacts(battery=level, charging=False, network="wifi", build="b2")
            await pad.ask(PadReport(facts=facts), key=None)
        await house.hub._tidy()
        assert house.hall.state.seq == seq
        await pad.ask(PadReport(facts=PadFacts(battery=19, charging=False)), key=None)
        life = house.hall.state.devices[DeviceId("pad1")]
        await house.until(lambda: Condition.BATTERY_LOW in life.conditions)
        assert house.hall.state.seq == seq + 1
        assert house.hub.board.ambient().pads["pad1"].battery == 19
    await house.until(lambda: "pad1" not in house.hub.board.ambient().pads)


class Storage:
    """What a browser keeps: key, word of installation and the hall's last token. ``copied`` takes all of it."""

    def __init__(self, house: House, token: str = "") -> None:
        self.house, self.token = house, token

    def copied(self) -> "Storage":
        return Storage(self.house, self.token)

    async def knock(self) -> Any:
        key = await self.house.key_of("pad1")
        return await knock(self.house, "pad1", key, install="one", token=self.token)

    async def join(self, *, stores: bool = True) -> Any:
        client = await self.knock()
        welcome = await client.get(h.Welcome)
        assert welcome.token not in ("", self.token)
        if stores:
            self.token = welcome.token
        return client


async def test_a_copy_of_the_whole_storage_shows_when_both_are_used_in_turn(house: House) -> None:
    mine = Storage(house)
    await (await mine.join()).close()
    first = await mine.join()
    copy = mine.copied()
    async with await copy.join() as second:
        # The copy came with what was stored last, as a reload does.
        assert (await first.bye()).problem.code == "hub.replaced"
        house.clock.shift += HAND_OVER_SECONDS + 1
        for _ in range(2):
            bye = await (await mine.knock()).bye()
            assert (bye.problem.code, bye.retry) == ("hub.key_in_use", True)
        left_out = await knock(house, "pad1", house.keys["pad1"], install="one")
        assert (await left_out.bye()).problem.code == "hub.key_in_use", "no token is no way round"
        await second.ask(h.Ping(), key=None)
        await house.until(lambda: told(house) == {("pad1", TurnedAway.COPIED_KEY, None)})
    # The other is gone: whoever is left is let in, for it may be the pad itself.
    await (await mine.join()).close()


async def test_a_pad_that_lost_power_before_it_stored_a_token_comes_back(house: House) -> None:
    await house.stop()
    house.probe_seconds = 0.2
    await house.start()
    mine = Storage(house)
    await (await mine.join()).close()
    before = mine.token
    for stores in (False, True, True):
        line = await mine.join(stores=stores)
        house.clock.shift += HAND_OVER_SECONDS + 1
        for session in house.hub.board.sessions_of(DeviceId("pad1")):
            session.busy = False
            session.outbox.ping = _never  # type: ignore[method-assign]
        lost = mine.copied()
        lost.token = before
        # Several tokens may be lost at once: nobody answers on the old line, so the pad is let in.
        await (await lost.join()).close()
        await line.close()
    assert told(house) == set()


async def test_reloads_and_two_tabs_that_start_together_are_one_place(house: House) -> None:
    mine = Storage(house)
    await (await mine.join()).close()
    both = [mine.copied(), mine.copied()]
    tabs = [await one.join() for one in both]
    assert (await tabs[0].bye()).problem.code == "hub.replaced"
    mine.token = both[1].token
    client = tabs[1]
    for _ in range(5):
        house.clock.shift += HAND_OVER_SECONDS + 1
        fresh = await mine.join()
        await client.bye()
        client = fresh
    await client.close()
    await house.hub._tidy()
    assert told(house) == set()


tokens = st.text("ab", max_size=1)


@given(tokens, tokens, tokens, st.floats(0, 60))
def test_only_the_last_token_continues_a_place_that_keeps_tokens(
    presented: str, handed: str, brought: str, age: float
) -> None:
    def session(**given: str | float) -> Any:
        return SimpleNamespace(**given)

    one = session(presented=f"1{presented}" if presented else "", token=f"2{handed}", since=0.0)
    for token in (one.token, one.presented, brought):
        same = continues(one, session(presented=token), age)
        if token == one.token:
            assert same
        elif one.presented or token:
            assert same == (token == one.presented and age < HAND_OVER_SECONDS)
        else:
            assert same
