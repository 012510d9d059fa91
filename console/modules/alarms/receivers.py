"""Who hears what (谁收到什么): receivers of alarms as data, and pure rules over them.

A receiver (接收组) hears of alarms of the halls in its scope from a least severity on. At once, or as an escalation
(升级通知): only when nobody has acknowledged the alarm for so many minutes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import msgspec

from console.core.channels import Channel
from qingting.contract.base import Strict
from qingting.contract.calendar import clock_minutes
from qingting.contract.conditions import Severity
from qingting.contract.ids import HallId, ShortText, Slug

MINUTE_MS = 60_000
DAY_MS = 86_400_000
MAX_MAILS = 10
"""Addresses of one receiver; each costs a mail server's answer, and a try must end before its lease does."""
_LEVELS = (2, 4, 6, 9, 12)
"""Lengths at which a division code (行政区划代码) ends: province, city, county, township, village."""

ClockText = Annotated[str, msgspec.Meta(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]

DivisionCode = Annotated[str, msgspec.Meta(pattern="^[0-9]{2,12}$")]


class Receiver(Strict, frozen=True, kw_only=True):
    """One receiver. ``halls`` and ``divisions`` empty: the whole city; else the halls named and those that stand in
    one of the divisions. ``after_minutes`` 0: at once.

    Between ``quiet_from`` and ``quiet_until`` (``HH:MM`` of the city, over midnight when the end is earlier; both
    empty: never) only alarms from ``quiet_least`` on are sent; the others wait until the end. ``mails`` go through
    the city's mail server, ``webhook`` is signed with the city's secret.
    """

    id: Slug
    name: ShortText
    name_en: ShortText = ""
    halls: tuple[HallId, ...] = ()
    divisions: tuple[DivisionCode, ...] = ()
    least: Severity = Severity.WARNING
    after_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 0
    quiet_from: ClockText = ""
    quiet_until: ClockText = ""
    quiet_least: Severity = Severity.CRITICAL
    mails: tuple[str, ...] = ()
    webhook: Annotated[str, msgspec.Meta(max_length=500)] = ""
    enabled: bool = True


class HeldReceiver(Strict, frozen=True, kw_only=True):
    """A receiver in force. ``since``: alarms told before it do not escalate to it."""

    receiver: Receiver
    version: int = 0
    since: int = 0
    changed_by: str = ""


def receiver_fault(receiver: Receiver) -> str:
    """Why a receiver could never work: name of the field at fault, empty when it is sound."""
    if not receiver.mails and not receiver.webhook:
        return "address"
    if len(receiver.mails) > MAX_MAILS or not all(map(_is_mail, receiver.mails)):
        return "mails"
    if receiver.webhook and not is_safe_url(receiver.webhook):
        return "webhook"
    if bool(receiver.quiet_from) != bool(receiver.quiet_until):
        return "quiet"
    if receiver.quiet_from and receiver.quiet_from == receiver.quiet_until:
        return "quiet"
    return ""


def _is_mail(address: str) -> bool:
    name, _, host = address.rpartition("@")
    plain = address.isascii() and address.isprintable() and not set(address) & set(" ,;<>\"'()")
    return plain and bool(name) and "." in host and len(address) <= 254 and "@" not in name


def is_safe_url(url: str) -> bool:
    """True for an address that a webhook may go to: over TLS, or on this machine."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    return local or (parts.scheme == "https" and bool(parts.hostname))


def in_division(division: str, within: str) -> bool:
    """True when the division coded ``division`` is ``within`` or lies in it: 230604001 lies in 230604 and in 2306."""
    length = next((one for one in _LEVELS if not within[one:].strip("0")), len(within))
    return bool(within) and division.startswith(within[:length])


def hears(receiver: Receiver, *, hall: str, division: str, severity: Severity) -> bool:
    """True when an alarm of such severity in that hall is ``receiver``'s business, sooner or later."""
    if not receiver.enabled or severity.rank < receiver.least.rank:
        return False
    if not receiver.halls and not receiver.divisions:
        return True
    return hall in receiver.halls or any(in_division(division, one) for one in receiver.divisions)


def sent_at(receiver: Receiver, severity: Severity, at: int, utc_offset_minutes: int) -> int:
    """When ``receiver`` is sent what is to be told at ``at``: then, or at the end of the quiet hours it falls in."""
    if not receiver.quiet_from or severity.rank >= receiver.quiet_least.rank:
        return at
    start, end = clock_minutes(receiver.quiet_from), clock_minutes(receiver.quiet_until)
    of_day = (at + utc_offset_minutes * MINUTE_MS) % DAY_MS
    into = (of_day - start * MINUTE_MS) % DAY_MS
    length = (end - start) * MINUTE_MS % DAY_MS
    return at - into + length if into < length else at


class Waiting(NamedTuple):
    """An alarm that was told and that nobody has acknowledged: since when it was told and since when somebody has
    been asked for (later, when it was acknowledged, went and came back)."""

    told_at: int
    asked_at: int


def escalates(held: HeldReceiver, waiting: Waiting, now: int) -> bool:
    """True when nobody has acknowledged for as long as this receiver waits."""
    after = held.receiver.after_minutes * MINUTE_MS
    return bool(after) and waiting.told_at >= held.since and now >= waiting.asked_at + after


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery to make on ``channel``, not before ``at``."""

    channel: str
    at: int


def channel_names(receiver: Receiver) -> tuple[str, ...]:
    """Names of a receiver's own channels: the kind of way, a colon, the receiver."""
    ways = (("mail", bool(receiver.mails)), ("webhook", bool(receiver.webhook)))
    return tuple(f"{way}:{receiver.id}" for way, given in ways if given)


def way_of(channel: str) -> tuple[str, str]:
    """Kind of way and receiver of a channel's name; the city's own channels have no receiver."""
    way, _, receiver = channel.partition(":")
    return way, receiver


def sendings(
    receivers: Iterable[HeldReceiver], severity: Severity, at: int, utc_offset_minutes: int
) -> list[Sending]:
    """What is to be sent to receivers that hear of something at ``at``."""
    return [
        Sending(channel, sent_at(held.receiver, severity, at, utc_offset_minutes))
        for held in receivers
        for channel in channel_names(held.receiver)
    ]


def open_to(
    channels: Sequence[Channel], receivers: Iterable[HeldReceiver]
) -> Mapping[str, Channel]:
    """All channels by name: the city's own, and for each receiver those whose way the city has."""
    ways = {one.name: one for one in channels}
    found = {one.name: one for one in channels if one.carries_all}
    for name, way, address in _addresses(one.receiver for one in receivers):
        if way in ways:
            found[name] = ways[way].addressed(name, address)
    return found


def _addresses(receivers: Iterable[Receiver]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for one in receivers:
        given = {"mail": one.mails, "webhook": (one.webhook,)}
        for name in channel_names(one):
            way = way_of(name)[0]
            yield name, way, given[way]


def missing_ways(receiver: Receiver, channels: Collection[Channel]) -> list[str]:
    """Ways that the receiver wants and the city has no server or secret for."""
    known = {one.name for one in channels}
    return [way for way, _ in map(way_of, channel_names(receiver)) if way not in known]


def renewed(before: HeldReceiver | None, receiver: Receiver, by: str, now: int) -> HeldReceiver:
    """The next version. Made anew or switched on again it begins now, so that no old alarm escalates to it."""
    if before is None:
        return HeldReceiver(receiver=receiver, version=1, since=now, changed_by=by)
    awakes = receiver.enabled and not before.receiver.enabled
    return msgspec.structs.replace(
        before,
        receiver=receiver,
        version=before.version + 1,
        since=now if awakes else before.since,
        changed_by=by,
    )
