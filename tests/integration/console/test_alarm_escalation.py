"""Receivers and escalation over a real database and a real web server: each hears once of what is theirs."""

import asyncio
import json

import msgspec
import pytest
from alarm_stage import (
    HALL,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Stage,
    kiosk_back,
    kiosk_lost,
    printer,
    stage,
)
from patience import until
from test_alarm_channels import SECRET, Receiver, receiving

from console.core.audit import read_audit
from console.core.channels import WebhookChannel
from console.halls.api import HALLS
from console.modules.alarms import receivers as r
from console.modules.alarms.receiver_desk import ReceiverService
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.states import Condition
from qingting.kernel.aio.clock import ManualClock

pytestmark = pytest.mark.postgres
OPEN = (Condition.COVER_OPEN,)


async def put(on: Stage, receiver: r.Receiver, version: int | None = None) -> None:
    context = on.city.context
    service = ReceiverService(on.clock, context.audit, context.take(HALLS), context.channels)
    async with on.city.db.write() as uow:
        await service.put(uow, SYSTEM_ADMIN, receiver, version)


def at(server: Receiver, name: str, **given: object) -> r.Receiver:
    """A receiver that is reached at ``?name`` of the server."""
    fields: dict[str, object] = {"id": name, "name": name, "webhook": f"{server.url}?{name}"}
    return r.Receiver(**fields | given)  # type: ignore[arg-type]


def told(server: Receiver) -> list[str]:
    """``receiver:act`` of everything that arrived, in order of the notices."""
    found = [
        (json.loads(body)["id"], f"{query}:{json.loads(body)['act']}")
        for query, (_, body) in zip(server.queries, server.taken, strict=True)
    ]
    return [
        text for _, text in sorted(found, key=lambda one: (int(one[0].rpartition("-")[2]), one))
    ]


async def arrived(on: Stage, server: Receiver, expected: list[str]) -> None:
    """Two workers deliver side by side, again and again: exactly this arrives. What the city's own job has taken is
    leased, not due: it is still on its way."""

    async def there() -> bool:
        await asyncio.gather(on.deliver(), on.deliver())
        return await on.count("alarm_delivery", "state = 'pending'") == 0

    await until(there)
    assert told(server) == expected


async def test_each_receiver_hears_of_its_halls_and_the_next_when_nobody_acknowledges(
    city_url: str,
) -> None:
    async with receiving() as server:
        clock = ManualClock()
        hook = WebhookChannel(url="", secret=SECRET, clock=clock)
        async with stage(city_url, clock=clock, channels=(hook,)) as on:
            await put(on, at(server, "here", halls=(HALL,)))
            await put(on, at(server, "elsewhere", divisions=("119999",)))
            await put(on, at(server, "boss", after_minutes=15))
            await put(on, at(server, "mayor", after_minutes=30, least=Severity.CRITICAL))
            await on.hears(*kiosk_lost())
            await on.minutes(1.1)
            await on.look()
            await arrived(on, server, ["here:raised"])
            await on.minutes(14)
            await on.look()
            await arrived(on, server, ["here:raised"])
            await on.minutes(2)
            await asyncio.gather(on.look(), on.look())
            called = ["here:raised", "boss:escalated"]
            await arrived(on, server, called)
            # A worker that starts anew finds it done.
            async with stage(city_url, clock=clock, channels=(hook,), log=on.log) as again:
                await again.look()
                await arrived(again, server, called)
            no = await on.first()
            async with on.city.db.write() as uow:
                await on.alarms.acknowledge(uow, SECURITY_ADMIN, no, "")
            await on.minutes(30)
            await on.look()
            await arrived(on, server, called)
            async with on.city.db.read() as uow:
                picture = await on.alarms.alarm(uow, SYSTEM_ADMIN, no)
            assert [(one.act, one.note) for one in picture.steps][1] == ("escalated", "boss")
            await on.hears(*kiosk_back())
            await on.minutes(11)
            await on.look()
            ends = ["boss:cleared", "here:cleared"]
            await arrived(on, server, [*called, *ends])


async def test_quiet_hours_hold_back_and_a_broken_receiver_stops_nobody_else(city_url: str) -> None:
    async with receiving() as server:
        clock = ManualClock()
        hook = WebhookChannel(url="", secret=SECRET, clock=clock)
        async with stage(city_url, clock=clock, channels=(hook,)) as on:
            now = clock.now_ms() // r.MINUTE_MS + 480
            times = [f"{(now + n) // 60 % 24:02d}:{(now + n) % 60:02d}" for n in (-60, 60)]
            night = {"quiet_from": times[0], "quiet_until": times[1]}
            await put(on, at(server, "woken", **night))
            await put(on, at(server, "asleep", **night | {"quiet_least": Severity.CRITICAL}))
            await put(on, replace_webhook(at(server, "broken"), "http://127.0.0.1:9/"))
            await put(on, at(server, "warned", least=Severity.WARNING))
            await on.hears(printer(Condition.PAPER_LOW))
            await on.minutes(31)
            await on.look()
            broken = "channel = 'webhook:broken' AND state = 'pending' AND tries > 0"

            async def tried() -> bool:
                await on.deliver()
                return await on.count("alarm_delivery", broken) == 1 and bool(server.taken)

            await until(tried)
            assert told(server) == ["warned:raised"]
            await on.minutes(30)

            async def awake() -> bool:
                await on.deliver()
                return len(server.taken) == 3

            await until(awake)
            assert told(server) == ["asleep:raised", "warned:raised", "woken:raised"]


def replace_webhook(receiver: r.Receiver, url: str) -> r.Receiver:
    return msgspec.structs.replace(receiver, webhook=url)


async def test_only_a_system_administrator_changes_receivers_and_no_address_is_audited(
    city_url: str,
) -> None:
    clock = ManualClock()
    hook = WebhookChannel(url="", secret=SECRET, clock=clock)
    async with stage(city_url, clock=clock, channels=(hook,)) as on:
        one = r.Receiver(id="a", name="a", webhook="https://secret-place.example/x")
        service = ReceiverService(
            clock, on.city.context.audit, on.city.context.take(HALLS), on.city.context.channels
        )
        faults = [
            (SECURITY_ADMIN, one, None, "page.forbidden"),
            (SYSTEM_ADMIN, one, 1, "receiver.unknown"),
            (SYSTEM_ADMIN, replace_webhook(one, ""), None, "receiver.address"),
            (
                SYSTEM_ADMIN,
                r.Receiver(id="m", name="m", mails=("a@b.cn",)),
                None,
                "receiver.no_mail",
            ),
        ]
        for subject, receiver, version, code in faults:
            with pytest.raises(Refusal) as refusal:
                async with on.city.db.write() as uow:
                    await service.put(uow, subject, receiver, version)
            assert refusal.value.code == code
        await put(on, one)
        await put(on, one, 1)
        for version, code in ((None, "receiver.exists"), (1, "receiver.changed")):
            with pytest.raises(Refusal) as refusal:
                await put(on, one, version)
            assert refusal.value.code == code
        async with on.city.db.read() as uow:
            audit = await read_audit(uow, "alarm.receiver")
        assert len(audit) == 2
        assert "secret-place" not in str(audit)
