"""Alarms over a real database: none twice, none lost, one for one cause, and only who may handles them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
import sqlalchemy as sa
from alarm_stage import (
    AUDITOR,
    HALL,
    KIOSK,
    MINUTE,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Stage,
    changed,
    kiosk_back,
    kiosk_lost,
    line_stood,
    printer,
    stage,
)

from console.core.audit import read_audit
from console.core.audit_reading import audit_fault
from console.core.permissions import EVERYWHERE
from console.core.uow import Uow
from console.halls.repository import HallRepository
from console.modules.alarms.rules import AlarmRule
from console.modules.alarms.service import AlarmFilter
from qingting.contract import events as e
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId
from qingting.contract.link import Live
from qingting.contract.states import (
    AddressClass,
    Condition,
    DeviceKind,
    DeviceState,
    TurnedAway,
)

pytestmark = pytest.mark.postgres
OPEN = (Condition.COVER_OPEN,)


@pytest.fixture
async def on(city_url: str) -> AsyncIterator[Stage]:
    async with stage(city_url) as one:
        yield one


async def steps(on: Stage) -> list[str]:
    async with on.city.db.read() as uow:
        rows = await uow.all(sa.text("SELECT act FROM alarm_step ORDER BY no"))
    return [row["act"] for row in rows]


async def test_an_alarm_rises_is_taken_in_hand_ends_by_itself_and_is_counted_when_back(
    on: Stage,
) -> None:
    assert await on.open() == []
    await on.hears(printer(*OPEN))
    assert await on.open() == ["k1-printer:cover_open"]
    no = await on.first()
    async with on.city.db.write() as uow:
        await on.alarms.acknowledge(uow, SYSTEM_ADMIN, no, "已派人去看")
    await on.hears(printer())
    assert await on.open() == []
    await on.minutes(3)
    await on.hears(printer(*OPEN))
    assert await on.open() == ["k1-printer:cover_open"]
    assert await steps(on) == ["raised", "acknowledged", "cleared", "again"]
    async with on.city.db.read() as uow:
        picture = await on.alarms.alarm(uow, AUDITOR, no)
        counts = await on.alarms.open(uow, EVERYWHERE)
    assert (picture.alarm.times, picture.alarm.acked_by) == (2, "")
    assert (counts.count, counts.new, counts.by_severity[Severity.CRITICAL]) == (1, 1, 1)
    await on.minutes(60)
    assert await on.count("alarm_notice") == 1, "back within ten minutes it is told once"


async def test_what_came_and_went_between_two_looks_is_on_record(on: Stage) -> None:
    await on.hears(printer(*OPEN), printer())
    assert await on.open() == []
    assert await steps(on) == ["raised", "cleared"]
    assert await on.count("alarm_notice") == 0, "nobody is called for what is over"


async def test_two_workers_make_one_alarm_of_one_cause(city_url: str) -> None:
    async with stage(city_url) as on:
        await on.hears(printer(*OPEN), *kiosk_lost())
        await on.minutes(2)
        async with stage(city_url, log=on.log, clock=on.clock) as other:
            _ = await asyncio.gather(*(one.look() for one in (on, other, on, other)))
            assert await on.count("alarm_notice") == 1
        keys = "(SELECT DISTINCT rule, hall, device, what FROM alarm_alarm) AS k"
        assert await on.count("alarm_alarm") == await on.count(keys) > 1
        assert await on.count("alarm_raising") == await on.count("alarm_alarm")


async def test_a_duration_goes_on_while_the_console_is_down(city_url: str) -> None:
    async with stage(city_url) as first:
        await first.hears(printer(Condition.PAPER_LOW))
        began = first.clock.now_ms()
        await first.minutes(20)
        assert await first.open() == []
        log, clock = first.log, first.clock
    await clock.advance(11 * 60)
    await line_stood(city_url, log, clock)
    async with stage(city_url, log=log, clock=clock) as second:
        await second.connect()
        assert await second.open() == ["k1-printer:paper_low"]
        async with second.city.db.read() as uow:
            alarm = (await second.alarms.alarm(uow, AUDITOR, await second.first())).alarm
        assert (alarm.began, alarm.raised_at) == (began, began + 30 * MINUTE)
    async with stage(city_url, log=log, clock=clock) as third:
        assert await third.open() == ["k1-printer:paper_low"]
        assert await third.count("alarm_notice") == 1


async def test_a_kiosk_that_is_switched_off_is_one_alarm_with_four_devices_behind_it(
    on: Stage,
) -> None:
    await on.hears(*kiosk_lost())
    assert await on.open() == []
    await on.minutes(1.1)
    assert await on.open() == [
        "k1:gone<4", "k1-agent:gone>", "k1-printer:gone>", "k1-reader:gone>", "k1-scanner:gone>",
    ]  # fmt: skip
    assert await on.count("alarm_notice") == 1
    async with on.city.db.read() as uow:
        (shown,) = await on.alarms.listed(uow, AUDITOR, AlarmFilter())
        assert (await on.alarms.open(uow, EVERYWHERE)).count == 1
    assert (shown.device, shown.behind) == (KIOSK, 4)
    # The computer is back and its printer is not: that is now an alarm of its own.
    await on.hears(*[one for one in kiosk_back() if one.device != "k1-printer"])  # type: ignore[union-attr]
    assert await on.open() == ["k1-printer:gone"]
    assert await on.count("alarm_notice") == 2


async def test_a_silent_hall_is_one_alarm_and_freezes_what_is_known_of_its_devices(
    on: Stage,
) -> None:
    await on.hears(printer(*OPEN))
    assert await on.open() == ["k1-printer:cover_open"]
    await on.connect(connected=False)
    await on.clock.advance(61)
    assert await on.open() == ["hall:hall_offline<5", "k1-printer:cover_open>"]
    await on.hears(printer())
    assert await on.open() == []
    assert await on.count("alarm_notice", "act = 'raised'") == 2
    # The line stands and the hall says that it has no fresh backup of itself, then that it has one.
    for since, expected in ((on.clock.now_ms() - 1_800_000, ["hall:hall_backup"]), (0, [])):
        live = Live(at=on.clock.now_ms(), oldest_unacked=0, backup_bad=since)
        async with on.city.db.write() as uow:
            await HallRepository(uow).put_live(HALL, msgspec.json.encode(live), on.clock.now_ms())
        assert await on.open() == expected


async def test_maintenance_is_quiet_shown_and_left_out_of_availability(on: Stage) -> None:
    now = on.clock.now_ms()
    async with on.city.db.write() as uow:
        no = await on.alarms.begin_maintenance(
            uow, SYSTEM_ADMIN, HALL, KIOSK, start=0, until=now + 60 * MINUTE, reason="换打印头"
        )
    await on.hears(printer(*OPEN))
    assert await on.open() == ["k1-printer:cover_open"]
    assert await on.count("alarm_alarm", "maintained") == 1
    assert await on.count("alarm_notice") == 0
    await on.minutes(30)
    async with on.city.db.write() as uow:
        counts = await on.alarms.open(uow, EVERYWHERE)
        assert (counts.count, counts.maintained) == (0, 1)
        await on.alarms.end_maintenance(uow, SYSTEM_ADMIN, no)
        with pytest.raises(Refusal, match=r"maintenance\.unknown"):
            await on.alarms.end_maintenance(uow, SYSTEM_ADMIN, no)
    assert await on.open() == ["k1-printer:cover_open"]
    assert await on.count("alarm_notice") == 1, "what still holds afterwards is told"
    await on.minutes(10)
    await on.hears(printer())
    await on.minutes(10)
    async with on.city.db.read() as uow:
        record = await on.alarms.record(uow, HALL, "k1-printer")
    day = record.availability["day"]
    assert (day.measured, day.down, day.by_hours) == (20 * MINUTE, 10 * MINUTE, False)
    assert day.share == 0.5
    assert [(one.what, one.times, one.total) for one in record.held] == [
        ("cover_open", 1, 40 * MINUTE)
    ]


async def test_a_copied_key_is_a_grave_alarm_until_the_device_is_paired_anew(on: Stage) -> None:
    def refusal(device: str, why: TurnedAway) -> e.DeviceRefused:
        return e.DeviceRefused(device=DeviceId(device), why=why, origin=AddressClass.OWN_NETWORK)

    await on.hears(refusal(KIOSK, TurnedAway.COPIED_KEY))
    await on.hears(refusal("stranger", TurnedAway.UNKNOWN_DEVICE))
    assert await on.open() == ["k1:refused_copied_key", "stranger:refused_unknown_device"]
    await on.minutes(10)
    await on.hears(refusal(KIOSK, TurnedAway.COPIED_KEY))
    assert "k1:refused_copied_key" in await on.open()
    assert await on.count("alarm_alarm", "times = 2 AND severity = 'critical'") == 1
    await on.hears(e.DeviceKeyed(device=DeviceId(KIOSK)))
    assert await on.open() == ["stranger:refused_unknown_device"]


async def test_a_pad_is_missed_only_at_an_open_window_and_from_then_on(on: Stage) -> None:
    window, staff = on.log.window
    pad = e.DeviceRegistered(
        device=DeviceId("pad"), kind=DeviceKind.CALL_PAD, name="pad", window=window
    )
    lost = changed("pad", DeviceState.LOST, kind=DeviceKind.CALL_PAD)
    await on.hears(pad, lost)
    await on.minutes(60)
    assert await on.open() == []
    await on.hears(e.WindowOpened(window=window, staff=staff))
    await on.minutes(4)
    assert await on.open() == []
    await on.minutes(2)
    assert await on.open() == ["pad:gone"]
    await on.hears(e.WindowClosed(window=window, staff=staff))
    assert await on.open() == []


async def test_building_the_history_again_raises_nothing_again(on: Stage) -> None:
    await on.hears(printer(*OPEN), printer(), printer(Condition.JAM))
    before = await on.open()
    made = await on.count("alarm_alarm"), await on.count("alarm_step")
    spans = await on.count("dev_span")
    await on.city.runner.rebuild("devices")
    assert await on.open() == before == ["k1-printer:jam"]
    assert (await on.count("alarm_alarm"), await on.count("alarm_step")) == made
    assert await on.count("dev_span") == spans


async def test_only_who_may_handles_alarms_and_edits_rules_and_all_of_it_is_audited(
    on: Stage,
) -> None:
    await on.hears(printer(*OPEN))
    await on.look()
    no, now = await on.first(), on.clock.now_ms()
    rule = AlarmRule(id="night", name="夜间", whats=("jam",), severity=Severity.WARNING)

    def period(subject: object) -> Callable[[Uow], Awaitable[object]]:
        return lambda uow: on.alarms.begin_maintenance(
            uow,
            subject,
            HALL,
            "",
            start=0,
            until=now + MINUTE,
            reason="检修",  # type: ignore[arg-type]
        )

    forbidden: list[Callable[[Uow], Awaitable[object]]] = [
        lambda uow: on.alarms.acknowledge(uow, AUDITOR, no, ""),
        lambda uow: on.alarms.clear(uow, AUDITOR, no, "x"),
        lambda uow: on.alarms.end_maintenance(uow, AUDITOR, 1),
        period(AUDITOR),
        lambda uow: on.alarms.put_rule(uow, AUDITOR, rule, None),
        lambda uow: on.alarms.put_rule(uow, SECURITY_ADMIN, rule, None),
    ]
    for act in forbidden:
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            async with on.city.db.write() as uow:
                await act(uow)
    assert await on.open() == ["k1-printer:cover_open"]
    async with on.city.db.write() as uow:
        await on.alarms.acknowledge(uow, SECURITY_ADMIN, no, "去看了")
        await period(SECURITY_ADMIN)(uow)
        await on.alarms.put_rule(uow, SYSTEM_ADMIN, rule, None)
        await on.alarms.clear(uow, SYSTEM_ADMIN, no, "误报")
    async with on.city.db.read() as uow:
        entries = await read_audit(uow)
        assert await audit_fault(uow) is None
    acts = [(one.act, one.actor, one.object) for one in reversed(entries)][-4:]
    assert acts == [
        ("alarm.acknowledged", SECURITY_ADMIN.id, str(no)),
        ("maintenance.begun", SECURITY_ADMIN.id, HALL),
        ("alarm.rule", SYSTEM_ADMIN.id, "night"),
        ("alarm.cleared", SYSTEM_ADMIN.id, str(no)),
    ]


async def test_what_makes_no_sense_is_refused_and_changes_nothing(on: Stage) -> None:
    await on.hears(printer(*OPEN))
    await on.look()
    no, now = await on.first(), on.clock.now_ms()
    good = AlarmRule(id="night", name="夜间", whats=("jam",), severity=Severity.WARNING)
    held = AlarmRule(id="paper-low", name="纸", whats=("paper_low",), severity=Severity.INFO)
    nonsense = AlarmRule(id="odd", name="x", whats=("nonsense",), severity=Severity.INFO)

    def works(
        hall: str, device: str, until: int, reason: str = "x"
    ) -> Callable[[Uow], Awaitable[object]]:
        return lambda uow: on.alarms.begin_maintenance(
            uow,
            SYSTEM_ADMIN,
            hall,
            device,
            start=0,
            until=until,
            reason=reason,  # type: ignore[arg-type]
        )

    cases: list[tuple[str, Callable[[Uow], Awaitable[object]]]] = [
        ("alarm.unknown", lambda uow: on.alarms.acknowledge(uow, SYSTEM_ADMIN, 999, "")),
        ("alarm.reason_missing", lambda uow: on.alarms.clear(uow, SYSTEM_ADMIN, no, "  ")),
        ("maintenance.period", works(HALL, "", now)),
        ("maintenance.period", works(HALL, "", now + 91 * 86_400_000)),
        ("alarm.reason_missing", works(HALL, "", now + MINUTE, " ")),
        ("hall.unknown", works("nowhere", "", now + MINUTE)),
        ("device.unknown", works(HALL, "nothing", now + MINUTE)),
        ("alarm.rule_whats", lambda uow: on.alarms.put_rule(uow, SYSTEM_ADMIN, nonsense, None)),
        ("alarm.rule_exists", lambda uow: on.alarms.put_rule(uow, SYSTEM_ADMIN, held, None)),
        ("alarm.rule_unknown", lambda uow: on.alarms.put_rule(uow, SYSTEM_ADMIN, good, 3)),
        ("alarm.rule_changed", lambda uow: on.alarms.put_rule(uow, SYSTEM_ADMIN, held, 7)),
        ("alarm.rule_unknown", lambda uow: on.alarms.rule(uow, SYSTEM_ADMIN, "nothing")),
    ]
    for code, act in cases:
        with pytest.raises(Refusal) as refused:
            async with on.city.db.write() as uow:
                await act(uow)
        assert refused.value.code == code
    assert await on.count("alarm_rule") == await on.count("alarm_maintenance") == 0
    async with on.city.db.write() as uow:
        await on.alarms.clear(uow, SYSTEM_ADMIN, no, "误报")
    for late in (on.alarms.acknowledge, on.alarms.clear):
        with pytest.raises(Refusal, match=r"alarm\.over"):
            async with on.city.db.write() as uow:
                await late(uow, SYSTEM_ADMIN, no, "x")
    assert await on.open() == [], "the same cause raises nothing until it begins anew"
    await on.minutes(1)
    await on.hears(printer(), printer(*OPEN))
    assert await on.open() == ["k1-printer:cover_open"]


async def test_two_people_who_edit_one_rule_do_not_overwrite_each_other(on: Stage) -> None:
    rule = AlarmRule(
        id="device-fault", name="故障", severities=(Severity.CRITICAL,), severity=Severity.WARNING
    )

    async def put(version: int) -> str:
        try:
            async with on.city.db.write() as uow:
                await on.alarms.put_rule(uow, SYSTEM_ADMIN, rule, version)
        except Refusal as refusal:
            return refusal.code
        return "done"

    assert sorted(await asyncio.gather(put(0), put(0))) == ["alarm.rule_changed", "done"]
    assert await put(1) == "done"
    await on.hears(printer(*OPEN))
    await on.look()
    assert await on.count("alarm_alarm", "severity = 'warning'") == 1


async def test_the_overview_counts_what_the_list_of_alarms_shows(on: Stage) -> None:
    """The same rule for both: neither what stands behind another nor what is being worked on."""
    await on.hears(*kiosk_lost(), changed("pad-x", DeviceState.DEGRADED, Condition.COVER_OPEN))
    await on.minutes(1.1)
    await on.look()
    await _agrees(on, open_=2, new=2, maintained=0)
    async with on.city.db.write() as uow:
        await on.alarms.begin_maintenance(
            uow, SYSTEM_ADMIN, HALL, "pad-x", start=0, until=on.clock.now_ms() + MINUTE, reason="x"
        )
        await on.alarms.acknowledge(uow, SYSTEM_ADMIN, await on.first(), "")
    await on.look()
    await _agrees(on, open_=1, new=None, maintained=1)


async def _agrees(on: Stage, *, open_: int, new: int | None, maintained: int) -> None:
    async with on.city.db.read() as uow:
        counts = await on.alarms.open(uow, EVERYWHERE)
        shown = {
            state: len(await on.alarms.listed(uow, AUDITOR, AlarmFilter(state=state)))
            for state in ("open", "new", "acknowledged", "maintained")
        }
    assert (counts.count, counts.maintained) == (open_, maintained)
    assert (counts.count, counts.new) == (shown["open"], shown["new"])
    assert (counts.maintained, counts.count - counts.new) == (
        shown["maintained"],
        shown["acknowledged"],
    )
    assert new in (None, counts.new)
