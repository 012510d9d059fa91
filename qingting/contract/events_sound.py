"""What became of calls that are said aloud (语音播报); part of :mod:`qingting.contract.events`."""

from qingting.contract.base import Record
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.states import Condition


class CallAnnounced(Record, frozen=True, kw_only=True, tag="call.announced", tag_field="k"):
    """A board or loudspeaker said call ``call_no``, and with it every earlier call of the ticket that it owed."""

    device: DeviceId
    call_no: int
    ticket: TicketId


class CallUnsaid(Record, frozen=True, kw_only=True, tag="call.unsaid", tag_field="k"):
    """A loudspeaker began call ``call_no`` and did not come to its end; it is still owed."""

    device: DeviceId
    call_no: int
    ticket: TicketId
    cause: Condition | None = None
