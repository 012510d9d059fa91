"""The face at a kiosk: the terminal looks only while somebody waits who chose it; its credential counts once."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from hallserver.agent.agent import Agent
from hallserver.agent.settings import AgentSettings
from qingting.contract import hub as h
from qingting.contract.config import Device
from qingting.contract.hub_face import ArmFace, FaceFault, FaceRead, IdentityChecking, LookForFace
from qingting.contract.ids import DeviceId, ItemId
from qingting.contract.states import DeviceKind, DeviceState, IdentityWay
from simulators.bench import DeviceSpec, SimulatorBench
from simulators.citizen_code import Fault

House = Any
FACE = DeviceId("k1-face")
TAKE = ItemId("id-renew")


@pytest.fixture
async def faced(coded: House) -> House:
    """The house with a platform and a face terminal at kiosk 1."""
    await coded.stop()
    terminal = Device(id=FACE, kind=DeviceKind.FACE, name="人脸终端", parent=DeviceId("k1"))
    devices = (*coded.config.devices, terminal)
    coded.config = msgspec.structs.replace(coded.config, version=2, devices=devices)
    coded.path = coded.path.with_name("faced.db")
    coded.keys.clear()
    await coded.start()
    return coded


async def terminal_is(agent: Any, state: DeviceState) -> None:
    await agent.ask(h.DeviceReport(device=FACE, kind=DeviceKind.FACE, state=state))


async def ready(kiosk: Any, agent: Any) -> None:
    """The kiosk shows that faces can be used, and waits for somebody."""
    await terminal_is(agent, DeviceState.READY)
    await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
    await kiosk.until(lambda: IdentityWay.FACE in kiosk.topics["kiosk:k1"]["kiosk"].ways)
    await kiosk.ask(h.BeginIdentity(), key=None)


async def look(kiosk: Any, agent: Any) -> None:
    await kiosk.ask(LookForFace(on=True), key=None)
    while not (await agent.get(ArmFace)).armed:
        """The end of a look before this one."""


async def recognised(agent: Any, credential: str) -> None:
    await agent.ask(FaceRead(device=FACE, credential=credential), key=None)


async def refusal(kiosk: Any) -> tuple[str, bool]:
    told = await kiosk.get(h.IdentityRefused)
    return told.problem.code, told.waiting


async def test_a_face_becomes_a_ticket_once_and_leaves_no_trace(
    faced: House, platform: Any
) -> None:
    codes, _ = platform
    with capture_logs() as logs:
        async with await faced.agent() as agent, await faced.join("k1") as kiosk:
            await ready(kiosk, agent)
            credential = codes.recognise("citizen")
            await recognised(agent, credential)
            await kiosk.ask(h.Ping(), key=None)
            assert codes.asked == 0, "nobody chose the face"
            await look(kiosk, agent)
            await recognised(agent, credential)
            assert not (await agent.get(ArmFace)).armed, "the look is over"
            assert (await kiosk.get(IdentityChecking)).way is IdentityWay.FACE
            read = await kiosk.get(h.IdentityRead)
            assert (read.masked_name, read.masked_number) == ("张*例", "230602********1238")
            by_face = await kiosk.ask(h.TakeTicket(item=TAKE, identity=read.token))
            person = faced.hall.state.tickets[by_face.ticket].person
            # The same credential once more, in a wait of its own: refused by the hall itself.
            await kiosk.ask(h.BeginIdentity(), key=None)
            await look(kiosk, agent)
            await recognised(agent, credential)
            assert await refusal(kiosk) == ("face.used", True)
            assert codes.asked == 1
            assert codes.resolve("r", credential, "face")["result"] == "used", "and by the platform"
            # A code of somebody's phone is no credential, nor the other way round.
            await look(kiosk, agent)
            await recognised(agent, codes.shown("woman").text)
            assert await refusal(kiosk) == ("face.unknown", True)
            other = codes.recognise("woman")
            await agent.ask(h.CodeScanned(device=DeviceId("k1-scanner"), text=other), key=None)
            assert await refusal(kiosk) == ("citizen_code.unknown", True)
            card = await faced.identify(kiosk, agent, name="张示例")
            again = await kiosk.ask(h.TakeTicket(item=TAKE, identity=card))
            assert faced.hall.state.tickets[again.ticket].person.index == person.index
            seen = f"{logs} {kiosk.messages}"
    await faced.stop()
    dump = await asyncio.to_thread(lambda: "\n".join(sqlite3.connect(faced.path).iterdump()))
    for secret in (credential, other, "张示例", "230602199001011238"):
        assert secret not in seen
        assert secret not in dump


async def test_the_look_ends_with_the_wait_whatever_ends_it(faced: House, platform: Any) -> None:
    codes, _ = platform
    async with await faced.agent() as agent:
        kiosk = await faced.join("k1")
        await terminal_is(agent, DeviceState.READY)
        assert await kiosk.refused(LookForFace(on=True), key=None) == "face.not_waiting"
        await ready(kiosk, agent)

        async def over() -> None:
            """The terminal was told to stop, and what it still says is thrown away."""
            assert not (await agent.get(ArmFace)).armed
            await recognised(agent, codes.recognise("citizen"))
            assert codes.asked == 0

        await look(kiosk, agent)
        await kiosk.ask(LookForFace(on=False), key=None)
        await over()
        await look(kiosk, agent)
        await agent.ask(FaceFault(device=FACE, code="face.not_recognised"), key=None)
        await over()
        assert await refusal(kiosk) == ("face.not_recognised", True)
        await look(kiosk, agent)
        await terminal_is(agent, DeviceState.LOST)
        await over()
        assert await refusal(kiosk) == ("face.terminal_fault", True)
        assert await kiosk.refused(LookForFace(on=True), key=None) == "face.not_offered"
        await terminal_is(agent, DeviceState.READY)
        await look(kiosk, agent)
        await kiosk.ask(h.EndIdentity(), key=None)
        await over()
        await kiosk.ask(h.BeginIdentity(), key=None)
        await look(kiosk, agent)
        faced.clock.shift += 80
        faced.hub.board.wake.set()
        await over()
        await kiosk.ask(h.BeginIdentity(), key=None)
        await look(kiosk, agent)
        await kiosk.close()
        await over()
        async with await faced.join("k1") as back:
            await back.ask(h.Ping(), key=None)
            assert not [one for one in back.messages if isinstance(one, h.IdentityRead)]


async def test_faces_are_offered_as_far_as_the_platform_takes_them_and_asked_within_the_rate(
    faced: House, platform: Any
) -> None:
    codes, _ = platform
    async with await faced.agent() as agent, await faced.join("k1") as kiosk:
        await ready(kiosk, agent)
        # An answer that comes after the citizen left reaches nobody.
        codes.hold.clear()
        await look(kiosk, agent)
        await recognised(agent, codes.recognise("citizen"))
        await faced.until(lambda: codes.asked)
        await kiosk.ask(h.EndIdentity(), key=None)
        await kiosk.ask(h.BeginIdentity(), key=None)
        codes.hold.set()
        await faced.until(lambda: not faced.hub.board.codes.busy)
        await kiosk.ask(h.Ping(), key=None)
        assert not [one for one in kiosk.messages if isinstance(one, h.IdentityRead)]
        # Codes and faces of one kiosk count together.
        for at in range(10 - codes.asked):
            await look(kiosk, agent)
            await recognised(agent, f"QTRL.nobodys-{at}")
            assert await refusal(kiosk) == ("face.unknown", True)
        await look(kiosk, agent)
        await recognised(agent, codes.recognise("citizen"))
        assert await refusal(kiosk) == ("face.too_often", True)
        assert codes.asked == 10
        # A platform that resolves codes alone.
        codes.kinds = ("code",)
        faced.clock.shift += 61
        await kiosk.until(lambda: IdentityWay.FACE not in kiosk.topics["kiosk:k1"]["kiosk"].ways)
        await kiosk.ask(h.BeginIdentity(), key=None)
        assert await kiosk.refused(LookForFace(on=True), key=None) == "face.not_offered"
        codes.kinds = ("code", "face")
        faced.clock.shift += 61
        await ready(kiosk, agent)
        codes.set_fault(Fault.DOWN)
        await look(kiosk, agent)
        await recognised(agent, codes.recognise("citizen"))
        assert await refusal(kiosk) == ("face.unavailable", True)
        assert await kiosk.refused(LookForFace(on=True), key=None) == "face.unavailable"


async def test_the_real_agent_and_terminal_look_only_when_asked(
    faced: House, platform: Any, tmp_path: Path
) -> None:
    """Kiosk, hub, agent, driver, simulated terminal over TCP and simulated platform, end to end."""
    codes, _ = platform
    bench = SimulatorBench(tmp_path / "bench")
    bench.codes = codes
    spec = DeviceSpec(id=FACE, kind=DeviceKind.FACE, profile="generic.face-line", carrier="tcp")
    urls = await bench.start([spec])
    device = Device(
        id=FACE,
        kind=DeviceKind.FACE,
        name="x",
        parent=DeviceId("k1"),
        profile=spec.profile,
        url=urls[FACE],
    )
    settings = AgentSettings(
        hall=f"ws://127.0.0.1:{faced.port}/hub",
        device="k1-agent",
        key=await faced.key_of("k1-agent"),
        kiosk="k1",
        devices=(device,),
    )
    agent = asyncio.create_task(Agent(settings).run())
    terminal = bench.face(FACE)
    try:
        async with await faced.join("k1") as kiosk:
            await kiosk.ask(h.Subscribe(topics=("kiosk:k1",)), key=None)
            await kiosk.until(lambda: IdentityWay.FACE in kiosk.topics["kiosk:k1"]["kiosk"].ways)
            terminal.stand("woman")
            await kiosk.ask(h.BeginIdentity(), key=None)
            assert terminal.looks == 0
            await kiosk.ask(LookForFace(on=True), key=None)
            assert (await kiosk.get(h.IdentityRead)).masked_name == "李*本"
            await faced.until(lambda: not terminal.looking)
            terminal.walk_away()
            await kiosk.ask(h.BeginIdentity(), key=None)
            await kiosk.ask(LookForFace(on=True), key=None)
            await faced.until(lambda: terminal.looking)
        await faced.until(lambda: not terminal.looking)
        async with await faced.join("k1") as kiosk:
            await kiosk.ask(h.BeginIdentity(), key=None)
            await kiosk.ask(LookForFace(on=True), key=None)
            await faced.until(lambda: terminal.looking)
            agent.cancel()
            await faced.until(lambda: not terminal.looking)
            assert (await kiosk.get(h.IdentityRefused)).problem.code == "face.terminal_fault"
        assert terminal.looks == 3
    finally:
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        await bench.close()
