"""A city as citizens find it, for tests: three halls in three districts, some service items, a sign-on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa
from city_hall import START, Log
from console_browser import Browser, console
from sso_provider import at_the_provider, served

from console.app.city import City
from console.app.server import ConsoleReady
from console.halls import models as hall_models
from console.modules.calendar.api import TimeLimit
from console.modules.catalogue import repository as catalogue
from console.modules.catalogue.api import Audience, Channel, ItemBody
from qingting.contract import calendar as cal
from qingting.contract import events as e
from qingting.contract.examples import CONFIG
from qingting.contract.ids import DepartmentId, HallId, ItemId
from qingting.kernel.aio.clock import ManualClock
from simulators.identity_provider import Audience as ClientOf

CARD = "11230600MB0A00001N3000117051000"
SHOP = "11230600MB0A00011P4000117051000"
FUND = "11230600MB0A00021L3000117051000"
OTHER = ItemId("food-licence")
HOURS = (cal.Period(start="08:30", end="11:30"), cal.Period(start="13:30", end="17:00"))
HALLS = {
    HallId("saertu"): ("萨尔图区政务服务中心", "Saertu District Service Centre", "230602", (46.63, 125.08)),
    HallId("longfeng"): ("龙凤区政务服务中心", "Longfeng District Service Centre", "230603", (46.57, 125.14)),
    HallId("ranghulu"): ("让胡路区政务服务中心", "Ranghulu District Service Centre", "230604", None),
}  # fmt: skip
ITEMS = {
    CARD: ItemBody(
        name="社会保障卡补办",
        name_en="Replacement of a social security card",
        division="230602",
        department="人社局",
        audience=Audience.PERSON,
        themes=("社会保障",),
        basis="《社会保险法》第五十八条",
        materials=("居民身份证", "社会保障卡申领表"),
        process=("提交材料", "审核", "制卡领取"),
        legal=TimeLimit(20),
        promised=TimeLimit(5),
        channels=(Channel.WINDOW, Channel.KIOSK),
        halls=("saertu", "longfeng"),
    ),
    SHOP: ItemBody(
        name="食品经营许可",
        name_en="Food business licence",
        division="230602",
        level=4,
        department="市场监管局",
        audience=Audience.FIRM,
        themes=("准营准办",),
        materials=("食品经营许可证申请书", "营业执照复印件"),
        promised=TimeLimit(10),
        halls=("saertu",),
    ),
    FUND: ItemBody(
        name="住房公积金提取",
        name_en="Withdrawal from the housing fund",
        division="230600",
        department="公积金中心",
        audience=Audience.PERSON,
        charge="每件 10 元",
        materials=("居民身份证",),
        halls=("saertu",),
    ),
}


def told(hall: HallId, further: int = 0) -> Log:
    """What a hall tells of itself: name, place and hours; two people wait. ``further`` items, of departments in turn."""
    name, name_en, division, _ = HALLS[hall]
    log = Log(hall)
    info = msgspec.structs.replace(
        CONFIG.hall,
        id=hall,
        name=name,
        name_en=name_en,
        division=division,
        address="大庆市示例路 1 号（示例地址）",
        phone="0459-6000000",
    )
    weekly = (cal.WeeklyHours(weekdays=(1, 2, 3, 4, 5), periods=HOURS),)
    items = tuple(
        msgspec.structs.replace(CONFIG.items[0], id=item, name=name, name_en=name, code=code)
        for item, code, name in (
            (CONFIG.items[0].id, CARD, "社会保障卡补办"),
            (OTHER, SHOP, "食品经营许可"),
        )
    )
    departments = tuple(
        msgspec.structs.replace(CONFIG.departments[0], id=DepartmentId(f"d{n}"), name=f"第{n}分局")
        for n in range(min(further, 3))
    )
    items += tuple(
        msgspec.structs.replace(
            items[1], id=ItemId(f"i{n}"), name=f"第{n}项备案", department=departments[n % 3].id
        )
        for n in range(further)
    )
    calendar = msgspec.structs.replace(CONFIG.calendar, weekly=weekly)
    config = msgspec.structs.replace(
        CONFIG,
        hall=info,
        calendar=calendar,
        items=items,
        departments=(*CONFIG.departments, *departments),
    )
    log.add(e.ConfigApplied(config=config))
    log.add(e.DayOpened(day=log.day))
    log.issue(1)
    log.issue(2)
    return log


async def set_up(city: City, further: int = 0) -> None:
    """Brings halls and items in; the halls are known and not connected."""
    for hall, (name, name_en, _, spot) in HALLS.items():
        await city.enrol_hall(hall, name=name, name_en=name_en, key=f"key-{hall}")
        log = told(hall, further)
        await city.link.intake.greet(log.hello(f"key-{hall}"))
        await city.link.intake.apply(hall, log.frame(1))
        if spot is not None:
            async with city.db.write() as uow:
                values = {"latitude": spot[0], "longitude": spot[1]}
                table = hall_models.hall
                await uow.run(sa.update(table).where(table.c.id == hall).values(**values))
    await city.runner.catch_up_all()
    async with city.db.write() as uow:
        for code, body in ITEMS.items():
            await catalogue.add_materials(uow, body.materials)
            await catalogue.put_draft(uow, code, body, origin="hand", at=1, by="test")
            await catalogue.publish(uow, code, 1, date(2026, 1, 1), 1, "test")
        await catalogue.put_material(uow, "居民身份证", "Identity card", "原件，在有效期内")
        await catalogue.put_flags(uow, [(CARD, True, True), (SHOP, True, False)], 1, "test")


@asynccontextmanager
async def citizens_city(
    url: str, clock: ManualClock | None = None, *, further: int = 0, **more: str
) -> AsyncIterator[ConsoleReady]:
    """A console with its sign-on and :func:`set_up`; Monday 10:00 unless ``clock`` says otherwise. ``more``: further
    settings."""
    used = clock or ManualClock(START + 3_600_000)
    async with served(used) as provider:
        client = provider.register(ClientOf.CITIZENS, "http://127.0.0.1/c/login/back")
        settings = {
            "citizen_oidc_issuer": provider.issuer,
            "citizen_oidc_client_id": client.id,
            "citizen_oidc_client_secret": client.secret,
        }
        async with console(url, used, **settings, **more) as ready:
            await set_up(ready.city, further)
            yield ready


async def sign_in(person: Browser, user: str, path: str = "/c/me") -> tuple[int, str, str]:
    """Logs in at the sign-on from the page ``path``; gives status, path and text of where one ends up."""
    async with person.http.get(
        "/c/login/go", params={"next": path}, allow_redirects=False
    ) as answer:
        url = answer.headers["Location"]
    back = urlsplit(await at_the_provider(url, user=user))
    async with person.http.get(f"{back.path}?{back.query}") as answer:
        return answer.status, answer.url.path, await answer.text()


async def enter(person: Browser, user: str, path: str = "/c/me") -> str:
    """Logs in and agrees; gives the page."""
    status, where, text = await sign_in(person, user, path)
    assert (status, where) == (200, "/c/consent")
    status, where, text = await person.submit("/c/consent", "/c/consent", next=path, agree="true")
    assert (status, where) == (200, path)
    return text
