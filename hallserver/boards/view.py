"""The topic of one board: its layout, its calls, and what it has to say."""

from hallserver.boards.announce import due, says, sound_now
from hallserver.boards.facts import facts_of
from hallserver.boards.render import earlier_of, rows_of, screen_of
from hallserver.boards.speaking import layout_of as layout_of
from hallserver.engine.days import DAY_MS, next_midnight
from hallserver.engine.state import HallState
from qingting.contract.boards import BoardView
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.layouts import BoardLayout
from qingting.contract.states import DeviceKind

PREFIX = "board:"


def board_entries(state: HallState, board: DeviceId, now: Millis) -> dict[str, BoardView]:
    """All entries of topic ``board:<device>``. Raises ``hub.unknown_topic``."""
    life = state.devices.get(board)
    if life is None or life.kind is not DeviceKind.BOARD:
        raise Refusal("hub.unknown_topic", topic=f"{PREFIX}{board}"[:40])
    layout = layout_of(state, board)
    owed = due(state, board, layout, now)
    return entries_of(state, layout, now) | {
        f"say:{one.ticket}": one for one in says(state, owed, now)
    }


def entries_of(state: HallState, layout: BoardLayout, now: Millis) -> dict[str, BoardView]:
    """What any board with this layout shows; a preview too."""
    facts = facts_of(state, layout.scope, next_midnight(now, state.config) - DAY_MS)
    shown: dict[str, BoardView] = {
        "screen": screen_of(layout, facts, now),
        "earlier": earlier_of(layout, facts),
        "sound": sound_now(state, now),
    }
    return shown | {f"row:{row.ticket}": row for row in rows_of(layout, facts, now)}
