"""Single sign-on: who is named by the provider is believed only when everything fits."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from patience import HANG_S, until
from sso_provider import at_the_provider, query_of, served

from console.core.oidc import OidcClient, OidcProvider, Return, provider_faults
from console.core.oidc_provider import MOST_SLOW, SLOW_SECONDS
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock
from simulators.identity_provider import Audience, Fault, IdentityProvider

BACK = "http://127.0.0.1:1/login/sso/back"


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with served(ManualClock()) as one:
        one.register(Audience.STAFF, BACK)
        one.register(Audience.CITIZENS, BACK)
        yield one


def client_of(provider: IdentityProvider, audience: Audience = Audience.STAFF) -> OidcClient:
    one = provider.clients[f"qingting-{audience.value}"]
    settings = OidcProvider(issuer=provider.issuer, client_id=one.id, client_secret=one.secret)
    return OidcClient(settings, provider.clock)


async def log_in(client: OidcClient, **form: str) -> Return:
    url, sealed = await client.begin(BACK, "/staff?page=2")
    back = await at_the_provider(url, **form)
    return await client.finish(sealed, BACK, query_of(back))


async def code_of(client: OidcClient, **form: str) -> str:
    with pytest.raises(Refusal) as refused:
        await log_in(client, **form)
    check = refused.value.params.get("check")
    return refused.value.code + (f" {check}" if check else "")


async def test_a_member_of_staff_comes_back_with_number_and_wish(
    provider: IdentityProvider,
) -> None:
    came = await log_in(client_of(provider), number="0103")
    assert (came.identity.subject, came.next) == ("staff-0103", "/staff?page=2")
    assert came.identity.text("staff_number") == "0103"
    assert not came.identity.strong
    assert (await log_in(client_of(provider), number="0103", strong="on")).identity.strong


async def test_citizens_come_with_what_their_certificate_says(provider: IdentityProvider) -> None:
    client = client_of(provider, Audience.CITIZENS)
    agent = (await log_in(client, user="agent-woman")).identity
    firms = agent.claims["acts_for"]
    assert agent.text("person_kind") == "agent"
    assert len(firms[0]["uscc"]) == 18
    assert agent.text("certificate_number") not in repr(agent)
    firm = (await log_in(client, user="firm-example")).identity
    assert firm.text("uscc") == firms[0]["uscc"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.NONCE, "oidc.rejected nonce"),
        (Fault.AUD, "oidc.rejected aud"),
        (Fault.ISS, "oidc.rejected iss"),
        (Fault.EXPIRED, "oidc.rejected exp"),
        (Fault.UNKNOWN_KEY, "oidc.rejected key"),
        (Fault.SECRET_ALG, "oidc.rejected signature"),
        (Fault.NO_ALG, "oidc.rejected signature"),
        (Fault.TAMPERED, "oidc.rejected signature"),
        (Fault.USERINFO, "oidc.rejected userinfo"),
        (Fault.MALFORMED, "oidc.unavailable"),
        (Fault.DOWN, "oidc.unavailable"),
    ],
)
async def test_nobody_is_believed_when_anything_does_not_fit(
    provider: IdentityProvider, fault: Fault, code: str
) -> None:
    client = client_of(provider)
    await log_in(client, number="0103")
    if fault is Fault.DOWN:
        client = client_of(provider)
    provider.set_fault(fault)
    assert await code_of(client, number="0103") == code
    provider.set_fault(None)
    await log_in(client, number="0103")


async def test_a_provider_that_does_not_answer_is_said_to_be_away(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.core.oidc_provider.ANSWER_SECONDS", 0.05)
    provider.set_fault(Fault.SLOW)
    assert await code_of(client_of(provider)) == "oidc.unavailable"


async def test_an_answer_is_good_in_the_browser_that_asked_and_once(
    provider: IdentityProvider,
) -> None:
    client = client_of(provider)
    url, sealed = await client.begin(BACK, "//elsewhere.example/")
    back = query_of(await at_the_provider(url, number="0103"))
    _, other = await client.begin(BACK, "/")
    for cookie, answer in (
        (other, back),
        ("", back),
        (sealed[:-2] + "xx", back),
        (sealed, {**back, "state": "guessed"}),
    ):
        with pytest.raises(Refusal, match=r"oidc\.mismatch"):
            await client.finish(cookie, BACK, answer)
    with pytest.raises(Refusal, match=r"oidc\.rejected"):
        await client.finish(sealed, BACK, {**back, "iss": "https://elsewhere.example"})
    assert (await client.finish(sealed, BACK, back)).next == "/"
    with pytest.raises(Refusal, match=r"oidc\.failed"):
        await client.finish(sealed, BACK, back)


async def test_a_stolen_code_is_worth_nothing_without_the_browsers_proof(
    provider: IdentityProvider,
) -> None:
    client = client_of(provider)
    url, _ = await client.begin(BACK, "/")
    stolen = query_of(await at_the_provider(url, number="0103"))["code"]
    mine, sealed = await client.begin(BACK, "/")
    with pytest.raises(Refusal, match=r"oidc\.failed"):
        await client.finish(sealed, BACK, {"state": query_of(mine)["state"], "code": stolen})


async def test_an_attempt_ends_after_ten_minutes_and_a_no_is_a_no(
    provider: IdentityProvider,
) -> None:
    client, clock = client_of(provider), provider.clock
    assert isinstance(clock, ManualClock)
    assert await code_of(client, deny="1") == "oidc.declined"
    url, sealed = await client.begin(BACK, "/")
    await clock.advance(601)
    back = query_of(await at_the_provider(url, number="0103"))
    with pytest.raises(Refusal, match=r"oidc\.mismatch"):
        await client.finish(sealed, BACK, back)


async def test_rotated_keys_are_fetched_again_but_not_for_every_stranger(
    provider: IdentityProvider,
) -> None:
    client, clock = client_of(provider), provider.clock
    assert isinstance(clock, ManualClock)
    await log_in(client, number="0103")
    provider.rotate()
    assert await code_of(client, number="0103") == "oidc.rejected key"
    assert provider.asked_keys == 1
    await clock.advance(31)
    await log_in(client, number="0103")
    assert provider.asked_keys == 2


async def test_keys_of_rsa_are_taken_too() -> None:
    async with served(ManualClock(), algorithm="RS256") as one:
        one.register(Audience.STAFF, BACK)
        assert (await log_in(client_of(one), number="0103")).identity.subject == "staff-0103"


def test_a_provider_over_an_open_network_or_with_a_guessable_secret_is_refused() -> None:
    wrong = OidcProvider(issuer="http://id.example", client_secret="short")
    assert len(provider_faults("oidc", wrong)) == 3
    assert provider_faults("oidc", OidcProvider()) == []
    assert "short" not in repr(wrong)


async def test_few_wait_for_a_provider_that_is_slow_and_the_others_are_told_at_once(
    provider: IdentityProvider,
) -> None:
    client, clock = client_of(provider), provider.clock
    assert isinstance(clock, ManualClock)
    provider.set_fault(Fault.SLOW)
    waiting = [asyncio.create_task(client.begin(BACK, "/")) for _ in range(MOST_SLOW)]
    await until(lambda: client._docs.waiting >= MOST_SLOW)
    await clock.advance(SLOW_SECONDS)
    with pytest.raises(Refusal, match=r"oidc\.unavailable"):
        await client.begin(BACK, "/")
    provider.set_fault(None)
    async with asyncio.timeout(HANG_S):
        await asyncio.gather(*waiting)
    assert await client.begin(BACK, "/")
