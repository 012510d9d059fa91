"""The LED panels of a hall, driven by the hall server itself: what the log calls is on them at once.

Their content follows from the hall's state alone, so they need no agent: the server opens their lines, keeps
the turns of each layout, and tells the hall of their conditions as an agent does of its peripherals.
"""

import asyncio
from collections.abc import Callable, Iterable

from hallserver.boards.hosted import StatusReporter
from hallserver.boards.led_lines import Lines, lines_at, programme_for
from hallserver.boards.strip import StripProgramme
from hallserver.devices.drivers.peripheral import OpenLine, open_line
from hallserver.devices.supervisor import DeviceSupervisor
from hallserver.devices.waiting import first_of, within
from hallserver.hall import Hall
from qingting.contract import events as e
from qingting.contract.config import Device
from qingting.contract.ids import DeviceId, Millis
from qingting.contract.states import DeviceKind, DeviceState
from qingting.kernel.aio.clock import Clock

LOOK_S = 1.0
"""How often panels are looked after although nothing was called: counts and clocks move on."""
GATHER_S = 0.1
"""What happens within this time is drawn together."""
_AT_ONCE = (
    e.TicketCalled,
    e.TicketRecalled,
    e.ServiceBegun,
    e.ServiceFinished,
    e.TicketNoShow,
    e.WindowOpened,
    e.WindowPaused,
    e.WindowClosed,
    e.NoticePut,
    e.ConfigApplied,
    e.ConfigEdited,
)
_MINUTE_MS = 60_000
_HERE = (DeviceState.READY, DeviceState.DEGRADED)


def leds_of(hall: Hall) -> tuple[Device, ...]:
    """The LED panels that the configuration names with an address."""
    config = hall.state.config
    devices = config.devices if config is not None else ()
    return tuple(one for one in devices if one.kind is DeviceKind.LED and one.url)


class LedWall:
    """All panels of one hall. ``heard`` is told of each panel that has just given a sign of life."""

    def __init__(
        self,
        hall: Hall,
        clock: Clock,
        *,
        heard: Callable[[DeviceId], None],
        opener: OpenLine = open_line,
    ) -> None:
        self._hall = hall
        self._clock = clock
        self._heard = heard
        self._opener = opener
        self._wake = asyncio.Event()
        self._reporter = StatusReporter(hall, clock)
        self._programmes: dict[DeviceId, StripProgramme] = {}
        self._lines: dict[DeviceId, Lines] = {}
        self._stamp: tuple[int, int] | None = None

    async def run(self) -> None:
        """Until cancelled; panels that come, go or change with the configuration are followed."""
        unsubscribe = self._hall.subscribe(self._committed)
        try:
            while True:
                await self._drive(leds_of(self._hall))
        finally:
            unsubscribe()

    def _committed(self, events: tuple[e.Event, ...]) -> None:
        if any(isinstance(event.b, _AT_ONCE) for event in events):
            self._wake.set()

    async def _drive(self, devices: tuple[Device, ...]) -> None:
        """Serves these panels until the configuration names others."""
        sound = await self._reporter.sound(devices)
        self._stamp = None
        self._programmes.clear()
        self._lines.clear()
        panels = await asyncio.to_thread(
            DeviceSupervisor, sound, clock=self._clock, opener=self._opener
        )
        self._reporter.follow(panels)
        async with panels:
            await first_of(self._keep_shown(devices, panels), self._reporter.run())

    # ---- content ---------------------------------------------------------------------------------

    async def _keep_shown(self, devices: tuple[Device, ...], panels: DeviceSupervisor) -> None:
        while leds_of(self._hall) == devices:
            self._wake.clear()
            now = self._clock.now_ms()
            due = self._show(devices, panels, now)
            for led, panel in panels.panels.items():
                if panel.answers and panel.status.state in _HERE:
                    self._heard(led)
            await self._clock.sleep(GATHER_S)
            pause_s = LOOK_S if due is None else min(LOOK_S, (due - self._clock.now_ms()) / 1000)
            if not panels.panels:
                await self._wake.wait()
            elif pause_s > 0:
                await self._until_woken(pause_s)

    async def _until_woken(self, seconds: float) -> None:
        try:
            await within(self._clock, seconds, self._wake.wait())
        except TimeoutError:
            return

    def _show(
        self, devices: Iterable[Device], panels: DeviceSupervisor, now: Millis
    ) -> Millis | None:
        """Tells every panel what it is to show; when the next of them changes by time alone."""
        stamp = (self._hall.state.seq, now // _MINUTE_MS)
        if stamp != self._stamp:
            self._stamp = stamp
            for one in devices:
                if one.id in panels.panels:
                    self._take(one.id, programme_for(self._hall.state, one, now))
        ends: list[Millis] = []
        for led, programme in self._programmes.items():
            known = self._lines.get(led)
            if known is None or known.until is None or known.until <= now:
                known = self._lines[led] = lines_at(programme, now)
                panels.panels[led].show(known.lines)
            if known.until is not None:
                ends.append(known.until)
        return min(ends, default=None)

    def _take(self, led: DeviceId, programme: StripProgramme) -> None:
        """What is up is counted from the call on: not again while nothing about it has changed."""
        if self._programmes.get(led) != programme:
            self._programmes[led] = programme
            self._lines.pop(led, None)
