"""What other modules may know of citizens: who somebody is, and how to reach the person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from aiohttp import web

from console.core.module import ApiKey, SlotKey
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from console.modules.notifications.api import Reach
from qingting.contract.ids import HallId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind


class CitizenKind(StrEnum):
    """For whom somebody is here: oneself (个人), the firm of which one is the legal representative (法人), or a firm
    that has authorised one (经办人)."""

    PERSON = "person"
    FIRM = "firm"
    AGENT = "agent"


class Level(StrEnum):
    """How surely it is known who somebody is (实名等级), rising: a confirmed phone, a checked name, a compared face."""

    BASIC = "basic"
    REAL_NAME = "real_name"
    FACE = "face"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A firm that somebody acts for. Its name and credit code (统一社会信用代码) are public."""

    id: str
    name: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """A natural person, with the firm that the person acts for now; or a firm that logged in itself (``certificate``
    None, ``acts_for`` itself). Nothing here is in clear but what is public of firms.

    ``masked_phone`` is empty where none is kept. ``registered``: entered by staff, never logged in. ``consented``: has
    agreed to the present text. ``comes``: it is known who comes to a hall. ``erasing``: has asked to be erased and is
    kept until a visit is over.
    """

    id: str
    kind: CitizenKind
    certificate: CertificateKind | None
    masked_name: str
    masked_number: str
    masked_phone: str
    level: Level
    acts_for: Firm | None = None
    registered: bool = False
    consented: bool = True
    comes: bool = True
    erasing: bool = False


ME = SlotKey[Citizen]("citizens.me")
"""The page 我的信息: other modules put there what they keep about somebody or let somebody choose."""


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

    async def find_by_phone(self, uow: ReadUow, phone: str) -> Sequence[Citizen]:
        """Everybody with that mobile number, ten at most, without it being readable in the database."""
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
        """Sealed so that ``hall`` can open it. Raises ``citizen.unknown``, ``citizen.nobody_comes`` for a firm that has
        not said who comes."""
        ...

    async def in_clear(self, uow: ReadUow, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Name and number of each who comes, for a list that leaves with another person's consent. Who is not known
        (any more), and a firm that has not said who comes, is not in it."""
        ...

    async def reach(self, uow: ReadUow, citizen: str) -> Reach | None:
        """How to reach somebody, in clear, for whoever sends a message; None for who is not known (any more)."""
        ...

    async def forget(self, uow: Uow, subject: Subject, id: str) -> None:  # noqa: A002
        """Removes all that is kept about somebody but an empty row, to which old bookings belong; ends the sessions.
        The caller has checked that ``subject`` may, and that nothing is still booked. Raises ``citizen.unknown``."""
        ...


CITIZENS = ApiKey[CitizensApi]("CITIZENS")

__all__ = [
    "CITIZENS", "ME", "Citizen", "CitizenKind", "CitizensApi", "Firm", "Level", "Reach",
]  # fmt: skip
