"""What events of windows do to the state."""

from collections.abc import Callable
from typing import Any

from hallserver.engine import learning
from hallserver.engine.state import HallState, WindowLife
from qingting.contract import events as e
from qingting.contract.states import WindowState

Step = Callable[[HallState, Any, e.Event], None]


def _enter(life: WindowLife, window_state: WindowState, reason: str, event: e.Event) -> None:
    life.state, life.reason, life.since = window_state, reason, event.at


def _opened(state: HallState, body: e.WindowOpened, event: e.Event) -> None:
    life = state.windows[body.window]
    learning.opened(state, life, event.at)
    _enter(life, WindowState.OPEN, "", event)
    life.staff, life.idle_since = body.staff, event.at


def _paused(state: HallState, body: e.WindowPaused, event: e.Event) -> None:
    _enter(state.windows[body.window], WindowState.PAUSED, body.reason, event)


def _closed(state: HallState, body: e.WindowClosed, event: e.Event) -> None:
    life = state.windows[body.window]
    _enter(life, WindowState.CLOSED, "", event)
    life.staff = None


def _lent(state: HallState, body: e.WindowLent, event: e.Event) -> None:
    life = state.windows[body.window]
    life.lent, life.lent_until = body.queues, body.until


WINDOW_STEPS: dict[type, Step] = {
    e.WindowOpened: _opened,
    e.WindowPaused: _paused,
    e.WindowClosed: _closed,
    e.WindowLent: _lent,
}
