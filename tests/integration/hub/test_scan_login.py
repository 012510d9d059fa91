"""Login on a call pad by scanning its code with a phone: once, soon, for that pad alone, confirmed by a person."""

import re
from typing import Any, Self, TypeVar

import msgspec
import pytest
from aiohttp import ClientWebSocketResponse
from fixtures_manager import PASSWORD, Site

from qingting.contract import hub as h
from qingting.contract import hub_desk as desk
from qingting.contract.ids import DeviceId, StaffId
from qingting.kernel.web.unsent import CSRF_FIELD as FIELD

T = TypeVar("T")
LI = StaffId("s-01")


class Pad:
    """A call pad's line to the running server."""

    def __init__(self, line: ClientWebSocketResponse) -> None:
        self.line = line
        self.last = 0

    @classmethod
    async def join(cls, site: Site, device: str = "pad1") -> Self:
        key = await site.desk.accounts.devices.issue_key(DeviceId(device))
        line = await site.client.ws_connect("/hub")
        pad = cls(line)
        await pad.say(h.Auth(device=device, key=key, version=1))
        await pad.get(h.Welcome)
        return pad

    async def say(self, message: h.ClientMessage) -> None:
        await self.line.send_str(msgspec.json.encode(message).decode())

    async def get(self, kind: type[T]) -> T:
        decoder = msgspec.json.Decoder(h.ServerMessage)
        while True:
            message: Any = decoder.decode(await self.line.receive_str(timeout=20))
            if isinstance(message, kind):
                return message

    async def ask(self, body: Any, *, key: str | None = None) -> h.Result:
        self.last += 1
        await self.say(h.Ask(id=self.last, body=body, key=key))
        return await self.get(h.Result)

    async def path(self) -> str:
        """The address in the pad's code, without the host."""
        answer = (await self.ask(desk.OfferScan())).answer
        assert answer is not None
        assert answer.scan is not None
        assert answer.scan.url.startswith("http://hall.test/scan/")
        return answer.scan.url.removeprefix("http://hall.test")


@pytest.fixture
async def phone(site: Site) -> Site:
    """A clerk's phone; nobody is logged in on it."""
    await site.desk.accounts.staff.put(LI, PASSWORD, must_change=False)
    await site.desk.accounts.staff.put(StaffId("s-02"), PASSWORD, must_change=False)
    return site


async def log_in(phone: Site, path: str, number: str = "0101") -> tuple[int, str]:
    return await phone.post(f"{path}/login", form_at=path, number=number, password=PASSWORD)


async def say_yes(phone: Site, path: str) -> tuple[int, str]:
    return await phone.post(f"{path}/confirm", form_at=path)


