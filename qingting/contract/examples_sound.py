"""Examples of what is said aloud; part of :mod:`qingting.contract.examples`."""

from typing import Any

from qingting.contract import acts as a
from qingting.contract import commands as c
from qingting.contract import events_sound as e
from qingting.contract import hub_sound as h
from qingting.contract.ids import DeviceId, TicketId
from qingting.contract.states import Condition, PlayOutcome

BOARD, SPEAKER = DeviceId("board-1"), DeviceId("speaker-1")
TICKET = TicketId("2026-11-24-ga-23")
TAKEN = Condition.SOUND_TAKEN

SOUND_EXAMPLES: tuple[Any, ...] = (
    a.PlayTest(),
    c.ReportAnnounced(device=BOARD, call_no=17),
    c.ReportUnsaid(device=SPEAKER, call_no=17, cause=TAKEN),
    e.CallAnnounced(device=BOARD, call_no=17, ticket=TICKET),
    e.CallUnsaid(device=SPEAKER, call_no=17, ticket=TICKET, cause=TAKEN),
    h.Announced(call_no=17),
    h.SayCall(device=SPEAKER, call_no=17, path="/voice/17.wav", volume=80),
    h.CallTold(device=SPEAKER, call_no=17, outcome=PlayOutcome.FAILED, cause=TAKEN),
)
