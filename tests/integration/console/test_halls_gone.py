"""A request to erase waits for halls that come back, and says of which ones somebody knows that they do not."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from test_personal_data import CLERK, NUMBER, OFFICER, PHONE, acts, asked, privacy

from console.app.city import City, open_city
from console.core.permissions import Subject
from console.core.sealing import KeyFile
from console.halls import models as halls
from console.modules.privacy import models as m
from console.modules.privacy.api import RequestKind
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres


async def test_a_request_waits_for_halls_that_come_back_and_says_which_ones_do_not(
    city_url: str, tmp_path: Path
) -> None:
    clock = ManualClock()
    keys = await KeyFile.open(tmp_path / "seal.keys", clock)
    async with open_city(city_url, clock=clock, keys=keys) as city:
        await _waits(city)


async def _waits(city: City) -> None:
    for hall in ("saertu", "longfeng"):
        await city.enrol_hall(HallId(hall), name="大厅")
    await settled(city, "longfeng", False)
    desk, no = privacy(city), await asked(city, RequestKind.ERASE)
    async with city.db.write() as uow:
        await desk.requests.answer(uow, CLERK, no, done=True, outcome="已按申请删除")

    async def stand() -> tuple[int, int]:
        async with city.db.read() as reader:
            (one,) = await desk.requests.listed(reader, CLERK, None)
        return one.halls_waiting, one.halls_gone

    async def marked(hall: str, why: str, who: Subject = CLERK) -> str:
        try:
            async with city.db.write() as uow:
                await desk.requests.hall_gone(uow, who, no, hall, why)
        except Refusal as refusal:
            return refusal.code
        return ""

    assert await stand() == (2, 0), "one hall cannot be told yet, and holds nobody up"
    why = f"大厅撤并，硬盘已销毁，经办 {PHONE}"
    assert await marked("saertu", why, OFFICER) == "page.forbidden"
    assert await marked("saertu", " ") == "personal.words"
    assert await marked("elsewhere", why) == "request.hall_not_waiting"
    await online(city, "saertu", True)
    assert await marked("saertu", why) == "request.hall_alive"
    await online(city, "saertu", False)
    assert await marked("saertu", why) == ""
    assert await marked("saertu", why) == "request.hall_not_waiting"
    assert await stand() == (1, 1)
    told = "saertu: 大厅撤并，硬盘已销毁，经办 138****1234"
    assert await acts(city, "request.hall_gone") == [("clerk", "done", told)]

    # The word to the other one lies sealed until that hall has said how far it is.
    async with city.db.read() as reader:
        box = await reader.scalar(sa.select(m.untold.c.box))
    assert NUMBER not in box
    await desk.halls.settle()
    assert await directives(city, "longfeng") == []
    await settled(city, "longfeng", True)
    await desk.halls.settle()
    (word,) = await directives(city, "longfeng")
    assert NUMBER not in word
    # A hall that does come back has the last word.
    async with city.db.write() as uow:
        for hall in ("saertu", "longfeng"):
            await uow.run(sa.insert(halls.outcome).values(hall=hall, no=1, code="", at=1))
    await desk.halls.settle()
    assert await stand() == (0, 0)


async def settled(city: City, hall: str, yes: bool) -> None:
    h = halls.hall.c
    async with city.db.write() as uow:
        await uow.run(sa.update(halls.hall).where(h.id == hall).values(settled=yes))


async def online(city: City, hall: str, yes: bool) -> None:
    now = city.context.clock.now_ms()
    values = {"session": "s", "connected": yes, "since": now, "seen_at": now, "head": 0,
              "offset_ms": 0, "build": "", "refused": ""}  # fmt: skip
    async with city.db.write() as uow:
        await uow.run(sa.delete(halls.link).where(halls.link.c.hall == hall))
        await uow.run(sa.insert(halls.link).values(hall=hall, **values))


async def directives(city: City, hall: str) -> list[str]:
    c = halls.directive.c
    async with city.db.read() as uow:
        rows = await uow.all(sa.select(c.body).where(c.hall == hall).order_by(c.no))
    return [bytes(row["body"]).decode() for row in rows]
