"""Who may do what: every route and every role as ``docs/permissions.md`` says, and nobody sees another district."""

import asyncio
import csv
import io
import itertools
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import aiohttp
import msgspec
import pytest
import sqlalchemy as sa
from aiohttp import web
from api_client import access
from api_client import caller as integrating
from city_hall import START, Log
from console_browser import browser, console
from yarl import URL

from console.app.server import ConsoleReady, ConsoleSettings, create_app
from console.core.api import BASE
from console.core.divisions import full
from console.core.permissions import SYSTEM, Reach, ReachKind, Scope
from console.halls.api import HALLS
from console.modules.alarms import models as alarm_models
from console.modules.alarms import repository as alarms
from console.modules.appointments import models as appointment_models
from console.modules.appointments import repository as appointments
from console.modules.gateway.api import GATEWAY
from console.modules.identity import models as m
from console.modules.identity import repository_roles as roles_repo
from console.modules.identity.repository import AccountRepository
from console.modules.identity.roles import BUILT_IN, Assignment
from console.modules.notifications import models as notice_models
from console.modules.organisation import models as organisation_models
from qingting.contract import events as e
from qingting.contract.examples import CONFIG, KIOSK
from qingting.contract.ids import HallId
from qingting.contract.states import RatingLevel
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
MATRIX = (Path(__file__).resolve().parents[3] / "docs" / "permissions.md").read_text("utf-8")
ROLES = tuple(one.id for one in BUILT_IN)
CITY = Reach(ReachKind.REGION, full("230600"))
SAERTU = Reach(ReachKind.REGION, full("230602"))
LONGFENG = Reach(ReachKind.REGION, full("230603"))
COOKIE = "qt_city"
OWN, FOREIGN = HallId("saertu"), HallId("longfeng")
SECRET = "龙凤的秘密"
"""Stands in every name of the other district's hall, in its ratings and its alarms."""
SCRIPT = "<script>steal()</script>"
HOSTILE = f"=1+1{SCRIPT}"
"""Name of all that the own district's hall has: to be text on every page and no formula in any sheet."""
BODIES: Mapping[str, Mapping[str, str]] = {
    "/halls/{hall}/fork": {"accept": "true"},
    "/devices/{hall}/{device}/act": {"do": "print.test"},
    "/calendar/days": {"day": "2026-11-24", "kind": "none", "place": f"hall:{FOREIGN}"},
    "/rollouts": {"what": "pad"},
    "/profiles/use": {"agents": f"{FOREIGN}/a"},
    "/alarms/read": {"upto": "1"},
    "/alarms/maintenance": {"place": str(FOREIGN)},
    "/accounts/{account}/roles": {"role": "clerk", "reach": "own:"},
    "/accounts/{account}/roles/withdraw": {"role": "clerk", "reach": "own:"},
    "/sign-in/addresses/drop": {"no": "1"},
    "/integrators/{integrator}/webhooks/{webhook}": {"act": "ping"},
    "/password": {"present": "x", "new": "y", "again": "y"},
}
LINE = re.compile(r"^\| `(GET|POST) (\S+)` \| (.+) \|$", re.M)
OPEN_LINE = re.compile(r"^- `(GET|POST) (\S+)`", re.M)


@dataclass
class Caller:
    """A browser with a session that was begun for an account."""

    http: aiohttp.ClientSession
    csrf: str

    async def ask(self, method: str, path: str, body: Mapping[str, str]) -> tuple[int, str]:
        data = {"csrf": self.csrf, **body} if method == "POST" else None
        async with self.http.request(method, path, data=data, allow_redirects=False) as answer:
            return answer.status, await answer.text(errors="replace")


@pytest.fixture
async def ready(city_url: str) -> AsyncIterator[ConsoleReady]:
    """Two halls in two districts; what happened in the second one is marked as a secret."""
    async with console(city_url, ManualClock(START + 3_600_000)) as one:
        for hall, division, mark in ((OWN, "230602", HOSTILE), (FOREIGN, "230603", SECRET)):
            await one.city.enrol_hall(hall, name=mark, key=f"key-{hall}")
            log = _log(hall, division, mark)
            await one.city.link.intake.greet(log.hello(f"key-{hall}"))
            await one.city.link.intake.apply(hall, log.frame(1))
        await one.city.runner.catch_up_all()
        async with one.city.db.write() as uow:
            no = await uow.scalar(
                sa.insert(alarm_models.alarm)
                .values(
                    rule="hand", hall=FOREIGN, device=str(KIOSK), what="gone", kind="kiosk",
                    severity="critical", state="raised", began=1, raised_at=1, times=1, acked_by="",
                    cleared_by="", behind=0, maintained=False, notify=True, told=True,
                )
                .returning(alarm_models.alarm.c.no)
            )  # fmt: skip
            notice = {"alarm": no, "at": START, "act": "raised"}
            await uow.run(sa.insert(alarm_models.notice).values(**notice))
            values = {"hall": FOREIGN, "device": "", "start": START, "until": START + 10**9}
            await alarms.add_maintenance(uow, values | {"reason": SECRET, "by": "system"})
        yield one


