"""What a clerk asks at a call pad beyond calling the next visitor; part of :mod:`qingting.contract.hub`."""

from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.commands import MAX_CHAIN, Party, Reason
from qingting.contract.ids import (
    DeviceId,
    ItemId,
    Millis,
    QueueId,
    ShortText,
    Slug,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.rules import ORDINARY, Place


class Pick(Strict, frozen=True, kw_only=True, tag="call.ticket", tag_field="type"):
    """Call pad: call one certain visitor out of turn; needs a permission and a reason."""

    ticket: TicketId
    reason: Reason


class Resume(Strict, frozen=True, kw_only=True, tag="visit.resume", tag_field="type"):
    """Call pad: a parked or missed visitor stands at the window again."""

    ticket: TicketId


class Park(Strict, frozen=True, kw_only=True, tag="visit.park", tag_field="type"):
    """Call pad: the visitor goes away for a while."""

    reason: ShortText = ""
    minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] | None = None
    mine: bool = True


class Transfer(Strict, frozen=True, kw_only=True, tag="visit.transfer", tag_field="type"):
    """Call pad: send the visitor on, to exactly one of queue, window and clerk, or for another item."""

    to_queue: QueueId | None = None
    to_window: WindowId | None = None
    to_staff: StaffId | None = None
    item: ItemId | None = None
    place: Place = Place.KEPT
    back: bool = False
    note: ShortText = ""


class PutBack(Strict, frozen=True, kw_only=True, tag="visit.hand_back", tag_field="type"):
    """Call pad: the called visitor goes back to their place in the line."""


class OneMore(Strict, frozen=True, kw_only=True, tag="visit.add_item", tag_field="type"):
    """Call pad: one more item for the visitor at the window."""

    item: ItemId


class Reclass(Strict, frozen=True, kw_only=True, tag="ticket.priority", tag_field="type"):
    """Call pad: put a waiting ticket into another class."""

    ticket: TicketId
    priority: Slug
    reason: ShortText = ""


class MakeTicket(Strict, frozen=True, kw_only=True, tag="ticket.make", tag_field="type"):
    """Call pad: a number for somebody at the desk. ``waiver`` is the registered reason for which they
    need no identity; ``print_at`` the kiosk that prints it."""

    item: ItemId
    more: Annotated[tuple[ItemId, ...], msgspec.Meta(max_length=MAX_CHAIN - 1)] = ()
    party: Party = 1
    priority: Slug = ORDINARY
    waiver: ShortText = ""
    print_at: DeviceId | None = None


class Lend(Strict, frozen=True, kw_only=True, tag="window.lend", tag_field="type"):
    """Call pad: the window calls from these queues too; no queues ends it."""

    queues: Annotated[tuple[QueueId, ...], msgspec.Meta(max_length=16)]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=720)] = 60


class OfferScan(Strict, frozen=True, kw_only=True, tag="staff.scan", tag_field="type"):
    """Call pad: a code by which a clerk logs in here with the phone; answered by :class:`ScanOffer`."""


class ScanOffer(Strict, frozen=True, kw_only=True):
    """What the pad shows: an address that is good once, for this connection, until ``until`` (UTC ms).

    ``modules`` is its QR code, a row of 0 and 1 (dark) each, quiet zone included.
    """

    url: str
    until: Millis
    modules: tuple[str, ...]


class ChangePassword(Strict, frozen=True, kw_only=True, tag="staff.password", tag_field="type"):
    """Call pad: the clerk who is logged in changes the password."""

    present: Annotated[str, msgspec.Meta(max_length=128)]
    new: Annotated[str, msgspec.Meta(max_length=128)]


DeskRequest = (
    Pick
    | Resume
    | Park
    | Transfer
    | PutBack
    | OneMore
    | Reclass
    | MakeTicket
    | Lend
    | ChangePassword
    | OfferScan
)
