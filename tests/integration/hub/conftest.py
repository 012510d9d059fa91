"""A small hall behind a real aiohttp server, and clients that speak the hub's protocol over websockets."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher
from patience import HANG_S, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hallserver.app.code_platform import open_code_service
from hallserver.app.settings import HallSettings
from hallserver.hall import Hall, open_hall
from hallserver.hub.accounts import Accounts, open_accounts
from hallserver.hub.citizen_codes import CodeService
from hallserver.hub.hub import Hub
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract import hub as h
from qingting.contract import views as v
from qingting.contract.ids import (
    DepartmentId,
    DeviceId,
    HallId,
    ItemId,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.states import (
    App,
    CertificateKind,
    DeviceKind,
    DeviceState,
    PrintState,
    StaffRole,
)
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.passwords import Passwords
from qingting.kernel.security.seal import Sealer, new_key, parse_keys
from simulators.citizen_code import CitizenCodePlatform, create_platform_app

T = TypeVar("T")
KIOSK, AGENT, PRINTER, READER, SCANNER = (
    DeviceId(one) for one in ("k1", "k1-agent", "k1-printer", "k1-reader", "k1-scanner")
)
PASSWORD = "Lotus-2026-pond"


def resident(**changes: str) -> h.CardRead:
    """A sound resident ID card."""
    card = {
        "name": "张小三",
        "number": "230602199001011238",
        "valid_from": "20160101",
        "valid_to": "20360101",
    }
    return h.CardRead(
        device=READER,
        kind=CertificateKind(changes.pop("kind", "resident_id")),
        **(card | changes),
    )


class ShiftingClock(SystemClock):
    """A clock that stands still until the test moves it; only sleeps take real time, so they are short."""

    def __init__(self) -> None:
        self.shift = 0.0
        self._began = super().now_ms(), super().monotonic()

    def now_ms(self) -> int:
        return self._began[0] + round(self.shift * 1000)

    def monotonic(self) -> float:
        return self._began[1] + self.shift


def small_config() -> cfg.HallConfig:
    device = cfg.Device
    return cfg.HallConfig(
        version=1,
        hall=cfg.HallInfo(
            id=HallId("saertu"),
            name="萨尔图区政务服务大厅",
            name_en="Saertu Hall",
            division="230602",
        ),
        departments=(
            cfg.Department(
                id=DepartmentId("gaj"), name="公安局", name_en="Police", short_name="公安"
            ),
        ),
        queues=(cfg.Queue(id=QueueId("ga"), name="公安综合", name_en="Police", prefix="A"),),
        items=(
            cfg.Item(
                id=ItemId("id-renew"),
                name="居民身份证换领",
                name_en="Renewal of the resident ID card",
                department=DepartmentId("gaj"),
                queue=QueueId("ga"),
            ),
            cfg.Item(
                id=ItemId("advice"),
                name="户籍咨询",
                name_en="Advice",
                department=DepartmentId("gaj"),
                queue=QueueId("ga"),
                needs_identity=False,
            ),
        ),
        windows=tuple(
            cfg.Window(
                id=WindowId(f"w{one}"),
                number=str(one),
                name=f"公安{one}号窗口",
                name_en=f"Police {one}",
                queues=(QueueId("ga"),),
            )
            for one in (1, 2)
        ),
        staff=(
            cfg.Staff(id=StaffId("s-01"), number="0101", name="李敏"),
            cfg.Staff(id=StaffId("s-02"), number="0102", name="王强"),
            cfg.Staff(id=StaffId("s-09"), number="0109", name="赵主任", role=StaffRole.MANAGER),
        ),
        devices=(
            device(id=KIOSK, kind=DeviceKind.KIOSK, name="1号取号机"),
            device(id=AGENT, kind=DeviceKind.AGENT, name="1号机外设", parent=KIOSK),
            device(id=PRINTER, kind=DeviceKind.PRINTER, name="1号机打印机", parent=KIOSK),
            device(id=READER, kind=DeviceKind.ID_READER, name="1号机读卡器", parent=KIOSK),
            device(id=SCANNER, kind=DeviceKind.SCANNER, name="1号机扫码器", parent=KIOSK),
            device(id=DeviceId("k2"), kind=DeviceKind.KIOSK, name="2号取号机"),
            device(
                id=DeviceId("k2-agent"),
                kind=DeviceKind.AGENT,
                name="2号机外设",
                parent=DeviceId("k2"),
            ),
            device(
                id=DeviceId("pad1"),
                kind=DeviceKind.CALL_PAD,
                name="1号呼叫器",
                window=WindowId("w1"),
            ),
            device(
                id=DeviceId("pad2"),
                kind=DeviceKind.CALL_PAD,
                name="2号呼叫器",
                window=WindowId("w2"),
            ),
            device(
                id=DeviceId("rate1"),
                kind=DeviceKind.RATING_PAD,
                name="1号评价器",
                window=WindowId("w1"),
            ),
            device(
                id=DeviceId("rate2"),
                kind=DeviceKind.RATING_PAD,
                name="2号评价器",
                window=WindowId("w2"),
            ),
            device(id=DeviceId("lcd"), kind=DeviceKind.BOARD, name="大屏"),
        ),
    )


class Client:
    """One connection. ``ask`` sends a numbered request and waits for its result."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.messages: list[Any] = []
        self.topics: dict[str, dict[str, Any]] = {}
        self.seqs: dict[str, int] = {}
        self._ids = itertools.count(1)
        self._keys = itertools.count(1)
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.line.close()
        await self._task

    async def _read(self) -> None:
        decoder = msgspec.json.Decoder(h.ServerMessage)
        try:
            async for text in self.line:
                message = decoder.decode(text)
                self.messages.append(message)
                self._apply(message)
                self._changed.set()
        except ConnectionClosed:
            pass
        self._changed.set()

    def _apply(self, message: Any) -> None:
        if isinstance(message, h.Snapshot):
            self.topics[message.topic] = dict(message.entries)
            self.seqs[message.topic] = message.seq
        elif isinstance(message, h.Delta):
            assert message.seq == self.seqs[message.topic] + 1, "a delta was lost"
            self.seqs[message.topic] = message.seq
            self.topics[message.topic].update(message.set)
            for key in message.gone:
                del self.topics[message.topic][key]

    async def until(self, check: Callable[[], T | None]) -> T:
        """Waits for what ``check`` finds; fails when the line ends or the time is over."""
        async with asyncio.timeout(HANG_S):
            while True:
                found = check()
                if found is not None and found is not False:
                    return found
                assert not self._task.done(), f"line closed; got {self.messages[-3:]}"
                self._changed.clear()
                await self._changed.wait()

    async def get(self, kind: type[T]) -> T:
        """The next message of a type; takes it out."""

        def find() -> T | None:
            return next((one for one in self.messages if isinstance(one, kind)), None)

        found = await self.until(find)
        self.messages.remove(found)
        return found

    async def bye(self) -> h.Bye:
        async with asyncio.timeout(HANG_S):
            await self._task
        return next(one for one in self.messages if isinstance(one, h.Bye))

    async def say(self, message: h.ClientMessage) -> None:
        await self.line.send(msgspec.json.encode(message).decode())

    async def result(self, body: Any, *, key: str | bool | None = True) -> h.Result:
        """``key`` True makes a fresh one, None sends none."""
        number = next(self._ids)
        made = f"key-{id(self):x}-{next(self._keys):04d}" if key is True else key
        await self.say(h.Ask(id=number, body=body, key=made or None))

        def find() -> h.Result | None:
            results = (one for one in self.messages if isinstance(one, h.Result))
            return next((one for one in results if one.id == number), None)

        found = await self.until(find)
        self.messages.remove(found)
        return found

    async def ask(self, body: Any, *, key: str | bool | None = True) -> h.Answer | None:
        found = await self.result(body, key=key)
        assert found.ok, found.problem
        return found.answer

    async def refused(self, body: Any, *, key: str | bool | None = True) -> str:
        """The code of the refusal."""
        found = await self.result(body, key=key)
        assert not found.ok, "was not refused"
        assert found.problem is not None
        return found.problem.code


