"""A layout filled with facts: frames. The one renderer of board pages, previews and LED programmes. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone

from hallserver.boards.facts import Both, CallFacts, HallFacts
from hallserver.boards.words import WORDS
from qingting.contract.boards import (
    BoardEarlier,
    BoardRow,
    BoardScreen,
    EarlierCall,
    Frame,
    Segment,
    Track,
)
from qingting.contract.ids import Millis
from qingting.contract.layouts import (
    STRIP_KINDS,
    BoardLayout,
    Content,
    LayoutKind,
    Part,
    Slot,
    Zone,
    fill,
)
from qingting.contract.states import Language

Values = Mapping[Content, str]
CALLS_ON_A_STRIP = 6
"""A strip shows its newest calls in turn; with more of them the first would come back too late."""


def screen_of(layout: BoardLayout, facts: HallFacts, now: Millis) -> BoardScreen:
    """All that does not belong to a single call."""
    return BoardScreen(
        layout=layout.id,
        kind=layout.kind,
        rows=layout.rows,
        aloud=layout.aloud,
        matrix=layout.matrix,
        hall_name=facts.hall[0],
        hall_name_en=facts.hall[1],
        since=facts.since,
        tracks=_tracks(layout, facts, None, now),
    )


def rows_of(layout: BoardLayout, facts: HallFacts, now: Millis) -> tuple[BoardRow, ...]:
    """The calls that are on the screen, newest first."""
    return tuple(
        BoardRow(
            ticket=call.ticket,
            number=call.number,
            window_number=call.window,
            call_no=call.call_no,
            called_at=call.called_at,
            tracks=_tracks(layout, facts, call, now),
        )
        for call in _shown(layout, facts)
    )


def earlier_of(layout: BoardLayout, facts: HallFacts) -> BoardEarlier:
    """Former calls that are not on the screen any more."""
    shown = {call.ticket for call in _shown(layout, facts)}
    former = [call for call in facts.calls if call.ticket not in shown][: layout.earlier]
    return BoardEarlier(
        calls=tuple(
            EarlierCall(ticket=one.ticket, number=one.number, window_number=one.window)
            for one in former
        )
    )


def _shown(layout: BoardLayout, facts: HallFacts) -> list[CallFacts]:
    if layout.kind is LayoutKind.NOTICE:
        return []
    room = CALLS_ON_A_STRIP if layout.kind in STRIP_KINDS else layout.rows
    return [call for call in facts.calls if call.active][:room]


# ---- frames -------------------------------------------------------------------------------------


def _tracks(
    layout: BoardLayout, facts: HallFacts, call: CallFacts | None, now: Millis
) -> tuple[Track, ...]:
    """One track for each line that has something to say about ``call``, or about none."""
    lines: dict[tuple[Zone, int], list[Frame]] = {}
    for slot in layout.slots:
        if (slot.zone is Zone.CALLS) is (call is not None):
            frames = list(_frames(layout, slot, facts, call, now))
            if frames:
                lines.setdefault((slot.zone, slot.line), []).extend(frames)
    return tuple(
        Track(zone=zone, line=line, frames=tuple(lines[zone, line]))
        for zone, line in sorted(lines, key=lambda one: (list(Zone).index(one[0]), one[1]))
    )


def _frames(
    layout: BoardLayout, slot: Slot, facts: HallFacts, call: CallFacts | None, now: Millis
) -> Iterator[Frame]:
    """One frame for each language that says something else than the one before."""
    seen: list[list[str]] = []
    for language in layout.languages:
        segments = tuple(_segment(part, facts, call, language, now) for part in slot.parts)
        texts = [segment.text for segment in segments]
        if texts in seen or not any(_says_something(one) for one in segments):
            continue
        seen.append(texts)
        yield Frame(
            segments=segments,
            motion=slot.motion,
            seconds=slot.seconds,
            repeats=slot.repeats,
            every_seconds=slot.every_seconds,
            starts_at=_instant(slot.starts, facts),
            ends_at=_instant(slot.ends, facts),
        )


def _says_something(segment: Segment) -> bool:
    return bool(segment.text.strip()) or segment.what is Content.EARLIER


def _segment(
    part: Part, facts: HallFacts, call: CallFacts | None, language: Language, now: Millis
) -> Segment:
    language = part.lang or language
    return Segment(
        what=part.what,
        text=_text(part, values_of(facts, call, language, now), facts, language),
        lang=language,
        size=part.size,
        colour=part.colour,
        align=part.align,
        share=part.share,
        under=part.under,
    )


def _text(part: Part, values: Values, facts: HallFacts, language: Language) -> str:
    own = _pick((part.text, part.text_en), language)
    if part.what is Content.TEXT:
        return fill(own, dict(values))
    if part.what is Content.NOTICE:
        return fill(own, dict(values)) or _pick(facts.notice, language)
    if part.what is Content.WINDOW and (number := values.get(Content.WINDOW)):
        return WORDS[language].at_window(number)
    return values.get(part.what, "")


def values_of(
    facts: HallFacts, call: CallFacts | None, language: Language, now: Millis
) -> dict[Content, str]:
    """What each content says here and now. ``window`` is the bare number."""
    words = WORDS[language]
    at = datetime.fromtimestamp(now / 1000, UTC).astimezone(
        timezone(timedelta(minutes=facts.offset_minutes))
    )
    found = {
        Content.WAITING: str(facts.waiting),
        Content.CLOCK: f"{at:%H:%M}",
        Content.DATE: words.day(at),
        Content.HALL: _pick(facts.hall, language),
    }
    if (window := facts.window) is not None:
        found |= {
            Content.WINDOW: window.number,
            Content.WINDOW_NAME: _pick(window.name, language),
            Content.PLACE: _pick(window.place, language),
            Content.STATE: words.state(window.state),
        }
    if call is not None:
        found |= {
            Content.NUMBER: call.number,
            Content.WINDOW: call.window,
            Content.WINDOW_NAME: _pick(call.window_name, language),
            Content.PLACE: _pick(call.place, language),
            Content.NAME: call.name,
            Content.ITEM: _pick(call.item, language),
            Content.DEPARTMENT: _pick(call.department, language),
        }
    return found


def _pick(both: Both, language: Language) -> str:
    return both[1] if language is Language.EN and both[1] else both[0]


def _instant(moment: str, facts: HallFacts) -> Millis | None:
    if not moment:
        return None
    zone = timezone(timedelta(minutes=facts.offset_minutes))
    return round(datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp() * 1000)
