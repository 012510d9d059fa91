"""Refusals as problem+json (RFC 9457): the code for programs, a sentence in the caller's language for people."""

from typing import Annotated

import msgspec
from aiohttp import web

from console.core.api import BASE, said
from console.modules.gateway.reading import Unfit
from qingting.contract.errors import Refusal, sentence
from qingting.contract.states import Language

MEDIA = "application/problem+json"
DOCS = f"{BASE}/docs"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a call was refused, and what to do now."""

    type: Annotated[str, said("说明这个错误的页面", "Page that explains the code")]
    title: Annotated[
        str,
        said(
            "HTTP 状态的名称，语言按 Accept-Language",
            "Name of the HTTP status, in the language of Accept-Language",
        ),
    ]
    status: int
    code: Annotated[str, said("稳定不变的错误代码", "Stable code of the error")]
    detail: Annotated[
        str,
        said(
            "给人看的一句话：发生了什么、为什么、现在怎么办；语言按 Accept-Language",
            "What happened, why and what to do now, in the language of Accept-Language",
        ),
    ]
    retry: Annotated[
        bool,
        said("同样的请求稍后可能成功", "The very same request may succeed later"),
    ]
    field: Annotated[str, said("有问题的字段", "The field at fault")] = ""
    expected: Annotated[
        str,
        said(
            "该字段要求什么，语言按 Accept-Language",
            "What that field must be, in the language of Accept-Language",
        ),
    ] = ""
    request: Annotated[str, said("本次请求的编号", "Number of this request, to ask about")] = ""


def problem_of(refusal: Refusal, language: Language, request: str) -> Problem:
    """All that people read is a sentence of the one catalogue, ``errors.toml``."""
    expected = refusal.expected.sentence(language) if isinstance(refusal, Unfit) else ""
    return Problem(
        type=f"{DOCS}#error-{refusal.code}",
        title=sentence(f"status.{refusal.status}", {}, language),
        status=refusal.status,
        code=refusal.code,
        detail=refusal.sentence(language),
        retry=refusal.text.retry,
        field=str(refusal.params.get("field", "")),
        expected=expected,
        request=request,
    )


def answer(refusal: Refusal, language: Language, request: str) -> web.Response:
    """The refusal with its status and, where waiting helps, ``Retry-After``."""
    body = msgspec.json.encode(problem_of(refusal, language, request))
    headers = {"Content-Language": language.value, "Vary": "Accept-Language"}
    if refusal.status in (429, 503):
        headers["Retry-After"] = str(refusal.params.get("seconds", 5))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="qingting"'
    return web.Response(body=body, status=refusal.status, content_type=MEDIA, headers=headers)


def used_up(limit: int, seconds: int, *, daily: bool) -> Refusal:
    """``api.quota`` in words: which of the quotas it is, and how long that lasts."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    zh = f"{hours} 小时 {minutes} 分钟" if hours else f"{minutes} 分钟"
    en = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    if seconds < 120:
        zh, en = f"{seconds} 秒", f"{seconds} s"
    span, span_en = ("今天", "today") if daily else ("这一分钟", "this minute")
    return Refusal(
        "api.quota",
        limit=limit,
        seconds=seconds,
        span=span,
        span_en=span_en,
        wait=zh,
        wait_en=en,
    )


def language_of(request: web.Request) -> Language:
    """English for whom it is nearer than Chinese by ``Accept-Language``, else Chinese."""
    best, chosen = -1.0, Language.ZH
    for part in request.headers.get("Accept-Language", "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        start = tag.strip().lower().split("-")[0]
        if start not in ("zh", "en"):
            continue
        value = _weight(weight)
        if value > best and value > 0:
            best, chosen = value, Language.ZH if start == "zh" else Language.EN
    return chosen


def _weight(text: str) -> float:
    if not text:
        return 1.0
    try:
        return min(1.0, float(text))
    except ValueError:
        return 0.0