def _log(hall: HallId, division: str, mark: str) -> Log:
    log = Log(hall)
    info = msgspec.structs.replace(CONFIG.hall, id=hall, name=mark, name_en=mark, division=division)
    config = msgspec.structs.replace(
        CONFIG,
        hall=info,
        queues=tuple(
            msgspec.structs.replace(one, name=mark, name_en=mark) for one in CONFIG.queues
        ),
        devices=tuple(
            msgspec.structs.replace(one, name=mark, name_en=mark) for one in CONFIG.devices
        ),
    )
    log.add(e.ConfigApplied(config=config))
    log.add(e.DayOpened(day=log.day))
    ticket = log.issue(1)
    log.serve(ticket)
    log.rate(ticket, RatingLevel.VERY_DISSATISFIED, words=mark)
    return log


@asynccontextmanager
async def caller(ready: ConsoleReady, role: str, reach: Reach) -> AsyncIterator[Caller]:
    """Somebody who has ``role`` within ``reach``, already logged in."""
    account = f"{role}-{reach.target}"
    (given,) = [one for one in BUILT_IN if one.id == role]
    async with ready.city.db.write() as uow:
        await AccountRepository(uow).add(account, account, "-", START, division=reach.target)
        await uow.run(
            sa.update(m.account).where(m.account.c.id == account).values(must_change=False)
        )
        await roles_repo.set_duty(uow, account, given.duty)
        await roles_repo.assign(uow, account, Assignment(given, reach), "system", START)
    sessions, answer = ready.city.context.sessions, web.Response()
    assert sessions is not None
    session = await sessions.start(answer, account)
    cookies = {name: one.value for name, one in answer.cookies.items()}
    async with aiohttp.ClientSession(ready.url, cookies=cookies) as http:
        yield Caller(http, session.csrf)


async def routes(ready: ConsoleReady) -> set[tuple[str, str]]:
    """Method and path of everything that the console answers to people. Calls of the open API have scopes:
    ``tests/unit/console/test_api_document.py`` holds them to the same page."""
    app = await asyncio.to_thread(create_app, ready.city, ConsoleSettings())
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.method != "HEAD"
        and route.resource is not None
        and not route.resource.canonical.startswith(f"{BASE}/")
    }


def address(path: str, *, hall: str) -> str:
    """A path with its variables filled in; what they name need not be there."""
    given = {
        "hall": hall, "device": str(KIOSK), "kind": "csv", "no": "1", "code": full("230603"),
        "model": "kind.kiosk", "month": "2026-11", "button": "pause", "step": "publish",
        "part": "windows", "whole": "rules", "entry": "new", "revision": "1", "epoch": "1", "seq": "1",
    }  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], "nobody"), path)


def written() -> dict[tuple[str, str], dict[str, bool]]:
    """The matrix: which roles a route answers to."""
    head = re.search(r"^\| route \| (.+) \|$", MATRIX, re.M)
    assert head is not None
    columns = [one.strip(" `") for one in head[1].split("|")]
    assert tuple(columns) == ROLES
    found = {}
    for method, path, cells in LINE.findall(MATRIX):
        if path.startswith(f"{BASE}/"):
            continue
        marks = [one.strip() for one in cells.split("|")]
        assert set(marks) <= {"✓", "–"}
        found[method, path] = dict(zip(columns, (one == "✓" for one in marks), strict=True))
    return found


def written_as_open() -> set[tuple[str, str]]:
    return set(OPEN_LINE.findall(MATRIX))


async def test_every_route_answers_to_the_roles_that_are_written_down_and_to_no_other(
    ready: ConsoleReady,
) -> None:
    matrix = written()
    assert await routes(ready) == set(matrix) | written_as_open()
    wrong = []
    for role in ROLES:
        async with caller(ready, role, CITY) as one:
            for (method, path), cells in sorted(matrix.items()):
                if path == "/logout":
                    continue
                body = BODIES.get(path, {})
                status, _ = await one.ask(method, address(path, hall=FOREIGN), body)
                if (status == 403) is cells[role] or status >= 500:
                    wrong.append((role, method, path, status))
    assert wrong == []
    async with aiohttp.ClientSession(ready.url) as stranger:
        for method, path in sorted(set(matrix) - {("POST", "/logout")}):
            target = address(path, hall=FOREIGN)
            async with stranger.request(method, target, allow_redirects=False) as answer:
                to_login = "/login" in answer.headers.get("Location", "")
                assert to_login or answer.status in (401, 403), (method, path, answer.status)


