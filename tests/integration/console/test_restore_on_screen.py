"""The city is restored on screen while two workers serve it: nothing is touched until it is certain, then both serve the restored
one; whoever is killed in between, the city is there."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from console_browser import NEW_PASSWORD, Browser, browser, console
from patience import until
from restore_steps import asked, job, names_beside, over

from console.app.server import ConsoleReady
from console.core import exchange as exchanging
from console.core.audit import read_audit
from console.core.audit_reading import HEADS_PURPOSE, audit_fault, check_heads, head_now
from console.core.databases import (
    Marker,
    Step,
    administer,
    beside,
    besides,
    connected,
    maintaining,
    name_of,
)
from console.core.db import Database
from console.core.exchange import put_beside, settle
from console.modules.identity.repository import AccountRepository, find_by_name
from qingting.contract.errors import Refusal

pytestmark = pytest.mark.postgres


def spoiled(archive: Path, target: Path) -> None:
    """One bit in the middle is the other way round."""
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(bytes(data))


async def add_account(ready: ConsoleReady, name: str) -> None:
    async with ready.city.db.write() as uow:
        await AccountRepository(uow).add(name, name, "-", 1, division="230600000000")


async def names(ready: ConsoleReady) -> set[str]:
    """Accounts that a worker finds, by its own pool."""
    async with ready.city.db.read() as uow:
        return {one for one in ("before", "after") if await find_by_name(uow, one) is not None}


@dataclass
class Waiting:
    """A page that asks again and again, as one does who waits; what it was answered meanwhile."""

    person: Browser
    statuses: set[int] = field(default_factory=set)
    calm: bool = True

    async def back_at_login(self, where: str) -> bool:
        async with self.person.http.get(where) as answer:
            text = await answer.text()
            self.statuses.add(answer.status)
            if answer.status == 503:
                self.calm &= "正在维护" in text and "Retry-After" in answer.headers
                self.calm &= "Refresh" in answer.headers
            return answer.url.path == "/login"


async def exchanged(person: Browser, other: Browser, where: str) -> set[int]:
    """Waits at both workers until each shows its login; whatever was answered before, none was a fault."""
    waits = [Waiting(person), Waiting(other)]
    for one in waits:
        await until(lambda one=one: one.back_at_login(where))  # type: ignore[misc]
        assert one.calm
        assert one.statuses <= {200, 503}
    return waits[0].statuses | waits[1].statuses


async def test_two_workers_come_back_on_the_restored_city_and_go_back_again(
    city_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    kept: dict[str, Any] = {"backup_folder": str(folder), "drill_days": 0, "backup_hour": 23}
    async with (
        console(city_url, **kept) as ready,
        console(city_url, serve="staff", **kept) as second,
        browser(ready) as person,
        browser(second) as other,
    ):
        await person.enter(ready)
        await other.login(NEW_PASSWORD)
        await add_account(ready, "before")
        await over(person, await job(person, "/backups", "/backups"))
        (archive,) = await asyncio.to_thread(lambda: list(folder.glob("*.tar")))
        await add_account(ready, "after")
        page = f"/backups/restore?file={archive.name}"
        state = await refused_and_nothing_touched(person, page, archive, folder, city_url)

        # What somebody signed elsewhere of the audit before the restore stays true afterwards.
        key = ready.city.context.sealer.lasting(HEADS_PURPOSE)
        async with ready.city.db.read() as uow:
            signed = await head_now(uow, ready.city.context.clock.now_ms(), key)
        sure = {"typed": state, "password": NEW_PASSWORD}
        where = await job(person, page, "/backups/restore", file=archive.name, **sure)
        assert 503 in await exchanged(person, other, where)

        assert "恢复到了" in (await person.get("/login"))[1]
        assert await names(ready) == {"before"}
        assert await names(second) == {"before"}
        assert (await other.get("/backups"))[0] == 200
        assert (await other.login(NEW_PASSWORD))[1] == "/"
        (former,) = await names_beside(city_url)
        _, text = await other.get("/backups")
        assert former in text
        assert f"/backups/restore?file={archive.name}" in text
        assert "还没有备份" not in text, "the archive is known to the city that came out of it"
        _, text = await other.get("/health")
        assert former in text
        assert "一天内 0 个没完成" in text, "the job that made the archive is over"
        async with second.city.db.read() as uow:
            (entry,) = await read_audit(uow, "backup.restored")
            assert entry.object == archive.name
            assert f"before={former}" in entry.detail
            assert entry.actor not in ("", "system")
            assert await audit_fault(uow) is None
            assert signed is not None
            line = msgspec.json.encode(signed).decode()
            assert await check_heads(uow, [line], key) is None
        async with connected(beside(city_url, former)) as connection:
            acts = await connection.fetch("SELECT act FROM core_audit ORDER BY no DESC LIMIT 1")
            assert [one["act"] for one in acts] == ["backup.exchange"]

        # Back to the database of before, and the one that was restored goes.
        back = f"/backups/kept/{former}/restore"
        sure = {"typed": await asked(other, back), "password": NEW_PASSWORD}
        where = await job(other, back, back, **sure)
        await exchanged(other, person, where)
        assert await names(ready) == await names(second) == {"before", "after"}
        await person.login(NEW_PASSWORD)
        (former,) = await names_beside(city_url)
        drop = f"/backups/kept/{former}/drop"
        sure = {"typed": await asked(person, drop), "password": NEW_PASSWORD}
        assert "已删除" in await over(person, await job(person, drop, drop, **sure))
        assert await names_beside(city_url) == []


async def refused_and_nothing_touched(
    person: Browser, page: str, archive: Path, folder: Path, url: str
) -> str:
    """What is typed wrong, who is not sure, and what is damaged; gives the state to type."""
    state = await asked(person, page)
    _, text = await person.get(page)
    assert "预约" in text
    assert "没有通知会重复发出" in text
    assert "<b>5</b>" in text, "an account more than in the archive"
    form = {"file": archive.name}
    status, _, text = await person.submit(
        page, "/backups/restore", **form, typed="昨天", password=NEW_PASSWORD
    )
    assert (status, 'value="昨天"' in text) == (422, True)
    status, _, text = await person.submit(
        page, "/backups/restore", **form, typed=state, password="wrong"
    )
    assert (status, f'value="{state}"' in text) == (401, True)
    broken = folder / "qingting-city-20990101T000000Z.tar"
    await asyncio.to_thread(spoiled, archive, broken)
    where = await job(
        person, page, "/backups/restore", file=broken.name, typed=state, password=NEW_PASSWORD
    )
    assert "损坏" in await over(person, where)
    await asyncio.to_thread(broken.unlink)
    assert await names_beside(url) == []
    return state


# ---- whoever is killed in between ----------------------------------------------------------------


@pytest.fixture
async def due(city_url: str) -> AsyncIterator[str]:
    """A database that is to take the city's place, and knows that it is the other one."""
    name = f"{name_of(city_url)}_new_20261126100000"
    await administer(city_url, f"CREATE DATABASE {name}")
    async with connected(beside(city_url, name)) as connection:
        await connection.execute("CREATE TABLE the_other ()")
    former = name.replace("_new_", "_before_")
    mark = Marker(
        of=name_of(city_url),
        step=Step.DUE,
        at=2,
        moment=1,
        source="a.tar",
        by="admin",
        former=former,
    )
    await put_beside(city_url, name, mark)
    yield name
    for one in await names_beside(city_url):
        await administer(city_url, f"DROP DATABASE {one} WITH (FORCE)")


