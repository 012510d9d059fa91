"""An act of remote hands as a page shows it, the same at hall and city."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from qingting.contract.act_form import extent_of, word_of
from qingting.contract.acts import Action, TakePicture
from qingting.contract.conditions import condition_texts
from qingting.contract.errors import error_texts, sentence
from qingting.contract.states import ActOutcome, Condition, Language

TONES = {
    ActOutcome.DONE: "done",
    ActOutcome.FAILED: "fault",
    ActOutcome.UNKNOWN: "caution",
    ActOutcome.REFUSED: "caution",
    ActOutcome.EXPIRED: "off",
}


def act_file(act: str, media: str, data: bytes) -> web.Response:
    """What an act brought back: a picture to look at, anything else to keep. No cache keeps it."""
    name = f"qingting-{act}.{media.partition('/')[2].replace('plain', 'txt')}"
    shown = "inline" if media.startswith("image/") else "attachment"
    return web.Response(
        body=data,
        content_type=media,
        charset="utf-8" if media == "text/plain" else None,
        headers={
            "Content-Disposition": f'{shown}; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActLine:
    """``outcome`` is ``open`` before there is one; ``why`` a sentence, ``file`` where to fetch what it brought."""

    word: str
    extent: str
    asked_at: int
    who: str
    outcome: str
    tone: str
    why: str
    note: str
    mm: int
    file: str
    picture: bool


def act_line(
    action: Action,
    *,
    asked_at: int,
    who: str,
    outcome: ActOutcome | None,
    code: str,
    note: str,
    figures: Mapping[str, str | int],
    file: str,
    language: Language,
) -> ActLine:
    """``figures``: what was counted, or the parameters of ``code``. ``file`` empty: there is none, or it is gone."""
    return ActLine(
        word=word_of(action),
        extent=extent_of(action),
        asked_at=asked_at,
        who=who,
        outcome=outcome.value if outcome is not None else "open",
        tone=TONES[outcome] if outcome is not None else "info",
        why=sentence(code, dict(figures), language) if code in error_texts() else "",
        note=_note(note, language),
        mm=int(figures.get("mm", 0)),
        file=file,
        picture=isinstance(action, TakePicture),
    )


def _note(note: str, language: Language) -> str:
    """A condition in words; what a technician wrote as it is."""
    if note in set(Condition):
        text = condition_texts()[Condition(note)]
        return text.zh if language is Language.ZH else text.en
    return note
