"""Every call of the open API against a real console: what the documentation shows is what it answers, and a fuzzer
finds nothing that the document does not say.

``QT_EXAMPLES=write`` writes the examples anew; otherwise an answer that differs from them fails.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from api_client import Caller, access, caller
from appointment_stage import HALL, HOURS
from city_hall import START, LinkClient, Log
from console_browser import console
from fuzz_api import fuzz
from patience import until

from console.app.server import ConsoleReady
from console.core.outward import networks_of
from console.core.permissions import SYSTEM
from console.halls.api import HALLS
from console.modules.appointments import repository_rules as rules_repo
from console.modules.appointments.rules import CapacityBy, Rule, Target
from console.modules.catalogue.api import CATALOGUE, ItemBody
from console.modules.catalogue.service import CatalogueService
from console.modules.gateway import document
from console.modules.gateway.courier import Courier
from console.modules.gateway.document import Example
from console.modules.gateway.outbox import put_in_order
from qingting.contract import events as e
from qingting.contract import link as k
from qingting.contract.examples import CONFIG, ITEM, QUEUE_VIEW
from qingting.contract.ids import HallId
from qingting.contract.states import RatingLevel
from qingting.kernel.aio.clock import ManualClock

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]
FILE = Path(str(document.__file__)).with_name("examples.json")
CODE = "11230600MB0A00001N3000117051000"
BODY = ItemBody(
    name="社会保障卡补办", name_en="Replacing a social security card", division="230600000000",
    department="市人社局", materials=("身份证",), halls=(str(HALL),),
)  # fmt: skip
CITIZEN = {
    "kind": "resident_id",
    "name": "张示例",
    "number": "230602199001011238",
    "level": "real_name",
}
_RANDOM = re.compile(r"b-[0-9a-f]{16}|(?<=[/\"])[A-Za-z0-9_-]{22}(?=[/\"?])")


@dataclass
class Book:
    """Asks and writes down. Ids that chance made get a name of their own, the same in every run."""

    one: Caller
    found: dict[str, Example] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, name: str, method: str, path: str, body: Any = None, *, status: int = 200
    ) -> Any:
        key = f"{name}-2026-1123" if method == "POST" else None
        answer = await self.one.ask(method, path, body, key=key)
        assert answer.status == status, (name, answer.body)
        headers = {"Idempotency-Key": key} if key else {}
        kept = Example(path=path, status=status, answer=answer.body, body=body, headers=headers)
        text = _RANDOM.sub(self._named, msgspec.json.encode(kept).decode())
        self.found[name] = msgspec.json.decode(text, type=Example)
        return answer.body

    def _named(self, match: re.Match[str]) -> str:
        shape = "b-%016d" if match[0].startswith("b-") else "example%015d"
        return self.names.setdefault(match[0], shape % (len(self.names) + 1))


@pytest.fixture
async def ready(city_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ConsoleReady]:
    async def rests(_: Courier) -> bool:
        return True

    monkeypatch.setattr(Courier, "round", rests)
    monkeypatch.setattr("console.app.serving.networks_of", lambda _: networks_of("127.0.0.0/8"))
    async with console(city_url, ManualClock(START)) as one:
        yield one


async def settle(ready: ConsoleReady, log: Log) -> None:
    """A hall with a day behind it, an item that can be booked, a published item."""
    config = msgspec.structs.replace(CONFIG, calendar=HOURS)
    log.add(e.ConfigApplied(config=config))
    log.add(e.DayOpened(day=log.day))
    ticket = log.issue(1)
    log.serve(ticket)
    log.rate(ticket, RatingLevel.VERY_SATISFIED)
    context = ready.city.context
    rule = Rule(open=True, capacity_by=CapacityBy.NUMBER, capacity=4)
    catalogue = context.take(CATALOGUE)
    assert isinstance(catalogue, CatalogueService)
    async with ready.city.db.write() as uow:
        target = Target(hall=HALL)
        await rules_repo.add_version(uow, target, 0, rule, at=START, by="system", note="")
        await catalogue.put_draft(uow, SYSTEM, CODE, BODY, "new")
        await catalogue.publish(uow, SYSTEM, {CODE: 1}, date(2026, 11, 23))


async def live(ready: ConsoleReady, client: LinkClient) -> None:
    """The hall says how it is now."""
    await client.send(k.Live(at=START, oldest_unacked=0, queues=(QUEUE_VIEW,)))

    async def heard() -> bool:
        async with ready.city.db.read() as uow:
            return bool(await ready.city.context.take(HALLS).live(uow))

    await until(heard)


async def look(book: Book) -> None:
    """Calls that change nothing, but those of appointments and webhooks."""
    hall = f"/halls/{HALL}"
    for name, path in (
        ("listHalls", "/halls"),
        ("getHall", hall),
        ("getHallQueues", f"{hall}/queues"),
        ("getHallHours", f"{hall}/hours?first=2026-11-23&last=2026-11-28"),
        ("getHallFigures", f"{hall}/figures?day=2026-11-23"),
        ("getHallRatings", f"{hall}/ratings?first=2026-11-01&last=2026-11-30"),
        ("listHallDevices", f"{hall}/devices?limit=2"),
        ("listDivisions", "/divisions?limit=2"),
        ("listDepartments", "/departments"),
        ("searchItems", "/items?q=shehui"),
        ("getItem", f"/items/{CODE}"),
        ("listItemChanges", "/item-changes"),
        ("listDays", "/calendar/days?first=2026-09-30&last=2026-10-02"),
        ("getDue", "/calendar/due?start=2026-09-30&amount=5"),
        ("listEvents", "/events?limit=2"),
    ):
        await book.ask(name, "GET", path)


async def visit(book: Book) -> None:
    """An appointment's way."""
    hall, day = f"/halls/{HALL}", "2026-11-24"
    await book.ask("listOffers", "GET", f"{hall}/offers")
    await book.ask("listPlaces", "GET", f"{hall}/places?item={ITEM}&first={day}&last={day}")
    wish = {"hall": str(HALL), "items": [str(ITEM)], "day": day, "start": "09:00"}
    held = await book.ask("holdPlace", "POST", "/holds", wish | {"citizen": CITIZEN}, status=201)
    await book.ask("confirmHold", "POST", f"/holds/{held['id']}/confirm")
    await book.ask(
        "cancelAppointment", "POST", f"/appointments/{held['id']}/cancel", {"reason": "no_time"}
    )
    made = await book.ask(
        "bookPlace", "POST", "/appointments", wish | {"citizen": CITIZEN}, status=201
    )
    later = wish | {"start": "10:00"}
    await book.ask("changeAppointment", "POST", f"/appointments/{made['id']}/change", later)
    await book.ask("getAppointment", "GET", f"/appointments/{made['id']}")
    await book.ask("listAppointments", "GET", "/appointments?limit=1")
    other = wish | {
        "start": "09:30",
        "citizen": CITIZEN | {"number": "230602198507071233", "name": "李示例"},
    }
    free = await book.one.ask("POST", "/holds", other)
    assert free.status == 201, free.body
    await book.ask("releaseHold", "DELETE", f"/holds/{free.body['id']}")


