"""Calling rules (叫号规则): in words, edited, tried on a past day, switched on, taken back."""

import asyncio
from typing import NamedTuple

import msgspec
from aiohttp import web
from sqlalchemy import Connection, select

from hallserver.app.desk import Desk, desk_of
from hallserver.app.manage.edits import config_of, put_part, typed
from hallserver.app.manage.rules_form import (
    FIXED,
    PLANS,
    TESTS,
    RulesForm,
    class_choices,
    form_of,
    plan_rows,
    pressed,
    read,
    roster_of,
    rules_of,
)
from hallserver.app.manage.rules_words import Change, Names, changes, others_of, steps_of
from hallserver.app.manage.trials import TRIALS, Trial
from hallserver.engine.whatif import Variant
from hallserver.engine.whatif.report import STEPS
from hallserver.engine.whatif.variant import varied
from hallserver.store import tables as t
from hallserver.store.days import days_of
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import RulesPart
from qingting.contract.errors import Refusal
from qingting.contract.events import ConfigApplied, ConfigEdited, Event
from qingting.contract.ids import StaffId
from qingting.contract.rules import CallingRules, Place
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, see_other

HOME = "/manage/rules"
EDIT = HOME + "/edit"
HISTORY = 12
"""Versions on the page."""
CONFIG_EVENTS = 400
"""Newest changes of the configuration that are looked through for versions of the rules."""
DAYS_OFFERED = 31


class Version(NamedTuple):
    """One version of the rules as the log knows it."""

    seq: int
    at: int
    by: str
    rules: CallingRules
    changed: list[Change]
    present: bool


def _names(request: web.Request, rules: CallingRules) -> Names:
    english = request.get(LANGUAGE) is Language.EN
    queues = desk_of(request).state.queues.values()
    return Names(
        {one.id: one.name_en if english else one.name for one in rules.classes},
        {one.id: one.name_en if english else one.name for one in queues},
        english,
    )


# ---- in words, and the versions -----------------------------------------------------------------


async def page(request: web.Request) -> web.Response:
    desk = desk_of(request)
    config = config_of(desk)
    names = _names(request, config.rules)
    context = {
        "rules": config.rules,
        "steps": steps_of(config.rules, names),
        "others": others_of(config.rules),
        "versions": (await _versions(desk))[:HISTORY],
        "base": config.version,
        "trials": request.app[TRIALS].all(),
    }
    return desk.pages.render(request, "rules.html", context)


async def _versions(desk: Desk) -> list[Version]:
    """Newest first. Raises ``ReadDeadlineError`` when the log is too slow to read."""

    def work(connection: Connection) -> list[bytes]:
        rows = connection.execute(
            select(t.event.c.json)
            .where(t.CONFIG_EVENT)
            .order_by(t.event.c.seq.desc())
            .limit(CONFIG_EVENTS)
        )
        return [row[0] for row in rows]

    events = [msgspec.json.decode(one, type=Event) for one in await desk.hall.store.read(work)]
    found: list[tuple[Event, CallingRules]] = []
    for event in reversed(events):
        rules = _rules_in(event)
        if rules is not None and (not found or found[-1][1] != rules):
            found.append((event, rules))
    return [
        Version(
            event.s,
            event.at,
            _who(desk, event.by),
            rules,
            changes(found[n - 1][1], rules) if n else [],
            n == len(found) - 1,
        )
        for n, (event, rules) in enumerate(found)
    ][::-1]


def _rules_in(event: Event) -> CallingRules | None:
    if isinstance(event.b, ConfigApplied):
        return event.b.config.rules
    if isinstance(event.b, ConfigEdited) and isinstance(event.b.part, RulesPart):
        return event.b.part.rules
    return None


def _who(desk: Desk, actor: str) -> str:
    kind, _, name = actor.partition(":")
    person = desk.state.staff.get(StaffId(name)) if kind == "staff" else None
    return person.name if person is not None else actor


async def restore(request: web.Request) -> web.Response:
    """An old version as a new one: the log only grows."""
    desk = desk_of(request)
    fields = await typed(request)
    wanted = fields.one("version")
    old = next((one for one in await _versions(desk) if str(one.seq) == wanted), None)
    if old is None:
        raise Refusal("page.not_found")
    number = config_of(desk).rules.version + 1
    rules = msgspec.structs.replace(old.rules, version=number)
    await put_part(request, fields.base, RulesPart(rules=rules))
    raise see_other(request, HOME, done="rules.restored")


# ---- the editor ---------------------------------------------------------------------------------


