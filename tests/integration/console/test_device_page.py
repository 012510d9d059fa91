"""The page of a device: present, hints, model, timeline, photograph."""

import io
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from city_hall import Log
from console_browser import HALL, Browser, browser, connect_hall, console, link_of
from patience import until
from PIL import Image
from test_projections import busy_day

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from qingting.contract import events as e
from qingting.contract.examples import KIOSK, PRINTER
from qingting.contract.ids import DeviceId
from qingting.contract.link import Live
from qingting.contract.pads import PadFacts
from qingting.contract.states import DeviceKind, DeviceState
from qingting.contract.views import DeviceView

pytestmark = pytest.mark.postgres
PAGE = f"/devices/{HALL}/{PRINTER}"


FAR = 2_000_000_000_000
PAD_VIEW = DeviceView(
    id=DeviceId("pad-3"),
    kind=DeviceKind.CALL_PAD,
    name="3号窗口呼叫器",
    name_en="",
    parent=None,
    window=None,
    state=DeviceState.READY,
    conditions=(),
    since=FAR,
    seen=FAR,
    pad=PadFacts(battery=76, charging=True, network="wifi", touched=FAR),
)


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    async with console(city_url) as one:
        yield one


@pytest.fixture
def log() -> Log:
    log = Log(HALL)
    log.configure()
    log.add(
        e.DeviceRegistered(
            device=DeviceId(PRINTER),
            kind=DeviceKind.PRINTER,
            name="号票打印机",
            parent=DeviceId(KIOSK),
        )
    )
    log.add(e.DeviceRegistered(device=PAD_VIEW.id, kind=PAD_VIEW.kind, name=PAD_VIEW.name))
    busy_day(log)
    return log


async def test_it_says_what_is_wrong_since_when_what_to_do_and_what_happened(
    ready: ConsoleReady, log: Log
) -> None:
    async with browser(ready) as person, link_of(ready) as client:
        await person.enter(ready)
        await connect_hall(ready, client, log)
        status, page = await person.get(PAGE)
        assert status == 200
        for words in (
            "机盖打开",
            "合上打印机盖",
            "纸快用完",
            "站在设备前",
            "1号取号机",
            "没有登记型号",
        ):
            assert words in page, words
        assert page.index("机盖打开") < page.index("纸快用完"), "the worst first"
        assert 'alt="号票打印机示意图"' in page
        part = await person.get(PAGE, **{"HX-Request": "true", "HX-Target": "lines"})
        assert part[1].count("<li") == 3, "registered, paper low, cover open"
        assert "站在设备前" not in part[1]
        part = await person.get(PAGE, **{"HX-Request": "true"})
        assert "站在设备前" in part[1]
        assert 'class="timeline"' not in part[1]
        assert "机盖打开" in (await person.get(f"{PAGE}?day=2026-11-23"))[1]
        assert "这一天没有记录" in (await person.get(f"{PAGE}?day=2026-11-22"))[1]
        assert (await person.get(f"{PAGE}?day=nonsense&page=99"))[0] == 200
        _, kiosk = await person.get(f"/devices/{HALL}/{KIOSK}")
        assert PAGE in kiosk
        assert "有人在这里求助" in kiosk
        _, english = await person.get(f"{PAGE}?lang=en")
        assert "Close the printer cover" in english
        assert (await person.get(f"/devices/{HALL}/nothing"))[0] == 404
        await client.send(Live(at=FAR, oldest_unacked=FAR, devices=(PAD_VIEW,)))
        pad = f"/devices/{HALL}/{PAD_VIEW.id}"

        async def told() -> bool:
            return "Battery 76%, charging · Wi-Fi" in (await person.get(pad))[1]

        await until(told)
        assert "Battery 76%, charging · Wi-Fi" in (await person.get("/devices"))[1]


async def put(person: Browser, data: bytes, *, scripted: bool) -> tuple[int, str]:
    """Sends a photograph as htmx does (token in a header) or as a plain form."""
    _, page = await person.get(PAGE)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    form = aiohttp.FormData()
    form.add_field("csrf", token[1])
    form.add_field("back", PAGE)
    form.add_field("photo", io.BytesIO(data), filename="p.jpg", content_type="image/jpeg")
    headers = {"X-CSRF-Token": token[1], "HX-Request": "true"} if scripted else {}
    async with person.http.post("/models/kind.printer/photo", data=form, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_photograph_stands_for_every_device_of_its_model_and_goes_again(
    ready: ConsoleReady, log: Log
) -> None:
    large = io.BytesIO()
    Image.effect_noise((1400, 1400), 90).convert("RGB").save(large, "PNG")
    assert large.tell() > 1_500_000, "more than the server takes of an ordinary form"
    async with browser(ready) as person, link_of(ready) as client:
        await person.enter(ready)
        await connect_hall(ready, client, log)
        status, text = await put(person, b"no picture", scripted=False)
        assert (status, "没有读出这张照片" in text) == (422, True)
        for scripted in (False, True):
            assert (await put(person, large.getvalue(), scripted=scripted))[0] == 200
        _, page = await person.get(PAGE)
        source = re.search(
            r'src="(/models/kind.printer/photo\?v=\w+)" alt="号票打印机实物照片', page
        )
        assert source is not None
        async with person.http.get(source[1]) as answer:
            assert answer.content_type == "image/webp"
            assert (await answer.read())[8:12] == b"WEBP"
        status, path, text = await person.submit(PAGE, "/models/kind.printer/photo/drop", back=PAGE)
        assert (status, path) == (200, PAGE)
        assert "示意图" in text
        assert (await person.get(source[1]))[0] == 404
        assert (await person.submit(PAGE, "/models/nonsense/photo/drop", back=PAGE))[0] == 404
    async with ready.city.db.read() as uow:
        acts = [one.act for one in reversed(await read_audit(uow)) if one.act.startswith("photo")]
    assert acts == ["photo.put", "photo.put", "photo.drop"]
