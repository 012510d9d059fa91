"""Backups of the hall (备份与恢复): what there is, making and proving one now, and putting one in the hall's place."""

from dataclasses import dataclass

from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.copies.book import Backup
from hallserver.copies.desk import CopyDesk
from hallserver.store.copying import Facts
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import ShortText
from qingting.kernel.web import read_form, see_other

HOME = "/manage/backups"


class NameForm(Strict, frozen=True, kw_only=True):
    name: ShortText


class RestoreForm(Strict, frozen=True, kw_only=True):
    password: str = ""
    sure: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a restore costs: ``events`` happened after the backup, of which the city has confirmed ``at_city``; None: this
    hall has no line to a city now, or none at all."""

    events: int
    at_city: int | None


async def page(request: web.Request) -> web.Response:
    copies = desk_of(request).copies
    context: dict[str, object] = {"copies": copies, "plan": copies.plan, "job": copies.job}
    return desk_of(request).pages.render(
        request, "backups.html", context | await _listed(copies), block="now"
    )


async def _listed(copies: CopyDesk) -> dict[str, object]:
    """``unread``: why there is no list, which is not the same as no backups."""
    if copies.plan.folder is None:
        return {"backups": [], "same": False, "unread": None}
    try:
        return {"backups": await copies.backups(), "same": await copies.same_disk(), "unread": None}
    except Refusal as refusal:
        return {"backups": [], "same": False, "unread": refusal}


async def make(request: web.Request) -> web.Response:
    desk_of(request).copies.make(person_of(request).number)
    raise see_other(request, HOME)


async def drill(request: web.Request) -> web.Response:
    form = await read_form(request, NameForm)
    await desk_of(request).copies.drill(form.name, person_of(request).number)
    raise see_other(request, HOME)


async def one(request: web.Request) -> web.Response:
    return await _shown(request, None)


async def _shown(request: web.Request, problem: Refusal | None) -> web.Response:
    desk = desk_of(request)
    found = await desk.copies.find(request.match_info["name"])
    now = await desk.copies.present()
    context = {
        "backup": found,
        "now": now,
        "loss": _loss(desk, found, now),
        "has_city": desk.link is not None,
        "problem": problem,
    }
    return desk.pages.render(request, "backup.html", context)


def _loss(desk: Desk, found: Backup, now: Facts) -> Loss | None:
    """None for a backup of which nothing is known."""
    held = found.proof.facts if found.proof is not None else None
    if held is None:
        return None
    events = max(0, now.seq - held.seq)
    if desk.link is None or not desk.link.connected:
        return Loss(events, None)
    return Loss(events, min(events, max(0, desk.link.acked - held.seq)))


async def restore(request: web.Request) -> web.Response:
    desk, staff = desk_of(request), person_of(request)
    form = await read_form(request, RestoreForm)
    try:
        _check_sure(form)
        _ = await desk.accounts.staff.check(staff, staff.number, form.password)
        await desk.copies.restore(request.match_info["name"], staff.number)
    except Refusal as refusal:
        return await _shown(request, refusal)
    raise see_other(request, HOME)


def _check_sure(form: RestoreForm) -> None:
    """Raises ``hall_backup.not_sure``."""
    if not form.sure:
        raise Refusal("hall_backup.not_sure")


ROUTES = (
    web.get(HOME, page),
    web.post(HOME, make),
    web.post(f"{HOME}/drill", drill),
    web.get(f"{HOME}/{{name}}", one),
    web.post(f"{HOME}/{{name}}/restore", restore),
)