async def is_other(url: str) -> bool:
    async with connected(url) as connection:
        return await connection.fetchval("SELECT to_regclass('the_other')") is not None


THERE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'qingting exchange'"


async def kill_when(url: str, until_this: str) -> None:
    """A process of its own exchanges, and is killed as soon as the server says ``until_this`` of it."""
    program = "import asyncio, sys; from console.core.exchange import settle; asyncio.run(settle(sys.argv[1]))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, url)
    try:
        async with maintaining(url) as connection:
            await until(lambda: connection.fetchval(f"{THERE} AND {until_this}"))
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def gone(url: str) -> None:
    """The server has noticed that whoever was killed is away."""
    async with maintaining(url) as connection:
        await until(lambda: connection.fetchval(f"SELECT ({THERE}) = 0"))


async def test_a_worker_that_is_killed_leaves_one_city_and_the_next_start_finishes(
    city_url: str, due: str
) -> None:
    async with connected(city_url):
        # It waits for somebody who is still connected.
        held = (
            "datname = 'postgres' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
        )
        await kill_when(city_url, held)
        await gone(city_url)
        assert not await is_other(city_url)
    # Both names are changed, but not yet for good: what it writes about them waits for us.
    async with maintaining(city_url) as catalogue, catalogue.transaction():
        await catalogue.execute("LOCK TABLE pg_shdescription IN SHARE MODE")
        await kill_when(city_url, "wait_event_type = 'Lock' AND query LIKE 'COMMENT%'")
    await gone(city_url)
    assert not await is_other(city_url)

    asleep = Database(city_url)
    await asleep.ping()
    phases = []
    await settle(city_url, lambda phase, _: phases.append(phase), patience=0)
    assert phases[-1] is exchanging.Phase.EXCHANGING
    assert await is_other(city_url)
    (former,) = await names_beside(city_url)
    assert not await is_other(beside(city_url, former))
    await settle(city_url)
    assert await is_other(city_url), "what is done is not done again"

    async def refused() -> bool:
        with pytest.raises(Refusal, match=r"city\.unavailable"):
            await asleep.ping()
        return asleep.one.exchanged

    # Its connections were ended while it slept; what it remembers is not this city's.
    await until(refused)
    await asleep.close()


WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND NOT granted"


async def test_a_worker_that_begins_in_the_very_moment_of_the_exchange_finds_the_restored_city(
    city_url: str, due: str
) -> None:
    async with (
        maintaining(city_url) as looking,
        maintaining(city_url) as catalogue,
        catalogue.transaction(),
    ):
        await catalogue.execute("LOCK TABLE pg_shdescription IN SHARE MODE")
        working = asyncio.create_task(settle(city_url, patience=0))
        held = "wait_event_type = 'Lock' AND query LIKE 'COMMENT%'"
        await until(lambda: looking.fetchval(f"{THERE} AND {held}"))
        # Both names are changed, but not yet for good: whoever asks for the city now is kept waiting for what it was.
        beginning = asyncio.create_task(settle(city_url))
        await until(lambda: looking.fetchval(WAITS))
    await asyncio.gather(working, beginning)
    assert await is_other(city_url)


async def test_an_exchange_that_somebody_holds_up_is_given_up_and_says_who(
    city_url: str, due: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not be sent away, such as the server's own administrator, wins."""

    async def powerless(*_: object) -> None:
        """As for one who is no superuser, against one who is."""

    monkeypatch.setattr(exchanging, "TRIES", 1)
    monkeypatch.setattr(exchanging, "_end_all", powerless)
    async with connected(city_url):
        await settle(city_url, patience=0)
        async with maintaining(city_url) as connection:
            (left,) = await besides(connection, name_of(city_url))
        assert left.mark is not None
        assert left.mark.step is Step.GIVEN_UP
        assert "1 other session" in left.mark.why
    assert not await is_other(city_url)
