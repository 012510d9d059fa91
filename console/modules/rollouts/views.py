"""Releases, rollouts and the page of one rollout."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web

from console.core.permissions import NOWHERE, Permission, Scope, Subject
from console.core.uploads import brings_file
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.acts.api import ActsApi
from console.modules.devices.api import DeviceInfo, DevicesApi
from console.modules.rollouts.domain import At, Phase, Rollout, Sight, Target, What
from console.modules.rollouts.repository import RolloutRow
from console.modules.rollouts.service import RolloutService, Wish
from console.modules.rollouts.sights import KINDS
from console.modules.rollouts.waves import DEFAULT_WAVES, Place
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal, error_texts, sentence
from qingting.contract.ids import ShortText
from qingting.contract.releases import MAX_RELEASE_BYTES, ReleaseId
from qingting.kernel.release_archive import read_release, too_large
from qingting.kernel.web import LANGUAGE, read_form, see_other

TONES = {
    Phase.RUNNING: "info",
    Phase.PAUSED: "caution",
    Phase.HALTING: "fault",
    Phase.HALTED: "fault",
    Phase.GOING_BACK: "caution",
    Phase.BACK: "off",
    Phase.DONE: "done",
}
DEVICE_TONES = {
    At.WAITING: "off",
    At.ASKED: "info",
    At.RUNS: "done",
    At.FAILED: "fault",
    At.BACK_WAITING: "caution",
    At.BACK_ASKED: "caution",
    At.BACK: "off",
    At.BACK_FAILED: "fault",
}


class StartForm(Strict, frozen=True, kw_only=True):
    """``halls`` empty: all of them; ``release`` empty: what came with the program."""

    what: What
    release: ReleaseId = ""
    waves: ShortText = DEFAULT_WAVES
    soak: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 10
    within: Annotated[int, msgspec.Meta(ge=1, le=720)] = 60
    halls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A device of a rollout in the reader's words; ``device`` None: its hall knows it no more."""

    target: Target
    device: DeviceInfo | None
    tone: str
    state: str
    why: str
    runs: str


@dataclass(frozen=True, slots=True)
class WaveLine:
    """One wave: how many of its devices are how far. ``state``: ``ahead``, ``now`` or ``past``."""

    number: int
    state: str
    done: int
    count: int
    failed: int
    lines: tuple[TargetLine, ...]


def routes(
    service: RolloutService, halls: HallsApi, devices: DevicesApi, acts: ActsApi
) -> list[web.RouteDef]:
    """Handlers over ``service``."""

    async def releases(request: web.Request) -> web.Response:
        uow, subject = request[UOW], request[SUBJECT]
        scope, reach = subject.scope(Permission.LOOK), _hands(subject)
        known = [one.kind for one in await devices.devices(uow, reach)]
        context = {
            "releases": await service.releases(uow),
            "bundles": await acts.bundles(uow),
            "rollouts": [(one, _sum(one)) for one in await service.rollouts(uow, scope)],
            "halls": [
                (one.id, one.title(request[LANGUAGE])) for one in await halls.halls(uow, reach)
            ],
            "counts": {what: sum(kind in KINDS[what] for kind in known) for what in What},
            "tones": TONES,
            "may": subject.may(Permission.HANDS),
            "may_put": subject.may(Permission.PROFILES),
        }
        return request.app[PAGES].render(request, "releases.html", context, block="list")

    @brings_file(MAX_RELEASE_BYTES, too_large)
    async def put(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.PROFILES)
        name, notes, archive = await _upload(request)
        release = await asyncio.to_thread(read_release, archive)
        uow, subject = request[UOW], request[SUBJECT]
        await service.put_release(uow, subject, name, notes, archive, release)
        raise see_other(request, "/releases", done="release.kept")

    async def start(request: web.Request) -> web.Response:
        form = await read_form(request, StartForm)
        wish = Wish(
            what=form.what,
            release=form.release,
            waves=form.waves,
            soak_minutes=form.soak,
            within_minutes=form.within,
            halls=form.halls,
        )
        no = await service.start(request[UOW], request[SUBJECT], wish)
        raise see_other(request, f"/rollouts/{no}", done="rollout.started")

    return [
        web.get("/releases", releases),
        web.post("/releases", put),
        web.post("/rollouts", start),
        *_rollout_routes(service, devices),
    ]


