"""Pages of halls' configurations: the list, one hall with its draft, history and versions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from functools import partial

import sqlalchemy as sa
from aiohttp import web

from console.core.lists import Listing
from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.halls.api import HallsApi
from console.modules.configuration import repository as repo
from console.modules.configuration.difference import diff
from console.modules.configuration.fields import FORMS
from console.modules.configuration.packing import document, unpack
from console.modules.configuration.service import ConfigurationService, Review, Standing
from console.modules.configuration.texts import TEXT_PARTS
from console.modules.configuration.together import Origin, SavedMeanwhile, origin_of
from console.modules.configuration.typed import parts
from console.modules.configuration.words import Choice, Wording
from qingting.contract.config import HallConfig
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.sheets import moment, sheet_response

TONES = {"pending": "info", "applied": "done", "refused": "fault", "withdrawn": "info"}
DONE = {"publish": "sent", "withdraw": "withdrawn", "drop": "dropped", "merge": "merged"}
HALL = "/configurations/{hall}"
FORMED = {*FORMS, *parts.LISTS, *parts.WHOLE, "calendar"}
"""Parts with a form; any has a text."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages need."""

    service: ConfigurationService
    halls: HallsApi
    utc_offset_minutes: int

    async def standing(self, request: web.Request) -> Standing:
        """Of the hall in the address. Raises ``page.forbidden``, ``hall.unknown``, ``config.none``."""
        hall = HallId(request.match_info["hall"])
        return await self.service.standing(request[UOW], request[SUBJECT], hall)

    async def shown(
        self, request: web.Request, standing: Standing, problem: Refusal | None = None
    ) -> web.Response:
        """The page of a hall, perhaps with what was wrong."""
        review = await self.service.review(request[UOW], standing)
        hall = standing.hall
        context = {
            **about(request, standing),
            **_reviewed(request, standing, review),
            "problem": problem,
            "rows": await repo.history(request[UOW], hall, 10),
            "saves": await repo.saves(request[UOW], hall) if standing.draft else (),
            "say_part": partial(_part_words, request),
        }
        return request.app[PAGES].render(request, "configuration.html", context, block="now")

    async def typed_on(self, request: web.Request, standing: Standing) -> "Typed":
        """What the form that comes in was made from. Raises ``config.draft_gone``."""
        given = await unread(request, standing)
        config = await self.service.written_on(request[UOW], standing, given.origin)
        return replace(given, config=config)

    async def save(
        self, request: web.Request, standing: Standing, typed: "Typed", made: HallConfig, part: str
    ) -> None:
        """Raises ``config.draft_moved_on``."""
        await self.service.save(
            request[UOW], request[SUBJECT], standing.hall, typed.origin, made, part, typed.over
        )


@dataclass(frozen=True, slots=True)
class Typed:
    """``config``: what the form showed; ``over``: where its conflicts were looked at, when the person wants the own."""

    origin: Origin
    config: HallConfig
    over: Origin | None = None


async def unread(request: web.Request, standing: Standing) -> Typed:
    """As the form says, before it is known whether what it was made from is still kept."""
    form = await request.post()
    origin = origin_of(str(form.get("revision", ""))) or standing.origin
    return Typed(origin, standing.config, origin_of(str(form.get("over", ""))))


def _part_words(request: web.Request, part: str) -> str:
    """What a save changed; what another module or a copy brought says so itself."""
    text = partial(request.app[PAGES].text, request[LANGUAGE])
    if part in FORMED or part in TEXT_PARTS:
        return text(f"conf.part.{part}")
    if part.startswith("#"):
        return text("conf.back_to_part", n=part[1:])
    return text("conf.merged_part") if part == "merge" else part


def clashes(request: web.Request, problem: Refusal | None) -> list[Choice]:
    """What a colleague saved otherwise than whoever sent the form."""
    if not isinstance(problem, SavedMeanwhile):
        return []
    return wording(request, problem.base, problem.mine).choices(problem.places)


def saying(request: web.Request) -> Callable[[str], str]:
    """A text of the catalogue; the last part of its key where there is none: a value is shown as it is."""

    def say(key: str) -> str:
        try:
            return request.app[PAGES].text(request[LANGUAGE], key)
        except KeyError:
            return key.rpartition(".")[2]

    return say


