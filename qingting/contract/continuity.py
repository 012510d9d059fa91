"""What lets a kiosk give numbers while it is cut off from its hall server (断网取号).

While the line stands, the agent of a kiosk holds an :class:`OfflineKit`: numbers set aside for it
today, the items they are for, and the key that signs them. Cut off, it gives those numbers and keeps
each as a :class:`LeasedTicket` on its disk; when the line is back it hands each over once.
"""

from typing import Annotated

import msgspec

from qingting.contract.base import Record, Strict
from qingting.contract.commands import MAX_CHAIN, Party
from qingting.contract.ids import (
    BusinessDay,
    ItemId,
    Millis,
    QueueId,
    ShortText,
    Slug,
)
from qingting.contract.rules import ORDINARY
from qingting.contract.states import Language
from qingting.contract.views import ItemView

PERSON_CONTEXT = "offline person"
"""Bound into each box, so that it opens as nothing else."""
Box = Annotated[str, msgspec.Meta(max_length=2000)]
"""A person sealed for the hall alone; empty when the item needs none."""


class LeasedBlock(Record, frozen=True, kw_only=True):
    """Serials ``first`` to ``last`` of a queue, whose numbers begin with ``prefix``; ``used`` were given
    and are known to the hall."""

    queue: QueueId
    prefix: str
    first: int
    last: int
    used: tuple[int, ...] = ()


class LeasedTicket(Strict, frozen=True, kw_only=True):
    """One number as it was given (UTC ms ``taken_at``). It is signed as a whole: see
    :func:`signed_bytes`."""

    day: BusinessDay
    queue: QueueId
    serial: Annotated[int, msgspec.Meta(ge=1, le=999_999)]
    item: ItemId
    more: Annotated[tuple[ItemId, ...], msgspec.Meta(max_length=MAX_CHAIN - 1)] = ()
    party: Party = 1
    priority: Slug = ORDINARY
    token: ShortText
    taken_at: Millis
    language: Language = Language.ZH
    elder: bool = False
    person: Box = ""


def signed_bytes(ticket: LeasedTicket) -> bytes:
    """What the signature of a ticket is made over."""
    return msgspec.json.encode(ticket, order="deterministic")


class PrepareOffline(Strict, frozen=True, kw_only=True, tag="offline.prepare", tag_field="type"):
    """Agent: top my leases up and send me the kit. ``port`` and ``secret`` are where the screen of the
    same machine finds me when the hall is gone; port 0: nowhere."""

    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    secret: ShortText = ""


class MergeLeased(Strict, frozen=True, kw_only=True, tag="offline.merge", tag_field="type"):
    """Agent: a number that was given while the line was cut, with its signature (hex)."""

    ticket: LeasedTicket
    signature: ShortText


class OfflineKit(Strict, frozen=True, kw_only=True, tag="offline.kit", tag_field="type"):
    """To an agent: everything it needs to give numbers alone on ``day``.

    ``key`` (hex) signs its tickets of this day. ``seal_key`` (hex, X25519) seals people so that only
    the hall can open them.
    """

    day: BusinessDay
    hall_name: str
    hall_name_en: str
    base_url: str
    utc_offset_minutes: int
    key: str
    seal_key: str
    blocks: tuple[LeasedBlock, ...]
    items: tuple[ItemView, ...]


class OfflineOffer(Strict, frozen=True, kw_only=True, tag="offline.offer", tag_field="type"):
    """To a kiosk: the loopback port of the agent on its own machine, and the secret that it asks for."""

    port: int
    secret: str
