"""From ``device.act_asked`` to the device and back: each act is handed over once and ends once.

A device that is away is refused at once (after the moment that a blink of its connection takes): nothing is printed or
restarted an hour later because somebody pressed a button now. What was handed over and is not answered is unknown, and
so is everything that was open when the hall server began. Nothing is ever handed over again.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hallserver.engine.decide_acts import open_acts
from hallserver.engine.state import ActLife, HallState
from hallserver.hub.act_files import ActFile, FileShelf, media_of
from hallserver.hub.session import Session
from qingting.contract import acts as a
from qingting.contract import hub_acts as ha
from qingting.contract.commands import EndAct
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.ids import DeviceId
from qingting.contract.states import ActOutcome
from qingting.kernel.aio.clock import Clock

ANSWER_SECONDS = 30.0
PAPER_SECONDS = 60.0
"""A reprint ends with its paper, which the hall settles on its own; this is for one that a day's turn took away."""
RETURN_SECONDS = 120.0
"""Within this a device that went away to restart has to be back."""
TRIAL_GRACE_SECONDS = 60.0
_BRINGS_FILE = (a.TakePicture, a.FetchDiagnostics)


@dataclass(slots=True)
class _Running:
    """``until`` is monotonic seconds; ``by`` are the devices that were given the order, empty before."""

    until: float
    by: frozenset[DeviceId] = frozenset()
    going: bool = False
    parts: dict[int, str] = field(default_factory=dict)


class Performer(Protocol):
    """Who carries out acts of a device: the session of a screen or agent, or a part of this server."""

    @property
    def device(self) -> DeviceId: ...

    def send(self, message: ha.ActOrder) -> None: ...


