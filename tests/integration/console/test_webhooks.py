"""Events to integrators: written with the act, in order, at least once, signed; and who hears nothing."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from api_client import Caller, access, caller
from city_hall import START
from console_browser import console

from console.app.server import ConsoleReady
from console.core.outward import Outward, networks_of
from console.core.permissions import Reach, ReachKind
from console.modules.gateway import courier as delivery
from console.modules.gateway.courier import Courier
from console.modules.gateway.halls import HALL_CLOSED, HALL_OPENED, HallDayTold
from console.modules.gateway.outbox import Outbox
from console.modules.gateway.subscriptions import Subscriptions
from console.modules.identity.api import IDENTITY
from qingting.kernel.aio.clock import ManualClock, SystemClock

pytestmark = pytest.mark.postgres
SECRET, OTHER = "s" * 40, "t" * 40
HOUSE = networks_of("127.0.0.0/8")
ROUND = Courier.round


@dataclass
class Receiver:
    """Somebody's server: keeps what comes, answers as told."""

    url: str
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [json.loads(body)["kind"] for _, body in self.got]

    def days(self) -> list[str]:
        return [json.loads(body)["data"]["day"] for _, body in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver("")

    async def handle(request: web.Request) -> web.Response:
        found.got.append((dict(request.headers), await request.read()))
        return web.Response(status=found.status)

    app = web.Application()
    app.router.add_post("/hook", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(START + 3_600_000)


@pytest.fixture
async def ready(
    city_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ConsoleReady]:
    """A console whose own courier rests: the tests make the rounds."""

    async def nothing(_: Courier) -> bool:
        return True

    monkeypatch.setattr(Courier, "round", nothing)
    monkeypatch.setattr("console.app.serving.networks_of", lambda _: HOUSE)
    async with console(city_url, clock) as one:
        await one.city.enrol_hall("saertu", name="萨尔图")
        await one.city.enrol_hall("longfeng", name="龙凤")
        yield one


def worker(ready: ConsoleReady) -> Courier:
    """One of several workers."""
    context = ready.city.context
    held = Subscriptions(context.clock, context.sealer, Outbox(context.clock))
    return Courier(
        context.db,
        context.clock,
        context.take(IDENTITY),
        held,
        context.events.types,
        Outward(HOUSE),
    )


async def tell(ready: ConsoleReady, day: str, hall: str = "saertu") -> None:
    async with ready.city.db.write() as uow:
        told = HallDayTold(hall=hall, day=day, at=START)
        await ready.city.context.events.tell(uow, HALL_OPENED, told, hall=hall)


async def fail_after_telling(ready: ConsoleReady) -> None:
    async with ready.city.db.write() as uow:
        told = HallDayTold(hall="saertu", day="never", at=START)
        await ready.city.context.events.tell(uow, HALL_OPENED, told, hall="saertu")
        raise RuntimeError


async def last_of(ready: ConsoleReady, hook: str) -> tuple[str, str]:
    """Outcome and reason of the last try."""
    held = Subscriptions(ready.city.context.clock, ready.city.context.sealer, Outbox(SystemClock()))
    async with ready.city.db.read() as uow:
        (one,) = await held.deliveries(uow, hook, limit=1)
    return one.outcome, one.reason


async def rounds(*workers: Courier) -> None:
    """Until nobody finds anything to do."""
    done = False
    while not done:
        done = all([await ROUND(one) for one in workers])


async def test_events_come_signed_in_order_and_an_act_that_failed_tells_nothing(
    ready: ConsoleReady, receiver: Receiver, clock: ManualClock
) -> None:
    reach = Reach(ReachKind.HALL, "saertu")
    given = access("webhooks.manage", "halls.read", "events.read", reach=reach)
    async with caller(ready, "bureau", given) as one:
        body = {"url": receiver.url, "kinds": ["hall.opened"], "secret": SECRET}
        made = await one.ask("POST", "/webhooks", body)
        assert made.status == 201, made.body
        hook = f"/webhooks/{made.body['id']}"
        for day in ("2026-11-23", "2026-11-24", "2026-11-25"):
            await tell(ready, day)
        await tell(ready, "2026-11-24", hall="longfeng")
        with pytest.raises(RuntimeError):
            await fail_after_telling(ready)
        async with ready.city.db.write() as uow:
            told = HallDayTold(hall="saertu", day="2026-11-25", at=START)
            await ready.city.context.events.tell(uow, HALL_CLOSED, told, hall="saertu")
        first, second = worker(ready), worker(ready)
        await rounds(first, second)
        assert receiver.days() == ["2026-11-23", "2026-11-24", "2026-11-25"]
        headers, raw = receiver.got[0]
        stamp, mark = headers["X-Qingting-Signature"].split(",")
        signed = f"{stamp.removeprefix('t=')}.".encode() + raw
        expected = hmac.new(SECRET.encode(), signed, "sha256").hexdigest()
        assert mark == f"v1={expected}"

        feed = await one.get("/events")
        assert [each["data"]["day"] for each in feed.body["events"]] == [
            *receiver.days(),
            "2026-11-25",
        ]
        assert (await one.get(f"/events?cursor={feed.body['cursor']}")).body["events"] == []

        await one.ask("PUT", f"{hook}/secret", {"secret": OTHER})
        assert (await one.ask("POST", f"{hook}/ping")).status == 200
        await rounds(first)
        assert receiver.kinds()[-1] == "ping"
        both = receiver.got[-1][0]["X-Qingting-Signature"].split(",")
        assert len(both) == 3
        assert (await one.get("/events")).body == feed.body, "a ping is for one pair of ears"

        receiver.got.clear()
        span = {"first": 0, "last": clock.now_ms()}
        assert (await one.ask("POST", f"{hook}/repeat", span)).status == 200
        await rounds(first, second)
        assert receiver.days() == ["2026-11-23", "2026-11-24", "2026-11-25"]
        assert receiver.got[0][0]["X-Qingting-Replay"] == "true"

        log = (await one.get(f"{hook}/deliveries?limit=2")).body
        assert [each["outcome"] for each in log["deliveries"]] == ["sent", "sent"]
        older = (await one.get(f"{hook}/deliveries?cursor={log['next']}")).body["deliveries"]
        assert len(older) == 5


async def test_what_is_not_taken_is_tried_again_in_order_and_left_after_three_days(
    ready: ConsoleReady, receiver: Receiver, clock: ManualClock
) -> None:
    async with caller(ready, "bureau", access("webhooks.manage", "halls.read")) as one:
        body = {"url": receiver.url, "kinds": ["hall.opened"], "secret": SECRET}
        hook = (await one.ask("POST", "/webhooks", body)).body["id"]
        await tell(ready, "2026-11-23")
        await tell(ready, "2026-11-24")
        receiver.status = 503
        await rounds(worker(ready))
        await rounds(worker(ready))
        assert receiver.days() == ["2026-11-23"], "the second waits behind the first"
        await clock.advance(delivery.FIRST_RETRY_MS / 1000)
        await rounds(worker(ready))
        assert receiver.days() == ["2026-11-23", "2026-11-23"]
        await clock.advance(3600)
        receiver.status = 200
        await rounds(worker(ready))
        assert receiver.days()[2:] == ["2026-11-23", "2026-11-24"]

        receiver.status = 410
        await tell(ready, "2026-11-25")
        await rounds(worker(ready))
        assert await last_of(ready, hook) == ("dead", "HTTP 410")

        receiver.status = 503
        await tell(ready, "2026-11-26")
        await clock.advance(delivery.LIFE_MS / 1000 + 1)
        await rounds(worker(ready))
        assert await last_of(ready, hook) == ("dead", "HTTP 503")


async def test_a_webhook_is_its_integrators_alone_and_never_leads_inside(
    ready: ConsoleReady, receiver: Receiver
) -> None:
    given = access("webhooks.manage", "halls.read")
    async with caller(ready, "bureau", given) as one, caller(ready, "other", given) as other:
        body = {"url": receiver.url, "kinds": ["hall.opened"], "secret": SECRET}
        at_once = [one.ask("POST", "/webhooks", body, key="the-same-key") for _ in range(6)]
        made, *repeats = await asyncio.gather(*at_once)
        assert {each.body["id"] for each in repeats} == {made.body["id"]}
        assert len((await one.get("/webhooks")).body["webhooks"]) == 1
        again = await one.ask("POST", "/webhooks", body, key="the-same-key")
        assert again.body == made.body
        assert again.headers["Idempotent-Replayed"] == "true"
        changed = await one.ask("POST", "/webhooks", body | {"secret": OTHER}, key="the-same-key")
        assert (changed.status, changed.body["code"]) == (409, "api.key_reused")
        assert (await one.ask("POST", "/webhooks", body, key="")).body["code"] == "api.key"
        hook = f"/webhooks/{made.body['id']}"
        assert (await other.get("/webhooks")).body == {"webhooks": []}
        for method, path, sent in (
            ("DELETE", hook, None),
            ("POST", f"{hook}/ping", None),
            ("PUT", f"{hook}/secret", {"secret": OTHER}),
            ("PUT", f"{hook}/state", {"paused": True}),
            ("POST", f"{hook}/repeat", {"first": 0, "last": 1}),
            ("GET", f"{hook}/deliveries", None),
        ):
            assert (await other.ask(method, path, sent)).body["code"] == "webhook.unknown"
        inside = body | {"url": "https://10.0.0.1/"}
        assert (await one.ask("POST", "/webhooks", inside)).body["code"] == "webhook.url"
        foreign = body | {"kinds": ["item.published"]}
        refused = await one.ask("POST", "/webhooks", foreign)
        assert refused.body["code"] == "webhook.kinds"
        assert (await one.ask("DELETE", hook)).status == 200
        assert (await one.get("/webhooks")).body == {"webhooks": []}


async def test_two_consoles_are_one_to_an_integrator(
    ready: ConsoleReady, receiver: Receiver, city_url: str, clock: ManualClock
) -> None:
    """One quota, one answer to a key, one delivery of an event."""
    given = access("webhooks.manage", "halls.read", per_minute=10)
    async with (
        console(city_url, clock) as second,
        caller(ready, "bureau", given) as one,
        aiohttp.ClientSession(second.url) as http,
    ):
        other = Caller(http, one.token, one.name)
        body = {"url": receiver.url, "kinds": ["hall.opened"], "secret": SECRET}
        at_once = [each.ask("POST", "/webhooks", body, key="the-same-key") for each in (one, other)]
        first, repeat = await asyncio.gather(*at_once)
        assert (first.status, repeat.status) == (201, 201), (first.body, repeat.body)
        assert first.body == repeat.body
        for day in ("2026-11-23", "2026-11-24", "2026-11-25"):
            await tell(ready, day)
        couriers = worker(ready), worker(second)
        done = False
        while not done:
            done = all(await asyncio.gather(*(ROUND(each) for each in couriers)))
        assert receiver.days() == ["2026-11-23", "2026-11-24", "2026-11-25"]
        asked = [each.get("/halls") for each in (one, other) for _ in range(8)]
        statuses = [each.status for each in await asyncio.gather(*asked)]
        assert (statuses.count(200), statuses.count(429)) == (8, 8), "two were taken by the key"
