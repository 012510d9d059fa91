"""A simulated ESC/POS ticket printer: hears every byte, prints with real speed, and can go wrong.

Bytes wait in the receive buffer until the head is free. A fault that stops the printer (no paper, open
cover, stuck knife, …) stops the buffer too; it goes on where it was when the fault is gone, or is
emptied by DLE ENQ 2. DLE EOT and DLE ENQ are carried out on receipt, always.
"""

import asyncio
from collections import deque
from typing import Any, ClassVar

import msgspec

from qingting.contract.states import Condition, DeviceKind
from qingting.kernel.aio.clock import Clock
from simulators.device import LINE_FAULTS, Fault, SimulatedDevice
from simulators.escpos import Command, CommandStream, RealTimeEar
from simulators.paper import render_svg
from simulators.profiles import Profile, StatusTable, bit_rows
from simulators.strip import Edge, Strip, Ticket

STOPPING = frozenset(
    {
        Condition.PAPER_OUT,
        Condition.COVER_OPEN,
        Condition.CUTTER_ERROR,
        Condition.HEAD_HOT,
        Condition.JAM,
        Condition.MARK_ERROR,
        Condition.UNRECOVERABLE,
    }
)
"""Conditions that take the printer off line."""
ERRORS = STOPPING - {Condition.PAPER_OUT, Condition.COVER_OPEN}
SETTABLE = STOPPING | {Condition.PAPER_LOW, Condition.TICKET_NOT_TAKEN}
"""Conditions that may be brought about at a simulated printer."""
KEPT_TICKETS = 200
SHOWN_TICKETS = 12

_ERROR_PRESENT = 0x40
_PLAIN = bytes([0x12])
_CLEARS = (2, 5)


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """Ticket number ``no`` of this printer, counted from 1, and when it left the printer."""

    no: int
    at_ms: int
    ticket: Ticket


