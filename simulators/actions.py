"""Everything one can do to a simulated device by name: what the control page and its API offer.

Names are verbs of a person standing at the device. Each action takes a small JSON object, checked
strictly, and does nothing that a Python method of the bench or the device does not do as well.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec

from qingting.contract.base import Strict
from qingting.contract.states import Condition, DeviceKind
from simulators.bench import SimulatorBench, UnknownDeviceError
from simulators.citizen_code.platform import CITIZENS
from simulators.device import Fault
from simulators.face_terminal import STRANGER
from simulators.id_cards import DEMO_CARDS
from simulators.qr_reader import NoCodeError


class ActionError(Exception):
    """An action that cannot be done; ``code`` is a key of the page's texts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Nothing(Strict, frozen=True, kw_only=True):
    """An action without parameters."""


class SetFault(Strict, frozen=True, kw_only=True):
    name: Fault
    on: bool = True


class SetCondition(Strict, frozen=True, kw_only=True):
    name: Condition
    on: bool = True


class SwapModel(Strict, frozen=True, kw_only=True):
    """``model`` is a profile of the same kind; empty puts the right device back."""

    model: str = ""


class PutCard(Strict, frozen=True, kw_only=True):
    """``card`` is an id of ``DEMO_CARDS``."""

    card: str


class ScanText(Strict, frozen=True, kw_only=True):
    text: str


class ScanTicket(Strict, frozen=True, kw_only=True):
    """Without ``printer`` the printer that stands beside the scanner."""

    printer: str | None = None


class StandInFront(Strict, frozen=True, kw_only=True):
    """``person`` is an id of ``simulators.citizen_code.CITIZENS``, or ``stranger`` for somebody unknown."""

    person: str


class ScanCitizenCode(Strict, frozen=True, kw_only=True):
    """``citizen`` is an id of ``simulators.citizen_code.CITIZENS``."""

    citizen: str


Body = TypeVar("Body", bound=Strict)


class Action(Generic[Body]):
    """Parameters of type ``body`` and the deed."""

    def __init__(
        self, body: type[Body], deed: Callable[[SimulatorBench, str, Body], Awaitable[None]]
    ) -> None:
        self.body = body
        self.deed = deed

    async def run(self, bench: SimulatorBench, device_id: str, raw: bytes) -> None:
        """Raises :class:`ActionError` and :class:`UnknownDeviceError`."""
        try:
            body = msgspec.json.decode(raw or b"{}", type=self.body)
        except msgspec.DecodeError as error:
            raise ActionError("bad_request") from error
        try:
            await self.deed(bench, device_id, body)
        except NoCodeError as error:
            raise ActionError("no_code") from error
        except ValueError as error:
            raise ActionError("impossible") from error


async def perform(bench: SimulatorBench, device_id: str, name: str, raw: bytes) -> None:
    """Does what ``POST /api/{device}/{action}`` asks for.

    Raises :class:`UnknownDeviceError`, or :class:`ActionError` with the reason.
    """
    kind = bench.seat(device_id).spec.kind
    action = ACTIONS[kind].get(name)
    if action is None:
        raise ActionError("unknown_action")
    await action.run(bench, device_id, raw)


# ---- deeds --------------------------------------------------------------------------------------


