"""Sessions as people see them: each can be ended, by its owner or by the keeper of the account, and says so; a
district's manager keeps the accounts of the district and gets no further."""

import re
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from city_hall import START
from console_browser import NEW_PASSWORD, Browser, browser, console

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.divisions import full
from console.modules.identity import models as m
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
SAERTU, LONGFENG = full("230602"), full("230603")
DAY_S = 86_400


@dataclass
class Made:
    """An account that a keeper made, with its first password."""

    path: str
    password: str


async def make(keeper: Browser, name: str, division: str) -> Made:
    status, _, text = await keeper.submit(
        "/accounts/new", "/accounts", name=name, division=division
    )
    assert status == 200, name
    password = re.search(r'class="wall-code">([^<]+)<', text)
    path = re.search(r'action="(/accounts/[^/"]+)/roles"', text)
    assert password is not None
    assert path is not None
    return Made(path[1], password[1])


async def enter(person: Browser, name: str, password: str) -> None:
    assert (await person.login(password, name))[1] == "/password"
    status, _, _ = await person.submit(
        "/password", "/password", present=password, new=NEW_PASSWORD, again=NEW_PASSWORD
    )
    assert status == 200


def first_password(ready: ConsoleReady, name: str) -> str:
    (found,) = [one.password for one in ready.one_time_passwords if one.account == name]
    return found


async def test_a_forced_logout_ends_one_session_at_once_and_says_so(city_url: str) -> None:
    async with (
        console(city_url, ManualClock(START)) as ready,
        browser(ready) as keeper,
        browser(ready) as desk,
        browser(ready) as home,
    ):
        await enter(keeper, "security", first_password(ready, "security"))
        made = await make(keeper, "wang", SAERTU)
        assert (await keeper.submit(made.path, f"{made.path}/roles", role="hall_manager",
                                    reach=f"region:{SAERTU}"))[0] == 200  # fmt: skip
        await enter(desk, "wang", made.password)
        assert (await home.login(NEW_PASSWORD, "wang"))[0] == 200
        page = (await keeper.get(made.path))[1]
        keys = re.findall(r'name="key" value="([0-9a-f]{64})"', page)
        assert len(keys) == 2
        own = (await desk.get("/sessions"))[1]
        (elsewhere,) = re.findall(r'name="key" value="([0-9a-f]{64})"', own)
        assert "127.0.0.1" in own

        status, _, text = await keeper.submit(made.path, f"{made.path}/sessions/end", key=elsewhere)
        assert (status, "已强制下线" in text) == (200, True)
        async with home.http.get("/halls") as answer:
            assert answer.url.path == "/login"
            assert "强制下线" in await answer.text()
        assert (await desk.get("/halls"))[0] == 200, "the other session goes on"
        again = await keeper.submit(made.path, f"{made.path}/sessions/end", key=elsewhere)
        assert again[0] == 404
        async with ready.city.db.read() as uow:
            assert "session.ended" in {one.act for one in await read_audit(uow)}


