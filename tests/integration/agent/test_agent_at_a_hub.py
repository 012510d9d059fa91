"""The agent between a hub that the test plays and simulated devices: what each may rely on."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from agent_kiosk import CITIZEN, KEY, SEEN_S, Hub, Kiosk, encode, kiosk_of
from patience import until, within
from structlog.testing import capture_logs

from hallserver.agent.agent import Agent
from hallserver.agent.link import pair_agent
from hallserver.agent.settings import AgentSettings
from qingting.contract.errors import Refusal
from qingting.contract.hub import (
    ArmReader,
    Bye,
    CardFault,
    CardRead,
    CodeScanned,
    Paired,
    Ping,
    PrintOrder,
    PrintReport,
    Problem,
)
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import PrintJob, TextLine
from qingting.contract.states import (
    Condition,
    PrintOutcome,
)
from qingting.kernel.aio.clock import SystemClock
from simulators.device import Fault
from simulators.id_cards import photo


@pytest.fixture
async def kiosk(tmp_path: Path) -> AsyncIterator[Kiosk]:
    async with kiosk_of(tmp_path, mm_per_s=0) as place:
        yield place


def order(
    number: str = "A001", attempt: int = 1, *, ago_ms: int = 0, again: bool = False
) -> PrintOrder:
    return PrintOrder(
        job=PrintJob(
            ticket=TicketId(f"2026-11-24-{number}"),
            attempt=attempt,
            printer=DeviceId("k1-printer"),
            issued_at=SystemClock().now_ms() - ago_ms,
            document=(TextLine(text=number, scale=4),),
            again=again,
        )
    )


def reports(hub: Hub) -> list[tuple[str, int, PrintOutcome, Condition | None]]:
    return [
        (one.ticket[-4:], one.attempt, one.outcome, one.cause) for one in hub.bodies(PrintReport)
    ]


async def test_every_device_is_reported_after_each_connection(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    await kiosk.hub.stop()
    kiosk.hub.asks.clear()
    await asyncio.sleep(0.3)
    await kiosk.hub.start()
    await kiosk.all_ready()
    assert kiosk.hub.connections == 2


@pytest.mark.parametrize(
    ("device", "condition"),
    [
        ("k1-printer", Condition.PAPER_OUT),
        ("k1-printer", Condition.COVER_OPEN),
        ("k1-printer", Condition.CUTTER_ERROR),
        ("k1-reader", Condition.COMM_ERROR),
        ("k1-scanner", Condition.OFFLINE),
    ],
)
async def test_a_fault_is_reported_within_two_seconds_and_so_is_its_end(
    kiosk: Kiosk, device: str, condition: Condition
) -> None:
    await kiosk.all_ready()
    await fault(kiosk, device, condition, on=True)
    await within(SEEN_S, lambda: conditions(kiosk.hub, device) == (condition,))
    await fault(kiosk, device, condition, on=False)
    await within(SEEN_S, lambda: kiosk.hub.is_ready(device) and not conditions(kiosk.hub, device))


def conditions(hub: Hub, device: str) -> tuple[Condition, ...]:
    report = hub.device(device)
    return report.conditions if report is not None else ()


async def fault(kiosk: Kiosk, device: str, condition: Condition, *, on: bool) -> None:
    if device == "k1-printer":
        kiosk.bench.printer(device).set_condition(condition, on)
    elif device == "k1-reader":
        kiosk.bench.reader(device).set_fault(Fault.MUTE, on)
    elif on:
        await kiosk.bench.seat(device).unplug()
    else:
        await kiosk.bench.seat(device).replug()


async def test_a_job_is_printed_once_however_often_it_is_ordered(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    one = order()
    await kiosk.hub.send(one, one, one)
    await until(lambda: bool(reports(kiosk.hub)))
    await kiosk.hub.send(one)
    await until(lambda: len(reports(kiosk.hub)) >= 2)
    await the_next_one_is_printed(kiosk)
    assert kiosk.tickets == ["A001", "A002"]
    assert {outcome for _, _, outcome, _ in reports(kiosk.hub)} == {PrintOutcome.PRINTED}
    keys = {ask.key for ask in kiosk.hub.asks if isinstance(ask.body, PrintReport)}
    assert len(keys) == 2


async def the_next_one_is_printed(kiosk: Kiosk) -> None:
    """Once the outcome of a later job is told, nothing of the earlier ones is still to come."""
    await kiosk.hub.send(order("A002"))
    await until(lambda: "A002" in [number for number, *_ in reports(kiosk.hub)])


async def test_no_double_print_over_a_restart_of_the_hall(tmp_path: Path) -> None:
    async with kiosk_of(tmp_path, mm_per_s=20) as kiosk:
        await kiosk.all_ready()
        one = order()
        await kiosk.hub.send(one)
        await until(lambda: kiosk.bench.printer("k1-printer").half_printed)
        await kiosk.hub.stop()  # while it is printed: the outcome cannot be told
        await until(lambda: kiosk.tickets == ["A001"])
        kiosk.hub.asks.clear()
        await kiosk.hub.start()
        await until(lambda: kiosk.hub.connections == 2)
        await kiosk.hub.send(one)  # the hall asks again for what it does not know
        await until(lambda: bool(reports(kiosk.hub)))
        await the_next_one_is_printed(kiosk)
        assert reports(kiosk.hub)[0] == ("A001", 1, PrintOutcome.PRINTED, None)
        assert kiosk.tickets == ["A001", "A002"]


async def test_an_outcome_is_repeated_until_the_hall_has_it(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    kiosk.hub.refuse_prints = [Problem(code="store.unavailable")] * 2
    await kiosk.hub.send(order())
    await until(lambda: len(reports(kiosk.hub)) == 3)
    await the_next_one_is_printed(kiosk)
    assert [number for number, *_ in reports(kiosk.hub)] == ["A001"] * 3 + ["A002"]


async def test_an_outcome_that_the_hall_does_not_want_is_not_repeated(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    kiosk.hub.refuse_prints = [Problem(code="print.unknown_job")] * 9
    await kiosk.hub.send(order())
    await until(lambda: bool(reports(kiosk.hub)))
    await the_next_one_is_printed(kiosk)
    assert [number for number, *_ in reports(kiosk.hub)] == ["A001", "A002"]


async def test_a_job_of_a_former_process_is_unknown_unless_a_person_asks(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    await kiosk.hub.send(order(ago_ms=60_000))
    await until(lambda: bool(reports(kiosk.hub)))
    assert reports(kiosk.hub) == [("A001", 1, PrintOutcome.UNKNOWN, None)]
    assert kiosk.tickets == []
    await kiosk.hub.send(order(attempt=2, ago_ms=60_000, again=True))
    await until(lambda: len(reports(kiosk.hub)) == 2)
    assert kiosk.tickets == ["A001"]


async def test_a_restarted_agent_never_prints_what_its_former_self_may_have_printed(
    kiosk: Kiosk,
) -> None:
    await kiosk.all_ready()
    one = order()
    await kiosk.hub.send(one)
    await until(lambda: bool(reports(kiosk.hub)))
    await kiosk.stop_agent()
    kiosk.hub.asks.clear()
    await kiosk.start_agent()
    await kiosk.all_ready()
    await kiosk.hub.send(one)
    await until(lambda: bool(reports(kiosk.hub)))
    assert reports(kiosk.hub) == [("A001", 1, PrintOutcome.UNKNOWN, None)]
    assert kiosk.tickets == ["A001"]


async def test_a_fault_is_the_outcome_and_a_reprint_works_after_it(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    kiosk.bench.printer("k1-printer").set_condition(Condition.PAPER_OUT, True)
    await kiosk.hub.send(order())
    await until(lambda: bool(reports(kiosk.hub)))
    assert reports(kiosk.hub) == [("A001", 1, PrintOutcome.FAILED, Condition.PAPER_OUT)]
    kiosk.bench.printer("k1-printer").set_condition(Condition.PAPER_OUT, False)
    await kiosk.hub.send(order(attempt=2, again=True))
    await until(lambda: len(reports(kiosk.hub)) == 2)
    assert reports(kiosk.hub)[1] == ("A001", 2, PrintOutcome.PRINTED, None)
    assert kiosk.tickets == ["A001"]


async def test_a_printer_that_this_kiosk_does_not_have_is_offline(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    foreign = msgspec.structs.replace(order().job, printer=DeviceId("k9-printer"))
    await kiosk.hub.send(PrintOrder(job=foreign))
    await until(lambda: bool(reports(kiosk.hub)))
    assert reports(kiosk.hub) == [("A001", 1, PrintOutcome.FAILED, Condition.OFFLINE)]


async def test_a_card_is_told_only_while_armed_and_never_logged(kiosk: Kiosk) -> None:
    with capture_logs() as entries:
        await kiosk.all_ready()
        kiosk.bench.reader("k1-reader").put(CITIZEN)
        await asyncio.sleep(0.8)
        assert kiosk.hub.bodies(CardRead) == []
        await kiosk.hub.send(ArmReader(armed=True))
        await until(lambda: bool(kiosk.hub.bodies(CardRead)))
        card = kiosk.hub.bodies(CardRead)[0]
        assert (card.device, card.name, card.number) == ("k1-reader", CITIZEN.name, CITIZEN.number)
        await kiosk.hub.send(ArmReader(armed=False))
    assert CITIZEN.name not in repr(entries)
    assert CITIZEN.number not in repr(entries)


async def test_a_cards_photo_goes_nowhere(kiosk: Kiosk, tmp_path: Path) -> None:
    """Neither to the hall, nor to a log, nor to the disk, in any of the forms in which bytes are written."""

    def files() -> list[bytes]:
        return [one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()]

    reader = kiosk.bench.reader("k1-reader")
    with capture_logs() as entries:
        await kiosk.all_ready()
        await kiosk.hub.send(ArmReader(armed=True))
        reader.put(CITIZEN)
        await until(lambda: bool(kiosk.hub.bodies(CardRead)))
        assert reader.reads == 1, "text and photo came over the line together"
        await kiosk.hub.send(ArmReader(armed=False))
    told = encode(kiosk.hub.asks)
    traces = [told, repr(entries).encode(), *await asyncio.to_thread(files)]
    assert CITIZEN.number.encode() in told, "what is told is found by this search"
    part = photo(CITIZEN)[30:60]
    forms = (part, part.hex().encode(), base64.b64encode(part), repr(part)[2:-1].encode())
    assert [form for form in forms for trace in traces if form in trace] == []


async def test_a_card_pulled_too_early_is_told_with_its_code(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    await kiosk.hub.send(ArmReader(armed=True))
    kiosk.bench.reader("k1-reader").pull_mid_read()
    kiosk.bench.reader("k1-reader").put(CITIZEN)
    await until(lambda: bool(kiosk.hub.bodies(CardFault)))
    assert kiosk.hub.bodies(CardFault)[0].code == "identity.removed"


async def test_a_reader_goes_dark_when_the_hall_is_lost(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    await kiosk.hub.send(ArmReader(armed=True))
    await asyncio.sleep(0.1)
    await kiosk.hub.stop()
    kiosk.bench.reader("k1-reader").put(CITIZEN)
    await asyncio.sleep(1)
    await kiosk.hub.start()
    await until(lambda: kiosk.hub.connections == 2)
    await asyncio.sleep(1)
    assert kiosk.hub.bodies(CardRead) == []
    assert kiosk.bench.reader("k1-reader").reads == 0


async def test_a_code_is_told_and_a_code_scanned_without_a_hall_is_dropped(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    kiosk.bench.scanner("k1-scanner").scan("QT1:abc")
    await until(lambda: bool(kiosk.hub.bodies(CodeScanned)))
    assert kiosk.hub.bodies(CodeScanned)[0].text == "QT1:abc"
    await kiosk.hub.stop()
    kiosk.bench.scanner("k1-scanner").scan("QT1:def")
    await asyncio.sleep(1)
    await kiosk.hub.start()
    await kiosk.all_ready()
    assert len(kiosk.hub.bodies(CodeScanned)) == 1


async def test_a_quiet_agent_stays_heard_and_leaves_a_hall_that_hangs(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    await until(lambda: bool(kiosk.hub.bodies(Ping)))
    kiosk.hub.answers = False
    await until(lambda: kiosk.hub.connections == 2)


async def test_messages_that_make_no_sense_are_ignored(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    for text in ('{"type":"future.thing","x":1}', "[1,2", '{"type":"print"}', '{"no":"type"}'):
        await kiosk.hub.send_raw(text)
    await kiosk.hub.send(order())
    await until(lambda: bool(reports(kiosk.hub)))
    assert kiosk.hub.connections == 1


async def test_request_numbers_increase(kiosk: Kiosk) -> None:
    await kiosk.all_ready()
    for number in range(5):
        await kiosk.hub.send(order(f"A00{number}"))
    await until(lambda: len(reports(kiosk.hub)) == 5)
    ids = [ask.id for ask in kiosk.hub.asks]
    assert ids == sorted(set(ids))


async def test_an_agent_that_is_not_wanted_stops_and_says_why(tmp_path: Path) -> None:
    hub = Hub()
    hub.farewell = Bye(problem=Problem(code="hub.not_authenticated"), retry=False)
    await hub.start()
    settings = AgentSettings(
        hall=f"ws://127.0.0.1:{hub.port}/hub", device="k1-agent", key=KEY, kiosk="k1"
    )
    with pytest.raises(Refusal) as caught:
        await Agent(settings).run()
    assert caught.value.code == "hub.not_authenticated"
    await hub.stop()


async def test_an_agent_is_paired_with_a_code() -> None:
    hub = Hub()
    await hub.start()
    url = f"ws://127.0.0.1:{hub.port}/hub"
    assert await pair_agent(url, "123456") == Paired(device=DeviceId("k1-agent"), key=KEY)
    with pytest.raises(Refusal) as caught:
        await pair_agent(url, "000000")
    assert caught.value.code == "hub.pairing_code_wrong"
    await hub.stop()