async def _unplug(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    await bench.seat(device_id).unplug()


async def _replug(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    await bench.seat(device_id).replug()


async def _fault(bench: SimulatorBench, device_id: str, body: SetFault) -> None:
    bench.seat(device_id).device.set_fault(body.name, body.on)


async def _condition(bench: SimulatorBench, device_id: str, body: SetCondition) -> None:
    bench.printer(device_id).set_condition(body.name, body.on)


async def _disconnect_mid_job(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    bench.seat(device_id).device.disconnect_mid_job()


async def _swap(bench: SimulatorBench, device_id: str, body: SwapModel) -> None:
    await bench.swap(device_id, body.model)


async def _power_cycle(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    bench.printer(device_id).power_cycle()


async def _put(bench: SimulatorBench, device_id: str, body: PutCard) -> None:
    card = DEMO_CARDS.get(body.card)
    if card is None:
        raise ActionError("unknown_card")
    bench.reader(device_id).put(card)


async def _take(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    bench.reader(device_id).take()


async def _pull_mid_read(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    bench.reader(device_id).pull_mid_read()


async def _darken(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    bench.led(device_id).power_cycle()


async def _scan(bench: SimulatorBench, device_id: str, body: ScanText) -> None:
    bench.scanner(device_id).scan(body.text)


async def _scan_last_ticket(bench: SimulatorBench, device_id: str, body: ScanTicket) -> None:
    bench.scan_last_ticket(device_id, body.printer)


async def _scan_citizen_code(bench: SimulatorBench, device_id: str, body: ScanCitizenCode) -> None:
    if body.citizen not in CITIZENS:
        raise ActionError("unknown_citizen")
    bench.scan_citizen_code(device_id, body.citizen)


async def _stand(bench: SimulatorBench, device_id: str, body: StandInFront) -> None:
    if body.person not in CITIZENS and body.person != STRANGER:
        raise ActionError("unknown_citizen")
    bench.face(device_id).stand(body.person)


async def _walk_away(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    bench.face(device_id).walk_away()


def _sets(condition: Condition, *, on: bool) -> Action[Nothing]:
    async def deed(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
        bench.printer(device_id).set_condition(condition, on)

    return Action(Nothing, deed)


async def _loosen_cutter(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
    """The knife moves again, and the printer goes on showing its fault until it is told to recover."""
    printer = bench.printer(device_id)
    printer.set_condition(Condition.CUTTER_ERROR, True)
    printer.latched.add(Condition.CUTTER_ERROR)


def _disturbs(fault: Fault, *, on: bool) -> Action[Nothing]:
    async def deed(bench: SimulatorBench, device_id: str, _body: Nothing) -> None:
        bench.seat(device_id).device.set_fault(fault, on)

    return Action(Nothing, deed)


_EVERY: dict[str, Action[Any]] = {
    "unplug": Action(Nothing, _unplug),
    "replug": Action(Nothing, _replug),
    "fault": Action(SetFault, _fault),
    "mute": _disturbs(Fault.MUTE, on=True),
    "unmute": _disturbs(Fault.MUTE, on=False),
    "disconnect_mid_job": Action(Nothing, _disconnect_mid_job),
    "swap": Action(SwapModel, _swap),
}

ACTIONS: dict[DeviceKind, dict[str, Action[Any]]] = {
    DeviceKind.PRINTER: {
        **_EVERY,
        "condition": Action(SetCondition, _condition),
        "paper_out": _sets(Condition.PAPER_OUT, on=True),
        "paper_in": _sets(Condition.PAPER_OUT, on=False),
        "paper_low": _sets(Condition.PAPER_LOW, on=True),
        "paper_full": _sets(Condition.PAPER_LOW, on=False),
        "open_cover": _sets(Condition.COVER_OPEN, on=True),
        "close_cover": _sets(Condition.COVER_OPEN, on=False),
        "jam_cutter": _sets(Condition.CUTTER_ERROR, on=True),
        "free_cutter": _sets(Condition.CUTTER_ERROR, on=False),
        "loosen_cutter": Action(Nothing, _loosen_cutter),
        "jam_paper": _sets(Condition.JAM, on=True),
        "free_paper": _sets(Condition.JAM, on=False),
        "heat": _sets(Condition.HEAD_HOT, on=True),
        "cool": _sets(Condition.HEAD_HOT, on=False),
        "leave_ticket": _sets(Condition.TICKET_NOT_TAKEN, on=True),
        "take_ticket": _sets(Condition.TICKET_NOT_TAKEN, on=False),
        "power_cycle": Action(Nothing, _power_cycle),
    },
    DeviceKind.ID_READER: {
        **_EVERY,
        "put": Action(PutCard, _put),
        "take": Action(Nothing, _take),
        "pull_mid_read": Action(Nothing, _pull_mid_read),
    },
    DeviceKind.SCANNER: {
        **_EVERY,
        "scan": Action(ScanText, _scan),
        "scan_last_ticket": Action(ScanTicket, _scan_last_ticket),
        "scan_citizen_code": Action(ScanCitizenCode, _scan_citizen_code),
    },
    DeviceKind.FACE: {
        **_EVERY,
        "stand": Action(StandInFront, _stand),
        "walk_away": Action(Nothing, _walk_away),
    },
    DeviceKind.LED: {
        **_EVERY,
        "power_cycle": Action(Nothing, _darken),
    },
}
"""Actions by kind of device and name."""

__all__ = ["ACTIONS", "Action", "ActionError", "UnknownDeviceError", "perform"]