async def hide_secrets(ready: ConsoleReady) -> None:
    """Things of the other district under the very names and numbers that :func:`address` asks for."""
    words = dict.fromkeys(("hall", "hall_en", "address", "phone", "item", "item_en"), SECRET)
    visit = dict.fromkeys(("code", "citizen", "made_by"), "x") | {
        "id": "nobody", "state": "booked", "hall": FOREIGN, "department": "gaj", "departments": ["gaj"],
        "items": ["id-renew"], "day": date(2026, 11, 24), "start": 540, "end": 570, "start_at": START,
        "end_at": START + 1, "party": 1, "names": words | {"department": SECRET, "department_en": SECRET},
        "masked_name": SECRET, "masked_number": SECRET, "channel": "web", "made_at": 1, "held_until": 0,
        "cancel_until": 0, "early_minutes": 0, "late_minutes": 0, **appointments.BLANK, "refused": "x",
    }  # fmt: skip
    there = {"division": full("230603"), "name": SECRET}
    async with ready.city.db.write() as uow:
        await uow.run(sa.insert(appointment_models.appointment).values(**visit))
        await uow.run(
            sa.insert(appointment_models.breach).values(
                appointment="nobody", citizen="x", hall=FOREIGN, at=START, forgiven_at=0,
                forgiven_by="", reason=SECRET,
            )
        )  # fmt: skip
        await uow.run(
            sa.insert(notice_models.message).values(
                key="k", topic="appointment.booked", citizen="x", hall=FOREIGN, params=words, due=START,
                until=START, state="told", made_at=START,
            )
        )  # fmt: skip
        unit = {"id": "nobody", "code": "", "name_en": SECRET, "uscc": ""}
        await uow.run(sa.insert(organisation_models.department).values(**there, **unit))
        person = {"number": "nobody", "post": SECRET, "hall": FOREIGN, "department": "nobody"}
        await uow.run(sa.insert(organisation_models.staff).values(**there, **person))
        await AccountRepository(uow).add("nobody", SECRET, "-", START, division=full("230603"))
        await ready.city.context.take(GATEWAY).make(
            uow, SYSTEM, "nobody", access("halls.read", reach=LONGFENG, name=SECRET)
        )


def formulas(text: str) -> list[str]:
    """Cells of a sheet that a spreadsheet would calculate."""
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row if cell.startswith("=")]


async def _whoever_may_see_them_is_shown_them(ready: ConsoleReady) -> None:
    """The other district's things are there, under the very addresses at which nobody else must find them."""
    seen: Mapping[str, tuple[str, ...]] = {
        "city_supervisor": (
            *("/halls", "/tickets", "/ratings", "/devices", "/alarms", "/alarms/notices"),
            *("/appointments", "/appointments/one/nobody", "/appointments/list.csv"),
            *("/appointments/breaches", "/notifications"),
        ),
        "district_manager": (
            *("/departments", "/departments/list.csv", "/staff", "/staff/list.csv", "/accounts"),
            *("/integrators", "/integrators/nobody", "/staff/edit/nobody"),
        ),
    }
    missing = []
    for role, paths in seen.items():
        async with caller(ready, role, CITY) as one:
            for path in paths:
                status, text = await one.ask("GET", path, {})
                if status != 200 or SECRET not in text:
                    missing.append((role, path, status))
    assert missing == []


async def test_a_caller_of_one_district_gets_nothing_of_another(ready: ConsoleReady) -> None:
    """Every page, detail and sheet that names no hall shows nothing of the other one's; every page and every act that
    names it is as if there were no such hall. What the own hall calls itself is never markup and never a formula."""
    await hide_secrets(ready)
    await _whoever_may_see_them_is_shown_them(ready)
    leaks: list[tuple[object, ...]] = []
    seen = sheets = 0
    for role in ("district_manager", "hall_manager", "evaluation_officer", "device_keeper"):
        async with caller(ready, role, SAERTU) as one:
            for method, path in sorted(written()):
                if path in ("/logout", "/password"):
                    continue
                target = address(path, hall=FOREIGN)
                status, text = await one.ask(method, target, BODIES.get(path, {}))
                seen += status == 200
                named = "{hall}" in path
                acted = method == "POST" and (named or BODIES.get(path, {}).get("place"))
                if SECRET in text or (acted and status < 400):
                    leaks.append((role, method, path, status))
                page = text.lstrip().startswith("<")
                sheets += "{kind}" in path and status == 200 and not page
                if SCRIPT in text if page else "{kind}" in path and formulas(text):
                    leaks.append((role, method, path, "carried out"))
                if named and status not in (403, 404):
                    leaks.append((role, method, path, status))
    assert leaks == []
    assert seen > 40, "the pages themselves were there"
    assert sheets > 10, "so were the sheets"
    await _an_integrator_of_one_district_gets_nothing_of_another(ready)
    async with ready.city.db.read() as uow:
        statuses = await ready.city.context.take(HALLS).halls(uow, Scope())
        assert statuses == [], "nobody's scope is nothing, not everything"


