"""A kiosk whose hall is gone goes on giving numbers, and each of them finds its place once the hall is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from patience import until

from hallserver.agent.agent import Agent
from hallserver.agent.settings import AgentSettings
from hallserver.hub.handlers_continuity import lease_key
from qingting.contract import continuity as k
from qingting.contract import hub as h
from qingting.contract.config import Device
from qingting.contract.ids import BusinessDay, DeviceId, ItemId, QueueId
from qingting.contract.states import Condition, DeviceKind, Origin, TicketState
from qingting.kernel.security.lease_keys import new_lease_token, sign
from qingting.kernel.security.persons import open_person
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.id_cards import Card

House = Any
GA = QueueId("ga")
KIOSK = DeviceId("k1")
SPECS = (
    DeviceSpec(id="k1-printer", kind=DeviceKind.PRINTER, profile="generic.escpos80"),
    DeviceSpec(id="k1-reader", kind=DeviceKind.ID_READER, profile="generic.samv"),
)
CITIZEN = Card(
    id="c", title="", title_en="", name="测试甲", birth="19900101", number="230602199001011238"
)


class Screen:
    """The kiosk's screen: knows what the hall told it, and asks its agent over loopback HTTP."""

    def __init__(self, offer: k.OfflineOffer, origin: str) -> None:
        self.offer = offer
        self.origin = origin

    async def call(self, path: str, body: Any = None, secret: str | None = None) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.offer.port}{path}"
        headers = {"X-Agent-Secret": self.offer.secret if secret is None else secret}
        async with aiohttp.ClientSession(headers=headers) as session:
            method = "GET" if body is None else "POST"
            async with session.request(method, url, json=body) as response:
                assert response.headers["Access-Control-Allow-Origin"] == self.origin
                return response.status, await response.json()

    async def take(self, key: str, item: str = "advice", **wish: Any) -> Any:
        body = {"key": key, "wish": {"type": "ticket.take", "item": item} | wish}
        status, answer = await self.call("/take", body)
        return answer if status == 200 else answer["code"]

    async def state(self) -> Any:
        return (await self.call("/state"))[1]


