"""Pure rules of telling: when it may be told, by which ways, how often, until when it is worth it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from console.modules.notifications.topics import Channel, TopicSettings
from qingting.contract.base import Strict

MINUTE_MS = 60_000
DAY_MS = 86_400_000
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""HH:MM."""


class NoticeRules(Strict, frozen=True, kw_only=True):
    """What holds for all topics, as set on screen. Equal ends of the quiet time: there is none. ``per_day``: outside
    messages to one person on one day. ``repeat_minutes``: the same content within that time is not told again.
    ``price``: of an SMS segment, in thousandths of a yuan."""

    quiet_from: Clock = "21:00"
    quiet_until: Clock = "08:00"
    per_day: Annotated[int, msgspec.Meta(ge=1, le=100)] = 8
    repeat_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 10
    price: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 45


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def allowed_at(ms: int, rules: NoticeRules, offset_minutes: int) -> int:
    """``ms`` when it is not quiet then, else the end of that quiet time."""
    start, end = _minutes(rules.quiet_from), _minutes(rules.quiet_until)
    if start == end:
        return ms
    minute = (ms // MINUTE_MS + offset_minutes) % 1440
    into = (minute - start) % 1440
    if into >= (end - start) % 1440:
        return ms
    left = (end - minute) % 1440
    return (ms // MINUTE_MS + left) * MINUTE_MS


def due_and_until(
    settings: TopicSettings, now: int, at: int | None, until: int | None
) -> tuple[int, int]:
    """When a message is told and when it is useless."""
    if settings.before_minutes is not None and at is not None:
        due, end = max(now, at - settings.before_minutes * MINUTE_MS), at
    else:
        due = max(now, at if at is not None else now)
        end = due + settings.keep_minutes * MINUTE_MS
    return due, end if until is None else min(until, end) if settings.before_minutes else until


@dataclass(frozen=True, slots=True)
class Way:
    """A channel of a message as it is planned. ``state`` is ``queued``, ``held``, ``parked``, ``waiting`` or ``dropped``."""

    channel: Channel
    state: str
    reason: str
    next_at: int

    def parked(self) -> "Way":
        """The same until a person decides, where it would leave by itself."""
        return replace(self, state="parked") if self.state in ("queued", "held") else self


def ways(
    settings: TopicSettings,
    rules: NoticeRules,
    *,
    ready: Collection[Channel],
    unwanted: Collection[Channel],
    told_today: int,
    now: int,
    until: int,
    offset_minutes: int,
) -> list[Way]:
    """The outside ways of a message that is due. ``ready`` are the channels this city has, ``unwanted`` those that
    the citizen does not want for the topic, ``told_today`` how many went out to the person today."""
    chain = [one for one in settings.chain if one in ready] if settings.on else []
    wanted = [one for one in chain if one not in unwanted]
    dropped = [Way(one, "dropped", "unwanted", now) for one in chain if one in unwanted]
    if not wanted:
        return dropped
    start = now if settings.urgent else allowed_at(now, rules, offset_minutes)
    reason = ""
    if not settings.urgent and told_today >= rules.per_day:
        reason = "limit"
    elif start >= until:
        reason = "quiet"
    if reason:
        return [*(Way(one, "dropped", reason, now) for one in wanted), *dropped]
    first = Way(wanted[0], "held" if start > now else "queued", "", start)
    return [first, *(Way(one, "waiting", "", start) for one in wanted[1:]), *dropped]


def next_way(chain: Sequence[tuple[Channel, str]]) -> Channel | None:
    """The first channel that still waits for its turn; none when one of them carries or carried it."""
    carries = ("queued", "held", "parked", "sending", "sent", "delivered")
    if any(state in carries for _, state in chain):
        return None
    return next((channel for channel, state in chain if state == "waiting"), None)
