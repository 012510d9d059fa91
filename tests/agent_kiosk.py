"""A kiosk for tests: a hub that the test plays, simulated devices, and the agent between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from patience import until
from websockets.asyncio.server import Server, ServerConnection, serve

from hallserver.agent.agent import Agent
from hallserver.agent.settings import AgentSettings
from qingting.contract.base import CONTRACT_VERSION
from qingting.contract.config import Device
from qingting.contract.hub import (
    Ask,
    Auth,
    Bye,
    ClientMessage,
    DeviceReport,
    Pair,
    Paired,
    Ping,
    PrintReport,
    Problem,
    Result,
    ServerMessage,
    Welcome,
)
from qingting.contract.ids import DeviceId
from qingting.contract.releases import RunsReport
from qingting.contract.states import (
    DeviceKind,
    DeviceState,
    Role,
)
from qingting.kernel.aio.clock import SystemClock
from simulators.bench import DeviceSpec, SimulatorBench
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
        assert ask.key is not None or isinstance(ask.body, Ping | RunsReport)
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
