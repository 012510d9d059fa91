"""Rules of the care for personal data; nothing here asks a database or a clock."""

from collections.abc import Sequence
from enum import StrEnum
from statistics import median

from console.modules.calendar.api import TimeLimit, Unit

SHOWN_MS = 5 * 60_000
"""A record stays in clear for so long, for the one who gave the reason."""
DAY_LIMIT = 60
"""Records that one account may be shown in clear in a day."""
UNUSUAL_AT = 20
UNUSUAL_FACTOR = 3
MAX_ROWS = 5000
"""Rows of one export that holds personal data."""
DECIDE_MS = 3 * 86_400_000
FETCH_MS = 24 * 3_600_000
LIMIT = TimeLimit(15, Unit.WORKDAYS)
"""Within which a request of a citizen's is answered (GB/T 35273: 30 days; ours is within that)."""
LEAST_WORDS = 4


class Reason(StrEnum):
    """Why somebody needs what is masked (用途)."""

    SERVICE = "service"
    CORRECTION = "correction"
    COMPLAINT = "complaint"
    INSPECTION = "inspection"
    EMERGENCY = "emergency"
    OTHER = "other"


class RequestKind(StrEnum):
    """What the law gives (个人信息保护法 45-47): see and have a copy, correct, erase."""

    COPY = "copy"
    CORRECT = "correct"
    ERASE = "erase"


class RequestState(StrEnum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class ExportState(StrEnum):
    """``approved`` may be fetched once; ``expired`` was not decided, or not fetched, in time."""

    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    FETCHED = "fetched"
    EXPIRED = "expired"


def export_state(
    approved: bool | None, fetched_at: int | None, expires_at: int, now: int
) -> ExportState:
    """What can be done with an export at ``now``."""
    if fetched_at is not None:
        return ExportState.FETCHED
    if approved is False:
        return ExportState.REJECTED
    if now >= expires_at:
        return ExportState.EXPIRED
    return ExportState.APPROVED if approved else ExportState.ASKED


def unusual(today: int, former: Sequence[int]) -> bool:
    """Whether ``today`` records are unusually many for somebody who saw so many on the ``former`` days on which there
    were any: more than three times the usual, and never below ten; without a past, twenty."""
    if not former:
        return today >= UNUSUAL_AT
    return today >= UNUSUAL_AT // 2 and today > UNUSUAL_FACTOR * median(former)
