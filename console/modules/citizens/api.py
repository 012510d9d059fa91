"""What other modules may know of citizens: who somebody is, and how to reach the person."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from aiohttp import web

from console.core.module import ApiKey
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.ids import HallId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind, Language


class CitizenKind(StrEnum):
    """For whom somebody is here: oneself (个人), the firm of which one is the legal representative (法人), or a firm
    that has authorised one (经办人)."""

    PERSON = "person"
    FIRM = "firm"
    AGENT = "agent"


class Level(StrEnum):
    """How surely it is known who somebody is (实名等级), rising."""

    BASIC = "basic"
    REAL_NAME = "real_name"
    FACE = "face"

    def reaches(self, other: "Level") -> bool:
        order = tuple(Level)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A firm that somebody acts for. Its name and credit code (统一社会信用代码) are public."""

    id: str
    name: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """A natural person, with the firm that the person acts for now. Nothing here is in clear but the firm.

    ``masked_phone`` is empty where none is kept. ``registered``: entered by staff, never logged in.
    """

    id: str
    kind: CitizenKind
    certificate: CertificateKind
    masked_name: str
    masked_number: str
    masked_phone: str
    level: Level
    acts_for: Firm | None = None
    registered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to reach somebody, in clear: for whoever sends a message, never for a page. Empty: not kept."""

    phone: str
    mail: str
    language: Language

    def __repr__(self) -> str:
        return "Reach(…)"


class CitizensApi(Protocol):
    """Citizens and how to reach them."""

    async def require(self, request: web.Request) -> Citizen:
        """Who asks, at an address below ``/c``. Raises the way to ``/c/login`` for who is not logged in."""
        ...

    async def citizen(self, uow: ReadUow, id: str) -> Citizen:  # noqa: A002
        """Acting for oneself. Raises ``citizen.unknown``."""
        ...

    async def find(self, uow: ReadUow, kind: CertificateKind, number: str) -> Citizen | None:
        """By certificate, without it being readable in the database."""
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
    ) -> Citizen:
        """The citizen of that certificate, made when there is none yet: for staff who book for somebody.

        Raises ``citizen.name``, ``citizen.number``, ``citizen.phone``, ``citizen.name_differs``. The caller has
        checked that ``subject`` may.
        """
        ...

    async def person(self, uow: ReadUow, id: str, hall: HallId) -> Person:  # noqa: A002
        """Sealed so that ``hall`` can open it. Raises ``citizen.unknown``."""
        ...

    async def reach(self, uow: ReadUow, id: str) -> Reach:  # noqa: A002
        """Raises ``citizen.unknown``."""
        ...


CITIZENS = ApiKey[CitizensApi]("CITIZENS")
