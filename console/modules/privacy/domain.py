"""Rules of the care for personal data; nothing here asks a database or a clock."""

from collections.abc import Sequence
from enum import StrEnum
from statistics import median


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


def unusual(today: int, former: Sequence[int], at: int = 20, factor: int = 3) -> bool:
    """Whether ``today`` records are unusually many for somebody who saw so many on the ``former`` days on which there
    were any: more than ``factor`` times the usual, and never below half of ``at``; without a past, ``at``."""
    if not former:
        return today >= at
    return today >= at // 2 and today > factor * median(former)
