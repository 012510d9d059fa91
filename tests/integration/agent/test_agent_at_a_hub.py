"""The agent between a hub that the test plays and simulated devices: what each may rely on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from patience import until, within
from structlog.testing import capture_logs
from websockets.asyncio.server import Server, ServerConnection, serve

from hallserver.agent.agent import Agent
from hallserver.agent.link import pair_agent
from hallserver.agent.settings import AgentSettings
from qingting.contract.base import CONTRACT_VERSION
from qingting.contract.config import Device
from qingting.contract.errors import Refusal
from qingting.contract.hub import (
    ArmReader,
    Ask,
    Auth,
    Bye,
    CardFault,
    CardRead,
    ClientMessage,
    CodeScanned,
    DeviceReport,
    Pair,
    Paired,
    Ping,
    PrintOrder,
    PrintReport,
    Problem,
    Result,
    ServerMessage,
    Welcome,
)
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import PrintJob, TextLine
from qingting.contract.states import (
    Condition,
    DeviceKind,
    DeviceState,
    PrintOutcome,
    Role,
)
from qingting.kernel.aio.clock import SystemClock
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.device import Fault
from simulators.id_cards import Card

KEY = "the-agents-key"
SEEN_S = 2.0
SPECS = (
    DeviceSpec(id="k1-printer", kind=DeviceKind.PRINTER, profile="generic.escpos80"),
    DeviceSpec(id="k1-reader", kind=DeviceKind.ID_READER, profile="generic.samv"),
    DeviceSpec(id="k1-scanner", kind=DeviceKind.SCANNER, profile="newland.gm65", carrier="tcp"),
)
CITIZEN = Card(
    id="c", title="", title_en="", name="测试甲", birth="19650307", number="230602196503070018"
)
decode = msgspec.json.Decoder(ClientMessage).decode
encode = msgspec.json.Encoder().encode


class Hub:
    """Stands in for the hall: keeps every request, answers as the test wants."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.connections = 0
        self.answers = True
        self.refuse_prints: list[Problem] = []
        self.farewell: Bye | None = None
        self.port = 0
        self._server: Server | None = None
        self._sockets: set[ServerConnection] = set()

    async def start(self) -> None:
        self._server = await serve(self._client, "127.0.0.1", self.port)
        self.port = int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """As if the hall server were killed."""
        if self._server is None:
            return
        for socket in tuple(self._sockets):
            socket.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        self._server = None

    async def send(self, *messages: ServerMessage) -> None:
        for socket in self._sockets:
            for message in messages:
                await socket.send(encode(message).decode())

    async def send_raw(self, text: str) -> None:
        for socket in self._sockets:
            await socket.send(text)

    async def _client(self, socket: ServerConnection) -> None:
        with suppress(ConnectionError):
            first = decode(await socket.recv())
            if isinstance(first, Pair):
                await socket.send(encode(self._paired(first)).decode())
                return
            assert isinstance(first, Auth)
            assert first.key == KEY
            if self.farewell is not None:
                await socket.send(encode(self.farewell).decode())
                return
            await socket.send(encode(self._welcome(first)).decode())
            self.connections += 1
            self._sockets.add(socket)
            try:
                async for data in socket:
                    await self._asked(socket, decode(data))
            finally:
                self._sockets.discard(socket)

    def _welcome(self, auth: Auth) -> Welcome:
        return Welcome(
            role=Role.AGENT,
            device=DeviceId(auth.device),
            name="",
            now=SystemClock().now_ms(),
            version=CONTRACT_VERSION,
        )

    def _paired(self, pair: Pair) -> Paired | Bye:
        if pair.code == "123456":
            return Paired(device=DeviceId("k1-agent"), key=KEY)
        return Bye(problem=Problem(code="hub.pairing_code_wrong"), retry=False)

    async def _asked(self, socket: ServerConnection, ask: ClientMessage) -> None:
        assert isinstance(ask, Ask)
        assert ask.key is not None or isinstance(ask.body, Ping)
        self.asks.append(ask)
        if not self.answers:
            return
        problem = None
        if isinstance(ask.body, PrintReport) and self.refuse_prints:
            problem = self.refuse_prints.pop(0)
        result = Result(id=ask.id, ok=problem is None, problem=problem)
        await socket.send(encode(result).decode())

    # ---- what was heard --------------------------------------------------------------------------

    def bodies(self, kind: type) -> list[Any]:
        return [ask.body for ask in self.asks if isinstance(ask.body, kind)]

    def device(self, device: str) -> DeviceReport | None:
        reports = [body for body in self.bodies(DeviceReport) if body.device == device]
        return reports[-1] if reports else None

    def is_ready(self, device: str) -> bool:
        report = self.device(device)
        return report is not None and report.state is DeviceState.READY


class Kiosk:
    """Hub, simulators and a running agent."""

    def __init__(self, hub: Hub, bench: SimulatorBench, settings: AgentSettings) -> None:
        self.hub = hub
        self.bench = bench
        self.settings = settings
        self._task: asyncio.Task[None] | None = None

    async def start_agent(self) -> None:
        self._task = asyncio.create_task(Agent(self.settings).run())

    async def stop_agent(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def all_ready(self) -> None:
        await until(lambda: all(self.hub.is_ready(spec.id) for spec in SPECS))

    @property
    def tickets(self) -> list[str]:
        printed = self.bench.printer("k1-printer").printed
        return ["\n".join(one.ticket.lines) for one in printed]


@asynccontextmanager
async def kiosk_of(folder: Path, mm_per_s: float) -> AsyncIterator[Kiosk]:
    hub = Hub()
    bench = SimulatorBench(folder, mm_per_s=mm_per_s)
    await hub.start()
    urls = await bench.start(SPECS)
    settings = AgentSettings(
        hall=f"ws://127.0.0.1:{hub.port}/hub",
        device="k1-agent",
        key=KEY,
        kiosk="k1",
        devices=tuple(
            Device(
                id=DeviceId(spec.id),
                kind=spec.kind,
                name="x",
                parent=DeviceId("k1"),
                profile=spec.profile,
                url=urls[spec.id],
            )
            for spec in SPECS
        ),
    )
    kiosk = Kiosk(hub, bench, settings)
    await kiosk.start_agent()
    try:
        yield kiosk
    finally:
        await kiosk.stop_agent()
        await hub.stop()
        await bench.close()


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
