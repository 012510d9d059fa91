"""A ticket on paper as a small document, free of any printer's language."""

from enum import StrEnum
from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId, Millis, TicketId


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


Scale = Annotated[int, msgspec.Meta(ge=1, le=8)]


class TextLine(Strict, frozen=True, kw_only=True, tag="text", tag_field="t"):
    """A line of text; ``scale`` multiplies the printer's base font in both directions."""

    text: str
    align: Align = Align.LEFT
    scale: Scale = 1
    bold: bool = False


class PairLine(Strict, frozen=True, kw_only=True, tag="pair", tag_field="t"):
    """A label at the left and a value at the right of one line."""

    label: str
    value: str
    bold: bool = False


class RuleLine(Strict, frozen=True, kw_only=True, tag="rule", tag_field="t"):
    """A line across the paper."""


class FeedLines(Strict, frozen=True, kw_only=True, tag="feed", tag_field="t"):
    lines: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1


class QrCode(Strict, frozen=True, kw_only=True, tag="qr", tag_field="t"):
    """A QR code; ``modules_dots`` is the size of one module in printer dots."""

    data: Annotated[str, msgspec.Meta(max_length=500)]
    module_dots: Annotated[int, msgspec.Meta(ge=2, le=16)] = 6


PrintElement = TextLine | PairLine | RuleLine | FeedLines | QrCode


class PrintJob(Strict, frozen=True, kw_only=True):
    """One job for one printer. ``attempt`` counts from 1; ``issued_at`` is when the attempt was asked for.

    A job is identified by ticket and attempt and is printed at most once. ``again`` is True when a
    person asked for this attempt, so it may be printed although the agent does not know the former.
    """

    ticket: TicketId
    attempt: int
    printer: DeviceId
    issued_at: Millis
    document: tuple[PrintElement, ...]
    again: bool = False
