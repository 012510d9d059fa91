"""Bytes in USB HID reports of one fixed length, as a profile's ``[transport.hid]`` lays them out."""

from typing import Annotated

import msgspec

from qingting.contract.base import Strict

Byte = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
Place = Annotated[int, msgspec.Meta(ge=0, le=255)]


class HidReports(Strict, frozen=True, kw_only=True):
    """``report_bytes`` of payload in each report. ``in_id`` is the number of the reports that carry data, None where
    the device does not number them; ``out_id`` is 0 where it does not. Within a report data begin at ``data_at``;
    ``length_at`` is the place of their length, None = the whole rest. ``more_at`` is the place of a byte that is 0 in
    the last report of a code, which then ends with a carriage return. Places are counted behind the number.
    """

    report_bytes: Annotated[int, msgspec.Meta(ge=8, le=256)]
    out_id: Byte = 0
    in_id: Byte | None = None
    data_at: Place = 0
    length_at: Place | None = None
    more_at: Place | None = None

    def __post_init__(self) -> None:
        places = (self.data_at, self.length_at or 0, self.more_at or 0)
        if max(places) >= self.report_bytes:
            raise ValueError("a place lies behind the end of the report")


class HidCodec:
    """Wraps and unwraps; each read of a hidraw node is one report."""

    def __init__(self, layout: HidReports) -> None:
        self._layout = layout

    @property
    def read_bytes(self) -> int:
        """Length of one report as it is read."""
        return self._layout.report_bytes + (self._layout.in_id is not None)

    def wrap(self, data: bytes) -> list[bytes]:
        """The reports that carry ``data``, the last one filled with zeros."""
        layout = self._layout
        room = layout.report_bytes - layout.data_at
        return [self._report(data[at : at + room]) for at in range(0, len(data), room)]

    def _report(self, part: bytes) -> bytes:
        layout = self._layout
        body = bytearray(layout.report_bytes)
        body[layout.data_at : layout.data_at + len(part)] = part
        if layout.length_at is not None:
            body[layout.length_at] = len(part)
        return bytes([layout.out_id]) + bytes(body)

    def unwrap(self, report: bytes) -> bytes:
        """The data of one report; empty for one that carries none."""
        layout = self._layout
        if layout.in_id is not None:
            if report[:1] != bytes([layout.in_id]):
                return b""
            report = report[1:]
        data = report[layout.data_at :]
        if layout.length_at is not None:
            data = data[: report[layout.length_at] if len(report) > layout.length_at else 0]
        if layout.more_at is None:
            return data
        ends = len(report) > layout.more_at and report[layout.more_at] == 0
        return data + b"\r" if ends and data else data
