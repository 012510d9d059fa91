"""History of devices: spans without gaps, overlaps or inventions, whatever the order of events."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from console.modules.devices.api import DOWN, GONE
from console.modules.devices.history import History
from qingting.contract import events as e
from qingting.contract.ids import BusinessDay, CommandKey, DeviceId, StaffId, WindowId
from qingting.contract.states import Condition, DeviceKind, DeviceState

PAD, PRINTER, WINDOW = DeviceId("pad"), DeviceId("printer"), WindowId("w1")
PAD_EVENTS = st.builds(
    e.DeviceChanged,
    device=st.just(PAD),
    kind=st.just(DeviceKind.CALL_PAD),
    state=st.sampled_from([DeviceState.READY, DeviceState.LOST]),
)
PRINTER_EVENTS = st.builds(
    e.DeviceChanged,
    device=st.just(PRINTER),
    kind=st.just(DeviceKind.PRINTER),
    state=st.sampled_from(DeviceState),
    conditions=st.lists(st.sampled_from(Condition), unique=True).map(tuple),
)
WINDOW_EVENTS = st.one_of(
    st.just(e.WindowOpened(window=WINDOW, staff=StaffId("s1"))),
    st.just(e.WindowClosed(window=WINDOW, staff=StaffId("s1"))),
)
DAYS = st.lists(
    st.tuples(st.integers(-5, 100), st.one_of(PAD_EVENTS, PRINTER_EVENTS, WINDOW_EVENTS)),
    max_size=40,
)


def told(steps: list[tuple[int, Any]]) -> History:
    """A pad and a printer through some events; the hall's clock may be set back a little."""
    history, now = History({}, {}), 1_000
    pad = e.DeviceRegistered(device=PAD, kind=DeviceKind.CALL_PAD, name="1", window=WINDOW)
    for number, (after, body) in enumerate([(0, pad), *steps], start=1):
        now += after
        _ = history.apply(
            e.Event(
                s=number,
                at=now,
                bd=BusinessDay("2026-11-23"),
                by="test",
                cmd=CommandKey(f"cmd-{number:08d}"),
                b=body,
            )
        )
    return history


def lost(device: DeviceId, kind: DeviceKind) -> e.DeviceChanged:
    return e.DeviceChanged(device=device, kind=kind, state=DeviceState.LOST)


@given(DAYS)
def test_one_thing_holds_at_most_once_at_a_time(steps: list[tuple[int, Any]]) -> None:
    history = told(steps)
    whole = [*history.over, *history.spans.values()]
    for one in whole:
        assert one.ended is None or one.ended >= one.began
    keys = {(one.device, one.what) for one in whole}
    for key in keys:
        still = [one for one in whole if (one.device, one.what) == key and one.ended is None]
        assert len(still) <= 1


@given(DAYS)
def test_what_is_open_at_the_end_is_what_holds_at_the_end(steps: list[tuple[int, Any]]) -> None:
    history = told(steps)
    for device, row in history.rows.items():
        names = {what for (owner, what) in history.spans if owner == device}
        if row["state"] in ("lost", "absent"):
            assert names <= {GONE, DOWN}
        else:
            assert {one for one in row["conditions"] if one != "offline"} <= names
        assert not (GONE in names and DOWN not in names), "who is gone is out of order"


def test_a_lost_pad_is_missed_from_the_moment_its_window_opens() -> None:
    opened, closed = (
        e.WindowOpened(window=WINDOW, staff=StaffId("s1")),
        e.WindowClosed(window=WINDOW, staff=StaffId("s1")),
    )
    history = told([(10, lost(PAD, DeviceKind.CALL_PAD)), (20, opened), (30, closed)])
    spans = {one.what: (one.began, one.ended) for one in history.over}
    assert spans == {GONE: (1_030, 1_060), DOWN: (1_030, 1_060)}
    assert history.spans == {}


def test_a_change_of_conditions_does_not_begin_what_goes_on_again() -> None:
    def printer(*conditions: Condition) -> e.DeviceChanged:
        return e.DeviceChanged(
            device=PRINTER,
            kind=DeviceKind.PRINTER,
            state=DeviceState.DEGRADED,
            conditions=conditions,
        )

    low, both = printer(Condition.PAPER_LOW), printer(Condition.PAPER_LOW, Condition.COVER_OPEN)
    history = told([(10, low), (10, both), (10, low)])
    assert history.spans[PRINTER, "paper_low"].began == 1_010
    assert [(one.what, one.began, one.ended) for one in history.over if one.what != DOWN] == [
        ("cover_open", 1_020, 1_030)
    ]
