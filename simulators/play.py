"""Plays a scenario on a bench, in real time or faster."""

from collections import deque
from collections.abc import Callable
from typing import Any

from qingting.contract.states import Condition
from qingting.kernel.aio.clock import Clock, SystemClock
from simulators.bench import SimulatorBench
from simulators.device import Fault
from simulators.printer import SETTABLE
from simulators.scenario import ScenarioFile, Step, clock_s, plan, words_of

SHOWN = 5


class ScenarioPlayer:
    """One performance. ``speed`` 60 plays an hour in a minute; faults become shorter by as much."""

    def __init__(
        self,
        bench: SimulatorBench,
        file: ScenarioFile,
        *,
        speed: float = 1.0,
        clock: Clock | None = None,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Raises :class:`ScenarioError` when the scenario does not fit the bench."""
        self._bench = bench
        self._scenario = file.scenario
        self._speed = speed
        self._clock = clock or SystemClock()
        self._told = told
        self._steps = plan(file, {name: seat.device for name, seat in bench.seats.items()})
        self._done = 0
        self._last: deque[Step] = deque(maxlen=SHOWN)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The whole plan."""
        return self._steps

    async def run(self) -> None:
        """Until the last fault has ended."""
        began = self._clock.monotonic()
        for step in self._steps:
            due = began + step.at_s / self._speed
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
            await self._perform(step)
            self._done += 1
            self._last.appendleft(step)
            self._told(f"{self._time(step)}  {words_of(step)}")
            self._bench.changed()

    async def _perform(self, step: Step) -> None:
        seat = self._bench.seat(step.device)
        match step.what:
            case "unplug":
                await (seat.unplug() if step.on else seat.replug())
            case "disconnect_mid_job" if step.on:
                seat.device.disconnect_mid_job()
            case "disconnect_mid_job":
                seat.device.keep_cable()
                await seat.replug()
            case "swap":
                await self._bench.swap(step.device, step.model if step.on else "")
            case what if what in SETTABLE:
                printer = self._bench.printer(step.device)
                printer.set_condition(Condition(what), step.on)
            case what:
                seat.device.set_fault(Fault(what), step.on)

    def _time(self, step: Step) -> str:
        seconds = clock_s(self._scenario.begins) + int(step.at_s)
        return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    def state(self) -> dict[str, Any]:
        """What the control page shows; plain JSON values."""
        return {
            "name": self._scenario.name,
            "name_en": self._scenario.name_en,
            "done": self._done,
            "total": len(self._steps),
            "last": [
                {"time": self._time(one), "device": one.device, "what": one.what, "on": one.on}
                for one in self._last
            ],
        }
