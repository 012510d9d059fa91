"""A rollout from the city: uploaded by who may, fetched in pieces, wave after wave, halted and taken back by itself."""

import asyncio
import base64
import io
import zipfile
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import msgspec
import pytest
from city_hall import LinkClient, Log
from console_browser import HALL, Browser, browser, connect_hall, console, link_of
from patience import until

from console.core.audit import read_audit
from console.core.permissions import EVERYWHERE, SYSTEM, Permission, grants_everywhere
from console.modules.identity.roles import BUILT_IN
from console.modules.rollouts.domain import What
from console.modules.rollouts.service import Wish
from qingting.contract import acts as a
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract import link as k
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.releases import PIECE_BYTES, ReleaseFacts, Runs
from qingting.contract.states import ActOutcome, App, DeviceKind, DeviceState
from qingting.contract.views import DeviceView
from qingting.kernel.release_archive import Manifest, make_release

PAGE = b'<script type="module" src="/tablet/boot.js" data-entry="assets/pad.js"></script>'
PADS = ("pad-1", "pad-2")


def archive() -> bytes:
    """More than one piece long, whatever compression does to it."""
    noise = b"".join(
        base64.b64encode(bytes([no % 251, no % 241, no % 239])) for no in range(90_000)
    )
    files = {"call.html": PAGE, "rate.html": PAGE, "assets/pad.js": noise}
    return make_release(Manifest(app=App.PAD, version="0.2.1", build="b1b2b3b4b5b6"), files)


async def upload(person: Browser, data: bytes) -> tuple[int, str]:
    """As the page's own form sends it with script: the token in a header."""
    _, text = await person.get("/releases")
    token = text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    form = aiohttp.FormData({"notes": "修复叫号声音"})
    form.add_field("file", data, filename="pads-0.2.1.zip")
    headers = {"X-CSRF-Token": token}
    async with person.http.post("/releases", data=form, headers=headers) as answer:
        return answer.status, await answer.text()


@dataclass
class Hall:
    """A hall with two pads that says what the test wants."""

    ready: Any
    client: LinkClient
    log: Log
    runs: dict[str, Runs]

    async def tell(self, *bodies: e.EventBody) -> None:
        first = self.log.head + 1
        for body in bodies:
            self.log.add(body)
        await self.client.push(self.log.frame(first))
        await self.ready.city.runner.catch_up_all()

    async def live(self) -> None:
        devices = tuple(
            DeviceView(
                id=DeviceId(one),
                kind=DeviceKind.CALL_PAD,
                name=one,
                name_en=one,
                parent=None,
                window=None,
                state=DeviceState.READY,
                conditions=(),
                since=self.log.now,
                seen=self.log.now,
                runs=self.runs[one],
            )
            for one in PADS
        )
        await self.client.send(k.Live(at=self.log.now + 1, oldest_unacked=0, devices=devices))

    async def directive(self) -> tuple[int, d.Directive]:
        down = await self.client.expect(k.Dir)
        found = k.read_directive(down.directive)
        assert found is not None
        return down.no, found

    async def ask(self) -> d.DirectAct:
        _, found = await self.directive()
        assert isinstance(found, d.DirectAct)
        body = e.DeviceActAsked(
            act=a.ActId(found.act), device=found.device, action=found.action, until=found.until
        )
        await self.tell(body)
        return found

    async def end(self, act: d.DirectAct, outcome: ActOutcome, code: str = "") -> None:
        end = e.DeviceActEnded(act=a.ActId(act.act), device=act.device, outcome=outcome, code=code)
        await self.tell(end)
        await self.live()

    async def fetch(self, facts: ReleaseFacts) -> bytes:
        found = b""
        while len(found) < facts.size:
            await self.client.send(k.Want(release=facts.id, offset=len(found)))
            piece = await self.client.expect(k.Piece)
            assert piece.offset == len(found)
            found += base64.b64decode(piece.data)
        return found


