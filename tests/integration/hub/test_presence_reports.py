"""The availability trio of every connection: works, is lost and says so, works again."""

from typing import Any

from qingting.contract import hub as h
from qingting.contract.states import Condition, DeviceState

House = Any


async def test_a_screen_is_ready_then_lost_then_ready(house: House) -> None:
    async with await house.join("pad1"):
        await house.until(lambda: house.device("pad1").state is DeviceState.READY)
    await house.until(lambda: not house.hub.board.presence.connected("pad1"))
    house.clock.shift += 2
    await house.hub._tidy()
    assert house.device("pad1").state is DeviceState.READY
    house.clock.shift += 1.5
    await house.until(lambda: house.device("pad1").state is DeviceState.LOST)
    async with await house.join("pad1"):
        await house.until(lambda: house.device("pad1").state is DeviceState.READY)


async def test_a_lost_agent_blocks_its_kiosk_within_two_seconds_and_frees_it_when_back(
    house: House,
) -> None:
    async with await house.join("k1") as kiosk:
        agent = await house.agent()
        await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
        view = lambda: kiosk.topics["kiosk:k1"]["kiosk"]  # noqa: E731 - read again and again
        await kiosk.until(lambda: view().blocked_by == () or None)
        await agent.close()
        await house.until(lambda: not house.hub.board.presence.connected("k1-agent"))
        house.clock.shift += 0.9
        await house.hub._tidy()
        assert house.device("k1-agent").state is DeviceState.READY, "a blink is not told"
        house.clock.shift += 0.6
        await kiosk.until(lambda: "kiosk.agent_offline" in view().blocked_by or None)
        await house.until(lambda: house.device("k1-printer").state is DeviceState.LOST)
        conditions = house.device("k1-printer").conditions
        assert [one.condition for one in conditions] == [Condition.COMM_ERROR]
        async with await house.agent():
            await kiosk.until(lambda: view().blocked_by == () or None)


async def test_an_agent_that_blinks_changes_nothing(house: House) -> None:
    agent = await house.agent()
    await house.until(lambda: house.device("k1-agent").state is DeviceState.READY)
    seq = house.hall.state.seq
    await agent.close()
    async with await house.join("k1-agent"):
        await house.hub._tidy()
        assert house.hall.state.seq == seq


async def test_what_does_not_come_back_after_a_restart_is_lost_after_ten_seconds(
    house: House,
) -> None:
    agent, kiosk, pad = await house.agent(), await house.join("k1"), await house.join("pad1")
    for device in ("k1-agent", "k1", "pad1"):
        await house.until(lambda device=device: house.device(device).state is DeviceState.READY)
    for client in (agent, kiosk, pad):
        await client.close()
    await house.restart()
    async with await house.join("k1"):
        house.clock.shift += 9
        await house.hub._tidy()
        assert house.device("pad1").state is DeviceState.READY
        house.clock.shift += 1.5
        for device in ("pad1", "k1-agent", "k1-printer", "k1-reader"):
            await house.until(lambda device=device: house.device(device).state is DeviceState.LOST)
        assert house.device("k1").state is DeviceState.READY


async def test_who_never_was_there_is_not_reported_lost(house: House) -> None:
    house.clock.shift += 60
    await house.hub._tidy()
    assert house.device("k2").state is DeviceState.ABSENT


async def test_the_last_sign_of_life_is_known(house: House) -> None:
    async with await house.agent() as agent:
        house.clock.shift += 30
        await agent.ask(h.Ping(), key=None)
        seen = house.hub.board.presence.seen
        for device in ("k1-agent", "k1-printer", "k1-reader"):
            assert house.clock.now_ms() - seen[device] < 5_000
