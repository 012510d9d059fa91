"""The second factor: who needs one sees nothing without it, and nobody gets past it by guessing, replay or an old cookie."""

import html
import re

import pytest
import sqlalchemy as sa
from city_hall import START
from console_browser import NEW_PASSWORD, Browser, browser, console

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.permissions import SYSTEM
from console.modules.identity import models as m
from console.modules.identity.api import IDENTITY
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.totp import STEP_S, code_at

pytestmark = pytest.mark.postgres
INSIDE = ("/", "/devices", "/halls", "/accounts", "/sessions", "/sign-in", "/accounts/new")


def code(clock: ManualClock, secret: str, off: int = 0) -> str:
    return code_at(secret, clock.now_ms() // 1000 // STEP_S + off)


def recovery_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]{14})</code>", page)


async def set_up(person: Browser, clock: ManualClock, **fields: str) -> tuple[str, list[str]]:
    """Sets a second factor up as the page says; gives its secret and the recovery codes."""
    _, page = await person.get("/second-factor?renew=1")
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    secret = found[1].replace(" ", "")
    status, _, page = await person.submit(
        "/second-factor?renew=1", "/second-factor", passcode=code(clock, secret), **fields
    )
    assert status == 200, page
    return secret, recovery_codes(page)


async def second(person: Browser, given: str) -> tuple[int, str]:
    status, path, _ = await person.submit("/login/second", "/login/second", passcode=given)
    return status, path


def first_password(ready: ConsoleReady, name: str) -> str:
    (found,) = [one.password for one in ready.one_time_passwords if one.account == name]
    return found


async def enter(ready: ConsoleReady, person: Browser, name: str) -> None:
    first = first_password(ready, name)
    assert (await person.login(first, name))[1] == "/password"
    _, path, _ = await person.submit(
        "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
    )
    assert path == "/second-factor"


async def sees_nothing(person: Browser, page: str) -> None:
    for path in INSIDE:
        async with person.http.get(path) as answer:
            assert answer.url.path == page, path
    assert (await person.get("/live"))[0] in (401, 403)


async def test_an_administrator_without_a_second_factor_may_only_set_one_up(city_url: str) -> None:
    clock = ManualClock(START)
    async with (
        console(city_url, clock, grace_days=0) as ready,
        browser(ready) as admin,
        browser(ready) as thief,
    ):
        await enter(ready, admin, "admin")
        await sees_nothing(admin, "/second-factor")
        assert (await admin.submit("/second-factor", "/second-factor", passcode="000000"))[0] == 422
        secret, recovery = await set_up(admin, clock)
        assert len(set(recovery)) == 10
        assert (await admin.get("/devices"))[0] == 200
        async with ready.city.db.read() as uow:
            row = await uow.first(sa.select(m.account).where(m.account.c.name == "admin"))
            kept = await uow.all(sa.select(m.recovery))
        assert row is not None
        assert secret not in str(row)
        assert not any(one in str(kept) for one in recovery)

        # The password alone is half a login, and its cookie is worth nothing more afterwards.
        assert (await thief.login(NEW_PASSWORD))[1] == "/login/second"
        await sees_nothing(thief, "/login/second")
        half = thief.http.cookie_jar.filter_cookies(thief.http._base_url or "")["qt_city"].value
        used = code(clock, secret)
        assert await second(thief, used) == (401, "/login/second"), "the step was used before"
        assert await second(thief, code(clock, secret, -1)) == (401, "/login/second")
        await clock.advance(STEP_S)
        fresh = code(clock, secret)
        assert await second(thief, fresh) == (200, "/")
        async with browser(ready) as other:
            other.http.cookie_jar.update_cookies({"qt_city": half})
            await sees_nothing(other, "/login")
            assert (await other.login(NEW_PASSWORD))[1] == "/login/second"
            assert await second(other, fresh) == (401, "/login/second"), "seen over a shoulder"
            assert await second(other, recovery[0].upper()) == (200, "/")
        async with browser(ready) as again:
            await again.login(NEW_PASSWORD)
            assert await second(again, recovery[0]) == (401, "/login/second")
            await clock.advance(11 * 60)
            assert (await second(again, recovery[1]))[1] == "/login", "a half login waits no longer"


