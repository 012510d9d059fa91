"""The simulated identity platform tells its clients who logged out: of one browser, and nobody else."""

import base64
import re
from hashlib import sha256

import aiohttp
import msgspec
import pytest
from aiohttp import web
from sso_provider import served

from simulators.identity_provider import Audience, IdentityProvider

Told = list[dict[str, object]]
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
async def told() -> Told:
    return []


async def logged_in(http: aiohttp.ClientSession, provider: IdentityProvider, back: str) -> None:
    """As a client does it: there, back with a code, and the code exchanged."""
    (client,) = provider.clients.values()
    query = {"client_id": client.id, "redirect_uri": back, "response_type": "code", "state": "s", "nonce": "n",
             "scope": "openid", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
    form = {**query, "number": "0103"}
    async with http.post(f"{provider.issuer}/authorize", data=form, allow_redirects=False) as there:
        code = re.search(r"code=([^&]+)", there.headers["Location"])
    assert code is not None
    provider.exchange(client.id, client.secret, code[1], back, VERIFIER)


async def test_logging_out_tells_the_clients_of_this_browser_and_of_no_other(told: Told) -> None:
    async def heard(request: web.Request) -> web.Response:
        token = str((await request.post())["logout_token"])
        part = token.split(".")[1]
        told.append(msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/callback/staff/logout", heard)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    back = f"http://127.0.0.1:{site.port}/login/sso/back"
    jar, other = aiohttp.CookieJar(unsafe=True), aiohttp.CookieJar(unsafe=True)
    async with (
        served() as provider,
        aiohttp.ClientSession(cookie_jar=jar) as desk,
        aiohttp.ClientSession(cookie_jar=other) as home,
    ):
        _ = provider.register(Audience.STAFF, back, logout="/callback/staff/logout")
        for one in (desk, desk, home):
            await logged_in(one, provider, back)
        first, again, elsewhere = provider.sessions("staff-0103")
        assert first == again != elsewhere
        for _ in range(2):
            async with desk.get(f"{provider.issuer}/end-session") as page:
                assert page.status == 200
        (claims,) = told
        assert (claims["sub"], claims["sid"]) == ("staff-0103", first)
        await runner.cleanup()
        async with home.get(f"{provider.issuer}/end-session") as page:
            assert page.status == 200, "a client that is away harms nobody"