async def test_a_clerk_scans_logs_in_confirms_and_the_pad_knows_at_once(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    status, page = await log_in(phone, path)
    assert status == 200
    for words in ("1号呼叫器", "李敏 · 0101", "确认登录"):
        assert words in page
    assert re.search(r'scan-window">1<', page)
    assert (await pad.ask(h.Next(), key="press-0001")).problem.code == "hub.not_logged_in"  # type: ignore[union-attr]
    status, page = await say_yes(phone, path)
    assert (status, "平板已登录" in page) == (200, True)
    told = await pad.get(h.ScannedIn)
    assert (told.staff, told.number, told.staff_name, told.window) == (LI, "0101", "李敏", "w1")
    taken = await pad.ask(h.TakeWindow(window=told.window), key="press-0002")
    assert taken.ok


async def test_a_phone_that_is_logged_in_needs_only_the_confirmation(phone: Site) -> None:
    pad = await Pad.join(phone)
    first = await pad.path()
    await log_in(phone, first)
    await say_yes(phone, first)
    second = await pad.path()
    status, page = await phone.get(second)
    assert (status, "确认登录" in page) == (200, True)
    assert (await say_yes(phone, second))[0] == 200


async def test_a_code_is_good_once(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    await log_in(phone, path)
    _, page = await phone.get(path)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    await say_yes(phone, path)
    again = await phone.client.post(f"{path}/confirm", data={FIELD: token[1]})
    assert again.status == 410
    status, page = await phone.get(path)
    assert (status, "已经用过" in page) == (410, True)


async def test_a_code_ends_after_three_minutes(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    await log_in(phone, path)
    _, page = await phone.get(path)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    phone.clock.shift += 181
    late = await phone.client.post(f"{path}/confirm", data={FIELD: token[1]})
    assert late.status == 410
    assert (await pad.ask(h.Next(), key="press-0001")).problem.code == "hub.not_logged_in"  # type: ignore[union-attr]


async def test_a_code_is_for_the_pad_that_showed_it(phone: Site) -> None:
    one, other = await Pad.join(phone, "pad1"), await Pad.join(phone, "pad2")
    path = await one.path()
    await other.path()
    await log_in(phone, path)
    await say_yes(phone, path)
    await one.get(h.ScannedIn)
    assert (await other.ask(h.Next(), key="press-0001")).problem.code == "hub.not_logged_in"  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["replaced", "gone", "logged in by password", "renewed"])
async def test_a_code_of_a_connection_that_moved_on_is_good_no_more(phone: Site, how: str) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    match how:
        case "replaced":
            await Pad.join(phone)
        case "gone":
            await pad.line.close()
            while phone.desk.hub.board.session_of(DeviceId("pad1")) is not None:
                await phone.get("/healthz")
        case "logged in by password":
            await pad.ask(h.Login(number="0102", password=PASSWORD))
        case _:
            await pad.path()
    status, page = await phone.get(path)
    assert (status, "已经失效" in page) == (410, True)
    await phone.desk.accounts.staff.put(StaffId("s-09"), PASSWORD, must_change=False)
    await phone.log_in()
    form = await phone.get("/manage/password")
    token = re.search(r'name="csrf" value="([^"]+)"', form[1])
    assert token is not None
    late = await phone.client.post(f"{path}/confirm", data={FIELD: token[1]})
    assert late.status == 410


async def test_a_code_that_a_phone_has_open_outlives_the_pads_next_one(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    await phone.get(path)
    await pad.path()
    await log_in(phone, path)
    assert (await say_yes(phone, path))[0] == 200


async def test_guessing_codes_locks_the_guesser_out(phone: Site) -> None:
    pad = await Pad.join(phone)
    good = await pad.path()
    for number in range(4):
        assert (await phone.get(f"/scan/guess-number-{number:04d}"))[0] == 404
    assert (await phone.get("/scan/guess-number-0005"))[0] == 429
    assert (await phone.get(good))[0] == 429, "a lucky guess must not get through either"
    phone.clock.shift += 15 * 60 + 1
    assert (await phone.get(await pad.path()))[0] == 200


async def test_wrong_passwords_on_the_phone_lock_the_account_as_anywhere(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    for _ in range(4):
        wrong = {"number": "0101", "password": "nothing"}
        status, page = await phone.post(f"{path}/login", form_at=path, **wrong)
        assert (status, 'value="0101"' in page) == (401, True)
    await phone.post(f"{path}/login", form_at=path, number="0101", password="nothing")
    assert (await log_in(phone, path))[0] == 429


async def test_nothing_is_confirmed_without_a_form_of_ours_or_a_login(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    await log_in(phone, path)
    _, page = await phone.get(path)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    bare = await phone.client.post(f"{path}/confirm")
    assert bare.status == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    other = await phone.client.post(f"{path}/confirm", data={FIELD: token[1]}, headers=foreign)
    assert other.status == 403
    await phone.post(f"{path}/leave", form_at=path)
    _, page = await phone.get(path)
    fresh = re.search(r'name="csrf" value="([^"]+)"', page)
    assert fresh is not None
    nobody = await phone.client.post(f"{path}/confirm", data={FIELD: fresh[1]})
    assert nobody.status == 401
    assert (await pad.ask(h.Next(), key="press-0001")).problem.code == "hub.not_logged_in"  # type: ignore[union-attr]


async def test_opening_the_page_alone_logs_nobody_in(phone: Site) -> None:
    pad = await Pad.join(phone)
    path = await pad.path()
    await log_in(phone, path)
    for _ in range(3):
        await phone.get(path)
    assert (await pad.ask(h.Next(), key="press-0001")).problem.code == "hub.not_logged_in"  # type: ignore[union-attr]


async def test_a_one_time_password_must_be_changed_first(phone: Site) -> None:
    await phone.desk.accounts.staff.put(LI, PASSWORD, must_change=True)
    pad = await Pad.join(phone)
    path = await pad.path()
    _, page = await log_in(phone, path)
    assert "确认登录" not in page
    response = await phone.client.get(path)
    assert response.url.path == "/manage/password"


async def test_the_code_carries_its_address_and_nothing_else(phone: Site) -> None:
    pad = await Pad.join(phone)
    answer = (await pad.ask(desk.OfferScan())).answer
    assert answer is not None
    assert answer.scan is not None
    assert re.fullmatch(r"http://hall\.test/scan/[A-Za-z0-9_-]{22}", answer.scan.url)
    rows = answer.scan.modules
    assert {len(row) for row in rows} == {len(rows)}
    assert set("".join(rows)) == {"0", "1"}
