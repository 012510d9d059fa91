"""What the city tells a hall. Applied as commands with the key ``dir:<no>``, answered by an event."""

from typing import Annotated

import msgspec

from qingting.contract.acts import Action, ProfileBundle
from qingting.contract.base import Strict
from qingting.contract.bookings import Booking
from qingting.contract.config import HallConfig
from qingting.contract.ids import BookingId, DeviceId, Millis, ShortText, Slug, Words
from qingting.contract.people import Person
from qingting.contract.releases import ReleaseFacts


class PutConfig(Strict, frozen=True, kw_only=True, tag="config.put", tag_field="type"):
    """A new configuration version; an older version than the one in force is refused.

    ``base`` is the version that whoever wrote it had before them: the hall refuses it when it has moved on, so that
    nothing that its own manager did meanwhile is overwritten, and keeps to what it promised as with an edit of
    its own. 0: whatever is in force.
    """

    config: HallConfig
    base: Annotated[int, msgspec.Meta(ge=0)] = 0


class PutNotice(Strict, frozen=True, kw_only=True, tag="notice.put", tag_field="type"):
    """A notice for the hall's boards and kiosks; empty text takes it away."""

    text: Words
    text_en: Words = ""


class PutBooking(Strict, frozen=True, kw_only=True, tag="booking.put", tag_field="type"):
    """A booking for this hall, new or changed; one that has arrived already is refused."""

    booking: Booking


class DropBooking(Strict, frozen=True, kw_only=True, tag="booking.drop", tag_field="type"):
    """A booking was cancelled."""

    booking: BookingId


class ForgetPerson(Strict, frozen=True, kw_only=True, tag="person.forget", tag_field="type"):
    """A citizen asked to be erased (删除, 个人信息保护法 47): the hall takes ``person`` off its tickets and off every
    booking that is over. Only the box and the index of ``person`` are looked at; a hall that knows no such
    person answers like any other."""

    person: Person


class DirectAct(Strict, frozen=True, kw_only=True, tag="device.act", tag_field="type"):
    """Remote hands: ``device`` is to do ``action``, begun before ``until``. ``asked_by`` is the account's name."""

    act: Slug
    device: DeviceId
    action: Action
    until: Millis
    asked_by: ShortText = ""


class PutProfiles(Strict, frozen=True, kw_only=True, tag="profiles.put", tag_field="type"):
    """Device models for the hall's agents to use once they are told to."""

    bundle: ProfileBundle


class PutRelease(Strict, frozen=True, kw_only=True, tag="release.put", tag_field="type"):
    """A release for the hall to fetch and keep, for its pads or kiosks to use once they are told to."""

    release: ReleaseFacts


Directive = (
    PutConfig
    | PutNotice
    | PutBooking
    | DropBooking
    | ForgetPerson
    | DirectAct
    | PutProfiles
    | PutRelease
)
