"""What of a hall's log belongs on the timeline of a device: pure rules."""

from dataclasses import dataclass
from enum import StrEnum

from qingting.contract import events as e


class What(StrEnum):
    """Kind of a line of a timeline."""

    KNOWN = "known"
    """The hall learned of the device."""
    MODEL = "model"
    """The configuration names another model for it."""
    CHANGED = "changed"
    HELP = "help"
    HELPED = "helped"


@dataclass(slots=True)
class Standing:
    """How a device stood after the last line of its timeline. ``state`` empty: it has said nothing yet."""

    profile: str = ""
    state: str = ""
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of a timeline. ``state`` and ``before`` are empty unless the state changed; ``began`` and
    ``ended`` are conditions, in the order of their names."""

    device: str
    at: int
    what: What
    state: str = ""
    before: str = ""
    began: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


def happened(known: dict[str, Standing], event: e.Event) -> list[Happening]:
    """The lines that ``event`` adds; ``known`` is moved on."""
    match event.b:
        case e.ConfigApplied(config=config):
            lines = [
                _configured(known, str(one.id), one.profile, event.at) for one in config.devices
            ]
            return [line for line in lines if line is not None]
        case e.DeviceRegistered(device=device):
            return [_meet(known, str(device), event.at)] if str(device) not in known else []
        case e.DeviceChanged():
            return _changed(known, event.b, event.at)
        case e.HelpRequested(device=device):
            return [Happening(device=str(device), at=event.at, what=What.HELP)]
        case e.HelpAnswered(device=device):
            return [Happening(device=str(device), at=event.at, what=What.HELPED)]
        case _:
            return []


def _meet(known: dict[str, Standing], device: str, at: int, profile: str = "") -> Happening:
    known[device] = Standing(profile=profile)
    return Happening(device=device, at=at, what=What.KNOWN)


def _configured(known: dict[str, Standing], device: str, profile: str, at: int) -> Happening | None:
    standing = known.get(device)
    if standing is None:
        return _meet(known, device, at, profile)
    if standing.profile == profile:
        return None
    standing.profile = profile
    return Happening(device=device, at=at, what=What.MODEL)


def _changed(known: dict[str, Standing], body: e.DeviceChanged, at: int) -> list[Happening]:
    device = str(body.device)
    lines = [] if device in known else [_meet(known, device, at)]
    standing = known[device]
    now = {one.value for one in body.conditions}
    moved = body.state.value != standing.state
    began = tuple(sorted(now - set(standing.conditions)))
    ended = tuple(sorted(set(standing.conditions) - now))
    if moved or began or ended:
        line = Happening(
            device=device,
            at=at,
            what=What.CHANGED,
            state=body.state.value if moved else "",
            before=standing.state if moved else "",
            began=began,
            ended=ended,
        )
        # One event makes one line: that a device is first heard of says less than what it says.
        lines = [line]
    standing.state, standing.conditions = body.state.value, tuple(sorted(now))
    return lines
