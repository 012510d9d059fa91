"""Pages where wordings, rules and channels are edited."""

from functools import partial

from aiohttp import web

from console.core.permissions import Permission
from console.core.web import PAGES, SUBJECT, UOW
from console.modules.notifications import repository as repo
from console.modules.notifications.desk import Preview
from console.modules.notifications.forms import PauseForm, RulesForm, TopicForm, WordingForm
from console.modules.notifications.topics import (
    OUTSIDE,
    Channel,
    DeclaredTopic,
    FieldKind,
    TopicSettings,
    examples,
    shown,
)
from console.modules.notifications.views import Pages, money, why_of
from console.modules.notifications.wording import named
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, read_form, see_other

PLACES = ("first", "second", "third", "fourth")
PART = "/notifications/topics"


def routes(pages: Pages) -> list[web.RouteDef]:
    """Handlers over ``pages``."""
    desk = pages.desk

    async def topics(request: web.Request) -> web.Response:
        return await _topics(request, pages)

    async def topic(request: web.Request) -> web.Response:
        found = desk.topic(request[SUBJECT], request.match_info["topic"])
        held = (await repo.topic_settings(request[UOW])).get(found.id)
        settings, version = held or (TopicSettings.of(found.topic), 0)
        return await _topic(request, pages, found, TopicForm.of(settings, version), None)

    async def put_topic(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.NOTIFICATIONS_EDIT)
        found = desk.topic(request[SUBJECT], request.match_info["topic"])
        form = await read_form(request, TopicForm)
        try:
            await desk.put_topic(request[UOW], request[SUBJECT], found, form.settings(), form.seen)
        except Refusal as refusal:
            return await _topic(request, pages, found, form, refusal)
        raise see_other(request, f"{PART}/{found.id}", done="notice.done.topic")

    async def wording(request: web.Request) -> web.Response:
        found, channel, language = _named(request, pages)
        version, held = await repo.wording(request[UOW], found, channel, language)
        form = WordingForm(
            seen=version,
            title=named(found, held.title, language),
            text=named(found, held.text, language),
            code=held.code,
        )
        return await _wording(request, pages, form, None)

    async def put_wording(request: web.Request) -> web.Response:
        return await _put_wording(request, pages)

    return [
        web.get("/notifications/topics", topics),
        web.get("/notifications/topics/{topic}", topic),
        web.post("/notifications/topics/{topic}", put_topic),
        web.get("/notifications/topics/{topic}/{channel}/{language}", wording),
        web.post("/notifications/topics/{topic}/{channel}/{language}", put_wording),
    ]


def channel_routes(pages: Pages) -> list[web.RouteDef]:
    """Handlers over ``pages``, of channels and rules."""
    desk = pages.desk

    async def channels(request: web.Request) -> web.Response:
        rules, version = await repo.rules(request[UOW])
        return await _channels(request, pages, RulesForm.of(rules, version), None)

    async def put_rules(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.NOTIFICATIONS_EDIT)
        form = await read_form(request, RulesForm)
        try:
            await desk.put_rules(request[UOW], request[SUBJECT], form.rules(), form.seen)
        except Refusal as refusal:
            return await _channels(request, pages, form, refusal)
        raise see_other(request, "/notifications/channels", done="notice.done.rules")

    async def pause(request: web.Request) -> web.Response:
        request[SUBJECT].require(Permission.NOTIFICATIONS_EDIT)
        form = await read_form(request, PauseForm)
        channel = request.match_info["channel"]
        await desk.pause(request[UOW], request[SUBJECT], channel, form.paused, form.reason)
        done = "notice.done.paused" if form.paused else "notice.done.resumed"
        raise see_other(request, "/notifications/channels", done=done)

    return [
        web.get("/notifications/channels", channels),
        web.post("/notifications/channels", put_rules),
        web.post("/notifications/channels/{channel}", pause),
    ]


def _named(request: web.Request, pages: Pages) -> tuple[DeclaredTopic, Channel, Language]:
    found = pages.desk.topic(request[SUBJECT], request.match_info["topic"])
    channel, language = request.match_info["channel"], request.match_info["language"]
    if channel not in tuple(Channel) or language not in tuple(Language):
        raise Refusal("page.not_found")
    return found, Channel(channel), Language(language)


async def _topics(request: web.Request, pages: Pages) -> web.Response:
    request[SUBJECT].require(Permission.NOTIFICATIONS)
    kept = await repo.topic_settings(request[UOW])
    edited = await repo.edited(request[UOW])
    rows = [
        (
            one,
            kept[one.id][0] if one.id in kept else TopicSettings.of(one.topic),
            sum(version for key, version in edited.items() if key[0] == one.id),
        )
        for one in sorted(pages.desk.service.topics.values(), key=lambda one: one.id)
    ]
    context = {"rows": rows, "language": request[LANGUAGE]}
    return request.app[PAGES].render(request, "notifications_topics.html", context)


