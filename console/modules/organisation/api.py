"""What other modules may know of divisions, departments and staff."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Reach, Scope
from console.core.uow import ReadUow, Uow
from qingting.contract.states import Language


class Level(StrEnum):
    """What a division is (行政区划级别)."""

    CITY = "city"
    DISTRICT = "district"
    TOWN = "town"
    VILLAGE = "village"


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A division (区划). ``code`` has twelve digits; ``parent`` is empty for the city alone."""

    code: str
    parent: str
    name: str
    name_en: str
    level: Level

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name

    def indented(self, language: Language) -> str:
        """The title for a list to choose from, further in the lower the division."""
        return "\u3000" * tuple(Level).index(self.level) + self.title(language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department (部门) of a division. ``code`` is its id in the lists of the halls, empty: it is in none."""

    id: str
    parent: str
    division: str
    code: str
    name: str
    name_en: str
    uscc: str

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A member of staff with the post (岗位) held. ``number`` is the staff number, ``hall`` empty: works in none."""

    number: str
    name: str
    post: str
    division: str
    department: str
    hall: str
    left: bool = False


class Chart(Protocol):
    """The organisation at one moment. ``halls`` says where each stands: division and department."""

    @property
    def divisions(self) -> Mapping[str, Division]: ...

    @property
    def departments(self) -> Mapping[str, Department]: ...

    @property
    def halls(self) -> Mapping[str, tuple[str, str]]: ...

    def knows(self, reach: Reach) -> bool:
        """True for a reach around something that there is."""
        ...

    def covers(self, scope: Scope, reach: Reach) -> bool:
        """True when all that ``reach`` means is within ``scope``; an own reach is within any."""
        ...


class OrganisationApi(Protocol):
    """Divisions, departments, staff, and what a reach means now."""

    async def seed(self, uow: Uow) -> None:
        """Brings Daqing's divisions into an empty table."""
        ...

    async def divisions(self, uow: ReadUow) -> Sequence[Division]:
        """By code, so that each comes after what it is part of."""
        ...

    async def departments(self, uow: ReadUow) -> Sequence[Department]: ...

    async def staff(self, uow: ReadUow, number: str) -> Staff | None: ...

    async def scopes(
        self, uow: ReadUow, reaches: Collection[Reach], staff: str = ""
    ) -> dict[Reach, Scope]:
        """What each reach means now; ``staff`` is the number of whom an own one belongs to. What is gone
        means nothing."""
        ...

    async def chart(self, uow: ReadUow) -> Chart:
        """All of it, to compare reaches on."""
        ...


ORGANISATION = ApiKey[OrganisationApi]("ORGANISATION")
