"""Who hears what: only what is in one's scope, never too early, never twice, and everything in the end."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.channels import MailChannel, WebhookChannel
from console.modules.alarms.forms_receiver import ReceiverFields
from console.modules.alarms.receivers import (
    DAY_MS,
    MINUTE_MS,
    HeldReceiver,
    Receiver,
    Waiting,
    channel_names,
    escalates,
    hears,
    in_division,
    open_to,
    receiver_fault,
    renewed,
    sendings,
    sent_at,
    way_of,
)
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.aio.clock import ManualClock

HALLS = {"saertu": "230602001", "ranghulu": "230604", "lindian": "230623", "new": ""}
CITY = "230600"


def receiver(**given: object) -> Receiver:
    fields: dict[str, object] = {"id": "duty", "name": "值班", "mails": ("a@b.example",)}
    return Receiver(**fields | given)  # type: ignore[arg-type]


def heard(one: Receiver, severity: Severity = Severity.CRITICAL) -> set[str]:
    return {
        hall
        for hall, division in HALLS.items()
        if hears(one, hall=hall, division=division, severity=severity)
    }


@pytest.mark.parametrize(
    ("scope", "halls"),
    [
        ({}, set(HALLS)),
        ({"halls": (HallId("lindian"), HallId("new"))}, {"lindian", "new"}),
        ({"divisions": ("230602",)}, {"saertu"}),
        ({"divisions": (CITY,)}, {"saertu", "ranghulu", "lindian"}),
        ({"divisions": ("230604",), "halls": (HallId("new"),)}, {"ranghulu", "new"}),
        ({"divisions": ("230605",)}, set()),
        ({"enabled": False}, set()),
    ],
)
def test_a_receiver_hears_of_the_halls_of_its_scope_and_of_no_other(
    scope: dict[str, object], halls: set[str]
) -> None:
    assert heard(receiver(**scope)) == halls


codes = st.from_regex(r"[1-9][0-9]{11}", fullmatch=True)


@given(codes, st.sampled_from((2, 4, 6, 9, 12)), st.booleans())
def test_a_division_holds_what_begins_like_it_and_nothing_else(
    code: str, length: int, padded: bool
) -> None:
    within = code[:length] + ("0" * (12 - length) if padded else "")
    assert in_division(code, within)
    other = str((int(code[0]) % 9) + 1) + code[1:]
    assert not in_division(other, within)
    assert not in_division("", within)


@given(st.sampled_from(Severity), st.sampled_from(Severity))
def test_nobody_hears_of_what_is_milder_than_they_asked_for(
    least: Severity, severity: Severity
) -> None:
    assert bool(heard(receiver(least=least), severity)) == (severity.rank >= least.rank)


clock_texts = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
instants = st.integers(1_700_000_000_000, 1_900_000_000_000)
offsets = st.sampled_from((-300, 0, 330, 480))


def minute_of_day(at: int, offset: int) -> int:
    return (at // MINUTE_MS + offset) % 1440


def in_quiet(one: Receiver, at: int, offset: int) -> bool:
    """Minute by minute, as a person would read the two times."""
    hour, minute = map(int, one.quiet_from.split(":"))
    end_hour, end_minute = map(int, one.quiet_until.split(":"))
    start, end, now = hour * 60 + minute, end_hour * 60 + end_minute, minute_of_day(at, offset)
    return start <= now < end if start < end else now >= start or now < end


@given(clock_texts, clock_texts, instants, offsets)
def test_what_comes_in_quiet_hours_waits_for_their_end_and_is_never_lost(
    start: str, end: str, at: int, offset: int
) -> None:
    one = receiver(quiet_from=start, quiet_until=end)
    if start == end:
        assert receiver_fault(one) == "quiet"
        return
    sent = sent_at(one, Severity.WARNING, at, offset)
    assert sent == at if not in_quiet(one, at, offset) else at < sent < at + DAY_MS
    assert not in_quiet(one, sent, offset)
    assert sent == at or in_quiet(one, sent - MINUTE_MS, offset), "as soon as they are over"
    assert sent_at(one, Severity.CRITICAL, at, offset) == at, "what is grave breaks through"


@given(
    st.integers(0, 120),
    st.integers(0, 10_000_000),
    st.integers(0, 10_000_000),
    st.integers(0, 20_000_000),
    st.integers(0, 10_000_000),
)
def test_an_escalation_comes_when_nobody_acknowledged_for_so_long_and_never_before(
    after: int, told: int, later: int, now: int, since: int
) -> None:
    held = HeldReceiver(receiver=receiver(after_minutes=after), since=since)
    called = escalates(held, Waiting(told, told + later), now)
    expected = after > 0 and told >= since and now - (told + later) >= after * MINUTE_MS
    assert called == expected
    if called:
        assert escalates(held, Waiting(told, told + later), now + 1), (
            "a look that came late finds it"
        )


def test_a_changed_receiver_still_gets_what_was_on_its_way_and_a_new_one_no_old_alarms() -> None:
    first = renewed(None, receiver(after_minutes=5), "me", 1000)
    changed = renewed(first, receiver(after_minutes=9), "me", 2000)
    assert (first.since, changed.since, changed.version) == (1000, 1000, 2)
    off = renewed(changed, receiver(enabled=False), "me", 3000)
    assert (off.since, renewed(off, receiver(), "me", 4000).since) == (1000, 4000)


def test_each_way_of_a_receiver_is_a_channel_of_its_own() -> None:
    both = receiver(webhook="https://x.example/hook", quiet_from="22:00", quiet_until="07:00")
    held = [HeldReceiver(receiver=both), HeldReceiver(receiver=receiver(id="boss"))]
    assert [one.channel for one in sendings(held, Severity.CRITICAL, 5, 480)] == [
        "mail:duty",
        "webhook:duty",
        "mail:boss",
    ]
    assert [way_of(one) for one in (*channel_names(both), "mail")] == [
        ("mail", "duty"),
        ("webhook", "duty"),
        ("mail", ""),
    ]


def test_a_receiver_is_reached_by_the_citys_server_at_its_own_address() -> None:
    mail = MailChannel(host="m", port=25, sender="q@x.example", receivers=("all@x.example",))
    hook = WebhookChannel(url="", secret="s" * 16, clock=ManualClock())
    held = HeldReceiver(receiver=receiver(webhook="https://x.example/hook"))
    found = open_to((mail, hook), [held])
    assert sorted(found) == ["mail", "mail:duty", "webhook:duty"], "a hook without address is none"
    own, hooked = found["mail:duty"], found["webhook:duty"]
    assert isinstance(own, MailChannel)
    assert isinstance(hooked, WebhookChannel)
    assert (own.receivers, own.sender, own.name) == (("a@b.example",), "q@x.example", "mail:duty")
    assert (hooked.url, hooked.secret) == ("https://x.example/hook", "s" * 16)
    assert list(open_to((), [held])) == []


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, ""),
        ({"mails": ()}, "address"),
        ({"mails": (), "webhook": "https://x.example/h"}, ""),
        ({"mails": ("no address",)}, "mails"),
        ({"mails": ("a@b.example, c@d.example",)}, "mails"),
        ({"mails": ("a@b.example\nBcc:x@y.example",)}, "mails"),
        ({"mails": ("a@localhost",)}, "mails"),
        ({"mails": tuple(f"a{n}@b.example" for n in range(11))}, "mails"),
        ({"webhook": "http://x.example/h"}, "webhook"),
        ({"webhook": "https:///h"}, "webhook"),
        ({"webhook": "http://localhost@x.example/h"}, "webhook"),
        ({"quiet_from": "22:00"}, "quiet"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "quiet"),
    ],
)
def test_a_receiver_that_could_never_work_is_not_kept(given: dict[str, object], fault: str) -> None:
    assert receiver_fault(receiver(**given)) == fault


def fields(**given: object) -> ReceiverFields:
    return msgspec.convert({"id": "duty", "name": "值班", **given}, ReceiverFields)


def test_a_form_gives_the_receiver_that_it_shows() -> None:
    held = HeldReceiver(
        receiver=receiver(
            mails=("a@b.example", "c@d.example"),
            divisions=("230602",),
            quiet_from="22:00",
            quiet_until="07:00",
            after_minutes=15,
        ),
        version=3,
    )
    shown = ReceiverFields.of(held)
    assert shown.receiver() == held.receiver
    assert (shown.version, shown.without_addresses().mails) == (3, "")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": " "}, "form.invalid"),
        ({"quiet_from": "25:00"}, "receiver.quiet"),
        ({"after_minutes": -1}, "form.invalid"),
        ({"divisions": ("大庆",)}, "form.invalid"),
    ],
)
def test_a_form_at_fault_says_so(given: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        fields(**given).receiver()
    assert refusal.value.code == code
