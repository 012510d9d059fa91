"""A hall with a loudspeaker of its own: calls are heard there, the log says so, and a broken one loses nothing."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from patience import until

from hallserver.agent.agent import Agent
from hallserver.agent.link import pair_agent
from hallserver.agent.settings import AgentSettings
from hallserver.app.desk import DESK, Desk
from hallserver.app.server import HallSettings, open_hall_app
from hallserver.hall import Hall
from hallserver.hub.accounts.devices import Pairing
from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract.config import Device, HallConfig
from qingting.contract.ids import DeviceId, ItemId, StaffId, WindowId
from qingting.contract.layouts import Announcements
from qingting.contract.states import ActOutcome, Condition, DeviceKind, DeviceState
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.config_file import dump_config
from simulators.sound_card import lay_programs

SPEAKER, W1 = DeviceId("hall-speaker"), WindowId("w1")


@dataclass
class House:
    hall: Hall
    client: TestClient[web.Request, web.Application]
    card: Path
    keys: "itertools.count[int]" = field(default_factory=itertools.count)

    async def do(self, command: c.Command) -> None:
        await self.hall.submit(command, key=f"speaker-test-{next(self.keys):05d}", actor="test")

    async def call_one(self) -> int:
        token = f"token-of-number-{next(self.keys):03d}"
        await self.do(c.IssueTicket(item=ItemId("id-first"), token=token))
        await self.do(c.CallNext(window=W1))
        return self.hall.state.call_no

    def said(self, call_no: int) -> bool:
        return any(one.said.get(SPEAKER, 0) >= call_no for one in self.hall.state.calls.values())

    async def heard(self) -> int:
        return len(await asyncio.to_thread(lambda: list(self.card.glob("heard-*"))))

    async def breaks(self, fault: str) -> None:
        await asyncio.to_thread((self.card / "fault").write_text, fault)


def configured(parent: DeviceId | None = None) -> HallConfig:
    base = build_hall(hall_ids(1)[0])
    speaker = Device(
        id=SPEAKER, kind=DeviceKind.SPEAKER, name="大厅音箱", profile="generic.alsa",
        url="sound://default", parent=parent,
    )  # fmt: skip
    devices = (*(one for one in base.devices if one.kind is not DeviceKind.LED), speaker)
    return msgspec.structs.replace(base, devices=devices, announcements=Announcements(volume=50))


@asynccontextmanager
async def house(
    folder: Path, monkeypatch: pytest.MonkeyPatch, parent: DeviceId | None = None
) -> AsyncIterator[House]:
    """``parent``: the kiosk whose agent has the loudspeaker; None: the hall server itself."""
    config = await asyncio.to_thread(configured, parent)
    card = folder / "cards" / "default"
    await asyncio.to_thread(card.mkdir, parents=True)
    await asyncio.to_thread((card / "speed").write_text, "1.5")
    await asyncio.to_thread(lay_programs, folder / "bin", folder / "cards")
    await asyncio.to_thread(dump_config, config, folder / "hall.json")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    settings = HallSettings(
        data=str(folder / "data"), config=str(folder / "hall.json"), voice_bank=""
    )
    async with open_hall_app(settings) as app, TestClient(TestServer(app)) as client:
        made = House(app[DESK].hall, client, card)
        await made.do(c.OpenWindow(window=W1, staff=StaffId(config.staff[0].id)))
        async with agent_of(app[DESK], client, config, parent):
            await until(lambda: made.hall.state.devices[SPEAKER].state is DeviceState.READY)
            yield made


@asynccontextmanager
async def agent_of(
    desk: Desk,
    client: TestClient[web.Request, web.Application],
    config: HallConfig,
    kiosk: DeviceId | None,
) -> AsyncIterator[None]:
    """The agent of ``kiosk`` at work, paired as its operator pairs it; nothing without a kiosk."""
    if kiosk is None:
        yield
        return
    device = DeviceId(f"{kiosk}-agent")
    pairing = Pairing(device=device, kind=DeviceKind.AGENT, name="设备代理", parent=kiosk)
    code, _ = await desk.accounts.devices.make_code(pairing, StaffId(config.staff[0].id))
    url = f"ws://{client.host}:{client.port}/hub"
    paired = await pair_agent(url, code)
    own = tuple(one for one in config.devices if one.id == SPEAKER)
    settings = AgentSettings(hall=url, device=device, key=paired.key, kiosk=kiosk, devices=own)
    task = asyncio.create_task(Agent(settings).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("parent", [None, DeviceId("k1")], ids=["of the hall", "of an agent"])
async def test_a_call_is_heard_once_a_broken_one_is_marked_and_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parent: DeviceId | None
) -> None:
    async with house(tmp_path, monkeypatch, parent) as hall:
        state = hall.hall.state
        first = await hall.call_one()
        await until(lambda: hall.said(first))
        assert await hall.heard() == 1
        await hall.do(
            c.AskAct(
                act=a.ActId("test-1"), device=SPEAKER, action=a.PlayTest(),
                until=state.at + 3_600_000, asked_by="m",
            )
        )  # fmt: skip
        await until(lambda: hall.hall.state.acts[a.ActId("test-1")].outcome is ActOutcome.DONE)
        assert await hall.heard() == 2
        await hall.breaks("busy")
        await hall.do(c.BeginService(window=W1))
        await hall.do(c.FinishService(window=W1))
        second = await hall.call_one()
        await until(lambda: Condition.SOUND_TAKEN in hall.hall.state.devices[SPEAKER].conditions)
        assert not hall.said(second)
        await hall.breaks("")
        await until(lambda: hall.said(second))
        assert await hall.heard() == 3
