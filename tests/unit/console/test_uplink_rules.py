"""The uplink's rules: whatever is cut, repeated or changed on the way, the city holds the log or says no."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.halls.chain import Cursor, Fork, Fresh, Link, Repeat, answered, check_frame
from qingting.contract.link import (
    GENESIS,
    MAX_FRAME_BYTES,
    MAX_FRAME_EVENTS,
    Events,
    Nack,
    chain_hash,
)


def event(number: int, kind: str = "notice.put") -> str:
    body = {"s": number, "at": number * 1000, "bd": "2026-11-23", "b": {"k": kind}}
    return msgspec.json.encode(body).decode()


def hashes(raws: list[str]) -> list[str]:
    found = [GENESIS]
    for raw in raws:
        found.append(chain_hash(found[-1], raw.encode()))
    return found


def frame(raws: list[str], first: int, last: int) -> Events:
    return Events(
        epoch=1,
        first=first,
        prev_hash=hashes(raws)[first - 1],
        events=tuple(raws[first - 1 : last]),
    )


LOG = [event(number) for number in range(1, 31)]
CHAIN = hashes(LOG)
spans = st.integers(1, 30).flatmap(lambda a: st.tuples(st.just(a), st.integers(a, 30)))


@given(st.lists(spans, max_size=12))
def test_any_mixture_of_frames_builds_a_prefix_of_the_log(sent: list[tuple[int, int]]) -> None:
    cursor, held = Cursor(1, 0, GENESIS), list[bytes]()
    for first, last in [*sent, (1, 30)]:
        judged = check_frame(cursor, frame(LOG, first, last))
        if first > cursor.seq + 1:
            assert judged == Nack(code="gap", expect=cursor.seq + 1)
            continue
        if isinstance(judged, Repeat):
            assert judged.hash == CHAIN[judged.seq]
            continue
        assert isinstance(judged, Fresh)
        held += [link.raw for link in judged.links]
        cursor = Cursor(1, len(held), CHAIN[len(held)])
    assert [raw.decode() for raw in held] == LOG


@given(st.integers(1, 20), st.integers(1, 30), st.integers(0, 29))
def test_a_changed_past_never_passes(cursor_seq: int, first: int, changed: int) -> None:
    other = list(LOG)
    other[changed] = event(changed + 1, "notice.taken")
    if first > cursor_seq + 1:
        return
    cursor = Cursor(1, cursor_seq, CHAIN[cursor_seq])
    judged = check_frame(cursor, frame(other, first, 30))
    differs_in_what_we_hold = changed < cursor_seq
    assert isinstance(judged, Fork) == differs_in_what_we_hold


def test_another_epoch_is_refused() -> None:
    wrong = msgspec.structs.replace(frame(LOG, 1, 3), epoch=2)
    assert check_frame(Cursor(1, 0, GENESIS), wrong) == Nack(code="epoch", expect=1)


@pytest.mark.parametrize("raws", [[event(1)] * (MAX_FRAME_EVENTS + 1), ["x" * MAX_FRAME_BYTES] * 2])
def test_a_frame_beyond_the_bounds_is_refused(raws: list[str]) -> None:
    big = Events(epoch=1, first=1, prev_hash=GENESIS, events=tuple(raws))
    assert check_frame(Cursor(1, 0, GENESIS), big) == Nack(code="size", expect=1)


def test_one_event_larger_than_a_frame_travels_alone() -> None:
    big = event(1, "x" * MAX_FRAME_BYTES)
    judged = check_frame(
        Cursor(1, 0, GENESIS), Events(epoch=1, first=1, prev_hash=GENESIS, events=(big,))
    )
    assert isinstance(judged, Fresh)
    assert len(judged.links) == 1


def test_an_event_that_is_no_json_is_kept_without_a_meaning() -> None:
    judged = check_frame(
        Cursor(1, 0, GENESIS), Events(epoch=1, first=1, prev_hash=GENESIS, events=("\u0000oops",))
    )
    assert isinstance(judged, Fresh)
    assert (judged.links[0].kind, judged.links[0].at, judged.links[0].day) == ("?", None, None)


def test_the_highest_answer_to_a_directive_is_found_whatever_else_is_in_the_log() -> None:
    def link(kind: str, rest: str) -> Link:
        raw = f'{{"s":1,"b":{{"k":"{kind}"{rest}}}}}'.encode()
        return Link(seq=1, raw=raw, hash="", kind=kind, at=None, day=None)

    links = [
        link("directive.refused", ',"no":9,"code":"x"'),
        link("directive.applied", ',"no":7'),
        link("ticket.called", ',"no":99'),
        link("directive.applied", ',"no":"of another release"'),
    ]
    assert answered(links) == 9
    assert answered(links[2:]) == 0
