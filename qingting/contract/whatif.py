"""What a hall manager may try on a past day before it is switched on: another roster of windows (窗口排布)."""

from qingting.contract.base import Strict
from qingting.contract.calendar import ClockTime, Period
from qingting.contract.config import WindowOrder
from qingting.contract.ids import QueueId, ShortText, StaffId, WindowId


class Stint(Strict, frozen=True, kw_only=True):
    """Somebody at a window for a part of the day. ``staff`` empty: a stand-in who can do everything."""

    staff: StaffId | None = None
    period: Period


class WindowPlan(Strict, frozen=True, kw_only=True):
    """What is different at one window; what is left out stays as it was that day.

    ``hours`` replaces all openings and pauses of the window; empty keeps it shut. ``closes_at`` closes a
    window early that otherwise stays as it was.
    """

    id: WindowId
    queues: tuple[QueueId, ...] | None = None
    order: WindowOrder | None = None
    appointment_only: bool | None = None
    hours: tuple[Stint, ...] | None = None
    closes_at: ClockTime | None = None


class StaffPlan(Strict, frozen=True, kw_only=True):
    """Other skills of one clerk."""

    id: StaffId
    skills: tuple[ShortText, ...] = ()


class RosterPlan(Strict, frozen=True, kw_only=True):
    """Windows and clerks that are different from the day that is replayed."""

    windows: tuple[WindowPlan, ...] = ()
    staff: tuple[StaffPlan, ...] = ()
