"""The hall manager's list of devices: what needs somebody comes first, the rest as people count."""

import re

from fixtures_manager import Site
from patience import until

from hallserver.app.manage.door_words import knock_lines
from qingting.contract import commands as c
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.pads import PadFacts
from qingting.contract.states import (
    ActOutcome,
    AddressClass,
    DeviceKind,
    DeviceState,
    TurnedAway,
)


async def report(site: Site, device: str, kind: DeviceKind, state: DeviceState) -> None:
    await site.do(c.ReportDevice(device=DeviceId(device), kind=kind, state=state))


async def register(
    site: Site, device: str, kind: DeviceKind, name: str, name_en: str = "", parent: str = ""
) -> None:
    command = c.RegisterDevice(
        device=DeviceId(device),
        kind=kind,
        name=name,
        name_en=name_en,
        parent=DeviceId(parent) if parent else None,
    )
    await site.do(command)


def order(page: str, *names: str) -> list[str]:
    """``names`` in the order in which the page has them."""
    return sorted(names, key=lambda one: page.index(f">{one}<"))


async def test_a_pad_that_is_switched_off_needs_nobody_until_its_window_is_open(
    inside: Site,
) -> None:
    await report(inside, "pad1", DeviceKind.CALL_PAD, DeviceState.READY)
    await report(inside, "pad1", DeviceKind.CALL_PAD, DeviceState.LOST)
    _, page = await inside.get("/manage/devices?show=faults")
    assert "1号呼叫器" not in page
    await inside.do(c.OpenWindow(window=WindowId("w1"), staff=StaffId("s-01")))
    _, page = await inside.get("/manage/devices?show=faults")
    assert "1号呼叫器" in page
    assert "离线" in page


async def test_a_lost_screen_needs_somebody_whatever_the_windows(inside: Site) -> None:
    await report(inside, "lcd", DeviceKind.BOARD, DeviceState.READY)
    await report(inside, "lcd", DeviceKind.BOARD, DeviceState.LOST)
    _, page = await inside.get("/manage/devices?show=faults")
    assert "大屏" in page


async def test_devices_are_listed_as_people_count(inside: Site) -> None:
    for number in (10, 9):
        await register(inside, f"board-{number}", DeviceKind.BOARD, f"{number}号屏")
    _, page = await inside.get("/manage/devices")
    assert order(page, "10号屏", "9号屏") == ["9号屏", "10号屏"]


async def test_a_printer_to_reprint_at_is_named_in_the_readers_language(inside: Site) -> None:
    for kiosk, number in (("k8", 8), ("k9", 9)):
        await register(inside, kiosk, DeviceKind.KIOSK, f"{number}号机", f"Kiosk {number}")
        await register(inside, f"{kiosk}-printer", DeviceKind.PRINTER, "打印机", parent=kiosk)
        await report(inside, f"{kiosk}-printer", DeviceKind.PRINTER, DeviceState.READY)
    await inside.issue()
    _, page = await inside.get("/manage/tickets?lang=en")
    options = re.findall(r"<option value=\"k\d\"[^>]*>([^<]+)<", page)
    assert options == ["Kiosk 8", "Kiosk 9"]


async def test_who_was_turned_away_is_listed_with_what_to_do_until_the_device_is_paired_anew(
    inside: Site,
) -> None:
    _, page = await inside.get("/manage/devices")
    assert "被拒绝接入" not in page
    own = AddressClass.OWN_NETWORK
    for refusal in (
        c.RefuseDevice(device="pad1", why=TurnedAway.COPIED_KEY, origin=own, count=3),
        c.RefuseDevice(device="k1", why=TurnedAway.SPOOFED_ID, origin=own, by=DeviceId("pad1")),
        c.RefuseDevice(device="made-up", why=TurnedAway.UNKNOWN_DEVICE, origin=own),
    ):
        await inside.do(refusal)
    _, page = await inside.get("/manage/devices")
    for words in ("密钥在两处同时使用", "冒用别的设备", "1号呼叫器", "made-up", "#d-pad1"):
        assert words in page
    await inside.do(c.KeyDevice(device=DeviceId("pad1"), revoked=True))
    _, page = await inside.get("/manage/devices")
    assert "密钥在两处同时使用" not in page
    assert "冒用别的设备" not in page, "it was that key"
    assert "大厅不认识的设备" in page
    assert [one.name for one in knock_lines(inside.desk)] == ["made-up"]
    inside.clock.shift += 25 * 3600
    assert knock_lines(inside.desk) == []


async def test_a_pad_says_how_it_is_and_what_its_browser_does_not_tell_is_left_out(
    inside: Site,
) -> None:
    life = inside.desk.state.devices[DeviceId("pad1")]
    facts = PadFacts(battery=76, charging=True, network="wifi", rtt=12, installed=True)
    inside.desk.hub.board.pads.heard(life, facts)
    _, page = await inside.get("/manage/devices")
    assert "电量 76%，充电中 · Wi-Fi · 往返 12 毫秒 · 已安装为应用" in page
    inside.desk.hub.board.pads.heard(life, PadFacts(visible=False))
    _, page = await inside.get("/manage/devices")
    assert "应用不在屏幕上" in page
    assert "电量" not in page


async def test_a_manager_asks_a_device_for_something_and_sees_what_became_of_it(
    inside: Site,
) -> None:
    at = "/manage/devices/k1-printer"
    _, page = await inside.get(at)
    assert "打印测试" in page
    assert "重启代理程序" not in page, "a printer cannot do that"
    status, page = await inside.post(f"{at}/act", form_at=at, do="print.test")
    assert status == 200
    assert "已下达" in page
    (act,) = inside.desk.state.acts.values()
    assert (act.device, act.asked_by, act.by) == ("k1-printer", "s-09", "staff:s-09")
    inside.clock.shift += 11
    await until(lambda: inside.desk.state.acts[act.id].outcome is ActOutcome.REFUSED)
    _, page = await inside.get(at)
    assert "设备不在线，没有执行" in page
    status, _ = await inside.post(f"{at}/act", form_at=at, do="print.number", number="'; DROP")
    assert status == 422
    status, page = await inside.post(f"{at}/act", form_at=at, do="agent.restart")
    assert (status, len(inside.desk.state.acts)) == (422, 1)
    assert "做不了这项处置" in page
    status, _ = await inside.get("/manage/acts/h-nothing/file")
    assert status == 404


async def test_nobody_but_a_manager_reaches_a_device(site: Site) -> None:
    status, page = await site.get("/manage/devices/k1-printer")
    assert "打印测试" not in page
    form = {"do": "print.test", "csrf": "x"}
    response = await site.client.post("/manage/devices/k1-printer/act", data=form)
    assert response.status in (200, 401, 403)
    assert site.desk.state.acts == {}
    assert status == 200, "the login page"
