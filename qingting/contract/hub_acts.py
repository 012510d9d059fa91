"""How an act reaches a device and its outcome comes back; part of :mod:`qingting.contract.hub`."""

from typing import Annotated

import msgspec

from qingting.contract.acts import (
    ActCode,
    Action,
    Figures,
    PaperRoll,
    ProfileBundle,
    ScreenHours,
)
from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId, Millis, ShortText, Slug
from qingting.contract.releases import ReleaseInForce, RunsReport
from qingting.contract.states import ActOutcome

PART_CHARS = 48_000
"""A part of a file in base64; a whole message stays under the hub's bound."""
MAX_PARTS = 64


class ActOrder(Strict, frozen=True, kw_only=True, tag="act", tag_field="type"):
    """To an agent or a screen: do this, once. After ``answer_by`` (the server's clock) nobody waits any more.

    ``bundle`` are the models of :class:`qingting.contract.acts.UseProfiles`, unless it means the shipped ones.
    """

    act: str
    device: DeviceId
    action: Action
    answer_by: Millis
    bundle: ProfileBundle | None = None


class HandsInForce(Strict, frozen=True, kw_only=True, tag="hands", tag_field="type"):
    """To an agent or a screen after each connection and each change: what was set there from afar.

    ``rolls`` are an agent's printers' counters, ``bundle`` its models; None: those that came with it.
    """

    volume: int | None = None
    brightness: int | None = None
    screen_on: bool | None = None
    hours: tuple[ScreenHours, ...] = ()
    utc_offset_minutes: int = 0
    rolls: dict[DeviceId, PaperRoll] = msgspec.field(default_factory=dict)
    bundle: ProfileBundle | None = None


class ActGoing(Strict, frozen=True, kw_only=True, tag="act.going", tag_field="type"):
    """The device goes away now to carry out a restart; the act is done when it is back."""

    act: Slug


class ActPart(Strict, frozen=True, kw_only=True, tag="act.part", tag_field="type"):
    """Part ``no`` of ``count`` of the file that an act brings back, base64; all before :class:`ActTold`."""

    act: Slug
    no: Annotated[int, msgspec.Meta(ge=1, le=MAX_PARTS)]
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_PARTS)]
    data: Annotated[str, msgspec.Meta(max_length=PART_CHARS)]


class ActTold(Strict, frozen=True, kw_only=True, tag="act.told", tag_field="type"):
    """What became of an act. ``code`` says why it is not done, ``note`` more for a technician, in English."""

    act: Slug
    outcome: ActOutcome
    code: ActCode = ""
    figures: Figures = msgspec.field(default_factory=dict)
    note: ShortText = ""


ActRequest = ActGoing | ActPart | ActTold | RunsReport
ActMessage = ActOrder | HandsInForce | ReleaseInForce
