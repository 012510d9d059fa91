"""Frames and text records of second-generation ID card readers (SAM_V serial protocol, GA/T 490).

Request ``AA AA AA 96 69 | length | command, parameter | checksum``; reply the same with three status
bytes and data. The length counts what follows it; the checksum is the exclusive or of everything
between preamble and itself.
"""

from dataclasses import dataclass
from functools import reduce
from operator import xor

from qingting.contract.states import CertificateKind

PREAMBLE = bytes.fromhex("AAAAAA9669")
MAX_BODY = 2321
"""Length of the longest reply, text with photo and fingerprints."""
TEXT_LENGTH = 256
MIN_BODY = 4


class RecordError(ValueError):
    """A text record that makes no sense; the message never holds what was in it."""


class UnknownRecordError(RecordError):
    """The record's type flag is not one that the reader may give."""


@dataclass(frozen=True, slots=True)
class SamReplyFrame:
    """A sound reply: third status byte and data. ``repr`` hides the data, it may be a person's."""

    sw3: int
    data: bytes

    def __repr__(self) -> str:
        return f"SamReplyFrame(sw3={self.sw3:02X}, {len(self.data)} bytes)"


def checksum(data: bytes) -> int:
    return reduce(xor, data, 0)


def request(command: bytes) -> bytes:
    """The frame of a request with these command, parameter and data bytes."""
    body = (len(command) + 1).to_bytes(2, "big") + command
    return PREAMBLE + body + bytes([checksum(body)])


class SamvCodec:
    """Cuts bytes into replies; resynchronises at the preamble, drops frames with a wrong checksum."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.broken = 0
        """Frames dropped so far for their length or checksum."""

    def reset(self) -> None:
        """Forgets partial input."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[SamReplyFrame]:
        """The replies that ``data`` completes."""
        self._buffer += data
        replies: list[SamReplyFrame] = []
        while (reply := self._next()) is not None:
            if isinstance(reply, SamReplyFrame):
                replies.append(reply)
        return replies

    def _next(self) -> SamReplyFrame | bool | None:
        """A reply, True when something broken was dropped, None when more input is needed."""
        start = self._buffer.find(PREAMBLE)
        if start < 0:
            del self._buffer[: max(0, len(self._buffer) - len(PREAMBLE) + 1)]
            return None
        del self._buffer[:start]
        if len(self._buffer) < 7:
            return None
        length = int.from_bytes(self._buffer[5:7], "big")
        if not MIN_BODY <= length <= MAX_BODY:
            return self._drop_preamble()
        if len(self._buffer) < 7 + length:
            return None
        frame = bytes(self._buffer[5 : 7 + length])
        if checksum(frame) != 0:
            return self._drop_preamble()
        del self._buffer[: 7 + length]
        return SamReplyFrame(frame[4], frame[5:-1])

    def _drop_preamble(self) -> bool:
        del self._buffer[: len(PREAMBLE)]
        self.broken += 1
        return True


@dataclass(frozen=True, slots=True)
class CardText:
    """What is needed of a card's text record. Dates are ``YYYYMMDD``, ``valid_to`` may be ``长期``. ``photo`` is
    as the reader gave it, in its closed format (WLT); empty for none.

    ``repr`` shows nothing of the person.
    """

    kind: CertificateKind
    name: str
    number: str
    birth: str
    valid_from: str
    valid_to: str
    name_en: str = ""
    photo: bytes = b""

    def __repr__(self) -> str:
        return f"CardText({self.kind}, …)"


def text_of_read(data: bytes) -> bytes:
    """The 256-byte text record of a read reply; raises :class:`RecordError`."""
    head = _head_of_read(data)
    return data[head : head + TEXT_LENGTH]


def photo_of_read(data: bytes) -> bytes:
    """The photo of a read reply, in its closed format; empty when it has none. Raises :class:`RecordError`."""
    begin = _head_of_read(data) + TEXT_LENGTH
    return data[begin : begin + int.from_bytes(data[2:4], "big")]


def _head_of_read(data: bytes) -> int:
    """Length of the lengths: 30 01 gives two (text, photo), 30 10 three (and fingerprints)."""
    if len(data) < 4 + TEXT_LENGTH or int.from_bytes(data[:2], "big") != TEXT_LENGTH:
        raise RecordError("read reply without a text record")
    photo = int.from_bytes(data[2:4], "big")
    return 4 if len(data) == 4 + TEXT_LENGTH + photo else 6


def parse_text(record: bytes, allowed: tuple[str, ...]) -> CardText:
    """Reads a text record of one of the ``allowed`` types (citizen, J, I, Y).

    Raises :class:`UnknownRecordError` for another type, :class:`RecordError` for broken content.
    """
    flag = _field(record, 248, 2)
    kind = {"": "citizen", "J": "J", "I": "I", "Y": "Y"}.get(flag)
    if kind is None or kind not in allowed:
        raise UnknownRecordError("type of card not supported")
    card = {"citizen": _citizen, "J": _permit, "I": _foreign_2017, "Y": _foreign_2023}[kind](record)
    if not card.number or not (card.name or card.name_en) or not _is_date(card.birth):
        raise RecordError("a field that every card has is empty or broken")
    if not _is_date(card.valid_from) or not (_is_date(card.valid_to) or card.valid_to == "长期"):
        raise RecordError("the dates of validity are broken")
    return card


def _citizen(record: bytes) -> CardText:
    return CardText(
        kind=CertificateKind.RESIDENT_ID,
        name=_field(record, 0, 30),
        birth=_field(record, 36, 16),
        number=_field(record, 122, 36),
        valid_from=_field(record, 188, 16),
        valid_to=_field(record, 204, 16),
    )


def _permit(record: bytes) -> CardText:
    """Residence permit of people from Hong Kong, Macao and Taiwan: laid out as a citizen's."""
    card = _citizen(record)
    return CardText(
        kind=CertificateKind.RESIDENCE_PERMIT,
        name=card.name,
        birth=card.birth,
        number=card.number,
        valid_from=card.valid_from,
        valid_to=card.valid_to,
    )


def _foreign_2017(record: bytes) -> CardText:
    return CardText(
        kind=CertificateKind.FOREIGN_PERMANENT_RESIDENT,
        name=_field(record, 158, 30),
        name_en=_field(record, 0, 120),
        number=_field(record, 122, 30),
        birth=_field(record, 220, 16),
        valid_from=_field(record, 188, 16),
        valid_to=_field(record, 204, 16),
    )


def _foreign_2023(record: bytes) -> CardText:
    """The English name has 46 places: 35 at offset 52 and 11 at offset 220."""
    return CardText(
        kind=CertificateKind.FOREIGN_PERMANENT_RESIDENT,
        name=_field(record, 0, 30),
        name_en=(_raw(record, 52, 70) + _raw(record, 220, 22)).strip(" \0"),
        number=_field(record, 122, 36),
        birth=_field(record, 36, 16),
        valid_from=_field(record, 188, 16),
        valid_to=_field(record, 204, 16),
    )


def _raw(record: bytes, offset: int, length: int) -> str:
    if len(record) != TEXT_LENGTH:
        raise RecordError("a text record has 256 bytes")
    try:
        return record[offset : offset + length].decode("utf-16-le")
    except UnicodeDecodeError:
        raise RecordError("text is not UTF-16") from None


def _field(record: bytes, offset: int, length: int) -> str:
    return _raw(record, offset, length).strip(" \0\u3000")


def _is_date(text: str) -> bool:
    return len(text) == 8 and text.isascii() and text.isdigit()