class ActDesk:
    """``reach`` gives the living sessions that carry out acts of a device, ``may_return`` says whether one that is
    away may be back in a moment."""

    def __init__(
        self,
        clock: Clock,
        state: Callable[[], HallState],
        reach: Callable[[DeviceId], Sequence[Performer]],
        may_return: Callable[[DeviceId], bool],
    ) -> None:
        self._clock = clock
        self._state = state
        self._reach = reach
        self._may_return = may_return
        self._running: dict[a.ActId, _Running] = {}
        self._back: list[a.ActId] = []
        self._orphans: list[a.ActId] = []
        self.files = FileShelf(clock)

    # ---- asked and handed over ------------------------------------------------------------------

    def adopt(self) -> None:
        """At a start: whatever is open may have been carried out by the process before."""
        self._orphans = [one.id for one in open_acts(self._state()) if one.job is None]
        for one in open_acts(self._state()):
            if one.job is not None:
                self._running[one.id] = _Running(self._clock.monotonic() + PAPER_SECONDS)

    def asked(self, act: a.ActId) -> None:
        """Hands the act over if its device is there; :meth:`ends` settles it otherwise."""
        life = self._state().acts.get(act)
        if life is None or life.outcome is not None:
            return
        wait = PAPER_SECONDS if life.job is not None else ANSWER_SECONDS
        self._running[act] = _Running(self._clock.monotonic() + wait)
        if life.job is None:
            self._hand_over(life)

    def _hand_over(self, life: ActLife) -> None:
        sessions = self._reach(life.device)
        if not sessions:
            return
        seconds = _answer_seconds(life.action)
        order = ha.ActOrder(
            act=life.id,
            device=life.device,
            action=life.action,
            answer_by=self._clock.now_ms() + int(seconds * 1000),
            bundle=self._bundle(life.action),
        )
        running = self._running[life.id]
        running.by = frozenset(one.device for one in sessions)
        running.until = self._clock.monotonic() + seconds
        for session in sessions:
            session.send(order)

    def _bundle(self, action: a.Action) -> a.ProfileBundle | None:
        return (
            self._state().bundles.get(action.bundle) if isinstance(action, a.UseProfiles) else None
        )

    def joined(self, session: Session) -> None:
        """A device is here: acts that it went away for are done, acts that waited for it are handed over."""
        for act, running in self._running.items():
            life = self._state().acts.get(act)
            if life is None:
                continue
            if running.going and session.device in running.by:
                # That a screen is back does not say with which program; it tells.
                if not isinstance(life.action, a.UseRelease):
                    self._back.append(act)
            elif not running.by and life.job is None and session in self._reach(life.device):
                self._hand_over(life)

    # ---- answers --------------------------------------------------------------------------------

    def _of(self, session: Performer, act: str) -> _Running:
        """The act that this very device was given. Raises ``act.unknown``."""
        running = self._running.get(a.ActId(act))
        if running is None or session.device not in running.by:
            raise Refusal("act.unknown")
        return running

    def going(self, session: Performer, act: str) -> None:
        """The device goes away to restart. Raises ``act.unknown``."""
        running = self._of(session, act)
        running.going = True
        running.until = self._clock.monotonic() + RETURN_SECONDS + self._start_seconds(act)

    def _start_seconds(self, act: str) -> float:
        action = self._state().acts[a.ActId(act)].action
        return action.start_s if isinstance(action, a.UseRelease) else 0.0

    def part(self, session: Performer, body: ha.ActPart) -> None:
        """Raises ``act.unknown`` for an act that brings no file back."""
        running = self._of(session, body.act)
        life = self._state().acts[a.ActId(body.act)]
        if not isinstance(life.action, _BRINGS_FILE) or body.no > body.count:
            raise Refusal("act.unknown")
        running.parts[body.no] = body.data

    def told(self, session: Performer, body: ha.ActTold) -> EndAct:
        """The outcome as a command; also one that comes after nobody waited any more. Raises ``act.unknown``."""
        act = a.ActId(body.act)
        life = self._state().acts.get(act)
        if life is None or life.job is not None:
            raise Refusal("act.unknown")
        known = self._running.get(act)
        if known is not None:
            self._of(session, body.act)
        elif session not in self._reach(life.device):
            raise Refusal("act.unknown")
        outcome, code = body.outcome, body.code if body.code in error_texts() else ""
        brings = outcome is ActOutcome.DONE and isinstance(life.action, _BRINGS_FILE)
        if brings and not self._shelve(life, known.parts if known is not None else {}):
            outcome, code = ActOutcome.FAILED, "act.failed"
        return EndAct(act=act, outcome=outcome, code=code, figures=body.figures, note=body.note)

    def _shelve(self, life: ActLife, parts: dict[int, str]) -> bool:
        """False when the file is not whole or not what the act is for."""
        if sorted(parts) != list(range(1, len(parts) + 1)):
            return False
        try:
            data = base64.b64decode("".join(parts[no] for no in sorted(parts)), validate=True)
        except binascii.Error:
            return False
        media = media_of(life.action, data)
        if media is None:
            return False
        self.files.put(ActFile(act=life.id, media=media, data=data, city=life.by == "city"))
        return True

    # ---- ends -----------------------------------------------------------------------------------

    def ended(self, act: a.ActId) -> None:
        """It has an outcome in the log."""
        self._running.pop(act, None)

    def ends(self) -> list[EndAct]:
        """What is over by itself, again at each call until the log knows."""
        self.files.forget_old()
        acts = self._state().acts
        return [
            *_ends(self._still_open(self._orphans), ActOutcome.UNKNOWN, "act.hall_restarted"),
            *_ends(self._still_open(self._back), ActOutcome.DONE, ""),
            *(end for act, one in self._running.items() if (end := self._end(acts[act], one))),
        ]

    def _still_open(self, acts: list[a.ActId]) -> list[a.ActId]:
        known = self._state().acts
        acts[:] = [one for one in acts if one in known and known[one].outcome is None]
        return acts

    def _end(self, life: ActLife, running: _Running) -> EndAct | None:
        now = self._clock.monotonic()
        if running.by or life.job is not None:
            late = now >= running.until
            return _end(life.id, ActOutcome.UNKNOWN, "act.no_answer") if late else None
        if self._clock.now_ms() > life.until:
            return _end(life.id, ActOutcome.EXPIRED, "act.expired")
        if not self._may_return(life.device):
            return _end(life.id, ActOutcome.REFUSED, "act.device_away")
        return None


def _answer_seconds(action: a.Action) -> float:
    if isinstance(action, a.UseProfiles):
        return action.trial_s + TRIAL_GRACE_SECONDS
    if isinstance(action, a.UseRelease):
        return action.within_s + action.start_s + TRIAL_GRACE_SECONDS
    return ANSWER_SECONDS


def _end(act: a.ActId, outcome: ActOutcome, code: str) -> EndAct:
    return EndAct(act=act, outcome=outcome, code=code)


def _ends(acts: Iterable[a.ActId], outcome: ActOutcome, code: str) -> list[EndAct]:
    return [_end(one, outcome, code) for one in acts]