@pytest.mark.postgres
async def test_a_release_goes_out_in_waves_and_a_wave_that_fails_goes_back(city_url: str) -> None:
    data, log = archive(), Log(HALL)
    assert len(data) > PIECE_BYTES
    log.configure()
    for one in PADS:
        log.add(
            e.DeviceRegistered(device=DeviceId(one), kind=DeviceKind.CALL_PAD, name=f"平板{one}")
        )
    async with console(city_url) as ready, browser(ready) as person, link_of(ready) as client:
        await person.enter(ready)
        await connect_hall(ready, client, log)
        hall = Hall(ready, client, log, dict.fromkeys(PADS, Runs(program="a1a2a3a4a5a6")))
        await refuses_what_is_no_release(person, data)
        status, text = await upload(person, data)
        assert status == 200
        assert "0.2.1" in text
        await hall.live()

        release = await start(person)
        _, put = await hall.directive()
        assert isinstance(put, d.PutRelease)
        assert put.release.id == release
        assert await hall.fetch(put.release) == data
        await client.send(k.Want(release="0" * 16, offset=0))
        assert (await client.expect(k.Piece)).data == "", "nothing else is handed out"

        await hall.tell(e.ReleasePut(release=put.release), e.ReleaseKept(release=release))
        first = await hall.ask()
        assert first.device == "pad-1"
        assert first.action == a.UseRelease(release=release, start_s=45, within_s=3600)
        hall.runs["pad-1"] = Runs(program="b1b2b3b4b5b6", release=release)
        await hall.end(first, ActOutcome.DONE)
        second = await hall.ask()
        assert second.device == "pad-2"
        hall.runs["pad-2"] = Runs(program="a1a2a3a4a5a6", failed=release)
        await hall.end(second, ActOutcome.FAILED, "act.not_started")
        await says(person, "/rollouts/1", "已停下", "新程序没有启动起来", "第 2 批开始")
        assert "b1b2b3b4b5b6" in (await person.get("/devices/saertu/pad-1"))[1]
        assert "a1a2a3a4a5a6" in (await person.get("/devices"))[1]

        # All of it goes back at a press: the pad that had changed is asked for what it ran before.
        await person.submit("/rollouts/1", "/rollouts/1/go_back")
        back = await hall.ask()
        assert (back.device, back.action) == (
            "pad-1",
            a.UseRelease(release="", start_s=45, within_s=3600),
        )
        hall.runs["pad-1"] = Runs(program="a1a2a3a4a5a6")
        await hall.end(back, ActOutcome.DONE)
        await says(person, "/rollouts/1", "全部已退回")
        async with ready.city.db.read() as uow:
            acts = [one.act for one in await read_audit(uow)]
        wanted = {"release.put", "rollout.started", "rollout.halted", "rollout.button_go_back"}
        assert wanted | {"rollout.runs", "rollout.failed", "rollout.all_back"} <= set(acts)
        await belongs_to_the_system_administrator(ready, release)
        await two_workers_ask_once(ready, hall, release)


async def says(person: Browser, path: str, *words: str) -> None:
    async def there() -> bool:
        _, text = await person.get(path)
        return all(one in text for one in words)

    await until(there, every=0.25)


async def start(person: Browser) -> str:
    _, text = await person.get("/releases")
    release = text.split('<option value="', 1)[1].split('"', 1)[0]
    status, path, _ = await person.submit(
        "/releases",
        "/rollouts",
        what="pad",
        release=release,
        waves="1, 100%",
        soak="0",
        within="60",
    )
    assert (status, path) == (200, "/rollouts/1")
    return release


async def refuses_what_is_no_release(person: Browser, data: bytes) -> None:
    """Nothing of it is kept: a damaged archive, one that leaves its folder, and a form of another session."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as bad:
        bad.writestr("../../etc/cron.d/evil.js", b"x")
    for given in (data[:-20], box.getvalue(), b""):
        status, text = await upload(person, given)
        assert status in (413, 422)
        assert "没有收下" in text
    async with person.http.post("/releases", data={"csrf": "another"}) as answer:
        assert answer.status == 403
    assert "还没有程序包" in (await person.get("/releases"))[1]


async def belongs_to_the_system_administrator(ready: Any, release: str) -> None:
    service = _service(ready)
    wish = Wish(what=What.PAD, release=release, waves="1", soak_minutes=0, within_minutes=1)
    for role in BUILT_IN:
        if Permission.HANDS in role.functions:
            continue
        other = replace(SYSTEM, grants=grants_everywhere(role.functions))
        for press in (
            lambda uow, who=other: service.start(uow, who, wish),
            lambda uow, who=other: service.press(uow, who, 1, "go_back"),
        ):
            with pytest.raises(Refusal, match=r"page\.forbidden"):
                async with ready.city.db.write() as uow:
                    await press(uow)
    for changed, code in (
        ({"release": "0" * 16}, "release.unknown"),
        ({"what": What.KIOSK}, "release.unknown"),
        ({"waves": "many"}, "rollout.waves_bad"),
        ({"halls": ("elsewhere",)}, "rollout.nobody"),
    ):
        with pytest.raises(Refusal, match=code.replace(".", r"\.")):
            async with ready.city.db.write() as uow:
                await service.start(uow, SYSTEM, replace(wish, **changed))


def _service(ready: Any) -> Any:
    from console.modules.rollouts.service import ROLLOUTS

    return ready.city.context.take(ROLLOUTS)


async def two_workers_ask_once(ready: Any, hall: Hall, release: str) -> None:
    """Whoever comes second finds the door locked, or the work done."""
    service = _service(ready)
    wish = Wish(what=What.PAD, release=release, waves="100%", soak_minutes=60, within_minutes=1)
    await hall.live()
    async with ready.city.db.write() as uow:
        no = await service.start(uow, SYSTEM, wish)
        with pytest.raises(Refusal, match=r"rollout\.overlap"):
            await service.start(uow, SYSTEM, wish)

    async def advance() -> None:
        async with ready.city.db.write() as uow:
            await service.advance(uow)

    await asyncio.gather(*(advance() for _ in range(4)))
    asked = [(await hall.directive())[1], (await hall.directive())[1]]
    assert all(isinstance(one, d.DirectAct) for one in asked)
    assert {one.device for one in asked} == set(PADS)
    async with ready.city.db.read() as uow:
        row, _ = await service.rollout(uow, EVERYWHERE, no)
        acts = {one.act for one in row.rollout.targets.values()}
    assert acts == {one.act for one in asked}
    assert msgspec.structs.asdict(asked[0].action)["release"] == release
