"""Release A, then B in a wave, then a broken C: the pad runs B, goes back from C by itself, and works."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from manager_browser import axe_finds, running_hall
from pad_hands import pad_of
from patience import until
from pictures import picture
from playwright.async_api import Browser, Page, expect
from playwright.async_api import Error as PlaywrightError

from console.app.server import ConsoleReady, ConsoleSettings, open_console
from console.modules.identity.api import IDENTITY
from hallserver.hub.accounts import Pairing
from qingting.contract.ids import DeviceId, HallId, StaffId
from qingting.contract.states import App, DeviceKind
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.release_archive import Manifest, make_release

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
PASSWORD = "Daqing-2026-ok"
PAD = DeviceId("pad3")


def released(built: Path, out: Path, version: str, *, broken: bool = False) -> Path:
    """The program as it ships under another title; a broken one loads, shows nothing and says nothing."""
    files = {
        path.relative_to(built).as_posix(): path.read_bytes()
        for path in built.rglob("*")
        if path.is_file() and path.name != "sw.js"
    }
    files["call.html"] = files["call.html"].replace(
        "呼叫平板 ·".encode(), f"呼叫平板 {version} ·".encode()
    )
    if broken:
        entry = next(
            name for name in files if name.startswith("assets/call-") and name.endswith(".js")
        )
        files[entry] = b"document.querySelector('#app').textContent = '';"
    manifest = Manifest(app=App.PAD, version=version, build=f"build{version.replace('.', '')}")
    file = out / f"pads-{version}.zip"
    file.write_bytes(make_release(manifest, files))
    return file


async def administrator(browser: Browser, city: ConsoleReady) -> Page:
    first = city.one_time_passwords[0]
    page = await (await browser.new_context(viewport={"width": 1360, "height": 900})).new_page()
    await page.goto(f"{city.url}/login")
    await page.fill("#f-name", first.account)
    await page.fill("#f-password", first.password)
    await page.click("main button[type=submit]")
    await page.fill("#f-present", first.password)
    await page.fill("#f-new", PASSWORD)
    await page.fill("#f-again", PASSWORD)
    await page.click("main button[type=submit]")
    await page.wait_for_selector("a[href='/releases']")
    return page


async def roll_out(admin: Page, city: str, archive: Path, version: str) -> None:
    """Uploads a release and sends it to all pads, with nothing to wait for between."""
    await admin.goto(f"{city}/releases")
    await admin.set_input_files("#f-file", archive)
    await admin.get_by_role("button", name="上传", exact=True).click()
    await expect(
        admin.get_by_role("status").or_(admin.locator(".banner.done")).first
    ).to_be_visible()
    await admin.select_option("#f-release-pad", label=await _label(admin, version))
    await admin.fill("#f-soak-pad", "0")
    admin.once("dialog", lambda dialog: dialog.accept())
    await admin.get_by_role("button", name="开始下发平板程序").click()
    await admin.wait_for_url("**/rollouts/*")


async def _label(admin: Page, version: str) -> str:
    option = admin.locator("#f-release-pad option", has_text=version)
    return str(await option.inner_text())


async def quiet(pad: Page) -> None:
    """Nobody has touched the pad for a while."""
    await pad.clock.fast_forward("02:00")


async def test_a_pad_takes_a_release_in_its_wave_and_goes_back_by_itself_from_a_broken_one(
    city_url: str, tmp_path: Path, shipped: Callable[[str], Path], browser: Browser
) -> None:
    built = shipped("tablet")
    settings = ConsoleSettings(database_url=city_url, port=0, data=str(tmp_path / "city"))
    async with open_console(settings) as city:
        async with city.city.db.write() as uow:
            await city.city.context.take(IDENTITY).grant_grace(uow, 30)
        sample = await asyncio.to_thread(build_hall, hall_ids(1)[0])
        config = msgspec.structs.replace(sample, devices=(), kiosk_templates=())
        key = await city.city.enrol_hall(HallId(config.hall.id), name=config.hall.name)
        link = {
            "first_password": False,
            "city_url": city.url.replace("http", "ws", 1) + "/link",
            "hall_key": key,
        }
        async with running_hall(tmp_path, config=config, **link) as hall:
            desk, base = hall.desk, hall.base
            pairing = Pairing(
                device=PAD,
                kind=DeviceKind.CALL_PAD,
                name="3号窗口呼叫平板",
                window=config.windows[0].id,
            )
            code, _ = await desk.accounts.devices.make_code(pairing, StaffId(config.staff[0].id))
            pad = await pad_of(browser, f"{base}/tablet/call.html#pair={code}")
            await expect(pad.locator("input[name=number]")).to_be_visible()
            await pad.clock.install()
            admin = await administrator(browser, city)

            one = await asyncio.to_thread(released, built, tmp_path, "1.1")
            await roll_out(admin, city.url, one, "1.1")
            await expect(admin.get_by_text("已通知，等空闲")).to_be_visible()
            await quiet(pad)
            await expect(pad).to_have_title("呼叫平板 1.1 · 庆厅")
            await expect(pad.locator("input[name=number]")).to_be_visible()
            await expect(admin.locator("#now + .badge")).to_contain_text("已完成")
            await picture(admin, "city-rollout-done", whole=True)
            assert desk.hub.board.programs.runs[PAD].release == desk.state.hands[PAD].release != ""

            bad = await asyncio.to_thread(released, built, tmp_path, "1.2", broken=True)
            await roll_out(admin, city.url, bad, "1.2")
            await expect(admin.get_by_text("已通知，等空闲")).to_be_visible()
            good = desk.state.hands[PAD].release
            await quiet(pad)

            tried = False

            async def gone_back() -> bool:
                """Time passes until the broken release is there and then until it is given up; not while the good
                one comes back, whose connection would count as dead. A page that is loading has no clock to move."""
                nonlocal tried
                runs = desk.hub.board.programs.runs.get(PAD)
                if runs is not None and runs.failed not in ("", good):
                    return True
                with suppress(PlaywrightError):
                    there = "1.2" in await pad.title()
                    if there or not tried:
                        await pad.clock.fast_forward("00:50")
                    tried = tried or there
                return False

            await until(gone_back, 150, every=3)
            await expect(pad).to_have_title("呼叫平板 1.1 · 庆厅")
            await expect(pad.locator("input[name=number]")).to_be_visible()
            await expect(admin.locator("#now + .badge")).to_contain_text("已停下")
            await expect(admin.get_by_text("新程序没有启动起来").first).to_be_visible()
            assert (desk.state.hands[PAD].release, desk.hub.board.programs.runs[PAD].release) == (
                good,
                good,
            )
            await look_at_pages(admin, city.url)


async def look_at_pages(admin: Page, city: str) -> None:
    await picture(admin, "city-rollout-halted", whole=True)
    assert await axe_finds(admin) == []
    await admin.goto(f"{city}/releases")
    await picture(admin, "city-releases", whole=True)
    assert await axe_finds(admin) == []
    await admin.goto(f"{city}/language?to=en&back=/releases")
    await expect(admin.get_by_role("heading", name="Program updates")).to_be_visible()
    await picture(admin, "city-releases-en", whole=True)