@dataclass
class House:
    """A running hall with its hub. ``restart`` stops it and starts it again on the same file."""

    path: Path
    clock: ShiftingClock
    port: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    auth_seconds: float = 10.0
    probe_seconds: float = 10.0
    sealer: Sealer = field(default_factory=lambda: Sealer(parse_keys(new_key("k1"))))
    hall: Hall = field(init=False)
    accounts: Accounts = field(init=False)
    hub: Hub = field(init=False)
    code_service: CodeService | None = None
    config: cfg.HallConfig = field(default_factory=small_config)
    _stop: Callable[[], Awaitable[None]] | None = None

    async def start(self) -> None:
        manager = self._run()
        await manager.__aenter__()
        self._stop = lambda: manager.__aexit__(None, None, None)

    async def stop(self) -> None:
        if self._stop is not None:
            stop, self._stop = self._stop, None
            await stop()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @asynccontextmanager
    async def _run(self) -> AsyncIterator[None]:
        async with open_hall(self.path, clock=self.clock, config=self.config) as self.hall:
            passwords = await asyncio.to_thread(
                lambda: Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
            )
            self.accounts = open_accounts(self.hall.store, self.clock, passwords)
            self.hub = Hub(
                self.hall,
                self.accounts,
                self.sealer,
                self.clock,
                base_url="http://hall.test",
                auth_seconds=self.auth_seconds,
                code_service=self.code_service,
                proxies=frozenset({"127.0.0.1"}),
                probe_seconds=self.probe_seconds,
                builds={App.PAD: "b2"},
            )
            async with self.hub.running():
                app = web.Application()
                app.router.add_get("/hub", self.hub.socket)
                server = TestServer(app, port=self.port or None)
                await server.start_server()
                self.port = server.port or 0
                try:
                    yield
                finally:
                    await self.hub.close()
                    await server.close()

    async def dial(self, address: str = "127.0.0.1") -> Client:
        """A line that comes from ``address``, as a reverse proxy tells it."""
        url, headers = f"ws://127.0.0.1:{self.port}/hub", {"X-Forwarded-For": address}
        return Client(await connect(url, max_size=None, additional_headers=headers))

    async def key_of(self, device: str) -> str:
        if device not in self.keys:
            self.keys[device] = await self.accounts.devices.issue_key(DeviceId(device))
        return self.keys[device]

    async def join(self, device: str) -> Client:
        """A client that is let in as ``device``."""
        client = await self.dial()
        await client.say(h.Auth(device=device, key=await self.key_of(device), version=1))
        await client.get(h.Welcome)
        return client

    async def agent(self, *ready: str) -> Client:
        """The agent of kiosk 1 with its peripherals ready."""
        client = await self.join(AGENT)
        kinds = {
            PRINTER: DeviceKind.PRINTER,
            READER: DeviceKind.ID_READER,
            SCANNER: DeviceKind.SCANNER,
        }
        for device in ready or kinds:
            kind = kinds[DeviceId(device)]
            await client.ask(
                h.DeviceReport(device=DeviceId(device), kind=kind, state=DeviceState.READY)
            )
        return client

    async def clerk(self, pad: str = "pad1", number: str = "0101", window: str = "w1") -> Client:
        """A call pad with a clerk at an open window."""
        staff = {one.number: one.id for one in small_config().staff}[number]
        await self.accounts.staff.seed({staff: PASSWORD})
        client = await self.join(pad)
        await client.ask(h.Login(number=number, password=PASSWORD), key=None)
        await client.ask(h.TakeWindow(window=WindowId(window)))
        return client

    async def ticket(self, kiosk: Client, item: str = "advice") -> str:
        answer = await kiosk.ask(h.TakeTicket(item=ItemId(item)))
        assert answer is not None
        assert answer.ticket is not None
        return answer.ticket

    async def issue(self, key: str) -> None:
        """A ticket that no screen asked for."""
        command = c.IssueTicket(item=ItemId("advice"), token=f"token-of-{key}")
        await self.hall.submit(command, key=f"system:{key}", actor="system")

    async def until(self, check: Callable[[], object]) -> None:
        """Waits until ``check`` is true of the hall."""
        await until(check)

    async def until_settled(self, ticket: str) -> PrintState:
        """Waits for the end of the ticket's print job."""
        tickets = self.hall.state.tickets
        await self.until(lambda: tickets[TicketId(ticket)].print_state is not PrintState.PENDING)
        return self.hall.state.tickets[TicketId(ticket)].print_state

    async def identify(self, kiosk: Client, agent: Client, **card: str) -> str:
        """Puts a card on kiosk 1's reader; the token that the kiosk gets."""
        await kiosk.ask(h.BeginIdentity(), key=None)
        await agent.ask(resident(**card), key=None)
        return (await kiosk.get(h.IdentityRead)).token

    card = staticmethod(resident)

    def device(self, device: str) -> v.DeviceView:
        from hallserver.engine.view_devices import device as view

        return view(self.hall.state.devices[DeviceId(device)], {})


