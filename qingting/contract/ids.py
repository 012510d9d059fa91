"""Identifiers. All are opaque strings; their constraints are checked where they enter."""

from typing import Annotated, NewType

import msgspec

HallId = NewType("HallId", str)
"""Enrolled name of a hall, e.g. ``saertu`` (大厅)."""
DepartmentId = NewType("DepartmentId", str)
"""A department or entering unit (进驻单位)."""
QueueId = NewType("QueueId", str)
"""A line of waiting tickets (队列)."""
ItemId = NewType("ItemId", str)
"""A service item as offered in a hall (事项)."""
WindowId = NewType("WindowId", str)
"""A service window (窗口)."""
StaffId = NewType("StaffId", str)
"""A member of staff (工作人员)."""
DeviceId = NewType("DeviceId", str)
"""A kiosk, pad, board, agent or peripheral (设备)."""
TicketId = NewType("TicketId", str)
"""One ticket (号票): ``<business day>-<queue>-<serial>``, unique in its hall."""
BookingId = NewType("BookingId", str)
"""A booking (预约), unique in the city."""
CommandKey = NewType("CommandKey", str)
"""The sender's idempotency key; a repeated key gets the first answer again."""
BusinessDay = NewType("BusinessDay", str)
"""The hall's business date, ``YYYY-MM-DD`` in the hall's own time zone."""

Slug = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
"""Shape of an identifier that comes from outside."""
KeyText = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:-]{8,80}$")]
"""Shape of an idempotency key that comes from outside."""
ShortText = Annotated[str, msgspec.Meta(max_length=80)]
Words = Annotated[str, msgspec.Meta(max_length=150)]
"""Free words of a citizen, 150 characters at most (standards.md A3)."""
Millis = Annotated[int, msgspec.Meta(ge=0)]
"""UTC instant in milliseconds since 1970."""
