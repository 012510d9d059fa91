"""What other modules may know of halls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Permission, Scope, Subject
from console.core.uow import ReadUow, Uow
from qingting.contract.directives import Directive
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.link import Live
from qingting.contract.states import Language

STALL_MS = 60_000
"""An event that waits this long for the city while the hall is connected is a stall (engine rule)."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the earth in degrees (WGS 84, as browsers and satellites give it; maps printed in China use
    shifted ones)."""

    latitude: float
    longitude: float


class LinkState(StrEnum):
    """How the city stands with a hall."""

    ONLINE = "online"
    OFFLINE = "offline"
    NEVER = "never"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkInfo:
    """A hall's log that does not continue the city's. ``decision``: empty, ``accept`` or ``reject``."""

    no: int
    found_at: int
    city_epoch: int
    city_seq: int
    hall_epoch: int
    hall_seq: int
    parent_epoch: int
    parent_seq: int
    decision: str

    @property
    def kind(self) -> str:
        """``branch``: the hall says where it left the city's log; ``store``: a store made anew; else ``older``."""
        if self.parent_epoch:
            return "branch"
        return "older" if self.hall_epoch <= self.city_epoch else "store"

    @property
    def lost(self) -> int:
        """Events of the city that become history when the hall's log is followed, where that is known."""
        return max(0, self.city_seq - self.parent_seq) if self.kind == "branch" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HallStatus:
    """One hall as the city sees it now.

    ``oldest_unacked`` is the instant of the oldest event that the city has not got, 0 for none, as the
    hall said when it was last heard. ``clock_offset_ms`` is how far the hall's clock is ahead. ``division``
    is the code of the administrative division it stands in: as the city placed it, else as its configuration
    says, empty until it told that. ``department`` runs the hall, empty: none by itself. ``spot`` None: nobody
    has said where it is. ``backup_bad`` is since when the hall has no fresh backup of itself, as it last said; 0: it has.
    """

    id: HallId
    name: str
    name_en: str
    division: str
    department: str
    address: str
    phone: str
    state: LinkState
    since: int
    seen_at: int
    event_at: int
    received_at: int
    seq: int
    head: int
    oldest_unacked: int
    clock_offset_ms: int
    build: str
    refused: str
    config_version: int
    parked: int
    fork: ForkInfo | None
    spot: Spot | None = None
    backup_bad: int = 0

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en

    def lag_ms(self, now_ms: int) -> int:
        """Age of the oldest event that the city has not got; 0 when it has all."""
        return max(0, now_ms - self.oldest_unacked) if self.oldest_unacked else 0

    def stalled(self, now_ms: int) -> bool:
        return self.state is LinkState.ONLINE and self.lag_ms(now_ms) > STALL_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something a hall has or had. ``label`` is its short sign: window number, queue prefix, staff number,
    short name of a department, item code."""

    hall: HallId
    kind: str
    id: str
    name: str
    name_en: str
    label: str
    present: bool

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en


@dataclass(frozen=True, slots=True)
class Directory:
    """Names by hall, kind (``department``, ``queue``, ``item``, ``window``, ``staff``, ``class``) and id."""

    entries: Mapping[tuple[str, str, str], Entry] = field(default_factory=dict)

    def find(self, hall: str, kind: str, id: str | None) -> Entry:  # noqa: A002
        """The entry; an unknown one is named by its id, so that no row is lost for want of a name."""
        known = self.entries.get((hall, kind, id or ""))
        if known is not None:
            return known
        return Entry(
            hall=HallId(hall),
            kind=kind,
            id=id or "",
            name=id or "",
            name_en=id or "",
            label=id or "",
            present=False,
        )

    def of(self, hall: str, kind: str) -> list[Entry]:
        """What the hall has now, in its own order."""
        return [
            entry
            for (owner, sort, _), entry in self.entries.items()
            if owner == hall and sort == kind and entry.present
        ]

    def names(self, kind: str) -> dict[str, Entry]:
        """By id over all halls: departments have the same id everywhere."""
        return {entry.id: entry for entry in self.entries.values() if entry.kind == kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedEvent:
    """An event that a projector could not take."""

    projector: str
    hall: HallId
    epoch: int
    seq: int
    kind: str
    error: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HallFile:
    """What an act of remote hands brought back. ``media`` is one of :data:`FILE_MEDIA`."""

    media: str
    data: bytes


FILE_MEDIA = ("image/png", "image/jpeg", "text/plain")


class HallsApi(Protocol):
    """Halls, their link and their names."""

    async def halls(self, uow: ReadUow, scope: Scope) -> list[HallStatus]:
        """Those of which anything is within ``scope``."""
        ...

    async def hall(self, uow: ReadUow, hall: HallId) -> HallStatus:
        """Raises ``hall.unknown``."""
        ...

    async def placed(self, uow: ReadUow) -> dict[HallId, tuple[str, str]]:
        """Division and department of every hall."""
        ...

    async def place(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        *,
        division: str,
        department: str,
        spot: Spot | None,
    ) -> None:
        """Says where a hall belongs and is, whatever its own configuration says; the caller has checked them.

        Raises ``hall.unknown``."""
        ...

    async def directory(
        self, uow: ReadUow, scope: Scope, hall: HallId | None = None
    ) -> Directory: ...

    async def live(self, uow: ReadUow) -> dict[HallId, Live]:
        """The present of all halls whose line was heard within the last half minute, as they told it last over it; for
        whoever filters it."""
        ...

    async def parked(self, uow: ReadUow, hall: HallId | None = None) -> Sequence[ParkedEvent]: ...

    async def files(self, uow: ReadUow) -> set[tuple[str, str]]:
        """Hall and act of every file that is kept now."""
        ...

    async def file(self, uow: ReadUow, hall: HallId, act: str) -> HallFile:
        """Raises ``act.file_gone``."""
        ...

    async def put_parcel(self, uow: Uow, parcel: str, data: bytes) -> None:
        """Keeps what halls may fetch in pieces under ``parcel``; a known name keeps what it has."""
        ...

    async def drop_parcel(self, uow: Uow, parcel: str) -> None: ...

    async def enrol(
        self, uow: Uow, subject: Subject, hall: HallId, *, name: str, name_en: str, key: str | None
    ) -> str:
        """Registers a hall and gives its key; a known hall gets another key."""
        ...

    async def decide_fork(self, uow: Uow, subject: Subject, hall: HallId, *, accept: bool) -> None:
        """Whether the city follows the hall's present log, or goes on refusing it."""
        ...

    async def outcomes(
        self, uow: ReadUow, directives: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[str, int]]:
        """By hall and number: the code by which a hall refused a directive, empty for one that was carried out, and
        when. What a hall has not answered is not among them."""
        ...

    async def unsettled(self, uow: ReadUow) -> frozenset[HallId]:
        """Halls that have not reported since the city was put back from a backup: what is sent to them is refused
        with ``hall.unsettled``."""
        ...

    async def empty_people(self, uow: Uow, directives: Sequence[tuple[str, int]]) -> int:
        """Takes the citizens out of directives that their halls have confirmed, which are never sent again. How
        many."""
        ...

    async def send(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        directive: Directive,
        *,
        under: Permission,
        expires_at: int | None = None,
    ) -> int:
        """Gives a directive its number; it leaves after the commit and outlives every cut. ``under`` is the
        function that allows it, which the subject must have at the hall. Raises ``hall.unknown`` and, while nobody
        knows which numbers the hall has seen, ``hall.unsettled``."""
        ...

    async def send_all(
        self,
        uow: Uow,
        subject: Subject,
        hall: HallId,
        directives: Sequence[Directive],
        *,
        under: Permission,
        expires_at: int | None = None,
    ) -> range:
        """The same for several at once, at least one: their numbers, in this order."""
        ...

    async def withdraw(
        self, uow: Uow, subject: Subject, hall: HallId, no: int, *, under: Permission
    ) -> bool:
        """From the commit on a directive is delivered only as one that expired, which the hall answers with
        ``directive.expired``. False when the hall has confirmed it already. Where True is given, the hall may still have
        it from before: what it answers is what happened."""
        ...


async def hall_within(uow: ReadUow, halls: HallsApi, scope: Scope, hall: str) -> HallStatus:
    """A hall of which anything is within ``scope``. Raises ``hall.unknown``, for one out of reach as for one that is
    none: nobody learns which halls exist elsewhere."""
    for one in await halls.halls(uow, scope):
        if one.id == hall:
            return one
    raise Refusal("hall.unknown")


HALLS = ApiKey[HallsApi]("HALLS")