async def _topic(
    request: web.Request,
    pages: Pages,
    topic: DeclaredTopic,
    form: TopicForm,
    problem: Refusal | None,
) -> web.Response:
    ways = await pages.desk.ways(request[UOW], request[SUBJECT])
    text = request.app[PAGES].text
    names = [(one.value, text(request[LANGUAGE], f"notice.channel.{one}")) for one in OUTSIDE]
    context = {
        "topic": topic,
        "form": form,
        "places": PLACES,
        "ways": ways,
        "options": [("", text(request[LANGUAGE], "notice.no_way")), *names],
        "channels": list(Channel),
        "languages": list(Language),
        "edited": await repo.edited(request[UOW]),
        "language": request[LANGUAGE],
        "may": request[SUBJECT].may(Permission.NOTIFICATIONS_EDIT),
        "problem": problem,
    }
    return request.app[PAGES].render(request, "notifications_topic.html", context)


async def _put_wording(request: web.Request, pages: Pages) -> web.Response:
    request[SUBJECT].require(Permission.NOTIFICATIONS_EDIT)
    topic, channel, language = _named(request, pages)
    form = await read_form(request, WordingForm)
    about = (request[UOW], request[SUBJECT], topic, channel, language, form.wording)
    here = f"{PART}/{topic.id}/{channel}/{language.value}"
    try:
        if form.do == "save":
            await pages.desk.put_wording(*about, form.seen)
            raise see_other(request, here, done="notice.done.wording")
        if form.do == "try":
            await pages.desk.try_wording(*about, form.to)
        else:
            await pages.desk.preview(request[UOW], topic, channel, language, form.wording)
    except Refusal as refusal:
        return await _wording(request, pages, form, _in_words(request, refusal))
    return await _wording(request, pages, form, None, tried=form.do == "try")


async def _wording(
    request: web.Request,
    pages: Pages,
    form: WordingForm,
    problem: Refusal | None,
    *,
    tried: bool = False,
) -> web.Response:
    topic, channel, language = _named(request, pages)
    uow, values = request[UOW], examples(topic, language)
    context = {
        "topic": topic,
        "channel": channel,
        "wording_language": language,
        "form": form,
        "fields": [
            (one, shown(one, values[one.id], language, pages.desk.offset))
            for one in topic.topic.fields
        ],
        "secret": FieldKind.CODE,
        "preview": await _preview(request, pages, form),
        "versions": await repo.wordings(uow, topic, channel, language),
        "named": partial(named, topic, language=language),
        "first": topic.first_wording(channel, language),
        "language": request[LANGUAGE],
        "may": request[SUBJECT].may(Permission.NOTIFICATIONS_EDIT),
        "money": money,
        "tried": tried,
        "problem": problem,
        "faulty": frozenset(() if problem is None else _faulty(problem)),
    }
    return request.app[PAGES].render(request, "notifications_wording.html", context)


def _in_words(request: web.Request, refusal: Refusal) -> Refusal:
    """The provider's answer to a trial as people say it."""
    if refusal.code != "notice.try_failed":
        return refusal
    text = request.app[PAGES].text
    return Refusal(
        refusal.code,
        why=why_of(str(refusal.params["why"]), partial(text, Language.ZH)),
        why_en=why_of(str(refusal.params["why"]), partial(text, Language.EN)),
    )


def _faulty(problem: Refusal) -> tuple[str, ...]:
    if problem.code == "form.invalid":
        return (str(problem.params.get("field", "")),)
    return ("text", "title") if problem.code.startswith("notice.") else ()


async def _preview(request: web.Request, pages: Pages, form: WordingForm) -> Preview | None:
    """How it would read; nothing for what cannot be filled."""
    topic, channel, language = _named(request, pages)
    try:
        return await pages.desk.preview(request[UOW], topic, channel, language, form.wording)
    except Refusal:
        return None


async def _channels(
    request: web.Request, pages: Pages, form: RulesForm, problem: Refusal | None
) -> web.Response:
    context = {
        "ways": await pages.desk.ways(request[UOW], request[SUBJECT]),
        "form": form,
        "money": money,
        "why_of": why_of,
        "may": request[SUBJECT].may(Permission.NOTIFICATIONS_EDIT),
        "problem": problem,
    }
    return request.app[PAGES].render(request, "notifications_channels.html", context)
