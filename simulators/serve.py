"""Serves a bench of simulators with its control page: what ``qingting simulate`` and the demo run."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
from aiohttp import web

from simulators.bench import DeviceSpec, SimulatorBench
from simulators.carriers import LOOPBACK
from simulators.citizen_code import CitizenCodePlatform, create_platform_app
from simulators.control import create_app
from simulators.identity_provider import IdentityProvider, create_provider_app
from simulators.item_system import ItemSystem, create_item_system_app
from simulators.messages import AlipayPlatform, MessagePlatform, create_messages_app, serve_mail
from simulators.play import ScenarioPlayer
from simulators.scenario import ScenarioFile

DEFAULT_PORT = 8930


class RunningBench(msgspec.Struct, frozen=True, kw_only=True):
    """A bench with its control page."""

    bench: SimulatorBench
    urls: dict[str, str]
    page: str
    mail_port: int = 0
    """Where the simulated mail server listens; 0: there is none."""

    @property
    def message_api(self) -> str:
        """Where the city's console hands in SMS and app messages."""
        return f"{self.page}messages/api"

    @property
    def alipay(self) -> str:
        """Where Alipay's gateway and its page for users are."""
        return f"{self.page}messages/alipay"

    @property
    def code_api(self) -> str:
        """Where a hall asks about citizen codes."""
        return f"{self.page}citizen-codes/api"

    @property
    def item_page(self) -> str:
        """Where one plays the people of the item system."""
        return f"{self.page}item-system/"

    @property
    def item_api(self) -> str:
        """Where the city asks for service items."""
        return f"{self.item_page}api"


@contextlib.asynccontextmanager
async def serve_bench(
    devices: Sequence[DeviceSpec],
    *,
    folder: Path,
    port: int = DEFAULT_PORT,
    mm_per_s: float | None = None,
    codes: CitizenCodePlatform | None = None,
    identity: IdentityProvider | None = None,
    messages: MessagePlatform | None = None,
    alipay: AlipayPlatform | None = None,
    items: ItemSystem | None = None,
) -> AsyncIterator[RunningBench]:
    """A bench and its control page on a loopback port (0 = any free) until the block ends.

    ``codes`` is served beside it, below ``/citizen-codes/``, ``identity`` below ``/identity`` and
    ``messages`` and ``alipay`` below ``/messages/``, ``items`` below ``/item-system/``.
    """
    bench = SimulatorBench(folder, mm_per_s=mm_per_s)
    bench.codes = codes
    bench.messages = messages is not None
    app = create_app(bench)
    if codes is not None:
        app.add_subapp("/citizen-codes/", create_platform_app(codes))
    if identity is not None:
        app.add_subapp("/identity/", create_provider_app(identity))
    if messages is not None:
        app.add_subapp("/messages/", create_messages_app(messages, alipay))
    if items is not None:
        app.add_subapp("/item-system/", create_item_system_app(items))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    try:
        urls = await bench.start(devices)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, port)
        await site.start()
        page = f"http://{LOOPBACK}:{site.port}/"
        if identity is not None:
            identity.issuer = f"{page}identity"
        async with _mail(messages) as mail_port:
            yield RunningBench(bench=bench, urls=urls, page=page, mail_port=mail_port)
    finally:
        await runner.cleanup()
        await bench.close()


@contextlib.asynccontextmanager
async def _mail(messages: MessagePlatform | None) -> AsyncIterator[int]:
    if messages is None:
        yield 0
        return
    async with serve_mail(messages) as port:
        yield port


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario to be played, how fast, and who is told of each step."""

    file: ScenarioFile
    speed: float = 1.0
    told: Callable[[str], None] = lambda _: None

    def on(self, bench: SimulatorBench) -> ScenarioPlayer:
        """The performance on this bench; raises ``ScenarioError`` when it does not fit."""
        player = ScenarioPlayer(bench, self.file, speed=self.speed, told=self.told)
        bench.playing = player.state
        return player


async def run_bench(
    devices: Sequence[DeviceSpec],
    *,
    folder: Path,
    port: int = DEFAULT_PORT,
    ready: Callable[[RunningBench], None] | None = None,
    play: Play | None = None,
    identity: IdentityProvider | None = None,
    messages: MessagePlatform | None = None,
) -> None:
    """Serves a bench until cancelled; ``ready`` is called once everything is reachable, then ``play`` begins."""
    async with serve_bench(devices, folder=folder, port=port, identity=identity) as running:
        player = play.on(running.bench) if play is not None else None
        if ready is not None:
            ready(running)
        if player is not None:
            await player.run()
        await asyncio.get_running_loop().create_future()