async def webhooks(book: Book) -> None:
    new = {
        "url": "https://hooks.example.com/qingting",
        "kinds": ["item.published", "hall.opened"],
        "secret": "keep-this-secret-with-you-0123456789",
    }
    made = await book.ask("createWebhook", "POST", "/webhooks", new, status=201)
    hook = f"/webhooks/{made['id']}"
    await book.ask("listWebhooks", "GET", "/webhooks")
    await book.ask("pingWebhook", "POST", f"{hook}/ping")
    await book.ask("repeatWebhook", "POST", f"{hook}/repeat", {"first": 0, "last": START + 10**9})
    await book.ask("listDeliveries", "GET", f"{hook}/deliveries")
    await book.ask("setWebhookState", "PUT", f"{hook}/state", {"paused": True})
    await book.ask(
        "renewWebhookSecret",
        "PUT",
        f"{hook}/secret",
        {"secret": "another-secret-of-yours-0123456789"},
    )
    await book.ask("deleteWebhook", "DELETE", hook)


async def test_every_call_answers_as_its_example_says_and_a_fuzzer_finds_nothing_else(
    ready: ConsoleReady,
) -> None:
    scopes = sorted({one.scope.name for one in ready.city.context.calls})
    log = Log(HallId(str(HALL)))
    await settle(ready, log)
    key = await ready.city.enrol_hall(HALL, name="萨尔图区政务服务中心", name_en="Saertu Hall")
    async with (
        LinkClient(f"{ready.url}/link") as client,
        caller(ready, "city-data", access(*scopes, per_minute=60_000)) as one,
    ):
        await client.greet(log, key)
        await client.push(log.frame(1))
        await ready.city.runner.catch_up_all()
        await live(ready, client)
        async with ready.city.db.write() as uow:
            await put_in_order(uow)
        book = Book(one)
        await look(book)
        await visit(book)
        async with ready.city.db.write() as uow:
            await put_in_order(uow)
        told = [each["kind"] for each in (await one.get("/events")).body["events"]]
        assert told[-4:] == [
            f"appointment.{each}" for each in ("booked", "cancelled", "booked", "changed")
        ]
        await webhooks(book)
        assert set(book.found) == {each.name for each in ready.city.context.calls}
        text = msgspec.json.format(msgspec.json.encode(dict(sorted(book.found.items()))), indent=1)
        if os.environ.get("QT_EXAMPLES") == "write":
            await asyncio.to_thread(FILE.write_bytes, text + b"\n")
        else:
            shown = await asyncio.to_thread(FILE.read_bytes)
            assert json.loads(text) == json.loads(shown), "QT_EXAMPLES=write"
        read = (await one.get("/openapi.json")).body
        faults = await asyncio.to_thread(fuzz, ready.url, lambda: one.token, read, examples=4)
        assert faults == []
        async with ready.city.db.write() as uow:
            await uow.run(sa.text("DELETE FROM app_appointment"))
        left = await one.get("/appointments")
        assert (left.status, left.body["appointments"]) == (200, []), (
            "those kept long enough are gone"
        )