class Place:
    """A hall, one kiosk's devices, and its agent, which can be killed and started again."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        self.bench = SimulatorBench(folder / "bench", mm_per_s=0)
        self._agent: asyncio.Task[None] | None = None
        self._settings: AgentSettings | None = None

    async def start(self) -> None:
        urls = await self.bench.start(SPECS)
        devices = tuple(
            Device(
                id=DeviceId(spec.id),
                kind=spec.kind,
                name=spec.id,
                parent=KIOSK,
                profile=spec.profile,
                url=urls[spec.id],
            )
            for spec in SPECS
        )
        self._settings = AgentSettings(
            hall=f"ws://127.0.0.1:{self.house.port}/hub",
            device="k1-agent",
            key=await self.house.key_of("k1-agent"),
            kiosk="k1",
            devices=devices,
            data=str(self.folder / "agent"),
        )
        self.start_agent()

    def start_agent(self) -> None:
        assert self._settings is not None
        self._agent = asyncio.create_task(Agent(self._settings, self.house.clock).run())

    async def kill_agent(self) -> None:
        """Nothing of its memory is left; its disk is."""
        if self._agent is not None:
            self._agent.cancel()
            with suppress(asyncio.CancelledError):
                await self._agent
            self._agent = None

    async def close(self) -> None:
        await self.kill_agent()
        await self.bench.close()

    async def screen(self) -> Screen:
        """The screen as it is once everything is connected and the kit is on the disk."""
        async with await self.house.join("k1") as kiosk:
            offer = await kiosk.get(k.OfflineOffer)
        screen = Screen(offer, f"http://127.0.0.1:{self.house.port}")
        await self.until_ready(screen)
        return screen

    async def until_ready(self, screen: Screen) -> None:
        async def ready() -> bool:
            state = await screen.state()
            works = all(one["state"] == "ready" for one in state["peripherals"])
            return works and state["problem"] is None

        await until(ready)

    @property
    def tickets(self) -> list[Any]:
        return list(self.house.hall.state.tickets.values())

    @property
    def paper(self) -> list[str]:
        printed = self.bench.printer("k1-printer").printed
        return ["\n".join(one.ticket.lines) for one in printed]


@pytest.fixture
async def place(house: House, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(house, tmp_path)
    await made.start()
    yield made
    await made.close()


async def test_a_number_given_while_the_hall_is_gone_stands_at_its_time_once_it_is_back(
    place: Place,
) -> None:
    house, screen = place.house, await place.screen()
    await house.issue("before")
    house.clock.shift += 60
    await house.stop()
    answer = await screen.take("the-press-1")
    assert answer["number"] == "A9001"
    house.clock.shift += 60
    await house.start()
    await house.issue("after")
    await house.until(lambda: len(place.tickets) == 3)
    (row,) = house.hall.state.lines["ga"].values()
    assert [house.hall.state.tickets[one].number for one in row] == ["A001", "A9001", "A002"]
    merged = house.hall.state.tickets[answer["ticket"]]
    assert (merged.origin, merged.state) == (Origin.LEASED, TicketState.WAITING)
    async with await house.clerk() as clerk:
        await clerk.ask(h.Subscribe(topics=("window:w1",)), key=None)
        queue = clerk.topics["window:w1"]["window"].queue
        assert [one.number for one in queue] == ["A001", "A9001", "A002"]


async def test_its_paper_names_hall_item_number_time_and_the_masked_holder(place: Place) -> None:
    screen = await place.screen()
    await place.house.stop()
    await screen.call("/identity/begin", {})
    place.bench.reader("k1-reader").put(CITIZEN)
    async with asyncio.timeout(60):
        while (identity := (state := await screen.state())["identity"]) is None:
            assert state["refused"] is None
            await asyncio.sleep(0.05)
    assert identity["masked_name"] == "测*甲"
    answer = await screen.take("the-press-1", "id-renew", identity=identity["token"])
    await place.house.until(lambda: len(place.paper) == 1)
    (paper,) = place.paper
    for words in ("萨尔图区政务服务大厅", "A9001", "居民身份证换领", "测*甲", "230602********1238"):
        assert words in paper
    assert "19900101" not in paper
    await place.house.start()
    await place.house.until(lambda: len(place.tickets) == 1)
    person = place.house.hall.state.tickets[answer["ticket"]].person
    assert open_person(place.house.sealer, person) == ("测试甲", "230602199001011238")


async def test_a_press_repeated_over_a_killed_agent_is_one_number_and_one_paper(
    place: Place,
) -> None:
    screen = await place.screen()
    await place.house.stop()
    first = await screen.take("the-press-1")
    await place.house.until(lambda: len(place.paper) == 1)
    await place.kill_agent()
    place._settings = msgspec.structs.replace(place._settings, screen_port=screen.offer.port)
    place.start_agent()
    async with asyncio.timeout(60):
        while True:
            with suppress(aiohttp.ClientError):
                await screen.call("/state")
                break
            await asyncio.sleep(0.05)
    assert await screen.take("the-press-1") == "hub.forbidden", "a new process has a new secret"
    await place.house.start()
    await place.house.until(lambda: len(place.tickets) == 1)
    screen = await place.screen()
    assert await screen.take("the-press-1") == first
    ticket = next(one for one in (await screen.state())["tickets"])
    assert ticket["print_state"] == "unknown", "nobody knows what the former process printed"
    assert len(place.paper) == 1


async def test_every_number_is_taken_in_once_over_crashes_of_hall_and_agent(place: Place) -> None:
    screen = await place.screen()
    await place.house.stop()
    given = [(await screen.take(f"the-press-{n}"))["number"] for n in range(3)]
    await place.kill_agent()
    await place.house.start()
    place.start_agent()
    await place.house.until(lambda: len(place.tickets) == 3)
    await place.house.restart()
    screen = await place.screen()
    given.append((await screen.take("the-press-9"))["number"])
    await place.house.until(lambda: len(place.tickets) == 4)
    assert sorted(one.number for one in place.tickets) == sorted(given)
    assert len(set(given)) == 4


async def test_only_the_hall_s_page_with_its_secret_is_answered(place: Place) -> None:
    screen = await place.screen()
    status, problem = await screen.call("/state", secret="made-up")
    assert (status, problem["code"]) == (403, "hub.forbidden")
    assert await screen.call("/take", {"no": "press"}) == (422, {
        "code": "hub.bad_message",
        "params": {"where": "$"},
    })  # fmt: skip


async def test_a_lease_that_is_used_up_is_said(place: Place) -> None:
    screen = await place.screen()
    await place.house.stop()
    for one in range(30):
        assert "number" in await screen.take(f"the-press-{one:02d}")
    assert await screen.take("the-press-99") == "lease.none_left"
    state = await screen.state()
    assert state["problem"]["code"] == "lease.none"
    await place.house.start()
    await place.house.until(lambda: len(place.tickets) == 30)


async def test_without_paper_no_number_is_given(place: Place) -> None:
    screen = await place.screen()
    await place.house.stop()
    place.bench.printer("k1-printer").set_condition(Condition.PAPER_OUT, True)

    async def fault_is_known() -> bool:
        return bool((await screen.state())["peripherals"][0]["conditions"])

    await until(fault_is_known)
    assert await screen.take("the-press-1") == "kiosk.printer_fault"
    place.bench.printer("k1-printer").set_condition(Condition.PAPER_OUT, False)
    await place.until_ready(screen)
    await place.house.start()
    assert place.tickets == []


# ---- at the hall, with an agent that the test plays ---------------------------------------------


def leased(house: House, kiosk: str, serial: int, **changes: Any) -> k.MergeLeased:
    day = BusinessDay(changes.pop("day", house.hall.state.day))
    key = lease_key(house.sealer, DeviceId(kiosk), day)
    ticket = k.LeasedTicket(
        day=day,
        queue=GA,
        serial=serial,
        item=ItemId("advice"),
        token=new_lease_token(key, GA, serial),
        taken_at=house.clock.now_ms(),
    )
    return k.MergeLeased(ticket=ticket, signature=sign(key, k.signed_bytes(ticket)))


async def test_two_kiosks_hold_different_numbers(house: House) -> None:
    async with await house.join("k1-agent") as one, await house.join("k2-agent") as two:
        await one.ask(k.PrepareOffline())
        await two.ask(k.PrepareOffline())
        blocks = [(await at.get(k.OfflineKit)).blocks[0] for at in (one, two)]
        assert [(b.first, b.last) for b in blocks] == [(9001, 9030), (9031, 9060)]
        theirs = leased(house, "k2", 9031)
        assert await one.refused(theirs) == "lease.bad_signature"
        assert (await two.ask(theirs)).number == "A9031"


async def test_a_kit_asked_for_again_sets_no_further_numbers_aside(house: House) -> None:
    async with await house.join("k1-agent") as agent:
        for _ in range(3):
            await agent.ask(k.PrepareOffline())
        kits = [await agent.get(k.OfflineKit) for _ in range(3)]
        assert all(one.blocks == kits[0].blocks for one in kits)
        await agent.ask(leased(house, "k1", 9001))
        await agent.ask(k.PrepareOffline())
        fresh = await agent.get(k.OfflineKit)
        free = sum(one.last - one.first + 1 - len(one.used) for one in fresh.blocks)
        assert free == 30


async def test_the_same_number_told_again_is_the_same_ticket_under_any_key(house: House) -> None:
    async with await house.join("k1-agent") as agent:
        await agent.ask(k.PrepareOffline())
        told = leased(house, "k1", 9001)
        first = await agent.ask(told, key="one-key-01")
        assert await agent.ask(told, key="one-key-01") == first
        assert await agent.ask(told, key="another-02") == first
        assert len(house.hall.state.tickets) == 1


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda t: msgspec.structs.replace(t, serial=9002), "lease.bad_signature"),
        (lambda t: msgspec.structs.replace(t, taken_at=1), "lease.bad_signature"),
        (lambda t: msgspec.structs.replace(t, priority="soldier"), "lease.bad_signature"),
    ],
)
async def test_a_changed_ledger_is_refused_said_and_brings_staff(
    house: House, spoil: Any, code: str
) -> None:
    async with await house.join("k1-agent") as agent:
        await agent.ask(k.PrepareOffline())
        told = leased(house, "k1", 9001)
        assert await agent.refused(msgspec.structs.replace(told, ticket=spoil(told.ticket))) == code
        assert house.hall.state.tickets == {}
        assert KIOSK in house.hall.state.help


async def test_a_sound_signature_over_a_foreign_token_or_number_is_refused(house: House) -> None:
    async with await house.join("k1-agent") as agent:
        await agent.ask(k.PrepareOffline())
        key = lease_key(house.sealer, KIOSK, house.hall.state.day)
        told = leased(house, "k1", 9001)
        foreign = msgspec.structs.replace(told.ticket, token="L" + "A" * 38)
        signed = k.MergeLeased(ticket=foreign, signature=sign(key, k.signed_bytes(foreign)))
        assert await agent.refused(signed) == "lease.bad_signature"
        assert await agent.refused(leased(house, "k1", 9999)) == "lease.unknown"


async def test_a_number_of_another_day_is_refused_as_that(house: House) -> None:
    async with await house.join("k1-agent") as agent:
        await agent.ask(k.PrepareOffline())
        old = leased(house, "k1", 9001, day="2026-01-05")
        assert await agent.refused(old) == "lease.other_day"


async def test_a_code_scanned_before_its_number_was_merged_is_known_as_valid(house: House) -> None:
    async with await house.agent() as agent, await house.join("k1") as kiosk:
        await agent.ask(k.PrepareOffline())
        told = leased(house, "k1", 9005)
        scan = h.CodeScanned(
            device=DeviceId("k1-scanner"), text=f"http://hall.test/t/{told.ticket.token}"
        )
        await agent.ask(scan, key=None)
        problem = (await kiosk.get(h.CodeRefused)).problem
        assert (problem.code, problem.params) == ("lease.not_merged", {"number": "A9005"})
        await agent.ask(told)
        await agent.ask(scan, key=None)
        assert (await kiosk.get(h.CodeFound)).number == "A9005"


async def test_no_other_device_may_merge(house: House) -> None:
    async with await house.join("k1") as kiosk:
        assert await kiosk.refused(leased(house, "k1", 9001)) == "hub.forbidden"
