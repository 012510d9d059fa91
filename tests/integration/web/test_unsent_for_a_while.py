"""What passes by waiting, such as a database that is away or too many requests at once, loses nothing that was typed."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler
from form_fields import form_entries

from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.web import Assets, Pages, Shell, page_errors, security_headers
from qingting.kernel.web.keys import SESSION
from qingting.kernel.web.session import WebSession
from qingting.kernel.web.unsent_page import SMALL

OURS = {"Sec-Fetch-Site": "same-origin"}
TOKEN = "secret.mark"
WORDS = {"csrf": TOKEN, "name": "三号窗口 <b>", "password": "My-Secret-1"}
AWAY = Refusal("city.unavailable")
Client = TestClient[web.Request, web.Application]


async def serve(refusal: Refusal, *, known: bool = True) -> Client:
    """Everything is refused by ``refusal``, of somebody who is known already or not yet."""

    @web.middleware
    async def who(request: web.Request, handler: Handler) -> web.StreamResponse:
        if known:
            request[SESSION] = WebSession(subject="anna", csrf=TOKEN, created_at=0, seen_at=0)
        return await handler(request)

    async def refuse(_: web.Request) -> web.Response:
        raise refusal.again()

    pages = await asyncio.to_thread(
        Pages, (), lambda _: Shell(product="庆厅"), now_ms=ManualClock(0).now_ms
    )
    app = web.Application(
        middlewares=[security_headers(), page_errors(pages), pages.language_middleware, who]
    )
    pages.install(app, await asyncio.to_thread(Assets.collect))
    app.router.add_route("*", "/windows", refuse)
    return TestClient(TestServer(app))


@pytest.fixture
async def away() -> AsyncIterator[Client]:
    async with await serve(AWAY) as client:
        yield client


async def test_what_was_typed_is_shown_and_sent_again_by_one_press(away: Client) -> None:
    answer = await away.post("/windows", data=WORDS, headers=OURS)
    page = await answer.text()
    assert answer.status == AWAY.status
    assert AWAY.sentence() in page
    assert "再次提交" in page
    assert "My-Secret-1" not in page
    kept = form_entries(page, "/windows")
    assert kept == [("csrf", TOKEN), ("name", "三号窗口 <b>"), ("password", "")]
    turned = form_entries(page, "/windows?lang=en")
    assert ("csrf", ".mark") in turned, "nothing is done by choosing a language"


async def test_whoever_was_slowed_down_before_it_is_known_who_it_is_keeps_a_form() -> None:
    slow = Refusal("citizen.too_many", seconds=7)
    async with await serve(slow, known=False) as client:
        answer = await client.post("/windows", data=WORDS, headers=OURS)
        page = await answer.text()
        assert (answer.status, "请等 7 秒再试" in page) == (429, True)
        kept = form_entries(page, "/windows")
        assert kept == [
            ("csrf", ".mark"), ("name", "三号窗口 <b>"), ("unsent-asked", "password"),
        ]  # fmt: skip
        # Nobody reads megabytes of one who is to be slowed down.
        answer = await client.post("/windows", data={"name": "x" * SMALL}, headers=OURS)
        assert (answer.status, "xxxx" in await answer.text()) == (429, False)


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Accept": "text/html"},
        {"Accept": "application/json", **OURS},
        {"HX-Request": "true", **OURS},
        {"X-CSRF-Token": TOKEN, **OURS},
    ],
)
async def test_others_and_pages_that_have_it_still_are_answered_as_before(
    away: Client, told: dict[str, str]
) -> None:
    answer = await away.post("/windows", data=WORDS, headers=told)
    assert (answer.status, "三号窗口" in await answer.text()) == (AWAY.status, False)


async def test_where_nobody_typed_anything_there_is_nothing_to_keep(away: Client) -> None:
    sent = {"csrf": TOKEN, "key": "k-1", "do": "drop"}
    page = await (await away.post("/windows", data=sent, headers=OURS)).text()
    assert AWAY.sentence() in page
    assert not re.search(r"<form[^>]*unsent", page)


async def test_what_waiting_does_not_help_is_no_form_to_send_again() -> None:
    async with await serve(Refusal("personal.too_many", most=3)) as client:
        page = await (await client.post("/windows", data=WORDS, headers=OURS)).text()
        assert "再次提交" not in page


REFUSED = Refusal("personal.too_many", most=3)


async def test_what_is_refused_is_shown_to_be_taken_from_there() -> None:
    async with await serve(REFUSED) as client:
        sent = {**WORDS, "key": "k-1", "page": "0123456789abcdef0123456789abcdef"}
        answer = await client.post("/windows", data=sent, headers=OURS)
        page = await answer.text()
        assert (answer.status, REFUSED.sentence() in page) == (REFUSED.status, True)
        assert "三号窗口 &lt;b&gt;" in page
        for hidden in ("My-Secret-1", "k-1", sent["page"]):
            assert hidden not in page
        assert 'action="/windows"' not in page, "nothing is sent again as it was"


@pytest.mark.parametrize("told", [{"Sec-Fetch-Site": "cross-site"}, {"HX-Request": "true", **OURS}])
async def test_what_is_refused_of_others_is_not_shown(told: dict[str, str]) -> None:
    async with await serve(REFUSED) as client:
        answer = await client.post("/windows", data=WORDS, headers=told)
        assert (answer.status, "三号窗口" in await answer.text()) == (REFUSED.status, False)
    async with await serve(REFUSED, known=False) as client:
        answer = await client.post("/windows", data=WORDS, headers=OURS)
        assert (answer.status, "三号窗口" in await answer.text()) == (REFUSED.status, False)


async def test_what_is_no_form_is_answered_all_the_same(away: Client) -> None:
    told = {**OURS, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await away.post("/windows", data=b"nothing of the kind", headers=told)
    assert (answer.status, AWAY.sentence() in await answer.text()) == (AWAY.status, True)


async def test_a_word_that_no_label_explains_is_kept_too(away: Client) -> None:
    page = await (
        await away.post("/windows", data={"csrf": TOKEN, "nick": "Ann"}, headers=OURS)
    ).text()
    assert ("nick", "Ann") in form_entries(page, "/windows")