def _rollout_routes(service: RolloutService, devices: DevicesApi) -> list[web.RouteDef]:
    async def rollout(request: web.Request) -> web.Response:
        uow, scope = request[UOW], request[SUBJECT].scope(Permission.LOOK)
        row, sights = await service.rollout(uow, scope, int(request.match_info["no"]))
        known = {Place(one.hall, one.id): one for one in await devices.devices(uow, scope)}
        context = {
            "row": row,
            "sum": _sum(row),
            "waves": _waves(request, row.rollout, sights, known, scope),
            "steps": [
                (one, known.get(Place(one["hall"], one["device"])))
                for one in await service.steps(uow, row.no)
                if not one["hall"] or scope.has(one["hall"])
            ],
            "why": lambda code: why(request, code),
            "tones": TONES,
            "may": all(
                request[SUBJECT].may(Permission.HANDS, hall=one.hall) for one in row.rollout.targets
            ),
        }
        return request.app[PAGES].render(request, "rollout.html", context, block="now")

    async def press(request: web.Request) -> web.Response:
        no, button = int(request.match_info["no"]), request.match_info["button"]
        await service.press(request[UOW], request[SUBJECT], no, button)
        raise see_other(request, f"/rollouts/{no}", done=f"rollout.pressed.{button}")

    return [
        web.get("/rollouts/{no:\\d{1,9}}", rollout),
        web.post("/rollouts/{no:\\d{1,9}}/{button:pause|go_on|go_back}", press),
    ]


def _hands(subject: Subject) -> Scope:
    """Where somebody may send something."""
    may = subject.may(Permission.HANDS)
    return subject.scope(Permission.HANDS) if may else NOWHERE


def why(request: web.Request, code: str) -> str:
    """What a code says in the reader's language."""
    language = request[LANGUAGE]
    if not code:
        return ""
    if code not in error_texts():
        return request.app[PAGES].text(language, f"rollout.why.{code}")
    return sentence(code, {}, language)


def _sum(row: RolloutRow) -> Mapping[At, int]:
    return Counter(one.at for one in row.rollout.targets.values())


def _waves(
    request: web.Request,
    rollout: Rollout,
    sights: Mapping[Place, Sight],
    known: Mapping[Place, DeviceInfo],
    scope: Scope,
) -> list[WaveLine]:
    """Devices elsewhere are counted and not shown."""
    found = []
    for number in range(rollout.last + 1):
        mine = [one for one in rollout.targets.values() if one.wave == number]
        state = "ahead" if number > rollout.wave else "now" if number == rollout.wave else "past"
        found.append(
            WaveLine(
                number=number + 1,
                state=state,
                done=sum(one.at is At.RUNS for one in mine),
                count=len(mine),
                failed=sum(one.at in (At.FAILED, At.BACK_FAILED) for one in mine),
                lines=tuple(
                    _line(request, one, sights[one.place], known.get(one.place))
                    for one in mine
                    if scope.has(one.place.hall)
                ),
            )
        )
    return found


def _line(
    request: web.Request, target: Target, sight: Sight, device: DeviceInfo | None
) -> TargetLine:
    program = device.program if device is not None else None
    return TargetLine(
        target=target,
        device=device,
        tone=DEVICE_TONES[target.at],
        state=f"rollout.at.{_state(target, sight)}",
        why=why(request, target.code),
        runs=" · ".join(one for one in (program.program, program.release or program.bundle) if one)
        if program is not None
        else "",
    )


def _state(target: Target, sight: Sight) -> str:
    """Waiting says for what: its turn, its hall's fetching, or the device itself."""
    if target.at is not At.WAITING:
        return target.at.value
    if not sight.here:
        return "away"
    return "waiting" if sight.ready else "fetching"


async def _upload(request: web.Request) -> tuple[str, str, bytes]:
    """Name, notes and bytes."""
    form = await request.post()
    given, notes = form.get("file"), form.get("notes")
    if not isinstance(given, web.FileField):
        raise Refusal("release.archive_bad", fault="ZIP")
    try:
        data = await asyncio.to_thread(given.file.read, MAX_RELEASE_BYTES + 1)
    finally:
        given.file.close()
    name = given.filename.removesuffix(".zip")
    return name[:80], notes if isinstance(notes, str) else "", data