async def test_a_disabled_account_is_out_at_once_and_a_password_ends_after_ninety_days(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with (
        console(city_url, clock) as ready,
        browser(ready) as keeper,
        browser(ready) as person,
    ):
        await enter(keeper, "security", first_password(ready, "security"))
        made = await make(keeper, "wang", SAERTU)
        await enter(person, "wang", made.password)
        await keeper.submit(made.path, f"{made.path}/state", disabled="true")
        async with person.http.get("/password") as answer:
            assert answer.url.path == "/login"
        assert (await person.login(NEW_PASSWORD, "wang"))[0] == 401
        await keeper.submit(made.path, f"{made.path}/state", disabled="false")
        await clock.advance(89 * DAY_S)
        assert (await person.login(NEW_PASSWORD, "wang"))[1] != "/login"
        await person.submit("/password", "/logout")
        await clock.advance(2 * DAY_S)
        status, path, text = await person.login(NEW_PASSWORD, "wang")
        assert (status, path, "90 天" in text) == (200, "/password", True)
        async with person.http.get("/sessions") as answer:
            assert answer.url.path == "/password", "nothing else until it is changed"


async def test_a_districts_manager_keeps_the_district_and_gets_no_further(city_url: str) -> None:
    async with (
        console(city_url, ManualClock(START)) as ready,
        browser(ready) as keeper,
        browser(ready) as manager,
    ):
        await enter(keeper, "security", first_password(ready, "security"))
        boss = await make(keeper, "boss", SAERTU)
        await keeper.submit(
            boss.path, f"{boss.path}/roles", role="district_manager", reach=f"region:{SAERTU}"
        )
        other = await make(keeper, "other", LONGFENG)
        auditor = await make(keeper, "auditor", SAERTU)
        city = full("230600")
        given = {"role": "audit", "reach": f"region:{city}"}
        assert (await keeper.submit(auditor.path, f"{auditor.path}/roles", **given))[0] == 200
        both = {"role": "system", "reach": f"region:{city}"}
        status, _, text = await keeper.submit(auditor.path, f"{auditor.path}/roles", **both)
        assert (status, "不能在同一个人" in text) == (409, True)

        await enter(manager, "boss", boss.password)
        clerk = await make(manager, "clerk1", SAERTU)
        listed = (await manager.get("/accounts"))[1]
        assert ("clerk1" in listed, ">other<" in listed, ">security<" in listed) == (
            True, False, False,
        )  # fmt: skip
        for role, reach, expected in (
            ("hall_manager", SAERTU, 200),
            ("hall_manager", LONGFENG, 403),
            ("hall_manager", city, 403),
            ("system", SAERTU, 403),
        ):
            form = {"role": role, "reach": f"region:{reach}"}
            status, _, _ = await manager.submit(clerk.path, f"{clerk.path}/roles", **form)
            assert status == expected, form
        assert (await manager.get(other.path))[0] == 404
        given = {"role": "hall_manager", "reach": f"region:{SAERTU}"}
        for act, form in (("password", {}), ("state", {"disabled": "true"}), ("roles", given)):
            for path, expected in ((boss.path, 403), (auditor.path, 403), (other.path, 404)):
                status, _, _ = await manager.submit("/accounts/new", f"{path}/{act}", **form)
                assert status == expected, (path, act)
        status, _, _ = await manager.submit(
            "/accounts/new", "/accounts", name="far", division=LONGFENG
        )
        assert status == 404
        assert (await manager.get("/roles/new"))[0] == 403


async def test_the_database_itself_lets_no_account_have_two_duties(city_url: str) -> None:
    async with console(city_url, ManualClock(START)) as ready:
        async with ready.city.db.read() as uow:
            admin = await uow.scalar(sa.select(m.account.c.id).where(m.account.c.name == "admin"))
        row = {"account": admin, "role": "audit", "duty": "audit", "kind": "region",
               "target": full("230600"), "given_by": "x", "given_at": 1}  # fmt: skip
        with pytest.raises(sa.exc.IntegrityError, match="ident_assignment_account_exclusive_fkey"):
            async with ready.city.db.write() as uow:
                await uow.run(sa.insert(m.assignment).values(**row))
        with pytest.raises(sa.exc.IntegrityError):
            async with ready.city.db.write() as uow:
                await uow.run(sa.insert(m.assignment).values(**row | {"duty": ""}))


async def test_accounts_without_a_login_for_long_are_listed_and_disabled_in_bulk(
    city_url: str,
) -> None:
    async with console(city_url, ManualClock(START)) as ready, browser(ready) as keeper:
        await enter(keeper, "security", first_password(ready, "security"))
        stale = await make(keeper, "stale.account", SAERTU)
        fresh = await make(keeper, "fresh.account", SAERTU)
        twice = {"name": "fresh.account", "division": SAERTU}
        status, _, text = await keeper.submit("/accounts/new", "/accounts", **twice)
        assert (status, "已经有人用了" in text) == (409, True), "a name is one account's"
        ids = [one.path.rpartition("/")[2] for one in (stale, fresh)]
        async with ready.city.db.write() as uow:
            for account, days in zip(ids, (91, 31), strict=True):
                mine, made = m.account.c.id == account, START - days * DAY_S * 1000
                await uow.run(sa.update(m.account).where(mine).values(created_at=made))
        _, page = await keeper.get("/accounts/unused")
        assert stale.path in page
        assert fresh.path not in page
        _, sheet = await keeper.get("/accounts/unused.csv?days=30")
        assert "stale.account" in sheet
        assert "fresh.account" in sheet
        unused = "/accounts/unused"
        assert (await keeper.submit(unused, f"{unused}/disable"))[0] == 422
        for account in ids:
            status, _, _ = await keeper.submit(unused, f"{unused}/disable", account=account)
            assert status == 200
        async with ready.city.db.read() as uow:
            off = await uow.all(sa.select(m.account.c.id).where(m.account.c.disabled))
            details = [one.detail for one in await read_audit(uow, "account.disabled")]
        assert [one["id"] for one in off] == ids[:1], "the other one is not unused for so long"
        assert details == ["unused 90"]


async def test_no_two_accounts_can_be_taken_for_each_other_and_tries_count_for_one(
    city_url: str,
) -> None:
    async with (
        console(city_url, ManualClock(START)) as ready,
        browser(ready) as keeper,
        browser(ready) as person,
    ):
        await enter(keeper, "security", first_password(ready, "security"))
        made = await make(keeper, "Ｗang.li", SAERTU)
        for alike in ("Wang.li", "WANG.LI", "ｗａｎｇ.ｌｉ"):
            wanted = {"name": alike, "division": SAERTU}
            status, _, text = await keeper.submit("/accounts/new", "/accounts", **wanted)
            assert (status, "已经有人用了" in text) == (409, True), alike
        await enter(person, "Ｗａｎｇ.li", made.password)
        for name in ("Wang.li", "Ｗang.li", "wang.li", "Ｗａｎｇ．ｌｉ", " Wang.li"):
            status, _, _ = await person.login("not this one", name)
        assert status == 429
        status, _, text = await person.login(NEW_PASSWORD, "Wang.li")
        assert (status, "输错太多次" in text) == (429, True)
