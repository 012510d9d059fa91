"""Which loudspeaker says which call, and when it is its turn. Pure: reads the state, changes nothing.

A call is said aloud by one player of its place: by the first loudspeaker that works and whose calls it is, in the
order of the configuration; boards of that place then only show it. When a loudspeaker breaks off, or is not there, the
next one says the call, and without any the boards do. Loudspeakers with a window in common take turns, in the order of
the calls, and a board that is in the middle of a call is let finish.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from hallserver.boards.facts import in_scope, windows_in
from hallserver.boards.layouts import DEFAULT
from hallserver.engine.evolve_acts import hands_of
from hallserver.engine.state import Call, DeviceLife, HallState
from qingting.contract.ids import DeviceId, Millis, TicketId, WindowId
from qingting.contract.layouts import BoardLayout, Scope, ScopeDepartments, ScopeHall
from qingting.contract.states import Condition, DeviceKind, DeviceState

TRIES = 2
"""How often one loudspeaker tries to say the same call."""
RETRY_MS = 3_000
"""Pause before the next try: by then it is known whether the loudspeaker is still there."""
HANDOVER_MS = 15_000
"""How long a board may still be saying a call that it took over, or that is older than the loudspeaker."""
_SILENT = frozenset({Condition.MUTED, Condition.SOUND_TAKEN, Condition.SOUND_FAULT})


class Saying(NamedTuple):
    """``speaker`` is to say ``call_no`` of ``ticket`` now, at ``volume`` percent."""

    speaker: DeviceId
    ticket: TicketId
    call_no: int
    volume: int


def speakers(state: HallState) -> list[DeviceLife]:
    """Every loudspeaker, in the order of the configuration."""
    return [one for one in state.devices.values() if one.kind is DeviceKind.SPEAKER]


def scope_of(state: HallState, speaker: DeviceId) -> Scope:
    """Which calls a loudspeaker says."""
    known = state.config.announcements.speakers if state.config is not None else {}
    return known.get(speaker, ScopeHall())


def own_volume(state: HallState, speaker: DeviceId) -> int:
    """What remote hands have set there, in percent of what the hall's hours say."""
    volume = hands_of(state, speaker).volume
    return 100 if volume is None else volume


def works(state: HallState, life: DeviceLife) -> bool:
    """True for a player that can be heard now."""
    if life.state is not DeviceState.READY or _SILENT & life.conditions.keys():
        return False
    return life.kind is not DeviceKind.SPEAKER or own_volume(state, life.id) > 0


def speaker_of(state: HallState, call: Call, now: Millis) -> DeviceLife | None:
    """The loudspeaker that is to say the latest call of a ticket; None: the boards say it."""
    ticket = state.tickets[call.ticket]
    for life in speakers(state):
        if (
            works(state, life)
            and _may_try(call, life.id, now)
            and in_scope(state, scope_of(state, life.id), ticket, call.window)
        ):
            return life
    return None


def _may_try(call: Call, speaker: DeviceId, now: Millis) -> bool:
    tries = call.unsaid.get(speaker, 0)
    return tries == 0 or (tries < TRIES and now >= call.unsaid_at + RETRY_MS)


def spoken_for(state: HallState, call: Call, now: Millis) -> bool:
    """True for a call that a loudspeaker has said or is going to say, so that boards of its place only show it.

    One that a board may be saying just now stays with the boards.
    """
    latest = call.numbers[-1]
    if any(call.said.get(one.id, 0) >= latest for one in speakers(state)):
        return True
    speaker = speaker_of(state, call, now)
    return speaker is not None and not left_to_boards(state, call, speaker)


def left_to_boards(state: HallState, call: Call, speaker: DeviceLife) -> bool:
    """True for a call that a working board has taken over: it is older than ``speaker``, or a loudspeaker broke off."""
    taken_over = call.at[-1] < speaker.since or bool(call.unsaid)
    return taken_over and any(_boards_saying(state, call))


def _boards_saying(state: HallState, call: Call) -> Iterator[DeviceLife]:
    ticket = state.tickets[call.ticket]
    for life in state.devices.values():
        if life.kind is DeviceKind.BOARD and works(state, life):
            layout = layout_of(state, life.id)
            if layout.aloud and in_scope(state, layout.scope, ticket, call.window):
                yield life


def layout_of(state: HallState, board: DeviceId) -> BoardLayout:
    """The layout that a board is bound to, or the built-in overview."""
    config = state.config
    if config is not None and (wanted := config.board_layouts.get(board)) is not None:
        for layout in config.layouts:
            if layout.id == wanted:
                return layout
    return DEFAULT


def was_said(state: HallState, call: Call) -> bool:
    """True when anybody has said the latest call of a ticket."""
    return any(number >= call.numbers[-1] for number in call.said.values())


def next_sayings(
    state: HallState,
    owed: Collection[Call],
    playing: Collection[DeviceId],
    volume: int,
    now: Millis,
) -> Iterator[Saying]:
    """What loudspeakers are to begin now. ``owed`` are expected calls in their order, ``playing`` who is at it."""
    busy = [reach(state, scope_of(state, one)) for one in playing]
    for call in owed:
        if was_said(state, call):
            continue
        speaker = speaker_of(state, call, now)
        if speaker is None:
            continue
        if left_to_boards(state, call, speaker):
            if now < max(speaker.since, call.unsaid_at) + HANDOVER_MS:
                busy.append(frozenset({call.window}))
            continue
        windows = reach(state, scope_of(state, speaker.id))
        if speaker.id not in playing and not any(windows & one for one in busy):
            percent = volume * own_volume(state, speaker.id) // 100
            yield Saying(speaker.id, call.ticket, call.numbers[-1], percent)
        busy.append(windows)


def reach(state: HallState, scope: Scope) -> frozenset[WindowId]:
    """Every window that calls of ``scope`` may be for; a window for all belongs to every department."""
    found = windows_in(state, scope)
    if isinstance(scope, ScopeDepartments):
        found |= {one.id for one in state.window_config.values() if one.department is None}
    return frozenset(found)