def wording(request: web.Request, before: HallConfig, after: HallConfig) -> Wording:
    return Wording(document(before), document(after), saying(request), request[LANGUAGE])


def about(request: web.Request, standing: Standing) -> dict[str, object]:
    """What every page of a hall shows."""
    info = standing.present.config.hall
    sent, language = standing.sent, request[LANGUAGE]
    shown = [one for one in standing.withdrawn if not one["ended_at"] or _holds(standing, one)]
    if sent is not None and (sent["state"] != "applied" or _holds(standing, sent)):
        shown = [sent, *shown]
    return {
        "hall": standing.hall,
        "name": info.name,
        "name_en": info.name_en,
        "standing": standing,
        "told": [(one, _outcome(one), repo.why(one, language)) for one in shown],
        "tones": TONES,
    }


def _holds(standing: Standing, sent: sa.RowMapping) -> bool:
    """It is what is in force."""
    return bool(sent["version"] == standing.present.version and sent["state"] == "applied")


def _outcome(sent: sa.RowMapping) -> tuple[str, str]:
    """What became of it, with its tone: what was withdrawn may be on its way, kept away, or in force all the same."""
    state: str = sent["state"]
    if state == "withdrawn" and not sent["ended_at"]:
        return "withdrawing", "info"
    if state == "withdrawn":
        return state, "done"
    return (
        ("late", "caution")
        if sent["withdrawn_at"] and state == "applied"
        else (state, TONES[state])
    )


def _reviewed(request: web.Request, standing: Standing, review: Review) -> dict[str, object]:
    """The draft in words."""
    base = standing.draft.base if standing.draft is not None else standing.present.config
    mine = wording(request, base, standing.config)
    theirs = wording(request, base, standing.present.config)
    language = request[LANGUAGE]
    changed = {one.path[0] for one in review.changes}
    return {
        "lines": mine.lines(review.changes),
        "their_lines": theirs.lines(review.theirs),
        "choices": mine.choices(review.conflicts),
        "faults": [one.text(language) for one in review.faults],
        "consequences": review.consequences,
        "parts": [
            (part, _count(standing.config, part), bool(changed & set(names)), part in FORMED)
            for part, names in TEXT_PARTS.items()
        ],
    }


def _count(config: HallConfig, part: str) -> int | None:
    """How many entries a part has; None for one that is no list."""
    value = getattr(config, TEXT_PARTS[part][0])
    return len(value) if isinstance(value, tuple) else None


def routes(desk: Desk) -> list[web.RouteDef]:
    """Handlers over ``desk``."""
    return [*_list_routes(desk), *_hall_routes(desk), *_history_routes(desk)]


def _list_routes(desk: Desk) -> list[web.RouteDef]:
    async def configurations(request: web.Request) -> web.Response:
        uow, scope = request[UOW], request[SUBJECT].scope(Permission.CONFIGURATION)
        versions = await repo.newest_of_all(uow, scope)
        halls = {one.id: one for one in await desk.halls.halls(uow, scope) if scope.has(one.id)}
        context = {
            "halls": [one for one in halls.values() if one.id in versions],
            "versions": versions,
            "drafts": await repo.drafts(uow),
            "sent": await repo.latest_publications(uow),
            "tones": TONES,
            "language": request[LANGUAGE],
        }
        return request.app[PAGES].render(request, "configurations.html", context, block="now")

    return [web.get("/configurations", configurations)]


