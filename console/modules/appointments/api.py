"""What other modules may know of appointments (预约)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from console.modules.appointments.rules import Effective, Level
from qingting.contract.ids import HallId, ItemId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind, Language


class Life(StrEnum):
    """Where an appointment is in its life (预约状态)."""

    HELD = "held"
    """A place is kept for some minutes while the citizen decides."""
    LAPSED = "lapsed"
    """The citizen did not decide in time."""
    BOOKED = "booked"
    ARRIVED = "arrived"
    SERVED = "served"
    """Kept (履约)."""
    LEFT = "left"
    """Came, took a number and was not served."""
    MISSED = "missed"
    """Nobody came (爽约)."""
    CANCELLED = "cancelled"


class Channel(StrEnum):
    """Where a booking was made."""

    WEB = "web"
    PHONE = "phone"
    STAFF = "staff"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A citizen who asks for places, as the module of citizens knows them. ``level``: how sure it is of that."""

    citizen: str
    level: Level = Level.BASIC
    channel: Channel = Channel.WEB


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: ``start`` is the clock time in the hall (``09:30``) at which a period begins."""

    hall: HallId
    items: tuple[ItemId, ...]
    day: date
    start: str
    party: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An item of a hall that can be booked. ``code``: its implementation code, where it has one; ``department`` and
    ``item`` are ids in the hall's lists."""

    hall: HallId
    hall_name: str
    hall_name_en: str
    item: ItemId
    name: str
    name_en: str
    code: str
    department: str
    department_name: str
    department_name_en: str
    party_most: int
    identity: Level

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePlace:
    """A period with what is left for citizens. ``why`` is empty where one can book, else ``full``, ``too_soon`` or
    ``no_window``; ``free`` is 0 then. ``total`` and ``taken`` are all places, for staff: a citizen who sees them change
    could follow a place that was given back."""

    start: str
    end: str
    free: int
    why: str = ""
    total: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDay:
    """A date with its periods. ``why`` says for a day without any: ``not_bookable``, ``past``, ``too_far``,
    ``closed_date``, ``hall_closed``, ``rest_day``, ``weekday``; ``name`` is the holiday's, where it has one.
    Texts for the reasons: ``appointments.why.<why>``."""

    day: date
    places: tuple[FreePlace, ...] = ()
    why: str = ""
    name: str = ""
    name_en: str = ""

    @property
    def free(self) -> int:
        return sum(one.free for one in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A held or booked visit. ``code`` is the opaque text of its QR. ``start_at`` and ``end_at`` are UTC milliseconds,
    ``start`` and ``end`` clock times in the hall. ``items`` with their names as they were when it was booked.

    ``ticket`` is the number that was taken, ``late`` that it was taken too late for the booked place.
    ``refused``: the code with which the hall refused the last change, empty: none. ``reason`` is that of a
    cancellation: a code of :data:`CANCEL_REASONS` or ``hall_closed``, ``staff``. ``cancel_until``: until when the
    citizen may cancel or change it.
    """

    id: str
    code: str
    citizen: str
    state: Life
    hall: HallId
    hall_name: str
    hall_name_en: str
    address: str
    phone: str
    items: tuple[ItemId, ...]
    item_name: str
    item_name_en: str
    department: str
    department_name: str
    department_name_en: str
    day: date
    start: str
    end: str
    start_at: int
    end_at: int
    party: int
    masked_name: str
    masked_number: str
    channel: Channel
    made_at: int
    held_until: int
    cancel_until: int
    early_minutes: int
    late_minutes: int
    ticket: str
    late: bool
    reason: str
    words: str
    refused: str
    revision: int

    def item_title(self, language: Language) -> str:
        return self.item_name if language is Language.ZH else self.item_name_en or self.item_name

    def hall_title(self, language: Language) -> str:
        return self.hall_name if language is Language.ZH else self.hall_name_en or self.hall_name


CANCEL_REASONS = ("no_time", "not_needed", "wrong_item", "papers_missing", "other")
"""Reasons that a citizen chooses from; texts ``appointments.reason.<code>``. ``other`` wants words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenStanding:
    """What stands against a citizen's booking now. ``banned_until`` 0: no punishment; ``listed`` is ``black``,
    ``white`` or empty, until ``listed_until`` (0: without an end). ``missed``: breaches that count."""

    banned_until: int = 0
    listed: str = ""
    listed_reason: str = ""
    listed_until: int = 0
    missed: int = 0
    cancelled_today: int = 0


class Known(Protocol):
    """A citizen of the module of citizens."""

    @property
    def id(self) -> str: ...

    @property
    def masked_name(self) -> str: ...

    @property
    def masked_number(self) -> str: ...


class People(Protocol):
    """What appointments need of the module of citizens, as its own face has it."""

    async def person(self, uow: ReadUow, id: str, hall: HallId) -> Person:  # noqa: A002
        """The citizen as ``hall`` may know them, sealed so that it can open it."""
        ...

    async def in_clear(self, uow: ReadUow, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Name and number of each, without those who are not known (any more)."""
        ...

    async def check_stays(self, uow: ReadUow, id: str) -> None:  # noqa: A002
        """Raises ``citizen.being_erased`` for who asked to be erased and is kept until a visit is over."""
        ...

    async def hold_still(self, uow: Uow, id: str) -> None:  # noqa: A002
        """Until the commit nobody logs in or is registered as this citizen. Taken before the citizen's bookings."""
        ...

    async def find(self, uow: ReadUow, kind: CertificateKind, number: str) -> Known | None: ...

    async def find_by_phone(self, uow: ReadUow, phone: str) -> Sequence[Known]:
        """Everybody who confirmed or was registered with that number."""
        ...

    async def register(
        self,
        uow: Uow,
        subject: Subject,
        *,
        kind: CertificateKind,
        name: str,
        number: str,
        phone: str = "",
    ) -> Known: ...


class AppointmentsApi(Protocol):
    """Places and appointments. ``key`` is the sender's idempotency key: the same one again gives the first answer
    again. Citizens are named by their ids."""

    def use_people(self, people: People) -> None:
        """Said once by whoever knows the citizens, when the city is put together."""
        ...

    async def offers(
        self, uow: ReadUow, *, hall: str = "", department: str = "", code: str = ""
    ) -> Sequence[Offer]:
        """What can be booked, by hall and item."""
        ...

    async def rules(self, uow: ReadUow, hall: HallId, item: ItemId) -> Effective:
        """What holds for an item in a hall. Raises ``hall.unknown``, ``appointments.no_item``."""
        ...

    async def free(
        self, uow: ReadUow, hall: HallId, items: tuple[ItemId, ...], first: date, last: date
    ) -> Sequence[FreeDay]:
        """Places from ``first`` to ``last`` (at most 62 days), each day, with why not. For several items those times
        at which all have a place; the periods are those of the first. Raises ``hall.unknown``,
        ``appointments.no_item``."""
        ...

    async def hold(self, uow: Uow, who: Visitor, wanted: Wanted, *, key: str) -> Appointment:
        """Keeps a place for some minutes. Raises ``appointments.full``, ``appointments.no_place``,
        ``appointments.day_closed`` and all that stands against the citizen (``appointments.banned`` …)."""
        ...

    async def confirm(self, uow: Uow, who: Visitor, hold: str, *, key: str) -> Appointment:
        """Makes a booking of a hold. Raises ``appointments.lapsed``, ``appointments.unknown``."""
        ...

    async def extend(self, uow: Uow, who: Visitor, hold: str) -> Appointment:
        """Keeps a held place longer, counted from now; three times as long as the rule says at most. Raises
        ``appointments.lapsed``, ``appointments.held_longest``, ``appointments.unknown``."""
        ...

    async def release(self, uow: Uow, who: Visitor, hold: str) -> None:
        """Gives a hold back; one that is none any more is left alone."""
        ...

    async def book(self, uow: Uow, who: Visitor, wanted: Wanted, *, key: str) -> Appointment:
        """Books at once, without a hold; raises as :meth:`hold`."""
        ...

    async def change(
        self, uow: Uow, who: Visitor, appointment: str, wanted: Wanted, *, key: str
    ) -> Appointment:
        """Another time, hall or item under the same code. Raises as :meth:`hold`, and ``appointments.over``,
        ``appointments.too_late``."""
        ...

    async def cancel(
        self, uow: Uow, who: Visitor, appointment: str, *, reason: str, words: str = "", key: str
    ) -> Appointment:
        """Raises ``appointments.over``, ``appointments.too_late``, ``appointments.reason``."""
        ...

    async def bookings_of(self, uow: ReadUow, citizen: str) -> Sequence[Appointment]:
        """All of a citizen's, the latest visit first; lapsed holds left out."""
        ...

    async def expected(self, uow: ReadUow, citizen: str) -> tuple[int, int]:
        """How many visits of a citizen are still to come, and when the last of them is over at the latest. One whose
        hall never said what became of it is over as well, a day later."""
        ...

    async def hold_still(self, uow: Uow, citizen: str) -> None:
        """Until the commit nobody books for the citizen, logs in or is registered as them."""
        ...

    async def booking(self, uow: ReadUow, appointment: str, citizen: str) -> Appointment:
        """Raises ``appointments.unknown``, also for somebody else's."""
        ...

    async def standing(self, uow: ReadUow, citizen: str) -> CitizenStanding: ...

    async def account_ends(self, uow: Uow, citizen: str, index: str) -> None:
        """Said before somebody's number is erased. ``index`` is its blind index: by it a punishment or a place on a
        list that stands finds the person again."""
        ...

    async def account_begins(self, uow: Uow, citizen: str, index: str) -> None:
        """Said of a new citizen: what still stands from an account that ended stands against this one."""
        ...


APPOINTMENTS = ApiKey[AppointmentsApi]("APPOINTMENTS")

__all__ = [
    "APPOINTMENTS",
    "CANCEL_REASONS",
    "Appointment",
    "AppointmentsApi",
    "Channel",
    "CitizenStanding",
    "Effective",
    "FreeDay",
    "FreePlace",
    "Level",
    "Life",
    "Offer",
    "People",
    "Visitor",
    "Wanted",
]
