"""Who may do what, and where. Checked by the service in the first line of each use case, never in a template.

A role is a set of functions (:class:`Permission`); an account has roles within a reach (:class:`Reach`): a
division with all below it, a department with all below it, one hall, or what is the person's own. The module of
administrators works out which halls a reach means now; what comes out is a :class:`Scope`, which SQL can use.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from qingting.contract.errors import Refusal


class Permission(StrEnum):
    """A function of the console (功能)."""

    LOOK = "look"
    """See halls and their devices."""
    TICKETS = "tickets"
    """See today's tickets."""
    RATINGS = "ratings"
    """Read ratings."""
    ALARMS = "alarms"
    """See alarms."""
    ALARMS_HANDLE = "alarms.handle"
    ALARMS_RULES = "alarms.rules"
    APPOINTMENTS = "appointments"
    """See appointments."""
    APPOINTMENTS_HANDLE = "appointments.handle"
    """Book for somebody, cancel and move; lift punishments, keep the lists."""
    APPOINTMENTS_RULES = "appointments.rules"
    """Say how places are given."""
    CALENDAR = "calendar"
    """Local days of rest and work, of a division or a hall."""
    CALENDAR_YEARS = "calendar.years"
    """The country's days, year by year."""
    CATALOGUE = "catalogue"
    """Drafts of service items, their flags, the dictionary of materials."""
    CATALOGUE_PUBLISH = "catalogue.publish"
    """Review drafts and publish them; say which codes are taken."""
    CATALOGUE_SYNC = "catalogue.sync"
    """Run the sync with the item system, decide about what it withdraws, set its rules."""
    HANDS = "hands"
    """Remote hands: have a device do something."""
    PROFILES = "profiles"
    """Put device models that are on trial."""
    PHOTOS = "photos"
    """Put photographs of device models."""
    HALLS_ENROL = "halls.enrol"
    HALLS_DECIDE = "halls.decide"
    WALL = "wall"
    """Look at the wall screen's page."""
    WALL_TOKENS = "wall.tokens"
    """Give wall screens their codes and take them back."""
    ORGANISATION = "organisation"
    """Divisions, departments and staff."""
    ACCOUNTS = "accounts"
    """Make accounts and give them roles, within one's own reach."""
    ROLES = "roles"
    """Say what a role may do, and give any role to anybody."""
    INTEGRATORS = "integrators"
    """Give other systems access to the open API, within one's own reach."""
    SIGN_IN = "sign_in"
    """Say how people log in: passwords, second factor, addresses."""
    NOTIFICATIONS = "notifications"
    """See what citizens were told about the halls within one's reach."""
    NOTIFICATIONS_EDIT = "notifications.edit"
    """Wordings, rules and channels of what citizens are told."""
    AUDIT_READ = "audit.read"
    PERSONAL = "personal"
    """See a citizen's masked fields in clear, for a reason."""
    REQUESTS = "personal.requests"
    """Take in and answer requests of those whom data is about."""
    EXPORTS_APPROVE = "exports.approve"
    """Let somebody else take a list with personal data out."""
    KEYS = "keys"
    """See how long what is kept, and have boxes sealed with the newest key."""
    CONFIGURATION = "configuration"
    """Edit a hall's configuration from the city and publish it."""
    OPERATIONS = "operations"
    """Keep the system running: its health, backups, everybody's jobs."""


class Duty(StrEnum):
    """The three administrators, mutually exclusive (三员分立, standards.md C1 item 6)."""

    SYSTEM = "system"
    SECURITY = "security"
    AUDIT = "audit"


DUTIES: Mapping[Permission, Duty] = {
    Permission.ALARMS_RULES: Duty.SYSTEM,
    Permission.PROFILES: Duty.SYSTEM,
    Permission.PHOTOS: Duty.SYSTEM,
    Permission.HALLS_ENROL: Duty.SYSTEM,
    Permission.HALLS_DECIDE: Duty.SYSTEM,
    Permission.OPERATIONS: Duty.SYSTEM,
    Permission.NOTIFICATIONS_EDIT: Duty.SYSTEM,
    Permission.ACCOUNTS: Duty.SECURITY,
    Permission.ROLES: Duty.SECURITY,
    Permission.INTEGRATORS: Duty.SECURITY,
    Permission.SIGN_IN: Duty.SECURITY,
    Permission.AUDIT_READ: Duty.AUDIT,
    Permission.EXPORTS_APPROVE: Duty.SECURITY,
    Permission.KEYS: Duty.SECURITY,
}
"""Functions that belong to one administrator and to nobody who has another's."""

CITY_WIDE: frozenset[Permission] = frozenset(
    {
        Permission.ALARMS_RULES,
        Permission.PROFILES,
        Permission.PHOTOS,
        Permission.HALLS_ENROL,
        Permission.ROLES,
        Permission.SIGN_IN,
        Permission.AUDIT_READ,
        Permission.CALENDAR_YEARS,
        Permission.REQUESTS,
        Permission.EXPORTS_APPROVE,
        Permission.KEYS,
        Permission.OPERATIONS,
        Permission.NOTIFICATIONS_EDIT,
        Permission.CATALOGUE_SYNC,
    }
)
"""What these change or show belongs to all halls at once: a role within less than the city does not carry them."""


def duties_of(functions: Iterable[Permission]) -> frozenset[Duty]:
    """Whose functions are among these; more than one must never be in one hand."""
    return frozenset(DUTIES[one] for one in functions if one in DUTIES)