def _hall_routes(desk: Desk) -> list[web.RouteDef]:
    service = desk.service

    async def hall(request: web.Request) -> web.Response:
        return await desk.shown(request, await desk.standing(request))

    async def press(request: web.Request) -> web.Response:
        """The buttons of the page. What is refused is said on it."""
        form, subject, uow = await request.post(), request[SUBJECT], request[UOW]
        hall, button = HallId(request.match_info["hall"]), request.match_info["step"]
        standing = await desk.standing(request)
        try:
            async with uow.savepoint():
                if button == "publish":
                    await service.publish(uow, subject, hall, str(form.get("note", "")))
                elif button == "withdraw":
                    await service.withdraw(uow, subject, hall, _number(form.get("directive")))
                elif button == "drop":
                    await service.drop(uow, subject, hall)
                else:
                    kept = [
                        tuple(name.removeprefix("keep:").split("/"))
                        for name, value in form.items()
                        if name.startswith("keep:") and value == "mine"
                    ]
                    await service.take_over(uow, subject, hall, kept)
        except Refusal as refusal:
            return await desk.shown(request, standing, refusal)
        done = DONE[button]
        raise see_other(request, f"/configurations/{hall}", done=f"conf.done.{done}")

    async def save_again(request: web.Request) -> web.Response:
        hall, revision = HallId(request.match_info["hall"]), int(request.match_info["revision"])
        await service.back_to_save(request[UOW], request[SUBJECT], hall, revision)
        raise see_other(request, f"/configurations/{hall}", done="conf.done.saved")

    return [
        web.get(HALL, hall),
        web.post(HALL + "/{step:publish|withdraw|drop|merge}", press),
        web.post(HALL + "/saves/{revision:\\d{1,9}}", save_again),
    ]


def _history_routes(desk: Desk) -> list[web.RouteDef]:
    async def history(request: web.Request) -> web.Response:
        standing, uow = await desk.standing(request), request[UOW]
        listing = Listing.of(request, (), sort="")
        count = await repo.versions_count(uow, standing.hall)
        offset = listing.offset
        rows = await repo.history(uow, standing.hall, listing.rows, offset)
        context = {**about(request, standing), "rows": rows, "listing": listing.counted(count)}
        return request.app[PAGES].render(request, "configuration_history.html", context)

    async def export(request: web.Request) -> web.Response:
        standing, say = await desk.standing(request), saying(request)
        zone = timezone(timedelta(minutes=desk.utc_offset_minutes))
        rows = await repo.history(request[UOW], standing.hall, 5000)
        return await sheet_response(
            request.match_info["kind"],
            file=f"configuration-{standing.hall}",
            title="history",
            head=[
                say(f"conf.{one}")
                for one in ("in_force", "when", "origin", "by", "parts_changed", "note")
            ],
            rows=[
                (
                    one["version"],
                    moment(one["at"], zone),
                    say(f"conf.origin.{one['origin']}"),
                    one["who"],
                    " ".join(say(f"conf.part.{part}") for part in one["parts"].split()),
                    one["note"],
                )
                for one in rows
            ],
        )

    return [
        web.get(HALL + "/history", history),
        web.get(HALL + "/history.{kind}", export),
        *_version_routes(desk),
    ]


def _version_routes(desk: Desk) -> list[web.RouteDef]:
    address = HALL + "/versions/{epoch:\\d{1,15}}-{seq:\\d{1,15}}"

    async def version(request: web.Request) -> web.Response:
        standing, (epoch, seq) = await desk.standing(request), _place(request)
        rows = await repo.version_and_before(request[UOW], standing.hall, epoch, seq)
        if not rows:
            raise Refusal("config.no_version")
        held, present = unpack(rows[0]["body"]), standing.present.config
        before = unpack(rows[1]["body"]) if len(rows) > 1 else held
        context = {
            **about(request, standing),
            "row": rows[0],
            "lines": wording(request, before, held).lines(diff(document(before), document(held))),
            "back": wording(request, present, held).lines(diff(document(present), document(held))),
            "first": len(rows) < 2,
        }
        return request.app[PAGES].render(request, "configuration_version.html", context)

    async def back(request: web.Request) -> web.Response:
        standing, (epoch, seq) = await desk.standing(request), _place(request)
        rows = await repo.version_and_before(request[UOW], standing.hall, epoch, seq)
        number = rows[0]["version"] if rows else 0
        note = request.app[PAGES].text(request[LANGUAGE], "conf.rolled_note", n=number)
        await desk.service.roll_back(
            request[UOW], request[SUBJECT], standing.hall, epoch, seq, note
        )
        raise see_other(request, f"/configurations/{standing.hall}", done="conf.done.sent")

    return [web.get(address, version), web.post(address + "/back", back)]


def _number(given: object) -> int:
    """Of what the form says; 0 for what is no number."""
    return int(given) if isinstance(given, str) and re.fullmatch(r"[0-9]{1,15}", given) else 0


def _place(request: web.Request) -> tuple[int, int]:
    return int(request.match_info["epoch"]), int(request.match_info["seq"])
