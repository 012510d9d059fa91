"""Remote hands at a hall: asked once, carried out once by the device it is for, and told as it was."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from patience import until

from hallserver.agent.agent import Agent
from hallserver.agent.hands import RestartAskedError
from hallserver.agent.settings import AgentSettings
from hallserver.engine.evolve_acts import hands_of
from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract.config import Device
from qingting.contract.errors import Refusal
from qingting.contract.hub_acts import ActGoing, ActOrder, ActPart, ActTold, HandsInForce
from qingting.contract.ids import DeviceId
from qingting.contract.releases import ReleaseFacts, ReleaseInForce, Runs, RunsReport
from qingting.contract.states import ActOutcome, App, Condition, DeviceKind, DeviceState
from simulators.bench import DeviceSpec, SimulatorBench

House = Any
KIOSK, AGENT, PRINTER = DeviceId("k1"), DeviceId("k1-agent"), DeviceId("k1-printer")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 40).decode()
SHIPPED = Path("firmware_profiles/printers/generic.escpos80.toml").read_text("utf-8")
RELEASE = ReleaseFacts(
    id="b" * 16, app=App.KIOSK, version="2", build="b1b2b3", sha256="b" * 64, size=100
)
SPEC = DeviceSpec(id=PRINTER, kind=DeviceKind.PRINTER, profile="generic.escpos80")


async def ask(house: House, device: DeviceId, action: a.Action, act: str, **more: Any) -> None:
    until_ms = house.clock.now_ms() + 60_000
    command = c.AskAct(act=a.ActId(act), device=device, action=action, until=until_ms, **more)
    await house.hall.submit(command, key=f"test:{act}", actor="staff:li")


def outcome(house: House, act: str) -> tuple[ActOutcome | None, str]:
    life = house.hall.state.acts[a.ActId(act)]
    return life.outcome, life.code


async def ends(house: House, act: str) -> tuple[ActOutcome | None, str]:
    await until(lambda: outcome(house, act)[0] is not None)
    return outcome(house, act)


class TestTheHall:
    async def test_an_act_reaches_its_device_alone_and_its_outcome_is_told_once(
        self, house: House
    ) -> None:
        async with await house.join("k1") as kiosk, await house.join("k2") as other:
            await ask(house, KIOSK, a.SetBrightness(percent=30), "act-one")
            order = await kiosk.get(ActOrder)
            assert (order.act, order.action) == ("act-one", a.SetBrightness(percent=30))
            done = ActTold(act="act-one", outcome=ActOutcome.DONE)
            assert await other.refused(done) == "act.unknown"
            assert await other.refused(ActGoing(act="act-one"), key=None) == "act.unknown"
            assert outcome(house, "act-one") == (None, "")
            await kiosk.ask(done)
            assert (await kiosk.get(HandsInForce)).brightness == 30
            await kiosk.ask(ActTold(act="act-one", outcome=ActOutcome.FAILED))
            assert outcome(house, "act-one") == (ActOutcome.DONE, "")
        async with await house.join("k1") as again:
            assert (await again.get(HandsInForce)).brightness == 30
            assert not [one for one in again.messages if isinstance(one, ActOrder)]

    async def test_a_screen_that_is_back_has_changed_its_program_only_when_it_says_so(
        self, house: House
    ) -> None:
        await house.hall.submit(
            c.ApplyDirective(no=1, directive=d.PutRelease(release=RELEASE)),
            key="dir:1",
            actor="city",
        )
        await house.hall.submit(
            c.ReportRelease(release=RELEASE.id), key="release:1", actor="system"
        )
        async with await house.join("k1") as kiosk:
            assert (await kiosk.get(ReleaseInForce)).release == ""
            await ask(house, KIOSK, a.UseRelease(release=RELEASE.id, start_s=30), "act-new")
            await kiosk.get(ActOrder)
            await kiosk.ask(ActGoing(act="act-new"), key=None)
        async with await house.join("k1") as kiosk:
            assert (await kiosk.get(ReleaseInForce)).release == "", "it may have gone back"
            runs = Runs(program=RELEASE.build, release=RELEASE.id)
            await kiosk.ask(RunsReport(runs=runs), key=None)
            house.clock.shift += 31
            assert outcome(house, "act-new") == (None, "")
            await kiosk.ask(ActTold(act="act-new", outcome=ActOutcome.DONE))
            told = await kiosk.get(ReleaseInForce)
            assert (told.release, told.build) == (RELEASE.id, RELEASE.build)
            assert house.hub.board.ambient().runs[KIOSK] == runs
        await until(lambda: KIOSK not in house.hub.board.ambient().runs)

    async def test_a_device_that_is_away_is_refused_and_finds_nothing_when_it_comes(
        self, house: House
    ) -> None:
        house.clock.shift += 60
        await ask(house, KIOSK, a.RestartBrowser(), "act-away")
        assert await ends(house, "act-away") == (ActOutcome.REFUSED, "act.device_away")
        async with await house.join("k1") as kiosk:
            await kiosk.ask(
                ActPart(act="act-x", no=1, count=1, data=PNG), key=None
            ) if False else None
            assert not [one for one in kiosk.messages if isinstance(one, ActOrder)]

    async def test_silence_is_unknown_and_a_late_word_makes_it_known(self, house: House) -> None:
        async with await house.join("k1") as kiosk:
            await ask(house, KIOSK, a.RestartBrowser(), "act-late")
            await kiosk.get(ActOrder)
            house.clock.shift += 31
            assert await ends(house, "act-late") == (ActOutcome.UNKNOWN, "act.no_answer")
            await kiosk.ask(ActTold(act="act-late", outcome=ActOutcome.DONE))
            assert outcome(house, "act-late") == (ActOutcome.DONE, "")

    async def test_a_screen_that_went_away_to_load_again_has_done_so_when_it_is_back(
        self, house: House
    ) -> None:
        async with await house.join("k1") as kiosk:
            await ask(house, KIOSK, a.RestartBrowser(), "act-load")
            await kiosk.get(ActOrder)
            await kiosk.ask(ActGoing(act="act-load"), key=None)
            assert outcome(house, "act-load") == (None, "")
        async with await house.join("k1"):
            assert await ends(house, "act-load") == (ActOutcome.DONE, "")

    async def test_what_was_open_when_the_hall_restarts_is_unknown_and_never_ordered_again(
        self, house: House
    ) -> None:
        direct = d.DirectAct(
            act="act-dir",
            device=KIOSK,
            action=a.RestartBrowser(),
            until=house.clock.now_ms() + 60_000,
        )
        command = c.ApplyDirective(no=1, directive=direct)
        async with await house.join("k1") as kiosk:
            await house.hall.submit(command, key="dir:1", actor="city")
            await kiosk.get(ActOrder)
        await house.restart()
        again = await house.hall.submit(command, key="dir:1", actor="city")
        assert again.repeated
        assert await ends(house, "act-dir") == (ActOutcome.UNKNOWN, "act.hall_restarted")
        async with await house.join("k1") as kiosk:
            await ask(house, KIOSK, a.SetBrightness(percent=10), "act-next")
            assert (await kiosk.get(ActOrder)).act == "act-next", "the former order came again"

    async def test_a_picture_is_kept_for_minutes_and_nothing_but_a_picture_is_one(
        self, house: House
    ) -> None:
        shelf = house.hub.board.acts.files
        async with await house.join("k1") as kiosk:
            await ask(house, KIOSK, a.TakePicture(), "act-pic")
            await kiosk.get(ActOrder)
            await kiosk.ask(ActPart(act="act-pic", no=2, count=2, data=PNG[20:]), key=None)
            await kiosk.ask(ActPart(act="act-pic", no=1, count=2, data=PNG[:20]), key=None)
            await kiosk.ask(ActTold(act="act-pic", outcome=ActOutcome.DONE))
            assert outcome(house, "act-pic") == (ActOutcome.DONE, "")
            assert shelf.get("act-pic").media == "image/png"
            stored = await house.hall.store.events(0, 10_000)
            assert not any(PNG[:20].encode() in bytes(one.json) for one in stored)
            house.clock.shift += 601
            with pytest.raises(Refusal, match=r"act\.file_gone"):
                shelf.get("act-pic")
            await ask(house, KIOSK, a.TakePicture(), "act-bad")
            await kiosk.get(ActOrder)
            html = base64.b64encode(b"<script>").decode()
            await kiosk.ask(ActPart(act="act-bad", no=1, count=1, data=html), key=None)
            await kiosk.ask(ActTold(act="act-bad", outcome=ActOutcome.DONE))
            assert outcome(house, "act-bad") == (ActOutcome.FAILED, "act.failed")


class Place:
    """A hall, a simulated printer and the agent that drives it, started again when it asks for that."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.bench = SimulatorBench(folder, mm_per_s=0)
        self.starts = 0
        self._task: asyncio.Task[None] | None = None
        self._settings: AgentSettings | None = None

    async def start(self) -> None:
        urls = await self.bench.start((SPEC,))
        device = Device(
            id=PRINTER,
            kind=DeviceKind.PRINTER,
            name="1号取号机号票打印机",
            parent=KIOSK,
            profile=SPEC.profile,
            url=urls[SPEC.id],
        )
        self._settings = AgentSettings(
            hall=f"ws://127.0.0.1:{self.house.port}/hub",
            device=AGENT,
            key=await self.house.key_of(AGENT),
            kiosk=KIOSK,
            devices=(device,),
        )
        self._task = asyncio.create_task(self._keep())
        await self.is_ready()

    async def _keep(self) -> None:
        assert self._settings is not None
        while True:
            self.starts += 1
            with suppress(RestartAskedError):
                await Agent(self._settings, self.house.clock).run()

    async def is_ready(self) -> None:
        devices = self.house.hall.state.devices
        await until(lambda: devices[PRINTER].state is DeviceState.READY)

    async def close(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.bench.close()

    @property
    def paper(self) -> list[str]:
        printed = self.bench.printer(PRINTER).printed
        return ["\n".join(one.ticket.lines) for one in printed]


@pytest.fixture
async def place(house: House, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(house, tmp_path)
    await made.start()
    yield made
    await made.close()


def bundle_of(text: str, name: str = "generic.escpos80") -> a.ProfileBundle:
    files = {f"printers/{name}.toml": text}
    return a.ProfileBundle(id=a.bundle_id(files), name="trial", files=files)


async def use(place: Place, no: int, bundle: a.ProfileBundle, act: str) -> None:
    house = place.house
    put = c.ApplyDirective(no=no, directive=d.PutProfiles(bundle=bundle))
    await house.hall.submit(put, key=f"dir:{no}", actor="city")
    await ask(house, AGENT, a.UseProfiles(bundle=bundle.id, trial_s=20), act)


class TestTheAgent:
    async def test_prints_counts_recovers_restarts_and_says_how_it_is(self, place: Place) -> None:
        house = place.house
        await ask(house, PRINTER, a.PrintTest(), "act-test")
        await ask(house, PRINTER, a.PrintTest(), "act-test")
        assert await ends(house, "act-test") == (ActOutcome.DONE, "")
        (paper,) = place.paper
        assert "打印测试" in paper
        assert "1号取号机号票打印机" in paper
        roll = hands_of(house.hall.state, PRINTER).roll
        assert roll.tickets == 1
        assert 60 < roll.mm < 400

        printer = place.bench.printer(PRINTER)
        printer.set_condition(Condition.CUTTER_ERROR, True)
        await until(lambda: Condition.CUTTER_ERROR in house.hall.state.devices[PRINTER].conditions)
        await ask(house, PRINTER, a.RecoverPrinter(), "act-stuck")
        assert await ends(house, "act-stuck") == (ActOutcome.FAILED, "act.not_ready")
        printer.latched.add(Condition.CUTTER_ERROR)
        await ask(house, PRINTER, a.RecoverPrinter(), "act-cut")
        assert await ends(house, "act-cut") == (ActOutcome.DONE, "")
        assert Condition.CUTTER_ERROR not in printer.conditions

        await ask(house, AGENT, a.FetchDiagnostics(), "act-diag")
        assert await ends(house, "act-diag") == (ActOutcome.DONE, "")
        told = house.hub.board.acts.files.get("act-diag").data.decode()
        assert f"{PRINTER} printer ready" in told
        assert house.keys[AGENT] not in told, "the agent's key left its machine"

        await ask(house, AGENT, a.RestartBrowser(), "act-browser")
        assert await ends(house, "act-browser") == (ActOutcome.REFUSED, "act.not_configured")

        await ask(house, AGENT, a.RestartAgent(), "act-restart")
        assert await ends(house, "act-restart") == (ActOutcome.DONE, "")
        assert place.starts == 2
        assert len(place.paper) == 1, "a restart printed again"

    async def test_models_that_do_not_bring_a_device_back_are_given_up_again(
        self, place: Place
    ) -> None:
        house = place.house
        await use(place, 1, bundle_of(SHIPPED + "\n# the same"), "act-good")
        assert await ends(house, "act-good") == (ActOutcome.DONE, "")
        in_force = hands_of(house.hall.state, AGENT).bundle

        await use(place, 2, bundle_of("schema = 1\nbroken"), "act-faulty")
        assert await ends(house, "act-faulty") == (ActOutcome.REFUSED, "act.profiles_bad")
        assert "printers/generic.escpos80.toml" in house.hall.state.acts["act-faulty"].note

        deaf = SHIPPED.replace('send = "10 04 02"', 'send = "1C 7F 02"')
        assert deaf != SHIPPED
        await use(place, 3, bundle_of(deaf), "act-deaf")
        await until(lambda: house.hall.state.devices[PRINTER].state is not DeviceState.READY)
        house.clock.shift += 21
        assert await ends(house, "act-deaf") == (ActOutcome.FAILED, "act.went_back")
        await place.is_ready()
        assert hands_of(house.hall.state, AGENT).bundle == in_force

        await ask(house, AGENT, a.UseProfiles(), "act-back")
        assert await ends(house, "act-back") == (ActOutcome.DONE, "")
        assert hands_of(house.hall.state, AGENT).bundle == ""
        events = await house.hall.store.events(0, 10_000)
        asked = [one for one in events if isinstance(one.event().b, e.DeviceActAsked)]
        assert len(asked) == 4