async def _an_integrator_of_one_district_gets_nothing_of_another(ready: ConsoleReady) -> None:
    """Every call of the document that reads, with the other district's hall and things for its parameters."""
    calls = [one for one in ready.city.context.calls if one.method == "GET"]
    scopes = sorted({one.scope.name for one in calls})
    given = {"first": "2026-11-24", "last": "2026-11-24", "day": "2026-11-24", "item": "id-renew"}
    given |= {"days": "3", "start": "2026-11-24", "place": f"hall:{FOREIGN}"}
    answered = 0
    async with integrating(ready, "bureau", access(*scopes, reach=SAERTU)) as one:
        for call in calls:
            wanted = [
                f"{field.name}={given[field.name]}"
                for field in msgspec.structs.fields(call.params)
                if field.required and field.name in given and f"{{{field.name}}}" not in call.path
            ]
            found = await one.get(f"{address(call.path, hall=FOREIGN)}?{'&'.join(wanted)}")
            text = msgspec.json.encode(found.body).decode()
            assert SECRET not in text, (call.path, text)
            if "{hall}" in call.path:
                assert found.status == 404, (call.path, found.status, text)
            answered += found.status == 200
    assert answered > 5


async def test_no_change_is_taken_without_the_token_of_its_own_session(ready: ConsoleReady) -> None:
    """Every route that is no GET, of staff and of citizens, for a stranger and for somebody logged in."""
    # What a provider calls back with is signed by it and comes with no cookie.
    known = sorted(
        (method, path)
        for method, path in await routes(ready)
        if method not in ("GET", "HEAD") and not path.startswith("/callback/")
    )
    assert len(known) > 100
    taken = []
    async with caller(ready, "system", CITY) as one, aiohttp.ClientSession(ready.url) as stranger:
        for http in (one.http, stranger):
            for method, path in known:
                target = address(path, hall=OWN)
                async with http.request(method, target, data={"csrf": "x"}) as answer:
                    code = await answer.text()
                    if answer.status != 403:
                        taken.append((path, answer.status))
                    assert answer.status < 500, (path, code)
        assert taken == []
        assert (await one.ask("GET", "/halls", {}))[0] == 200, "and nobody was logged out by it"


async def test_no_form_with_a_nul_is_taken_and_none_fails(ready: ConsoleReady) -> None:
    """Every route that takes a form, as the database keeps no such text: refused before any of them meets it."""
    known = sorted(
        (method, path)
        for method, path in await routes(ready)
        if method not in ("GET", "HEAD") and not path.startswith("/callback/")
    )
    wrong, kind = [], {"Content-Type": "application/x-www-form-urlencoded"}
    cookies = {"qt_form": "t"}
    async with aiohttp.ClientSession(ready.url, cookies=cookies, headers=kind) as stranger:
        for (method, path), field in itertools.product(known, ("name=a%00b", "a%00b=name")):
            body = f"csrf=t&{field}".encode()
            async with stranger.request(method, address(path, hall=OWN), data=body) as answer:
                if answer.status != 400:
                    wrong.append((path, field, answer.status))
        assert wrong == []
    async with aiohttp.ClientSession(ready.url, cookies=cookies) as stranger:
        file = aiohttp.FormData({"csrf": "t", "words": "a\0b"})
        file.add_field("file", b"id,name", filename="list.csv")
        async with stranger.post("/departments/import", data=file) as answer:
            assert answer.status == 400
        for path in ("/c/items?q=a%00b", "/c/items?a%00b=q", "/c/halls/a%00b", "/login?next=%00"):
            async with stranger.get(URL(f"{ready.url}{path}", encoded=True)) as answer:
                assert answer.status == 404, path


async def test_a_login_never_goes_on_with_a_session_that_was_planted(ready: ConsoleReady) -> None:
    planted = "p" * 43
    async with browser(ready) as victim:
        victim.http.cookie_jar.update_cookies({COOKIE: planted}, URL(ready.url))
        await victim.enter(ready)
        cookies = {one.value for one in victim.http.cookie_jar if one.key == COOKIE}
        assert cookies - {planted}
        assert planted not in cookies
        async with (
            aiohttp.ClientSession(ready.url, cookies={COOKIE: planted}) as thief,
            thief.get("/accounts") as answer,
        ):
            assert answer.url.path == "/login"
