"""How long the city keeps what supervision has written down. Settings, one for each class of records."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

DAY_MS = 86_400_000
Days = Annotated[int, msgspec.Meta(ge=31, le=36_500)]
"""At least a month: availability and the longest rules look back that far."""
BookingDays = Annotated[int, msgspec.Meta(ge=400, le=36_500)]
"""Longer than the longest time within which missed visits are counted and punished (a year each)."""


KEEP_ALARMS_DAYS = 730
KEEP_NOTICES_DAYS = 180
KEEP_DEVICES_DAYS = 400
KEEP_MESSAGES_DAYS = 400
KEEP_VISITS_DAYS = 730
KEEP_BOOKINGS_DAYS = 1_095
"""Three years: as long as somebody can go to law about a visit or a punishment (民法典 188)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A class of records and how long it is kept, for the page that shows all of them.

    ``name`` has the text ``kept.<name>``; ``days`` None: for good. ``setting`` is where it is said, empty for what
    the program fixes. ``pruning`` is the name of the job that removes them, as :func:`console.core.pruning.pruning` has it.
    """

    name: str
    days: int | None
    setting: str = ""
    pruning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """Days that are kept. ``keep_alarms_days``: alarms that are over, with their history and planned maintenance;
    ``keep_notices_days``: notices and how they were delivered; ``keep_devices_days``: what held at devices and
    when, from which availability is reckoned, and their timelines; ``keep_messages_days``: what citizens were told;
    ``keep_visits_days``: what was done with bookings that are over, and which places they had; ``keep_bookings_days``:
    those bookings themselves, with what was missed and punished, never less than ``keep_visits_days``. Open alarms and
    open bookings are kept however old.
    """

    keep_alarms_days: int = KEEP_ALARMS_DAYS
    keep_notices_days: int = KEEP_NOTICES_DAYS
    keep_devices_days: int = KEEP_DEVICES_DAYS
    keep_messages_days: int = KEEP_MESSAGES_DAYS
    keep_visits_days: int = KEEP_VISITS_DAYS
    keep_bookings_days: int = KEEP_BOOKINGS_DAYS