async def edit(request: web.Request) -> web.Response:
    """The rules in force, or those of a trial, on the present version."""
    desk = desk_of(request)
    config = config_of(desk)
    form = form_of(config.rules, config.version)
    if "trial" in request.query:
        trial = request.app[TRIALS].find(request.query["trial"])
        form = _form_of_trial(trial, form)
    return await _editor(request, form)


def _form_of_trial(trial: Trial, present: RulesForm) -> RulesForm:
    if trial.variant.rules is not None:
        present.values = (made := form_of(trial.variant.rules, present.base)).values
        present.rows = made.rows
    present.day = trial.day
    present.rows["plan"] = plan_rows(trial.variant.roster)
    return present


async def _editor(
    request: web.Request, form: RulesForm, problem: Refusal | None = None
) -> web.Response:
    desk = desk_of(request)
    days = await _days(desk)
    form.day = form.day or _default_day(days)
    state = desk.state
    context = {
        "form": form,
        "class_choices": class_choices(form),
        "queues": list(state.queues.values()),
        "windows": list(state.window_config.values()),
        "staff": sorted(state.staff.values(), key=lambda one: one.number),
        "days": days,
        "places": list(Place),
        "tests": TESTS,
        "plans": PLANS,
        "fixed": FIXED,
        "problem": problem,
    }
    return desk.pages.render(request, "rules_edit.html", context)


async def _days(desk: Desk) -> list[str]:
    """Days that can be tried, newest first."""
    days = await asyncio.to_thread(days_of, desk.hall.store.path)
    return days[::-1][:DAYS_OFFERED]


def _default_day(days: list[str]) -> str:
    """The latest day that is over, else today."""
    return days[1] if len(days) > 1 else days[0] if days else ""


async def press(request: web.Request) -> web.Response:
    """Buttons of the lists change the form only; "try" begins a trial. Nothing is lost by a fault."""
    fields = await typed(request)
    form, action = read(fields), fields.one("do")
    if action != "try":
        pressed(form, action)
        return await _editor(request, form)
    try:
        trial = _begin(request, form)
    except Refusal as refusal:
        return await _editor(request, form, refusal)
    raise see_other(request, f"{HOME}/trial/{trial.id}")


def _begin(request: web.Request, form: RulesForm) -> Trial:
    config = config_of(desk_of(request))
    rules = rules_of(request, form, config.rules.version + 1)
    if msgspec.structs.replace(rules, version=config.rules.version) == config.rules:
        rules = config.rules
    variant = Variant(rules=rules, roster=roster_of(request, form))
    varied(config, variant)
    return request.app[TRIALS].start(form.day, form.base, variant)


# ---- the trial ----------------------------------------------------------------------------------


async def trial(request: web.Request) -> web.Response:
    found = request.app[TRIALS].find(request.match_info["trial"])
    return _trial_page(request, found)


def _trial_page(request: web.Request, found: Trial, problem: Refusal | None = None) -> web.Response:
    desk = desk_of(request)
    config = config_of(desk)
    rules = found.variant.rules or config.rules
    names = _names(request, rules)
    context = {
        "trial": found,
        "found": found.found,
        "classes": {**_names(request, config.rules).classes, **names.classes},
        "queues": names.queues,
        "changed": changes(config.rules, rules),
        "roster": plan_rows(found.variant.roster),
        "numbers": {one.id: one.number for one in config.windows},
        "steps": STEPS,
        "window_ids": _windows(found, config),
        "failure": found.problem,
        "problem": problem,
    }
    return desk.pages.render(request, "rules_trial.html", context, block="result")


def _windows(found: Trial, config: HallConfig) -> list[str]:
    """Windows of both runs in the order of the configuration, extra ones last."""
    if found.found is None:
        return []
    seen = {*found.found.before.windows, *found.found.after.windows}
    known = [one.id for one in config.windows if one.id in seen]
    return [*known, *sorted(seen - set(known))]


async def enable(request: web.Request) -> web.Response:
    """Switches the rules of a finished trial on, if nobody changed the configuration meanwhile."""
    found = request.app[TRIALS].find(request.match_info["trial"])
    if found.found is None or found.variant.roster is not None or found.variant.rules is None:
        return _trial_page(request, found, Refusal("rules.try_first"))
    try:
        await put_part(request, found.base, RulesPart(rules=found.variant.rules))
    except Refusal as refusal:
        return _trial_page(request, found, refusal)
    raise see_other(request, HOME, done="rules.enabled")


ROUTES = (
    web.get(HOME, page),
    web.get(EDIT, edit),
    web.post(EDIT, press),
    web.post(HOME + "/restore", restore),
    web.get(HOME + "/trial/{trial}", trial),
    web.post(HOME + "/trial/{trial}/enable", enable),
)
