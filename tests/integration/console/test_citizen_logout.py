"""Who logs out at the sign-on is logged out here, by a token that the sign-on alone can have made."""

import aiohttp
import pytest
from citizen_stage import sign_in
from city_hall import START
from console_browser import Browser, browser, console
from sso_provider import served

from qingting.kernel.aio.clock import ManualClock
from simulators.identity_provider import Audience, Fault

pytestmark = pytest.mark.postgres


async def is_in(person: Browser) -> bool:
    async with person.http.get("/c/me", allow_redirects=False) as answer:
        return not answer.headers["Location"].startswith("/c/login")


async def test_who_logs_out_at_the_sign_on_is_out_here_and_a_token_that_is_odd_ends_nothing(
    city_url: str,
) -> None:
    clock = ManualClock(START)
    async with served(clock) as provider:
        client = provider.register(Audience.CITIZENS, "http://127.0.0.1/c/login/back")
        settings = {
            "citizen_oidc_issuer": provider.issuer,
            "citizen_oidc_client_id": client.id,
            "citizen_oidc_client_secret": client.secret,
        }
        async with (
            console(city_url, clock, **settings) as ready,
            browser(ready) as desk,
            browser(ready) as phone,
            browser(ready) as other,
            aiohttp.ClientSession(ready.url) as http,
        ):

            async def told(token: str) -> int:
                data = {"logout_token": token}
                async with http.post("/callback/citizens/logout", data=data) as answer:
                    return answer.status

            for person in (desk, phone):
                await sign_in(person, "person-citizen")
            await sign_in(other, "person-woman")
            user = "person-citizen"
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
            provider.set_fault(Fault.UNKNOWN_KEY)
            assert await told(provider.logout_token(client, user)) == 400
            provider.set_fault(None)
            assert await told("no token") == 400
            assert await is_in(desk)
            first, _ = provider.sessions(user)
            assert await told(provider.logout_token(client, user, first)) == 200
            assert [await is_in(one) for one in (desk, phone, other)] == [False, True, True]
            everywhere = provider.logout_token(client, user)
            assert await told(everywhere) == 200
            assert [await is_in(one) for one in (phone, other)] == [False, True]
            await clock.advance(60)
            await sign_in(phone, user)
            assert await told(everywhere) == 200
            assert await is_in(phone), "an old token ends nothing that began later"