class PrinterSimulator(SimulatedDevice):
    """One printer. ``mm_per_s`` overrides the profile's speed; 0 prints without taking time."""

    kind: ClassVar[DeviceKind] = DeviceKind.PRINTER
    possible_faults: frozenset[Fault] = LINE_FAULTS | {Fault.STUCK}

    def __init__(
        self,
        device_id: str,
        profile: Profile,
        clock: Clock | None = None,
        mm_per_s: float | None = None,
    ) -> None:
        super().__init__(device_id, profile, clock)
        abilities = profile.section("capabilities")
        dpi = int(abilities.get("dpi", 203))
        speed = float(abilities.get("mm_per_s", 150.0)) if mm_per_s is None else mm_per_s
        self.dots_per_s = speed / 25.4 * dpi
        self.conditions: set[Condition] = set()
        self.cleared = 0
        """Tickets that the presenter cleared away."""
        self.latched: set[Condition] = set()
        """Faults whose cause is gone and which the printer still shows: DLE ENQ 2 ends them."""
        self.printed: deque[Printed] = deque(maxlen=KEPT_TICKETS)
        self._strip = Strip(width_dots=int(abilities.get("width_dots", 576)), dpi=dpi)
        self._stream = CommandStream()
        self._ear = RealTimeEar()
        self._work = asyncio.Event()
        self._idle = True
        self._stuck_at: frozenset[Condition] | None = None
        self._push_mask = 0
        self._count = 0
        self._fence, self._push = _tables(profile)
        self._pushed = b""

    async def start(self) -> None:
        await super().start()
        _ = self.supervisor.keep("print", self._print)

    # ---- receiving -------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Real-time commands act at once, all bytes join the receive buffer."""
        fed = 0
        for end, command in self._ear.listen(data):
            self._stream.feed(data[fed:end])
            fed = end
            self._real_time(command)
        self._stream.feed(data[fed:])
        self._work.set()

    def _real_time(self, command: Command) -> None:
        match command:
            case Command("DLE EOT", args):
                self.say(self.status_answer(bytes([0x10, 0x04]) + args))
            case Command("DLE ENQ", b"\x02") if Condition.HEAD_HOT not in self.conditions:
                self._stream.clear()
                self._strip.discard_line()
                for condition in tuple(self.latched):
                    self.set_condition(condition, False)
            case _:
                pass

    def status_answer(self, question: bytes) -> bytes:
        """The answer to DLE EOT n by the profile's table; a plain healthy byte for an unknown n."""
        query = next((one for one in self.profile.queries if one.send == question), None)
        if query is None:
            return _PLAIN
        answer = query.table.answer(self.shown_conditions)
        if question[2] == 2 and self.shown_conditions & ERRORS:
            return bytes([answer[0] | _ERROR_PRESENT])
        return answer

    @property
    def stopped(self) -> bool:
        """True while something keeps the printer from printing."""
        return bool(self.conditions & STOPPING)

    @property
    def shown_conditions(self) -> frozenset[Condition]:
        """What its answers tell: the conditions with the ``offline`` that follows from them, or those of the
        instant at which its status got stuck."""
        if self._stuck_at is not None:
            return self._stuck_at
        return frozenset(self.conditions | ({Condition.OFFLINE} if self.stopped else set()))

    # ---- printing --------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """True while nothing that was received can be printed."""
        return self._idle and not self._work.is_set()

    @property
    def half_printed(self) -> bool:
        """True while a ticket has begun to come out and hangs at the knife."""
        return self._strip.marked

    async def _print(self) -> None:
        while True:
            command = None if self.stopped else self._stream.take()
            if command is None:
                self._work.clear()
                self._idle = True
                await self._work.wait()
                self._idle = False
            else:
                await self._carry_out(command)

    async def _carry_out(self, command: Command) -> None:
        if reply := self._in_order_reply(command):
            self.say(reply)
            return
        if command.name == "GS e":
            self._clear_exit(command.args[0])
            return
        before = self._strip.height
        ticket = self._strip.execute(command)
        dots = (ticket.height if ticket else self._strip.height) - before
        if dots > 0:
            self.job_under_way()
        if dots > 0 and self.dots_per_s > 0:
            await self.clock.sleep(dots / self.dots_per_s)
        else:
            await asyncio.sleep(0)
        if ticket is not None:
            self._deliver(ticket)

    def _clear_exit(self, how: int) -> None:
        """The presenter draws in (2) or drops (5) the ticket that is left there."""
        if how in _CLEARS and Condition.TICKET_NOT_TAKEN in self.conditions:
            self.cleared += 1
            self.set_condition(Condition.TICKET_NOT_TAKEN, False)

    def _deliver(self, ticket: Ticket) -> None:
        self._count += 1
        self.printed.append(Printed(no=self._count, at_ms=self.clock.now_ms(), ticket=ticket))
        self.changed()

    def _in_order_reply(self, command: Command) -> bytes:
        """Answers of commands that wait for their turn behind the print data."""
        match command:
            case Command("GS r", args) if args[0] in (1, 0x31):
                return self._fence.answer(self.shown_conditions)
            case Command("GS r", _):
                return b"\x00"
            case Command("GS I", args):
                return self._identity(args[0])
            case Command("GS a", args):
                self._push_mask = args[0]
                self._pushed = self.push_block() if args[0] else b""
                return self._pushed
            case Command("GS (", args) if args[:1] == b"H" and args[3:5] == b"\x30\x30":
                return b"\x37\x22" + args[5:9] + b"\x00"
            case _:
                return b""

    def _identity(self, number: int) -> bytes:
        texts = {4: self.profile.vendor, 5: self.profile.model, 6: "GB18030"}
        texts |= {65: "1.00 SIM", 66: self.profile.vendor, 67: self.profile.model}
        texts |= {68: f"SIM{self.id}", 69: "CHINA GB18030"}
        if number in texts:
            return b"\x5f" + texts[number].encode("ascii", errors="replace") + b"\x00"
        return {1: b"\x20", 2: b"\x03", 3: b"\x01"}.get(number, b"")

    def push_block(self) -> bytes:
        """The four bytes of automatic status back (GS a) as they are now."""
        return self._push.answer(self.shown_conditions)

    # ---- what people do to a printer -------------------------------------------------------------

    def set_condition(self, condition: Condition, on: bool) -> None:
        """Brings a condition about or ends it; raises ValueError for one that no printer has.

        New paper after the end of the old roll starts a new ticket: the torn half is delivered.
        """
        if condition not in SETTABLE:
            raise ValueError(f"a printer is never {condition.value}")
        if on == (condition in self.conditions):
            return
        if on:
            self.conditions.add(condition)
        else:
            self.conditions.discard(condition)
            self.latched.discard(condition)
            if condition is Condition.PAPER_OUT and self._strip.marked:
                self._deliver(self._strip.tear(Edge.PAPER_END))
        self._push_news()
        self._work.set()
        self.changed()

    def _push_news(self) -> None:
        """Automatic status back, when it says something else than the last time."""
        if self._push_mask and (block := self.push_block()) != self._pushed:
            self._pushed = block
            self.say(block)

    def set_fault(self, fault: Fault, on: bool) -> None:
        """See ``SimulatedDevice``; a status that was stuck is told anew when it no longer is."""
        if fault is Fault.STUCK:
            self._stuck_at = None
            if on:
                self._stuck_at = self.shown_conditions
        super().set_fault(fault, on)
        self._push_news()

    def power_cycle(self) -> None:
        """Switches off and on: buffer, line and settings are gone, the paper stays."""
        self._stream.clear()
        self._strip.discard_line()
        self._strip.execute(Command("ESC @"))
        self._push_mask = 0
        self.changed()

    def ticket(self, number: int) -> Printed | None:
        """A ticket that is still remembered."""
        return next((one for one in self.printed if one.no == number), None)

    def ticket_svg(self, number: int) -> str | None:
        """A ticket as it looks on paper."""
        found = self.ticket(number)
        return None if found is None else render_svg(found.ticket)

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "conditions": sorted(self.conditions),
            "stopped": self.stopped,
            "buffered_bytes": len(self._stream),
            "tickets": [
                {
                    "no": one.no,
                    "at_ms": one.at_ms,
                    "edge": one.ticket.edge.value,
                    "lines": list(one.ticket.lines),
                    "ignored": list(one.ticket.ignored),
                }
                for one in list(self.printed)[: -SHOWN_TICKETS - 1 : -1]
            ],
        }


