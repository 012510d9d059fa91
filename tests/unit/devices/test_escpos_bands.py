"""Pictures in bands (ESC *): the same dots come out on paper as by raster, and the QR code on them is read."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallserver.devices.profile_types import PrinterProfile
from hallserver.devices.profiles import load_kind
from hallserver.devices.protocols.escpos.document import Bitmap, JobEncoder
from hallserver.devices.raster import PillowRasteriser
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.printing import Align, PrintElement, PrintJob, QrCode, TextLine
from simulators.escpos import CommandStream
from simulators.qr_reader import read_ticket
from simulators.strip import Raster, Strip, Ticket

RASTER = load_kind(PrinterProfile, "generic.escpos80")
BANDS = load_kind(PrinterProfile, "generic.escpos80-bands")
ADDRESS = "https://hall.example/t/3q2x9z"


class OnePicture:
    """Draws every QR code as one given picture."""

    def __init__(self, bitmap: Bitmap) -> None:
        self._bitmap = bitmap

    def line(self, text: str, *, scale: int, bold: bool) -> None:
        return None

    def qr(self, data: str, *, module_dots: int, max_width: int) -> Bitmap:
        return self._bitmap


def printed(profile: PrinterProfile, rasteriser: object, *document: PrintElement) -> Ticket:
    job = PrintJob(
        ticket=TicketId("t"), attempt=1, printer=DeviceId("p"), issued_at=0, document=document
    )
    data = JobEncoder(profile, rasteriser).encode(job, 1).data  # type: ignore[arg-type]
    stream, strip = CommandStream(), Strip()
    for byte in data:  # split at every byte
        stream.feed(bytes([byte]))
        for command in stream.drain():
            if (ticket := strip.execute(command)) is not None:
                return ticket
    raise AssertionError("it was never cut")


def dots(ticket: Ticket) -> Iterator[tuple[int, int]]:
    """Every black dot of the ticket's pictures."""
    for one in ticket.elements:
        if isinstance(one, Raster):
            for y in range(one.rows):
                for x in range(one.stride * 8):
                    if one.bits[y * one.stride + x // 8] & 0x80 >> x % 8:
                        yield one.x + x, one.y + y


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 70), st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_same_dots_by_bands_as_by_raster(width: int, height: int, random: object) -> None:
    row = (width + 7) // 8
    clean = (1 << row * 8) - (1 << row * 8 - width)
    rows = [random.getrandbits(row * 8) & clean for _ in range(height)]  # type: ignore[attr-defined]
    picture = Bitmap(width, height, b"".join(one.to_bytes(row, "big") for one in rows))
    code = QrCode(data="x")
    by_bands = printed(BANDS, OnePicture(picture), code)
    by_raster = printed(RASTER, OnePicture(picture), code)
    assert set(dots(by_bands)) == set(dots(by_raster))
    assert by_bands.ignored == by_raster.ignored


def test_a_ticket_in_bands_has_its_text_and_a_code_that_is_read() -> None:
    ticket = printed(
        BANDS,
        PillowRasteriser(),
        TextLine(text="A023", align=Align.CENTRE, scale=4),
        QrCode(data=ADDRESS),
        TextLine(text="请保管好号票"),
    )
    assert [one.strip() for one in ticket.lines if one.strip()] == ["A023", "请保管好号票"]
    assert read_ticket(ticket) == ADDRESS


def test_a_wrong_line_spacing_shows_as_stripes() -> None:
    commands = msgspec.structs.replace(BANDS.commands, band_spacing=b"\x1b\x33\x30")
    wrong = msgspec.structs.replace(BANDS, commands=commands)
    good = set(dots(printed(BANDS, PillowRasteriser(), QrCode(data=ADDRESS))))
    assert set(dots(printed(wrong, PillowRasteriser(), QrCode(data=ADDRESS)))) != good


def test_pictures_are_raster_or_bands_and_nothing_else() -> None:
    raw = msgspec.to_builtins(BANDS.capabilities) | {"pictures": "lines"}
    with pytest.raises(msgspec.ValidationError, match="pictures"):
        msgspec.convert(raw, type(BANDS.capabilities))
