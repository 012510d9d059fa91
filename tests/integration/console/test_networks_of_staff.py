"""Where staff may log in from: the list is kept on screen, nobody shuts out the own session, and no header helps."""

import re

import pytest
from city_hall import START
from console_browser import NEW_PASSWORD, Browser, browser, console

from console.app.server import ConsoleReady
from console.core.audit import read_audit
from console.core.permissions import SYSTEM
from console.modules.identity.api import IDENTITY
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
PAGE = "/sign-in/addresses"
OFFICE = {"X-Forwarded-For": "10.23.4.5"}
OUTSIDE = {"X-Forwarded-For": "198.51.100.9"}


async def keeper(ready: ConsoleReady, person: Browser, name: str) -> None:
    (first,) = [one.password for one in ready.one_time_passwords if one.account == name]
    await person.login(first, name)
    await person.submit(
        "/password", "/password", present=first, new=NEW_PASSWORD, again=NEW_PASSWORD
    )


async def networks(person: Browser) -> dict[str, str]:
    """Numbers of the networks on the page, by network."""
    _, text = await person.get(PAGE)
    rows = re.findall(r"<code>([^<]+)</code>.*?name=\"no\" value=\"(\d+)\"", text, re.S)
    return dict(rows)


async def test_staff_are_held_to_the_networks_on_the_list_whatever_a_header_says(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with console(city_url, clock) as ready, browser(ready) as guard, browser(ready) as admin:
        await keeper(ready, guard, "security")
        await keeper(ready, admin, "admin")
        assert (await admin.get(PAGE))[0] == 403
        for wrong, status in (("0.0.0.0/0", 422), ("10.23.0.0/16", 409)):
            got, _, text = await guard.submit(PAGE, PAGE, network=wrong)
            assert (got, f'value="{wrong}"' in text) == (status, True), wrong
        assert await networks(guard) == {}, "the own address has to be on the list first"
        for network, account in (("127.0.0.0/8", ""), ("10.23.0.0/16", ""), ("192.0.2.7", "admin")):
            assert (await guard.submit(PAGE, PAGE, network=network, account=account))[0] == 200
        known = await networks(guard)
        assert set(known) == {"127.0.0.0/8", "10.23.0.0/16", "192.0.2.7/32"}
        assert (await guard.submit(PAGE, f"{PAGE}/drop", no=known["127.0.0.0/8"]))[0] == 409

        # The account with a network of its own is out with its next request, and a header is no way back.
        for spoofed in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}):
            _, page = await admin.get("/devices", **spoofed)
            assert 'name="password"' in page
        async with admin.http.get("/live") as stream:
            assert stream.status == 401, "no page, but held to the list as pages are"
        status, _, text = await admin.login(NEW_PASSWORD)
        assert (status, "127.0.0.1" in text) == (403, True)
        assert (await guard.submit(PAGE, f"{PAGE}/drop", no=known["192.0.2.7/32"]))[0] == 200
        assert (await admin.get("/devices"))[1].count("<table") >= 0
        assert (await admin.login(NEW_PASSWORD))[0] == 200
        async with ready.city.db.write() as uow:
            await ready.city.context.take(IDENTITY).open_addresses(uow, SYSTEM)
            acts = {one.act for one in await read_audit(uow)}
        assert {"network.added", "network.dropped", "network.opened"} <= acts
        assert await networks(guard) == {}


async def test_behind_a_named_proxy_the_senders_address_serves_list_audit_and_sessions(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with (
        console(city_url, clock, proxies="127.0.0.1, 10.0.0.2") as ready,
        browser(ready) as guard,
        browser(ready) as stranger,
    ):
        guard.http.headers.update(OFFICE)
        await keeper(ready, guard, "security")
        assert "10.23.4.5" in (await guard.get("/sessions"))[1]
        assert (await guard.submit(PAGE, PAGE, network="127.0.0.1"))[0] == 409
        assert (await guard.submit(PAGE, PAGE, network="10.23.4.0/24"))[0] == 200
        for claimed in (
            "198.51.100.9",
            "10.23.4.5, 198.51.100.9",
            "10.23.4.5, 198.51.100.9, 10.0.0.2",
        ):
            stranger.http.headers["X-Forwarded-For"] = claimed
            tries = [(await stranger.login("wrong", "security"))[0] for _ in range(6)]
            assert tries == [403] * 6, "no password is looked at, so nobody is locked either"
        assert (await guard.get(PAGE))[0] == 200
        async with ready.city.db.read() as uow:
            refused = [one for one in await read_audit(uow, "login") if one.result != "done"]
        assert {(one.result, one.address) for one in refused} == {("login.address", "198.51.100.9")}
        stranger.http.headers["X-Forwarded-For"] = "198.51.100.9, 10.23.4.77"
        assert (await stranger.login("wrong", "security"))[0] == 401