class ReachKind(StrEnum):
    """What a reach (数据范围) is drawn around."""

    REGION = "region"
    DEPARTMENT = "department"
    HALL = "hall"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Reach:
    """``target``: a division's code, a department's id, a hall's id; empty for what is the person's own."""

    kind: ReachKind
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A reach as it stands now. ``halls`` None: all of them.

    ``codes``: only what concerns these departments, by their id in the halls' lists (empty: everything);
    ``staff``: only what this member of staff did, by the id in its hall. ``division`` is the beginning that the
    codes of all divisions within have (None: no division as a whole), ``departments`` are those within.
    """

    halls: frozenset[str] | None
    codes: frozenset[str] = frozenset()
    staff: str = ""
    division: str | None = None
    departments: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Everything in its halls."""
        return not self.codes and not self.staff

    def has(self, hall: str) -> bool:
        return self.halls is None or hall in self.halls


CITY = Area(halls=None, division="")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where somebody may do something: everything in any of ``areas``."""

    areas: tuple[Area, ...] = ()

    @property
    def everywhere(self) -> bool:
        return CITY in self.areas

    def __or__(self, other: "Scope") -> "Scope":
        return Scope(tuple(dict.fromkeys((*self.areas, *other.areas))))

    def has(self, hall: str) -> bool:
        """True for a hall all of which is within."""
        return any(one.whole and one.has(hall) for one in self.areas)

    def has_division(self, code: str) -> bool:
        """True for a division that is within with all below it."""
        return any(
            one.division is not None and stem(code).startswith(one.division) for one in self.areas
        )

    def below(self, code: str) -> bool:
        """True where a division within is the division or a part of it."""
        return any(
            one.division is not None and one.division.startswith(stem(code)) for one in self.areas
        )

    def has_department(self, department: str, division: str) -> bool:
        """True for a department that is within, by itself or by its ``division``."""
        return self.has_division(division) or any(
            department in one.departments for one in self.areas
        )

    @property
    def halls(self) -> frozenset[str] | None:
        """Halls all of which is within; None: all there are."""
        return _union(one.halls for one in self.areas if one.whole)

    @property
    def touched(self) -> frozenset[str] | None:
        """Halls something of which is within; None: all there are."""
        return _union(one.halls for one in self.areas)

    def where(
        self,
        hall: sa.ColumnElement[str],
        department: sa.ColumnElement[Any] | None = None,
        staff: sa.ColumnElement[Any] | None = None,
    ) -> sa.ColumnElement[bool]:
        """Rows that are within. A table whose rows tell no ``department`` or ``staff`` shows whole halls only; of rows
        that tell several departments, in an array, those are within that concern any of them."""
        parts: list[sa.ColumnElement[bool]] = []
        for area in self.areas:
            part: list[sa.ColumnElement[bool]] = [
                sa.true() if area.halls is None else hall.in_(sorted(area.halls))
            ]
            if area.codes:
                part.append(_of_any(department, sorted(area.codes)))
            if area.staff:
                part.append(sa.false() if staff is None else staff == area.staff)
            parts.append(sa.and_(*part))
        return sa.or_(sa.false(), *parts)


def _of_any(
    department: sa.ColumnElement[Any] | None, codes: Sequence[str]
) -> sa.ColumnElement[bool]:
    if department is None:
        return sa.false()
    if isinstance(department.type, pg.ARRAY):
        return department.op("&&", is_comparison=True)(sa.cast(pg.array(codes), department.type))
    return department.in_(codes)


def _union(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for one in parts:
        if one is None:
            return None
        found |= one
    return found


def stem(code: str) -> str:
    """A division's code (区划代码) without the pairs and triples of zeros that fill it up: what the codes of all
    divisions below begin with. ``230600000000`` → ``2306``, ``230602013000`` → ``230602013``."""
    padded = code.ljust(12, "0")
    parts = (padded[:2], padded[2:4], padded[4:6], padded[6:9], padded[9:12])
    kept = len(parts)
    while kept and not parts[kept - 1].strip("0"):
        kept -= 1
    return "".join(parts[:kept])


EVERYWHERE = Scope((CITY,))
NOWHERE = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whoever asks. ``address`` is the network address for the audit; ``id`` of an account or ``system``.

    ``grants`` say where the subject has each of its functions. ``guest``: a screen that nobody is logged in at.
    ``titles`` are the names of the subject's roles, Chinese and English.
    """

    id: str
    name: str
    grants: Mapping[Permission, Scope] = field(default_factory=dict)
    address: str = ""
    guest: bool = False
    titles: tuple[tuple[str, str], ...] = ()

    def may(self, permission: Permission, *, hall: str | None = None) -> bool:
        """For a page that leaves out what would be refused; the service checks all the same."""
        scope = self.grants.get(permission, NOWHERE)
        return bool(scope.areas) if hall is None else scope.has(hall)

    def require(self, permission: Permission, *, hall: str | None = None) -> None:
        """Raises ``page.forbidden`` without the function (there). Asked before the hall is looked up, so that
        nobody learns which halls exist elsewhere."""
        if not self.may(permission, hall=hall):
            raise Refusal("page.forbidden")

    def scope(self, permission: Permission) -> Scope:
        """Where the subject has the function. Raises ``page.forbidden`` when nowhere."""
        self.require(permission)
        return self.grants[permission]


def grants_everywhere(functions: Iterable[Permission]) -> Mapping[Permission, Scope]:
    return dict.fromkeys(functions, EVERYWHERE)


NOBODY = Subject(id="", name="")
SYSTEM = Subject(id="system", name="system", grants=grants_everywhere(Permission))
"""The program itself and whoever has a shell on its machine."""
