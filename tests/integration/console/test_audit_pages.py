"""The audit can be read, taken out and verified; whatever is done to it behind the program's back shows."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from console_browser import NEW_PASSWORD, browser, console
from patience import until

from console.app.city import City, open_city
from console.core.audit import Audit, read_audit
from console.core.audit_reading import AuditFilter, FaultKind, audit_page, audit_values
from console.core.permissions import SYSTEM, Subject
from console.modules.privacy.audit_keeping import AuditKeeping
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import ManualClock, SystemClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def city(city_url: str) -> AsyncIterator[City]:
    async with open_city(city_url) as one:
        async with one.db.write() as uow:
            for number in range(12):
                await one.context.audit.write(uow, SYSTEM, "hall.enrol", object=f"hall-{number}")
        yield one


@pytest.fixture
def keeping(city: City, tmp_path: Path) -> AuditKeeping:
    return AuditKeeping(city.db, SystemClock(), city.context.sealer, tmp_path / "audit.heads")


async def behind_the_back(city: City, *statements: str) -> None:
    async with city.db.write() as uow:
        await uow.run(sa.text("ALTER TABLE core_audit DISABLE TRIGGER USER"))
        for statement in statements:
            await uow.run(sa.text(statement))


async def found(keeping: AuditKeeping) -> tuple[FaultKind, int] | None:
    _, fault = await keeping.verify()
    return (fault.kind, fault.no) if fault is not None else None


COPY = "INSERT INTO core_audit SELECT {no}, at, actor, address, act, object, result, detail, previous, hash FROM core_audit WHERE no = 5"


@pytest.mark.parametrize(
    ("statement", "no"),
    [
        ("UPDATE core_audit SET detail = 'x' WHERE no = 7", 7),
        ("UPDATE core_audit SET at = at + 1 WHERE no = 12", 12),
        ("DELETE FROM core_audit WHERE no = 4", 4),
        ("DELETE FROM core_audit WHERE no = 1", 1),
        (COPY.format(no=13), 13),
    ],
)
async def test_a_changed_removed_or_inserted_row_is_found(
    city: City, keeping: AuditKeeping, statement: str, no: int
) -> None:
    assert await found(keeping) is None
    await behind_the_back(city, statement)
    assert await found(keeping) == (FaultKind.CHAIN, no)


async def test_a_cut_end_and_a_rewritten_past_are_found_by_the_signed_ends(
    city: City, keeping: AuditKeeping, tmp_path: Path
) -> None:
    head = await keeping.note_head()
    assert head is not None
    assert head.no == 12
    assert await keeping.note_head() is None
    await behind_the_back(city, "DELETE FROM core_audit WHERE no > 9")
    assert await found(keeping) == (FaultKind.CUT, 12)
    # Whoever knows how the chain is made can make another end; not one with the same digest.
    audit = Audit(ManualClock())
    async with city.db.write() as uow:
        for _ in range(3):
            await audit.write(uow, SYSTEM, "hall.enrol", object="forged")
    assert await found(keeping) == (FaultKind.REWRITTEN, 12)
    heads = tmp_path / "audit.heads"
    forged = (await asyncio.to_thread(heads.read_text)).replace('"no":12', '"no":9')
    await asyncio.to_thread(heads.write_text, forged)
    assert await found(keeping) == (FaultKind.HEADS, 1)


async def test_an_audit_that_cannot_be_written_blocks_the_act(city: City) -> None:
    never = "ALTER TABLE core_audit ADD CONSTRAINT never CHECK (no < 0) NOT VALID"
    await behind_the_back(city, never)
    with pytest.raises(sa.exc.DBAPIError):
        await city.enrol_hall(HallId("saertu"), name="大厅")
    async with city.db.read() as uow:
        assert await uow.scalar(sa.text("SELECT count(*) FROM hall_hall")) == 0


async def test_pages_go_by_number_both_ways_and_filters_find(city: City) -> None:
    other = Subject(id="li", name="李", address="10.2.0.7")
    async with city.db.write() as uow:
        await city.context.audit.write(uow, other, "role.put", object="clerk_100%", result="x.y")
    async with city.db.read() as uow:
        first = await audit_page(uow, AuditFilter(), rows=5)
        assert [one.no for one in first.entries] == [13, 12, 11, 10, 9]
        second = await audit_page(uow, AuditFilter(), before=first.older, rows=5)
        assert [one.no for one in second.entries] == [8, 7, 6, 5, 4]
        back = await audit_page(uow, AuditFilter(), after=second.newer, rows=5)
        assert (back.entries, back.newer) == (first.entries, 0)
        last = await audit_page(uow, AuditFilter(), before=4, rows=5)
        assert ([one.no for one in last.entries], last.older) == ([3, 2, 1], 0)
        for wanted in (
            AuditFilter(actor="li"),
            AuditFilter(act="role.put"),
            AuditFilter(object="clerk_100%"),
            AuditFilter(result="refused"),
            AuditFilter(address="10.2."),
            AuditFilter(since=second.entries[0].at, actor="li"),
        ):
            assert [one.no for one in (await audit_page(uow, wanted)).entries] == [13]
        assert not (await audit_page(uow, AuditFilter(until=1))).entries
        assert not (await audit_page(uow, AuditFilter(object="clerk%"))).entries
        assert await audit_values(uow, "actor") == ["li", "system"]
    async with city.db.write() as uow:
        for who in ("citizen a", "citizen b"):
            asks = Subject(id=who, name="", address="10.2.0.8")
            await city.context.audit.write(uow, asks, "citizen.login", object=who)
    async with city.db.read() as uow:
        assert await audit_values(uow, "actor") == ["li", "system", "citizen"], (
            "all of them are one"
        )
        page = await audit_page(uow, AuditFilter(actor="citizen"))
        assert [one.actor for one in page.entries] == ["citizen b", "citizen a"]


async def test_the_audit_administrator_reads_takes_out_and_verifies(city_url: str) -> None:
    async with console(city_url) as ready, browser(ready) as one:
        passwords = {each.account: each.password for each in ready.one_time_passwords}
        await one.login(passwords["audit"], "audit")
        await one.submit(
            "/password",
            "/password",
            present=passwords["audit"],
            new=NEW_PASSWORD,
            again=NEW_PASSWORD,
        )
        status, text = await one.get("/audit")
        assert status == 200
        assert "首次启动建立管理员" in text
        status, text = await one.get("/audit/1")
        assert status == 200
        async with ready.city.db.read() as uow:
            entry = (await read_audit(uow))[-1]
        assert entry.hash in text
        assert entry.previous in text
        assert (await one.get("/audit/9999"))[0] == 404
        status, text = await one.get("/audit/export.csv?act=account.first")
        assert "内部资料 · audit · 127.0.0.1" in text.splitlines()[0]
        assert text.count("首次启动建立管理员") == 3
        assert len(text.splitlines()) == 5
        assert text.count(",完成,") == 3
        names = set(re.findall(r"<td>(admin|security|audit)</td><td><span", (await one.get("/audit?act=account.first"))[1]))  # fmt: skip
        assert names == {"admin", "security", "audit"}, "accounts are named, not their ids"
        _, path, _ = await one.submit("/audit", "/audit/verify")

        async def whole() -> bool:
            return "全部完整" in (await one.get(path))[1]

        await until(whole)
        _, text = await one.get("/audit")
        assert "导出审计" in text
        assert "上次核验" in text
        _, text = await one.get("/jobs")
        [link] = re.findall(r'href="(/jobs\?out=csv[^"]+)"', text)
        status, sheet = await one.get(unescape(link))
        mark, head, row = sheet.splitlines()
        assert status == 200
        assert "内部资料 · audit · 127.0.0.1" in mark
        assert len(next(csv.reader([row]))) == len(next(csv.reader([head])))
        assert "核验安全审计" in row
        assert (await one.get("/jobs?out=csv&table=0.0"))[0] == 404
        status, text = await one.get("/audit?out=paper")
        assert status == 200
        assert "导出表格" in text, "what was taken out is written down"
        assert "audit 打印于" in text
        assert 'class="menu"' not in text
