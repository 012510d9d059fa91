"""The life of an appointment, and what stands against a citizen's booking. Pure rules."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from console.modules.appointments.api import CANCEL_REASONS, Channel, Level, Life, Visitor
from console.modules.appointments.places import MINUTE_MS
from console.modules.appointments.rules import Effective
from qingting.contract.errors import Refusal

DAY_MS = 24 * 60 * MINUTE_MS
WORDS_LENGTH = 150
OPEN: tuple[Life, ...] = (Life.HELD, Life.BOOKED)
"""States in which a place is taken and the visit is still to come."""
OVER_AFTER_MS = DAY_MS
"""So long after its end a visit is over for whoever wants to be erased, also when its hall has never said what became of
it: numbers are called until a hall closes, and a hall that burned down never says it."""
AFTER: dict[Life, frozenset[Life]] = {
    Life.HELD: frozenset({Life.BOOKED, Life.CANCELLED}),
    Life.BOOKED: frozenset({Life.ARRIVED, Life.MISSED, Life.CANCELLED}),
    # The hall was told of the cancellation when the number was already taken: what happened there stands.
    Life.CANCELLED: frozenset({Life.ARRIVED}),
    Life.ARRIVED: frozenset({Life.SERVED, Life.LEFT}),
    # A number that was given up can be called again the same day.
    Life.LEFT: frozenset({Life.SERVED}),
}
"""What may come after what; states that are not here are ends."""


def may_follow(before: Life, after: Life) -> bool:
    return after in AFTER.get(before, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A line of the black or white list (黑白名单) that holds now. ``until`` 0: without an end."""

    kind: str
    reason: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a citizen has now: open appointments (holds apart), those on the wanted day, those for one of the wanted
    items, those of them at the wanted time; living holds; cancellations of today; the punishment's end; the line of a list. ``done`` is the appointment
    that the same request made before."""

    open: int = 0
    on_day: int = 0
    same_item: int = 0
    same_visit: int = 0
    holds: int = 0
    cancelled_today: int = 0
    banned_until: int = 0
    listed: Listed | None = None
    done: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """For whom something is asked and by whom: ``by`` is the citizen, or the account of ``staff``."""

    citizen: str
    level: Level
    channel: Channel
    by: str
    staff: bool = False

    @classmethod
    def of(cls, who: Visitor) -> "Asker":
        return cls(citizen=who.citizen, level=who.level, channel=who.channel, by=who.citizen)


def check_citizen(who: Asker, record: Record, rule: Effective, needed: Level, now: int) -> None:
    """Raises what stands against a citizen's booking. The white list frees from limits and punishments, never from
    showing who one is; staff, who see the person or the papers, are not bound by limits, but nobody comes twice at the
    same time for the same thing."""
    if who.staff and rule.same_item and record.same_visit:
        raise Refusal("appointments.same_visit")
    listed = record.listed
    if listed is not None and listed.kind == "black":
        raise Refusal("appointments.blacklisted")
    if not who.staff and not who.level.reaches(needed):
        raise Refusal(
            "appointments.needs_face" if needed is Level.FACE else "appointments.needs_real_name"
        )
    if listed is not None:
        return
    if record.banned_until > now:
        raise Refusal("appointments.banned", days=-(-(record.banned_until - now) // DAY_MS))
    if not who.staff:
        _check_limits(record, rule)


def _check_limits(record: Record, rule: Effective) -> None:
    if rule.cancels_per_day and record.cancelled_today >= rule.cancels_per_day:
        raise Refusal("appointments.cancelled_often", count=rule.cancels_per_day)
    if rule.same_item and record.same_item >= rule.same_item:
        raise Refusal("appointments.same_item", count=rule.same_item)
    if rule.per_day and record.on_day >= rule.per_day:
        raise Refusal("appointments.per_day", count=rule.per_day)
    if rule.open_at_once and record.open >= rule.open_at_once:
        raise Refusal("appointments.open_at_once", count=rule.open_at_once)


def check_holds(record: Record, rule: Effective) -> None:
    """Raises ``appointments.holds`` when the citizen keeps as many places as may be kept."""
    if record.holds >= rule.holds:
        raise Refusal("appointments.holds", count=rule.holds)


def check_change(state: Life, start_at: int, rule: Effective, now: int) -> None:
    """Raises what keeps a citizen from cancelling or changing."""
    if state is not Life.BOOKED:
        raise Refusal("appointments.over")
    if now > start_at - rule.cancel_minutes * MINUTE_MS:
        raise Refusal("appointments.too_late", minutes=rule.cancel_minutes)


def check_reason(reason: str, words: str, known: Collection[str] = CANCEL_REASONS) -> None:
    """Raises ``appointments.reason``: none of the reasons, or words that are missing or too long."""
    if reason not in known or len(words) > WORDS_LENGTH or (reason == "other" and not words):
        raise Refusal("appointments.reason", most=WORDS_LENGTH)


def punishment(breaches: Sequence[int], since: int, rule: Effective, now: int) -> int:
    """Until when a citizen books no more, 0: not at all. ``breaches`` are the instants of missed visits that were not
    forgiven; those up to ``since``, the start of the last punishment, were punished already."""
    if not rule.breaches or not rule.ban_days:
        return 0
    first = max(since, now - rule.breach_days * DAY_MS)
    counted = sum(one > first for one in breaches)
    return now + rule.ban_days * DAY_MS if counted >= rule.breaches else 0


def next_reminder(start_at: int, reminders: Collection[int], now: int) -> int | None:
    """When the citizen is reminded next; None: no more. A reminder whose time has passed already is left out."""
    due = [start_at - one * MINUTE_MS for one in reminders]
    return min((one for one in due if one > now), default=None)
