"""Simulated LED controllers: what is sent to them is to be read on their panel."""

from typing import Any, ClassVar

from qingting.contract.states import Condition, DeviceKind
from qingting.kernel.aio.clock import Clock
from simulators.device import LINE_FAULTS, Fault, SimulatedDevice
from simulators.led_panel import Panel
from simulators.led_talk import talker_for
from simulators.profiles import Profile


class LedSimulator(SimulatedDevice):
    """A controller with its panel; how it talks is the profile's ``[protocol]``."""

    kind: ClassVar[DeviceKind] = DeviceKind.LED
    possible_faults: frozenset[Fault] = LINE_FAULTS | {
        Fault.WRONG_CHECKSUM,
        Fault.BUSY,
        Fault.STUCK,
    }

    def __init__(self, device_id: str, profile: Profile, clock: Clock | None = None) -> None:
        super().__init__(device_id, profile, clock)
        self.panel = Panel(self.clock.now_ms, self.changed)
        self._talker = talker_for(profile, self.panel)
        if profile.section("protocol").get("mode") == "tcp":
            self.possible_faults -= {Fault.WRONG_CHECKSUM}  # Modbus over TCP has none
        errors = profile.section("led").get("errors", {})
        self._busy = next(
            (int(code, 16) for code, is_ in errors.items() if is_ == Condition.BUSY), None
        )

    def receive(self, data: bytes) -> None:
        shown = dict(self.panel.lines)
        if Fault.STUCK not in self.faults:
            self._talker.refuses = self._busy if Fault.BUSY in self.faults else None
        for answer in self._talker.hear(data):
            self.say(_spoilt(answer) if Fault.WRONG_CHECKSUM in self.faults else answer)
        if Fault.STUCK in self.faults:
            self.panel.lines = shown
        elif self.panel.lines != shown:
            self.job_under_way()

    def power_cycle(self) -> None:
        """Dark, as a panel is after its power failed."""
        self.panel.clear()

    def state(self) -> dict[str, Any]:
        effects = self.profile.section("protocol").get("effects", {})
        moving = effects.get("scroll_left") if len(set(effects.values())) > 1 else None
        lines = [
            line | {"moves": moving is not None and line["effect"] == moving}
            for line in self.panel.state()
        ]
        return super().state() | {"lines": lines}


def _spoilt(answer: bytes) -> bytes:
    """With one bit of the check wrong; the mark at the end of a frame stays."""
    return answer[:-2] + bytes([answer[-2] ^ 1]) + answer[-1:]