async def test_guessed_codes_lock_and_a_lock_survives_a_new_login(city_url: str) -> None:
    clock = ManualClock(START)
    async with (
        console(city_url, clock, grace_days=0) as ready,
        browser(ready) as admin,
        browser(ready) as thief,
    ):
        await enter(ready, admin, "admin")
        secret, recovery = await set_up(admin, clock)
        await thief.login(NEW_PASSWORD)
        statuses = [(await second(thief, f"00000{n}"))[0] for n in range(5)]
        assert statuses == [401] * 4 + [429]
        await clock.advance(STEP_S)
        async with browser(ready) as later:
            await later.login(NEW_PASSWORD)
            assert (await second(later, code(clock, secret)))[0] == 429
            assert (await second(later, recovery[0]))[0] == 429
        await clock.advance(15 * 60)
        async with browser(ready) as owner:
            await owner.login(NEW_PASSWORD)
            assert await second(owner, code(clock, secret)) == (200, "/")
        async with ready.city.db.read() as uow:
            results = {one.result for one in await read_audit(uow, "login.second")}
        assert results == {"factor.wrong", "login.locked"}


async def test_a_lost_telephone_is_made_good_by_the_security_administrator(city_url: str) -> None:
    clock = ManualClock(START)
    async with (
        console(city_url, clock, grace_days=0) as ready,
        browser(ready) as admin,
        browser(ready) as keeper,
    ):
        await enter(ready, admin, "admin")
        await set_up(admin, clock)
        await enter(ready, keeper, "security")
        _, own_recovery = await set_up(keeper, clock)
        assert (await admin.get("/accounts"))[0] == 403
        _, page = await keeper.get("/accounts")
        links = dict(re.findall(r'<a href="/accounts/([\w-]+)">(\w+)</a>', page))
        ids = {name: account for account, name in links.items()}
        path = f"/accounts/{ids['admin']}"
        status, _, _ = await keeper.submit(path, f"{path}/factor")
        assert status == 200
        assert (await admin.get("/devices"))[1].find('name="password"') > 0, "logged out"
        assert (await admin.login(NEW_PASSWORD))[1] == "/second-factor"
        own = f"/accounts/{ids['security']}"
        assert (await keeper.submit(own, f"{own}/factor"))[0] == 403, "nobody resets the own one"
        status, _, page = await keeper.submit(
            "/second-factor", "/second-factor/drop", present=NEW_PASSWORD
        )
        assert status == 409
        _, _, page = await keeper.submit(
            "/second-factor", "/second-factor/codes", present=NEW_PASSWORD
        )
        assert set(recovery_codes(page)).isdisjoint(own_recovery)
        assert len(recovery_codes(page)) == 10
        async with ready.city.db.write() as uow:
            await ready.city.context.take(IDENTITY).renew_password(uow, SYSTEM, "security")
            with pytest.raises(Refusal, match=r"factor\.none"):
                await ready.city.context.take(IDENTITY).reset_factor(uow, SYSTEM, "admin")
            acts = {one.act for one in await read_audit(uow)}
        assert {"factor.set", "factor.reset", "factor.codes"} <= acts


async def test_the_rules_hold_at_once_and_stay_within_limits(city_url: str) -> None:
    clock = ManualClock(START)
    async with (
        console(city_url, clock) as ready,
        browser(ready) as keeper,
        browser(ready) as admin,
    ):
        for person, name in ((admin, "admin"), (keeper, "security")):
            first = first_password(ready, name)
            await person.login(first, name)
            await person.submit(
                "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
            )
        assert (await admin.get("/devices"))[0] == 200
        _, page = await keeper.get("/sign-in")
        rules = dict(re.findall(r'name="(\w+)" type="number" value="(\d+)"', page))
        assert len(rules) == 7
        for wrong in ({"attempts": "99"}, {"session_hours": "0"}, {"grace_days": "-1"}):
            status, _, text = await keeper.submit(
                "/sign-in", "/sign-in", version="1", **{**rules, **wrong}
            )
            assert status == 422, wrong
            assert f'name="{next(iter(wrong))}"' in html.unescape(text)
        mine = {**rules, "attempts": "3", "lock_minutes": "60", "idle_minutes": "5"}
        mine["grace_days"] = "0"
        assert (await keeper.submit("/sign-in", "/sign-in", version="0", **mine))[0] == 409
        status, path, _ = await keeper.submit(
            "/sign-in", "/sign-in", version="1", factor_for="look", **mine
        )
        # Who is logged in needs the second factor from this moment on, whoever set the rule included.
        assert (status, path) == (200, "/second-factor")
        await sees_nothing(admin, "/second-factor")
        async with browser(ready) as guesser:
            assert [(await guesser.login("wrong", "audit"))[0] for _ in range(3)] == [401, 401, 429]
        await clock.advance(6 * 60)
        assert 'name="password"' in (await keeper.get("/accounts"))[1], "idle for five minutes"
        async with ready.city.db.read() as uow:
            (kept,) = [
                one.detail for one in await read_audit(uow, "policy.set") if one.actor != "system"
            ]
        assert "attempts=3" in kept
        assert "factor_for=look" in kept
