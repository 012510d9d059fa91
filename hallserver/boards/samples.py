"""Calls for a preview: the hall's own windows and items, invented numbers and people, nothing stored."""

import msgspec

from hallserver.boards.facts import CallFacts, HallFacts, facts_of, windows_in
from hallserver.boards.render import earlier_of, rows_of, screen_of
from hallserver.engine.days import DAY_MS, next_midnight
from hallserver.engine.state import HallState
from qingting.contract.boards import BoardSound, BoardView
from qingting.contract.config import Window
from qingting.contract.ids import Millis, TicketId
from qingting.contract.layouts import BoardLayout, Scope

SAMPLE_CALLS = 10
APART_MS = 45_000
"""Between two invented calls."""
FIRST_NUMBER = 17
NAMES = ("王*例", "李*", "张*样", "陈*")


def sample_facts(state: HallState, scope: Scope, now: Millis, *, calls: bool) -> HallFacts:
    """The hall as it is, with invented calls to windows of the scope, or with none."""
    facts = facts_of(state, scope, next_midnight(now, state.config) - DAY_MS)
    made = _calls(state, scope, now) if calls else ()
    notice = facts.notice if any(facts.notice) else ("今天 16:30 停止取号，请合理安排时间。", "")
    return HallFacts(
        hall=facts.hall,
        notice=notice,
        waiting=facts.waiting or 27,
        calls=made,
        window=facts.window,
        offset_minutes=facts.offset_minutes,
        since=facts.since,
    )


def _calls(state: HallState, scope: Scope, now: Millis) -> tuple[CallFacts, ...]:
    inside = windows_in(state, scope)
    windows = [one for one in state.window_config.values() if one.id in inside and one.queues]
    if not windows:
        return ()
    return tuple(
        _call(state, windows[number % len(windows)], number, now - number * APART_MS)
        for number in range(SAMPLE_CALLS)
    )


def _call(state: HallState, window: Window, number: int, at: Millis) -> CallFacts:
    queue = state.queues[window.queues[0]]
    item = next((one for one in state.items.values() if one.queue == queue.id), None)
    department = state.departments.get(item.department) if item is not None else None
    serial = FIRST_NUMBER + SAMPLE_CALLS - number
    return CallFacts(
        ticket=TicketId(f"sample-{serial}"),
        number=f"{queue.prefix}{serial:03d}",
        window=window.number,
        window_name=(window.name, window.name_en),
        place=(window.place, window.place_en),
        name=NAMES[number % len(NAMES)],
        item=(item.name, item.name_en) if item is not None else ("", ""),
        department=(department.name, department.name_en) if department is not None else ("", ""),
        call_no=serial,
        called_at=at,
        active=True,
    )


def sample_entries(
    state: HallState, layout: BoardLayout, now: Millis, *, calls: bool
) -> dict[str, BoardView]:
    """What a board with this layout would show of the sample."""
    facts = sample_facts(state, layout.scope, now, calls=calls)
    shown: dict[str, BoardView] = {
        "screen": msgspec.structs.replace(screen_of(layout, facts, now), since=now),
        "earlier": earlier_of(layout, facts),
        "sound": BoardSound(quiet=False, volume=80),
    }
    return shown | {f"row:{row.ticket}": row for row in rows_of(layout, facts, now)}
