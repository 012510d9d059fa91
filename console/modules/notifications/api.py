"""What other modules may do with notifications (消息): declare what there is to tell, tell it, take it back.

A module declares its topics when it is set up::

    TOPICS = topics("console.modules.appointments", Topic(id="appointment.booked", fields=(...)))
    ...
    context.get(NOTIFICATIONS).declare(TOPICS)

and tells inside the transaction of what happened: the message exists exactly when that does. Names and first
wordings are in the module's own ``locale``: ``note.<topic>`` its name, ``note.<topic>.title``, ``.text`` and
``.sms`` the wordings with ``{field}`` in them, ``note.<topic>.field.<field>`` the name of a field.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from console.core.module import ApiKey
from console.core.senders.port import PushDevice
from console.core.uow import ReadUow, Uow
from console.modules.notifications.topics import (
    Channel,
    DeclaredTopic,
    FieldKind,
    Topic,
    TopicField,
    topics,
)
from qingting.contract.ids import BookingId, HallId
from qingting.contract.states import Language

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where a citizen can be reached, opened only while something is sent; empty: not there. No field is ever
    shown by ``repr``, logged or stored in clear. ``push`` are the devices with the city's app, ``alipay`` is the
    ``open_id`` or ``user_id``."""

    phone: str = field(default="", repr=False)
    mail: str = field(default="", repr=False)
    push: tuple[PushDevice, ...] = field(default=(), repr=False)
    alipay: str = field(default="", repr=False)
    language: Language = Language.ZH


class Addressees(Protocol):
    """How the notifier learns a citizen's addresses; given by whoever keeps the citizens."""

    async def reach(self, uow: ReadUow, citizen: str) -> Reach | None:
        """None for a citizen who is not known (any more)."""
        ...

    async def gone(self, uow: Uow, citizen: str, tokens: Collection[str]) -> None:
        """The provider reaches no app under these tokens any more."""
        ...


class Stands(Protocol):
    """Whether what a message is about is still so."""

    async def __call__(self, uow: ReadUow, key: str) -> bool:
        """``key`` is the one that it was told under."""
        ...


class MessageState(StrEnum):
    """``planned``: not yet told; ``told``: it was, in-site at least; ``cancelled``: taken back before;
    ``expired``: useless before it could be told; ``repeated``: the same was told a moment before."""

    PLANNED = "planned"
    TOLD = "told"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """An in-site message (站内信) in its reader's words. ``link`` is a path of the citizens' pages or empty."""

    no: int
    topic: str
    title: str
    text: str
    link: str
    at: int
    read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A topic under its name, with the ways that it can go in their order and whether the citizen wants them."""

    topic: str
    name: str
    ways: tuple[tuple[Channel, bool], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """Something to tell; see :meth:`NotificationsApi.tell`."""

    topic: str
    citizen: str
    params: Params
    key: str
    at: int | None = None
    until: int | None = None
    hall: str = ""
    since: int | None = None


class NotificationsApi(Protocol):
    """Telling citizens."""

    def declare(self, topics: Sequence[DeclaredTopic]) -> None:
        """Makes topics known, in ``setup``."""
        ...

    def reached_by(self, addressees: Addressees) -> None:
        """Who knows the addresses, in ``setup``. Without it citizens are told in-site only."""
        ...

    async def tell(
        self,
        uow: Uow,
        topic: str,
        citizen: str,
        params: Params,
        *,
        key: str,
        at: int | None = None,
        until: int | None = None,
        hall: str = "",
    ) -> None:
        """Tells a citizen, once for each ``key`` (a known key changes nothing). ``at`` (UTC ms): not before
        that; for a topic that is told so long before something, ``at`` is when that begins. ``until``: it is
        useless then; by itself a day after it was due, or at ``at`` for what is told before. ``hall``: which
        hall's staff may see that it was told. ``params`` has every field of the topic and nothing else:
        names of people are kept masked, anything like a certificate or phone number raises ``ValueError``.
        """
        ...

    async def tell_all(self, uow: Uow, words: Sequence[Word]) -> None:
        """The same for several at once; of what raises nothing is told. ``since``: when there was cause to tell it, for who
        catches up; after a restore of the city it may have been told then."""
        ...

    def checked_by(self, topic: str, stands: Stands) -> None:
        """Asked before a message of the topic leaves, in ``setup``: what stands no more is not told."""
        ...

    async def cancel(self, uow: Uow, key: str) -> bool:
        """Takes back what has not been told yet; False when it was, or there is none."""
        ...

    async def follow(
        self, uow: Uow, citizen: str, hall: HallId, booking: BookingId, *, until: int
    ) -> None:
        """Tells the citizen once that few are before them (前面还有几位), when they came with ``booking`` and
        wait; after ``until`` no more."""
        ...

    async def unread(self, uow: ReadUow, citizen: str) -> int: ...

    async def inbox(
        self, uow: ReadUow, citizen: str, language: Language, *, limit: int, offset: int = 0
    ) -> tuple[int, list[InboxMessage]]:
        """How many there are, and some of them, newest first."""
        ...

    async def message(
        self, uow: ReadUow, citizen: str, no: int, language: Language
    ) -> InboxMessage:
        """One of the citizen's own. Raises ``notice.unknown``."""
        ...

    async def read(self, uow: Uow, citizen: str, no: int | None = None) -> None:
        """The citizen has read one message, or all."""
        ...

    async def choices(self, uow: ReadUow, citizen: str, language: Language) -> list[Choice]:
        """What a citizen can choose: topics that are not urgent and can leave the house here; the app and Alipay once
        they are the citizen's."""
        ...

    async def choose(self, uow: Uow, citizen: str, wanted: Collection[str]) -> None:
        """Keeps which ways are wanted, each as ``<topic>/<channel>``; the other ways that :meth:`choices` offers
        are not."""
        ...

    async def forget(self, uow: Uow, citizen: str) -> None:
        """Removes every message to a citizen and what they chose."""
        ...


NOTIFICATIONS = ApiKey[NotificationsApi]("NOTIFICATIONS")

__all__ = [
    "NOTIFICATIONS",
    "Addressees",
    "Channel",
    "Choice",
    "DeclaredTopic",
    "FieldKind",
    "InboxMessage",
    "MessageState",
    "NotificationsApi",
    "Params",
    "PushDevice",
    "Reach",
    "Stands",
    "Topic",
    "TopicField",
    "Word",
    "topics",
]