def _tables(profile: Profile) -> tuple[StatusTable, StatusTable]:
    """How GS r and GS a answer; the usual rows where the profile is silent."""
    status = profile.section("status")
    fence = status.get("fence_reply", {}).get(
        "bits", [{"mask": 0x0C, "is": "paper_out"}, {"mask": 0x03, "is": "paper_low"}]
    )
    push = status.get("push", {}).get("bits", _USUAL_PUSH)
    idle = profile.section("simulator").get("initial_push", [0x14, 0x00, 0x00, 0x0F])
    return (
        StatusTable(idle=b"\x00", bits=bit_rows(fence)),
        StatusTable(idle=bytes(idle), bits=bit_rows(push)),
    )


_USUAL_PUSH: list[dict[str, Any]] = [
    {"byte": 0, "mask": 0x08, "is": "offline"},
    {"byte": 0, "mask": 0x20, "is": "cover_open"},
    {"byte": 1, "mask": 0x08, "is": "cutter_error"},
    {"byte": 1, "mask": 0x20, "is": "unrecoverable"},
    {"byte": 1, "mask": 0x40, "is": "head_hot"},
    {"byte": 2, "mask": 0x03, "is": "paper_low"},
    {"byte": 2, "mask": 0x0C, "is": "paper_out"},
]
