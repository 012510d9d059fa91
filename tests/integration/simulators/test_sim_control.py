"""Everything one can do at a simulated device works through the page's API, and is told apart when wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import segno
from patience import HANG_S, limit_s

from qingting.contract.states import DeviceKind
from simulators.actions import ACTIONS
from simulators.bench import DeviceSpec
from simulators.citizen_code import CITIZENS, CitizenCodePlatform
from simulators.serve import RunningBench, run_bench, serve_bench

SPECS = [
    DeviceSpec(id="p1", kind=DeviceKind.PRINTER, profile="epson.tm-t88", carrier="tcp", group="g"),
    DeviceSpec(
        id="r1", kind=DeviceKind.ID_READER, profile="generic.samv", carrier="tcp", group="g"
    ),
    DeviceSpec(id="s1", kind=DeviceKind.SCANNER, profile="generic.serial-line", group="g"),
]


def raster_job(text: str) -> bytes:
    """A ticket whose code is a bitmap, as drivers send it to modules without QR command."""
    rows = list(segno.make(text, micro=False).matrix_iter(scale=6, border=0))
    stride = (len(rows[0]) + 7) // 8
    bits = b"".join(
        int("".join("01"[bool(v)] for v in row).ljust(stride * 8, "0"), 2).to_bytes(stride, "big")
        for row in rows
    )
    size = stride.to_bytes(2, "little") + len(rows).to_bytes(2, "little")
    return b"\x1b@\x1ba\x01A023\n\x1dv0\x00" + size + bits + b"\x1dVA\x10"


class Page:
    """A caller of the API."""

    def __init__(self, running: RunningBench, session: aiohttp.ClientSession) -> None:
        self.running, self.session = running, session

    async def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.running.page + "api/" + path, json=body) as response:
            return response.status, await response.json()

    async def device(self, device_id: str) -> dict[str, Any]:
        async with self.session.get(self.running.page + "api/state") as response:
            devices: list[dict[str, Any]] = (await response.json())["devices"]
        return next(one for one in devices if one["id"] == device_id)

    async def text(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.running.page + path) as response:
            return response.status, await response.text()

    async def print(self, job: bytes) -> None:
        printer, done = self.running.bench.printer("p1"), asyncio.Event()
        forget = printer.observe(done.set)
        printer.receive(job)
        await asyncio.wait_for(done.wait(), HANG_S)
        forget()


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with (
        serve_bench(SPECS, folder=tmp_path / "dev", port=0, mm_per_s=0) as running,
        aiohttp.ClientSession() as session,
    ):
        yield Page(running, session)


@pytest.mark.parametrize(
    ("on", "off", "condition"),
    [
        ("paper_out", "paper_in", "paper_out"),
        ("paper_low", "paper_full", "paper_low"),
        ("open_cover", "close_cover", "cover_open"),
        ("jam_cutter", "free_cutter", "cutter_error"),
        ("jam_paper", "free_paper", "jam"),
        ("heat", "cool", "head_hot"),
        ("leave_ticket", "take_ticket", "ticket_not_taken"),
    ],
)
async def test_each_printer_fault_can_be_made_and_mended(
    page: Page, on: str, off: str, condition: str
) -> None:
    assert (await page.post(f"p1/{on}"))[1]["conditions"] == [condition]
    assert (await page.device("p1"))["conditions"] == [condition]
    assert (await page.post(f"p1/{off}"))[1]["conditions"] == []


async def test_conditions_and_faults_have_a_general_form_too(page: Page) -> None:
    assert (await page.post("p1/condition", name="mark_error"))[1]["stopped"] is True
    assert (await page.post("p1/condition", name="mark_error", on=False))[1]["stopped"] is False
    assert (await page.post("p1/fault", name="split_bytes"))[1]["faults"] == ["split_bytes"]
    assert (await page.post("p1/fault", name="split_bytes", on=False))[1]["faults"] == []


@pytest.mark.parametrize("device", ["p1", "r1", "s1"])
async def test_every_device_can_be_unplugged_and_silenced(page: Page, device: str) -> None:
    assert (await page.post(f"{device}/unplug"))[1]["plugged"] is False
    assert (await page.post(f"{device}/replug"))[1]["plugged"] is True
    assert (await page.post(f"{device}/mute"))[1]["faults"] == ["mute"]
    assert (await page.post(f"{device}/unmute"))[1]["faults"] == []


async def test_another_model_can_be_put_in_a_devices_place_and_the_right_one_back(
    page: Page,
) -> None:
    url = (await page.device("p1"))["url"]
    status, state = await page.post("p1/swap", model="epson.tm-l90")
    assert (status, state["profile"], state["configured"]) == (200, "epson.tm-l90", "epson.tm-t88")
    assert (state["url"], state["plugged"]) == (url, True)
    for model in ("generic.samv", "nobody.knows"):
        assert (await page.post("p1/swap", model=model))[0] == 422
    _, state = await page.post("p1/swap")
    assert state["profile"] == "epson.tm-t88"
    await page.post("p1/disconnect_mid_job")
    page.running.bench.printer("p1").receive(b"A001\n\x1dVA\x10")
    async with asyncio.timeout(HANG_S):
        while (await page.device("p1"))["plugged"]:  # noqa: ASYNC110 - over HTTP there is no event
            await asyncio.sleep(0.01)


async def test_a_card_can_be_laid_down_marked_to_be_pulled_and_taken(page: Page) -> None:
    assert (await page.post("r1/put", card="elder"))[1]["card"] == "elder"
    assert (await page.post("r1/pull_mid_read"))[1]["pull_mid_read"] is True
    assert (await page.post("r1/take"))[1]["card"] is None


async def test_a_typed_code_is_scanned(page: Page) -> None:
    status, state = await page.post("s1/scan", text="hello")
    assert status == 200
    assert state["scans"][0]["text"] == "hello"


async def test_the_code_of_the_last_ticket_is_read_from_its_dots(page: Page) -> None:
    await page.print(raster_job("https://hall.example/t/first"))
    await page.print(raster_job("https://hall.example/t/last"))
    _, state = await page.post("s1/scan_last_ticket")
    assert state["scans"][0]["text"] == "https://hall.example/t/last"


async def test_a_citizen_code_is_shown_scanned_and_renewed_once_it_is_used(tmp_path: Path) -> None:
    codes = CitizenCodePlatform("k", "s")
    async with (
        serve_bench(SPECS, folder=tmp_path / "dev", port=0, codes=codes) as running,
        aiohttp.ClientSession() as session,
    ):
        page, at = Page(running, session), "citizen-codes/"
        status, html = await page.text(at)
        assert status == 200
        assert "市民码平台" in html
        state = json.loads((await page.text(at + "state"))[1])
        assert [one["id"] for one in state["citizens"]] == list(CITIZENS)
        shown = state["citizens"][0]["code"]
        assert (await page.post("s1/scan_citizen_code", citizen="nobody"))[0] == 422
        _, device = await page.post("s1/scan_citizen_code", citizen="citizen")
        assert device["scans"][0]["text"] == shown
        assert codes.resolve("r", shown)["person"]["name"] == CITIZENS["citizen"].name
        assert codes.resolve("r", shown)["result"] == "used"
        assert codes.shown("citizen").text != shown
        async with session.post(running.page + at + "fault", json={"fault": "down"}) as answer:
            assert (await answer.json())["fault"] == "down"
        async with session.post(running.page + at + "fault", json={"fault": "odd"}) as answer:
            assert answer.status == 422
        codes.set_fault(None)
        async with session.post(running.code_api + "/v1/check", json={}) as answer:
            assert answer.status == 401


async def test_a_bench_without_a_platform_offers_no_citizen_codes(page: Page) -> None:
    assert (await page.post("s1/scan_citizen_code", citizen="citizen"))[0] == 422


async def test_a_printed_code_leads_where_it_leads_a_phone(page: Page) -> None:
    await page.print(raster_job("https://hall.example/t/first"))
    await page.print(raster_job("nothing to open"))
    url = page.running.page + "api/p1/tickets/{}/code"
    async with page.session.get(url.format(1), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "https://hall.example/t/first")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    for no in (2, 3):
        async with page.session.get(url.format(no), allow_redirects=False) as answer:
            assert answer.status in (404, 409)


async def test_without_a_ticket_or_a_code_on_it_there_is_nothing_to_scan(page: Page) -> None:
    status, problem = await page.post("s1/scan_last_ticket")
    assert (status, problem["error"]) == (409, "no_code")
    await page.print(b"no code here\n\x1dVA\x10")
    status, problem = await page.post("s1/scan_last_ticket?lang=en")
    assert (status, problem["error"]) == (409, "no_code")
    assert problem["message"].startswith("There is no QR code")


async def test_tickets_are_served_as_pictures(page: Page) -> None:
    await page.print(raster_job("x"))
    status, svg = await page.text("api/p1/tickets/1.svg")
    assert status == 200
    assert svg.startswith("<svg")
    assert ">A023<" in svg
    assert (await page.device("p1"))["tickets"][0]["lines"] == ["A023"]
    assert (await page.text("api/p1/tickets/2.svg"))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("nobody/unplug", {}, 404, "unknown_device"),
        ("p1/fly", {}, 404, "unknown_action"),
        ("r1/paper_out", {}, 404, "unknown_action"),
        ("r1/put", {"card": "nobody"}, 422, "unknown_card"),
        ("r1/put", {}, 422, "bad_request"),
        ("p1/fault", {"name": "mute", "extra": 1}, 422, "bad_request"),
        ("p1/condition", {"name": "sam_fault"}, 422, "impossible"),
        ("p1/fault", {"name": "sam_fault"}, 422, "impossible"),
        ("s1/scan", {"text": ""}, 422, "impossible"),
        ("s1/scan_last_ticket", {"printer": "r1"}, 404, "unknown_device"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(
    page: Page, path: str, body: dict[str, Any], status: int, error: str
) -> None:
    got, problem = await page.post(path, **body)
    assert (got, problem["error"]) == (status, error)
    assert problem["message"]


async def test_an_empty_body_is_as_good_as_an_empty_object(page: Page) -> None:
    async with page.session.post(page.running.page + "api/p1/paper_out") as response:
        assert response.status == 200


async def test_changes_are_pushed_to_an_open_page(page: Page) -> None:
    async with page.session.get(page.running.page + "api/events") as response:
        first = json.loads((await response.content.readuntil(b"\n\n")).removeprefix(b"data: "))
        assert first["devices"][0]["conditions"] == []
        await page.post("p1/paper_out")
        async with asyncio.timeout(HANG_S):
            while True:
                told = (await response.content.readuntil(b"\n\n")).removeprefix(b"data: ")
                if json.loads(told)["devices"][0]["conditions"] == ["paper_out"]:
                    break


async def test_an_open_page_does_not_hold_up_the_end_of_the_bench(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with serve_bench(SPECS[:1], folder=tmp_path / "dev", port=0) as running:
            response = await session.get(running.page + "api/events")
            await response.content.readuntil(b"\n\n")
            loop = asyncio.get_running_loop()
            before = loop.time()
        assert loop.time() - before < limit_s(1.5)
        response.close()


async def test_the_page_speaks_both_languages_and_brings_all_it_needs(page: Page) -> None:
    _, chinese = await page.text("")
    _, english = await page.text("?lang=en")
    assert '<html lang="zh-CN">' in chinese
    assert "设备模拟台" in chinese
    assert '<html lang="en">' in english
    assert "Device bench" in english
    for name in ("page.js", "style.css"):
        assert (await page.text(f"static/{name}"))[0] == 200
    assert (await page.text("static/texts.toml"))[0] == 404


async def test_run_bench_tells_when_it_is_ready_and_ends_when_cancelled(tmp_path: Path) -> None:
    ready: asyncio.Future[RunningBench] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        run_bench(SPECS, folder=tmp_path / "dev", port=0, ready=ready.set_result)
    )
    running = await ready
    assert set(running.urls) == {"p1", "r1", "s1"}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running.bench.seat("p1").carrier.plugged


def test_every_kind_of_device_on_a_bench_has_actions() -> None:
    assert set(ACTIONS) == {
        DeviceKind.PRINTER,
        DeviceKind.ID_READER,
        DeviceKind.SCANNER,
        DeviceKind.FACE,
        DeviceKind.LED,
    }
