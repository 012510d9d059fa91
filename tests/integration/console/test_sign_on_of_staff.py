"""Staff by single sign-on and by scanning: bound before it opens anything, lent once, and never more than was shown."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import sqlalchemy as sa
from city_hall import START
from console_browser import NEW_PASSWORD, Browser, browser, console
from sso_provider import at_the_provider, served

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.modules.identity import models as m
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.security.totp import STEP_S, code_at
from simulators.identity_provider import Audience, Fault, IdentityProvider

pytestmark = pytest.mark.postgres
BACK = ("http://127.0.0.1/login/sso/back", "http://127.0.0.1/password/sso/back")


@asynccontextmanager
async def city_with_sso(
    url: str, clock: ManualClock, *, grace_days: int = 30
) -> AsyncIterator[tuple[ConsoleReady, IdentityProvider]]:
    async with served(clock) as provider:
        client = provider.register(Audience.STAFF, *BACK)
        settings = {
            "oidc_issuer": provider.issuer,
            "oidc_client_id": client.id,
            "oidc_client_secret": client.secret,
        }
        async with console(url, clock, grace_days=grace_days, **settings) as ready:
            yield ready, provider


async def enter(ready: ConsoleReady, person: Browser, name: str) -> None:
    (first,) = [one.password for one in ready.one_time_passwords if one.account == name]
    await person.login(first, name)
    await person.submit(
        "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
    )


async def by_sso(person: Browser, begin: str, **form: str) -> tuple[int, str]:
    """To the provider and back, and where the page leads on to; the page itself when it does not."""
    async with person.http.get(begin, allow_redirects=False) as answer:
        assert answer.status == 302
        there = answer.headers["Location"]
    async with person.http.get(await at_the_provider(there, **form)) as answer:
        text = await answer.text()
        leads = re.search(r"0;url=(.+)", answer.headers.get("Refresh", ""))
        return answer.status, leads[1] if leads else text


async def is_in(person: Browser) -> bool:
    async with person.http.get("/devices") as answer:
        return answer.url.path == "/devices"


async def test_an_identity_opens_an_account_only_once_it_is_bound_by_owner_or_keeper(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with (
        city_with_sso(city_url, clock) as (ready, provider),
        browser(ready) as owner,
        browser(ready) as guard,
        browser(ready) as other,
    ):
        await enter(ready, owner, "admin")
        await enter(ready, guard, "security")
        async with ready.city.db.write() as uow:
            mine = m.account.c.name == "admin"
            await uow.run(sa.update(m.account).where(mine).values(staff="9002"))
        # The right staff number alone opens nothing: it only asks the keeper.
        status, page = await by_sso(other, "/login/sso?next=/devices", user="staff-9002")
        assert (status, "还没有绑定" in page) == (403, True)
        assert not await is_in(other)

        # The owner goes there and back, and says the own password.
        assert await by_sso(owner, "/password/sso/begin", number="0103") == (200, "/password/sso")
        status, _, page = await owner.submit("/password/sso", "/password/sso", present="wrong")
        assert (status, "0103" in page) == (401, True)
        status, _, page = await owner.submit("/password/sso", "/password/sso", present=NEW_PASSWORD)
        assert (status, "已绑定" in page) == (200, True)
        assert await by_sso(other, "/login/sso?next=/devices", number="0103") == (200, "/devices")
        assert await is_in(other)
        await owner.submit("/password/sso", "/password/sso/drop")

        # The keeper confirms who came as the account's member of staff, and nobody else.
        async with ready.city.db.read() as uow:
            account = await uow.scalar(sa.select(m.account.c.id).where(mine))
        path = f"/accounts/{account}"
        assert "吴督导" in (await guard.get(path))[1]
        assert (await guard.submit(path, f"{path}/sign-on", who="staff-0103"))[0] == 404
        assert (await guard.submit(path, f"{path}/sign-on", who="staff-9002"))[0] == 200
        async with browser(ready) as again:
            assert (await by_sso(again, "/login/sso", number="0103"))[0] == 403
            provider.set_fault(Fault.NONCE)
            status, page = await by_sso(again, "/login/sso", user="staff-9002")
            assert (status, "nonce" in page, await is_in(again)) == (403, True, False)
            provider.set_fault(Fault.DOWN)
            async with again.http.get("/login/sso/back?state=x&code=y") as answer:
                assert answer.status == 403
            provider.set_fault(None)
            assert await by_sso(again, "/login/sso", user="staff-9002") == (200, "/")
            assert await is_in(again)


async def test_the_second_factor_is_asked_for_unless_the_platform_did_and_a_telephone_lends_its_own(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with (
        city_with_sso(city_url, clock, grace_days=0) as (ready, _),
        browser(ready) as phone,
        browser(ready) as desk,
    ):
        await enter(ready, phone, "admin")
        _, page = await phone.get("/second-factor")
        secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
        assert secret is not None
        plain = secret[1].replace(" ", "")
        code = code_at(plain, clock.now_ms() // 1000 // STEP_S)
        await phone.submit("/second-factor", "/second-factor", passcode=code)
        await by_sso(phone, "/password/sso/begin", number="0103")
        await phone.submit("/password/sso", "/password/sso", present=NEW_PASSWORD)
        weak = await by_sso(desk, "/login/sso?next=/halls", number="0103")
        assert weak == (200, "/login/second?next=%2Fhalls")
        assert not await is_in(desk)
        async with browser(ready) as strong:
            came = await by_sso(strong, "/login/sso", number="0103", strong="on")
            assert came == (200, "/")
            assert await is_in(strong)

        async with browser(ready) as computer, browser(ready) as thief:
            token = await shown(ready, computer)
            assert (await desk.get(f"/scan/{token}"))[1].count("/login/second") > 0, "half a login"
            status, page = await phone.get(f"/scan/{token}")
            assert (status, "127.0.0.1" in page, "aiohttp" in page) == (200, True, True)
            assert (await computer.submit_here("/login/scan"))[0] == 409, "nobody confirmed yet"
            await phone.submit(f"/scan/{token}", f"/scan/{token}", decision="yes")
            assert (await phone.get(f"/scan/{token}"))[0] == 410, "decided once"
            thief.http.cookie_jar.update_cookies({"qt_scan": f"{token}.guessed"})
            assert (await thief.submit_here("/login/scan"))[0] == 410
            (cookie,) = [one.value for one in computer.http.cookie_jar if one.key == "qt_scan"]
            assert (await computer.submit_here("/login/scan"))[1] == "/"
            assert await is_in(computer)
            thief.http.cookie_jar.clear(lambda one: one.key == "qt_scan")
            thief.http.cookie_jar.update_cookies({"qt_scan": cookie})
            assert (await thief.submit_here("/login/scan"))[0] == 410, "taken once"
            # What was lent lends nothing.
            thief.http.cookie_jar.clear(lambda one: one.key == "qt_scan")
            token = await shown(ready, thief)
            status, _, _ = await computer.submit(f"/scan/{token}", f"/scan/{token}", decision="yes")
            assert status == 403
            await phone.submit(f"/scan/{token}", f"/scan/{token}", decision="no")
            assert (await thief.submit_here("/login/scan"))[0] == 403
            token = await shown(ready, thief)
            await clock.advance(121)
            assert (await phone.get(f"/scan/{token}"))[0] == 410
            assert not await is_in(thief)


async def test_whoever_logs_out_at_the_platform_is_out_here_and_a_token_that_is_odd_ends_nothing(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with (
        city_with_sso(city_url, clock) as (ready, provider),
        browser(ready) as owner,
        browser(ready) as desk,
        browser(ready) as home,
        browser(ready) as lent,
        aiohttp.ClientSession(ready.url) as http,
    ):
        (client,) = provider.clients.values()

        async def told(token: str) -> int:
            async with http.post("/callback/staff/logout", data={"logout_token": token}) as answer:
                return answer.status

        async def who_is_in() -> list[bool]:
            found = []
            for one in (owner, desk, lent, home):
                async with one.http.get("/devices") as answer:
                    # The owner's own session waits for the second step; it is there all the same.
                    found.append(answer.url.path != "/login")
            return found

        await enter(ready, owner, "admin")
        await by_sso(owner, "/password/sso/begin", number="0103")
        await owner.submit("/password/sso", "/password/sso", present=NEW_PASSWORD)
        await by_sso(desk, "/login/sso", number="0103")
        _, page = await desk.get("/second-factor")
        secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
        assert secret is not None
        code = code_at(secret[1].replace(" ", ""), clock.now_ms() // 1000 // STEP_S)
        await desk.submit("/second-factor", "/second-factor", passcode=code, present=NEW_PASSWORD)
        token = await shown(ready, lent)
        await desk.submit(f"/scan/{token}", f"/scan/{token}", decision="yes")
        await lent.submit_here("/login/scan")
        await by_sso(home, "/login/sso", number="0103", strong="on")
        await owner.login(NEW_PASSWORD, "admin")
        assert await who_is_in() == [True] * 4

        user, (_, first, second) = "staff-0103", provider.sessions("staff-0103")
        for odd in (
            {"aud": "somebody-else"},
            {"iss": "https://elsewhere.example"},
            {"nonce": "an id_token has one"},
            {"events": {}},
            {"jti": None},
            {"sub": None},
            {"iat": START // 1000 - 3600, "exp": START // 1000 - 3000},
        ):
            assert await told(provider.logout_token(client, user, **odd)) == 400, odd
        for fault in (Fault.UNKNOWN_KEY, Fault.SECRET_ALG, Fault.NO_ALG, Fault.TAMPERED):
            provider.set_fault(fault)
            assert await told(provider.logout_token(client, user)) == 400, fault
        provider.set_fault(None)
        assert await told(provider.logout_token(client, "somebody-else", first)) == 200
        assert await who_is_in() == [True] * 4

        assert await told(provider.logout_token(client, user, first)) == 200
        # Through the second step the session stayed the platform's, and so is what it lent.
        assert await who_is_in() == [True, False, False, True]
        everywhere = provider.logout_token(client, user)
        assert await told(everywhere) == 200
        assert await who_is_in() == [True, False, False, False], "a password's session goes on"
        await clock.advance(60)
        await by_sso(home, "/login/sso", number="0103", strong="on")
        assert await told(everywhere) == 200
        assert await told(provider.logout_token(client, user, second)) == 200
        assert await is_in(home), "an old token ends nothing that began later"
        async with ready.city.db.read() as uow:
            assert len(await read_audit(uow, "logout.sso")) == 3

        # Logging out here leads on to the platform, unless it cannot be reached.
        status, path, page = await home.submit("/", "/logout")
        assert (status, path, "/identity/end-session?" in page) == (200, "/login/sso/out", True)
        assert (await owner.submit("/", "/logout"))[1] == "/login"
        await clock.advance(3601)
        provider.set_fault(Fault.DOWN)
        status, page = await home.get("/login/sso/out")
        assert (status, "可能还没有退出" in page) == (503, True)


async def shown(ready: ConsoleReady, computer: Browser) -> str:
    """The token in the code that a login page shows."""
    assert ready
    status, _ = await computer.get("/login/scan")
    assert status == 200
    for cookie in computer.http.cookie_jar:
        if cookie.key == "qt_scan":
            return cookie.value.split(".")[0]
    raise AssertionError("no code")
