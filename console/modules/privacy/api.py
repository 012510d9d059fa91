"""What other modules may use of the care for personal data."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Permission, Subject
from console.core.personal import Left
from console.core.uow import ReadUow, Uow
from console.modules.privacy.domain import ExportState, Reason, RequestKind, RequestState
from qingting.kernel.security.seal import Sealer, SealKey
from qingting.kernel.web.sheets import Cell


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list to take out: text keys of its columns, and its rows."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKind:
    """A list that holds personal data. ``name`` has the text ``export.kind.<name>``; ``permission`` is what one needs
    to ask; ``make`` gives the list within the subject's reach for filters that are no personal data themselves, and
    ``count`` how many rows it has, which is asked before so many people are opened.
    """

    name: str
    permission: Permission
    count: Callable[[ReadUow, Subject, Mapping[str, str]], Awaitable[int]]
    make: Callable[[ReadUow, Subject, Mapping[str, str]], Awaitable[Sheet]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportInfo:
    """A wish to take a list out, and what became of it."""

    no: int
    kind: str
    query: Mapping[str, str]
    reason: str
    words: str
    rows: int
    by: str
    by_name: str
    asked_at: int
    state: ExportState
    decided_name: str
    note: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StillKept:
    """What an erasure had to leave, ``count`` records at a holder for the reason ``personal.kept.<why>``; ``until`` 0:
    until somebody ends it."""

    holder: str
    why: str
    count: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRequest:
    """A request of somebody whom data is about. Masked texts are empty once it is over. ``counts``: by holder, how
    many records were found or erased. ``halls_waiting``: so many halls have not erased the person yet;
    ``halls_gone``: so many have not and, somebody said, do not come back. ``kept``: what an erasure had to leave and
    erases by itself later; ``finished_at``: the last of it was erased then, 0 where nothing had to stay."""

    no: int
    kind: RequestKind
    state: RequestState
    received_at: int
    due: date
    by: str
    masked_name: str
    masked_number: str
    handled_by: str
    handled_at: int
    outcome: str
    counts: Mapping[str, int]
    halls_waiting: int = 0
    halls_gone: int = 0
    kept: Sequence[StillKept] = ()
    finished_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks, in clear and in memory only; the caller has made sure who it is."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    phone: str = field(default="", repr=False)


class PrivacyApi(Protocol):
    """Keys, unmasking, exports and requests of those whom data is about."""

    async def check_keys(self, uow: Uow, sealer: Sealer) -> None:
        """Notes the keys of the key file. Raises ``keys.foreign`` when this database was sealed with a key that the
        file does not hold: another file belongs to it, and going on would split its data in two."""
        ...

    async def key_added(self, uow: Uow, subject: Subject, key: SealKey) -> None:
        """Notes a key before the key file has it."""
        ...

    async def key_removed(self, uow: Uow, subject: Subject, name: str) -> None:
        """Forgets a key. Raises ``keys.unknown``, ``keys.newest``, ``keys.in_use``."""
        ...

    def declare_export(self, kind: ExportKind) -> None:
        """At set-up. Its page is :func:`export_path`."""
        ...

    async def request_export(
        self,
        uow: Uow,
        subject: Subject,
        name: str,
        query: Mapping[str, str],
        reason: Reason,
        words: str,
    ) -> int:
        """Asks for a declared list; gives its number. Raises ``export.too_many``, ``export.nothing``,
        ``personal.words``."""
        ...

    async def clear(
        self, uow: ReadUow, subject: Subject, holder: str, record: str
    ) -> Mapping[str, str] | None:
        """The sensitive fields of a record in clear where the subject gave a reason within the last minutes; None
        otherwise. The way there is :func:`show_path`."""
        ...

    async def ask_for(
        self, uow: Uow, kind: RequestKind, requester: Requester, words: str, *, by: Subject
    ) -> SubjectRequest:
        """A request to see, correct or erase what is held; from a citizen's own pages or from staff.

        Raises ``request.repeated`` for a kind that is open already for this person."""
        ...

    async def forget_in_halls(self, uow: Uow, number: str) -> int:
        """Tells every hall to forget whoever has the certificate ``number``; how many halls that are."""
        ...

    async def finish_later(self, uow: Uow, holder: str, left: Sequence[Left]) -> None:
        """Has erased by itself, once it need not stay any more, what a holder had to leave of an account that its owner
        deleted."""
        ...

    async def requests_of(self, uow: ReadUow, number: str) -> Sequence[SubjectRequest]:
        """What a person asked for, newest first, also when it is over."""
        ...


PRIVACY = ApiKey[PrivacyApi]("PRIVACY")


def show_path(holder: str, record: str) -> str:
    """The page where a record of a declared holder is shown in clear for a reason."""
    return f"/personal/{holder}/{record}"


def export_path(kind: str) -> str:
    """The page where a declared list is asked for; filters go into its query, if they are no personal data."""
    return f"/exports/new/{kind}"


__all__ = [
    "PRIVACY",
    "ExportInfo",
    "ExportKind",
    "PrivacyApi",
    "Reason",
    "RequestKind",
    "RequestState",
    "Requester",
    "Sheet",
    "StillKept",
    "SubjectRequest",
    "export_path",
    "show_path",
]