@pytest.fixture
def clock() -> ShiftingClock:
    return ShiftingClock()


@pytest.fixture
def config() -> cfg.HallConfig:
    return small_config()


@pytest.fixture
async def house(tmp_path: Path, clock: ShiftingClock) -> AsyncIterator[House]:
    made = House(path=tmp_path / "hall.db", clock=clock)
    await made.start()
    yield made
    await made.stop()


CODE_DEADLINE_S = 0.5


@pytest.fixture
def asked_for() -> list[str]:
    """Every address that the platform was asked under."""
    return []


@pytest.fixture
async def platform(asked_for: list[str]) -> AsyncIterator[tuple[CitizenCodePlatform, TestServer]]:
    @web.middleware
    async def note(request: web.Request, handler: Any) -> web.StreamResponse:
        asked_for.append(str(request.rel_url))
        response: web.StreamResponse = await handler(request)
        return response

    made = CitizenCodePlatform("hall-1", "a secret")
    app = web.Application(middlewares=[note])
    app.add_subapp("/codes/", create_platform_app(made))
    server = TestServer(app)
    await server.start_server()
    yield made, server
    await server.close()


@pytest.fixture
async def coded(house: House, platform: Any) -> AsyncIterator[House]:
    """The house with a client of the platform; stopped before that client is closed."""
    await house.stop()
    settings = HallSettings(
        citizen_code_url=str(platform[1].make_url("/codes/api")),
        citizen_code_key="hall-1",
        citizen_code_secret="a secret",
        citizen_code_seconds=CODE_DEADLINE_S,
    )
    async with AsyncExitStack() as stack:
        house.code_service = await stack.enter_async_context(
            open_code_service(settings, house.clock)
        )
        await house.start()
        yield house
        await house.stop()
