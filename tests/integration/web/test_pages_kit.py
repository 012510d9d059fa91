"""What every server-rendered page can rely on: frame, language, sessions, CSRF, errors, headers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from patience import HANG_S, until

from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.web import (
    SESSION,
    Assets,
    MenuGroup,
    MenuItem,
    Pages,
    Sessions,
    Shell,
    WebSession,
    csrf_middleware,
    event_stream,
    page_errors,
    read_form,
    security_headers,
    see_other,
)
from qingting.kernel.web.csrf import csrf_token

Client = TestClient[web.Request, web.Application]


class MemorySessions:
    def __init__(self) -> None:
        self.rows: dict[str, WebSession] = {}

    async def put(self, digest: str, session: WebSession) -> None:
        self.rows[digest] = session

    async def find(self, digest: str) -> WebSession | None:
        return self.rows.get(digest)

    async def touch(self, digest: str, seen_at: int) -> None:
        self.rows[digest] = msgspec.structs.replace(self.rows[digest], seen_at=seen_at)

    async def drop(self, digest: str) -> None:
        self.rows.pop(digest, None)

    async def drop_subject(self, subject: str) -> None:
        self.rows = {key: one for key, one in self.rows.items() if one.subject != subject}


class NameForm(msgspec.Struct):
    name: str
    age: int = 0
    tags: tuple[str, ...] = ()


@dataclass
class Kit:
    client: Client
    clock: ManualClock
    store: MemorySessions
    changes: "asyncio.Queue[frozenset[str]]"


async def build(
    clock: ManualClock, store: MemorySessions, changes: asyncio.Queue[frozenset[str]]
) -> web.Application:
    shell = Shell(
        product="庆厅",
        menu=(MenuGroup("", (MenuItem("/form", "error.title", "queue"),)),),
        live="/live",
    )
    pages = await asyncio.to_thread(lambda: Pages((), lambda _: shell, now_ms=clock.now_ms))
    sessions = Sessions(store, clock)
    app = web.Application(
        middlewares=[
            security_headers(),
            page_errors(pages),
            pages.language_middleware,
            sessions.middleware,
            csrf_middleware(),
        ]
    )
    pages.install(app, await asyncio.to_thread(Assets.collect))

    async def form(request: web.Request) -> web.Response:
        return web.json_response({"token": csrf_token(request), "in": SESSION in request})

    async def page(request: web.Request) -> web.Response:
        return pages.render(request, "error.html", {"problem": None}, block="main")

    async def post(request: web.Request) -> web.Response:
        data = await read_form(request, NameForm)
        if data.name == "taken":
            raise Refusal("window.none")
        raise see_other(request, "/page", done="live.on")

    async def login(request: web.Request) -> web.Response:
        response = see_other(request, "/form")
        await sessions.start(response, "anna")
        raise response

    async def broken(request: web.Request) -> web.Response:
        raise ZeroDivisionError

    async def live(request: web.Request) -> web.StreamResponse:
        return await event_stream(request, stream(), keepalive=0.05)

    async def stream() -> AsyncGenerator[frozenset[str], None]:
        while True:
            yield await changes.get()

    app.router.add_get("/form", form)
    app.router.add_get("/page", page)
    app.router.add_post("/form", post)
    app.router.add_post("/login", login)
    app.router.add_get("/broken", broken)
    app.router.add_get("/live", live)
    return app


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    clock, store = ManualClock(), MemorySessions()
    changes: asyncio.Queue[frozenset[str]] = asyncio.Queue()
    async with TestClient(TestServer(await build(clock, store, changes))) as client:
        yield Kit(client, clock, store, changes)


async def token_of(client: Client) -> str:
    return str((await (await client.get("/form")).json())["token"])


async def test_a_page_has_the_frame_in_chinese_and_in_english(kit: Kit) -> None:
    chinese = await (await kit.client.get("/page")).text()
    english = await (await kit.client.get("/page?lang=en")).text()
    assert '<html lang="zh-CN">' in chinese
    assert "跳到正文" in chinese
    assert '<html lang="en">' in english
    assert "Skip to content" in english


async def test_a_language_that_was_asked_for_holds_for_the_pages_after_it(kit: Kit) -> None:
    await kit.client.get("/page?lang=en")
    assert '<html lang="en">' in await (await kit.client.get("/page")).text()
    data = {"name": "x", "csrf": await token_of(kit.client)}
    led_to = await kit.client.post("/form?lang=zh-CN", data=data)
    assert led_to.url.path == "/page", "a redirect carries no query, but the cookie"
    assert '<html lang="zh-CN">' in await led_to.text()


async def test_the_language_switch_stays_on_this_server(kit: Kit) -> None:
    away = await kit.client.get("/language?to=en&back=//evil.example/", allow_redirects=False)
    assert away.headers["Location"] == "/"
    assert "Skip to content" in await (await kit.client.get("/page")).text()


async def test_an_htmx_request_gets_the_block_alone(kit: Kit) -> None:
    part = await (await kit.client.get("/page", headers={"HX-Request": "true"})).text()
    assert "<html" not in part
    assert "回到首页" in part


async def test_every_answer_carries_a_strict_policy_and_is_not_stored(kit: Kit) -> None:
    for path in ("/page", "/nowhere", "/broken"):
        response = await kit.client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"


async def test_no_page_holds_an_inline_script_or_style(kit: Kit) -> None:
    text = await (await kit.client.get("/page")).text()
    assert "<script>" not in text
    assert "style=" not in text
    assert " onclick" not in text


async def test_a_change_without_our_token_is_refused(kit: Kit) -> None:
    await token_of(kit.client)
    response = await kit.client.post("/form", data={"name": "x", "csrf": "wrong"})
    assert response.status == 403
    assert "页面已过期" in await response.text()


async def test_a_change_from_another_site_is_refused_even_with_the_token(kit: Kit) -> None:
    data = {"name": "x", "csrf": await token_of(kit.client)}
    response = await kit.client.post("/form", data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status == 403


async def test_a_change_ends_with_a_redirect_and_its_notice(kit: Kit) -> None:
    data = {"name": "x", "csrf": await token_of(kit.client)}
    response = await kit.client.post("/form", data=data)
    assert response.url.path == "/page"
    assert "已恢复连接" in await response.text()


async def test_a_notice_shows_only_texts_of_the_catalogue(kit: Kit) -> None:
    text = await (await kit.client.get("/page?done=<b>call+this+number</b>")).text()
    assert "call this number" not in text


async def test_htmx_is_sent_on_by_header_and_refused_beside_the_form(kit: Kit) -> None:
    headers = {"HX-Request": "true", "X-CSRF-Token": await token_of(kit.client)}
    good = await kit.client.post("/form", data={"name": "x"}, headers=headers)
    assert good.headers["HX-Redirect"] == "/page?done=live.on"
    bad = await kit.client.post("/form", data={"name": "taken"}, headers=headers)
    assert bad.status == 409
    assert bad.headers["HX-Retarget"] == "#notice"
    assert "<html" not in await bad.text()


@pytest.mark.parametrize("data", [{}, {"name": "x", "age": "old"}], ids=["missing", "no number"])
async def test_a_form_that_does_not_parse_names_the_field_and_never_the_value(
    kit: Kit, data: dict[str, str]
) -> None:
    response = await kit.client.post("/form", data=data | {"csrf": await token_of(kit.client)})
    text = await response.text()
    assert response.status == 422
    assert ("（age）" in text) or ("（name）" in text)
    assert "old" not in text.split("<main")[1]


async def test_whoever_sent_a_form_is_led_to_what_is_wrong_and_nobody_by_a_part_that_renews_itself(
    kit: Kit,
) -> None:
    sent = await kit.client.post("/form", data={"csrf": await token_of(kit.client)})
    text = await sent.text()
    assert text.count('id="problem" tabindex="-1" autofocus') == text.count('id="problem"') == 1
    renewed = await kit.client.get("/nowhere", headers={"HX-Request": "1", "X-Qingting-Live": "1"})
    text = await renewed.text()
    assert 'id="problem"' in text
    assert "autofocus" not in text


async def test_a_program_gets_the_code_as_json(kit: Kit) -> None:
    response = await kit.client.get("/nowhere", headers={"Accept": "application/json"})
    assert response.status == 404
    assert (await response.json())["code"] == "page.not_found"


async def test_an_unexpected_fault_is_a_500_with_a_number_and_no_detail(kit: Kit) -> None:
    response = await kit.client.get("/broken", headers={"Accept": "application/json"})
    body = await response.json()
    assert response.status == 500
    assert body["code"] == "internal"
    assert len(body["params"]["request_id"]) == 8


async def test_who_hangs_up_in_the_middle_of_a_form_is_no_fault_of_ours() -> None:
    # Not the kit's server: unlike ours it cancels a handler whose client has gone.
    runner = web.AppRunner(await build(ManualClock(), MemorySessions(), asyncio.Queue()))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    with structlog.testing.capture_logs() as logs:
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(
            b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        assert b"100" in await reader.readline()  # The page waits for the form now.
        writer.write(b"name=an")
        await writer.drain()
        writer.close()
        await until(lambda: bool(logs))
        await runner.cleanup()
    assert [(one["event"], one["log_level"]) for one in logs] == [("page.reader_gone", "info")]


async def log_in(client: Client) -> None:
    await client.post("/login", data={"csrf": await token_of(client)})


async def test_a_session_ends_after_half_an_hour_of_silence(kit: Kit) -> None:
    await log_in(kit.client)
    assert (await (await kit.client.get("/form")).json())["in"]
    await kit.clock.advance(29 * 60)
    assert (await (await kit.client.get("/form")).json())["in"]
    await kit.clock.advance(31 * 60)
    assert not (await (await kit.client.get("/form")).json())["in"]
    assert kit.store.rows == {}


async def test_a_page_that_refreshes_itself_does_not_keep_a_session_alive(kit: Kit) -> None:
    await log_in(kit.client)
    for _ in range(4):
        await kit.clock.advance(10 * 60)
        response = await kit.client.get("/form", headers={"X-Qingting-Live": "1"})
    assert not (await response.json())["in"]


async def test_a_session_ends_after_twelve_hours_of_work(kit: Kit) -> None:
    await log_in(kit.client)
    for _ in range(25):
        await kit.clock.advance(29 * 60)
        response = await kit.client.get("/form")
    assert not (await response.json())["in"]


async def test_the_database_holds_no_cookie_that_could_be_used(kit: Kit) -> None:
    await log_in(kit.client)
    secrets = {cookie.value for cookie in kit.client.session.cookie_jar}
    assert not secrets & set(kit.store.rows)


async def test_the_stream_names_changes_and_beats_in_silence(kit: Kit) -> None:
    response = await kit.client.get("/live")
    lines = response.content
    await asyncio.wait_for(lines.readuntil(b"event: beat"), HANG_S)
    kit.changes.put_nowait(frozenset({"queues", "devices"}))
    assert b"event: changed\ndata: devices queues" in await asyncio.wait_for(
        lines.readuntil(b"queues\n"), HANG_S
    )
    response.close()


async def test_a_file_is_served_under_its_hash_and_can_be_kept(kit: Kit) -> None:
    text = await (await kit.client.get("/page")).text()
    path = text.split('href="/assets/')[1].split('"')[0]
    assert path
    css = next(part for part in text.split('"') if part.endswith("/pages.css"))
    response = await kit.client.get(css)
    assert response.status == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert (await kit.client.get("/assets/x/../../pyproject.toml")).status == 404


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(kit: Kit) -> None:
    data = {"csrf": await token_of(kit.client)}
    answer = await kit.client.post("/login", data=data, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
