"""Rating by phone: the same five levels and the same rules as at the pad, and no way round them."""

import re
from typing import Any

import msgspec
import pytest
from phone_hall import Browser, PhoneHall, csrf_in, plain

from hallserver.store import tables as t
from qingting.contract import commands as c
from qingting.contract.states import NotRatedReason, RatingChannel, RatingLevel

BAD = {RatingLevel.DISSATISFIED: "208", RatingLevel.VERY_DISSATISFIED: "108"}


async def ratings(hall: PhoneHall) -> list[dict[str, Any]]:
    """Every rating that is on the disk."""
    rows = await hall.desk.hall.store.read(
        lambda one: [dict(row._mapping) for row in one.execute(t.rating.select())]
    )
    return [row | {"tags": msgspec.json.decode(row["tags"])} for row in rows]


@pytest.fixture
async def token(hall: PhoneHall) -> str:
    """The ticket of a visit that has just been finished."""
    taken = await hall.take()
    await hall.serve()
    return taken


async def form_of(browser: Browser, token: str) -> dict[str, str]:
    status, page = await browser.get(f"/t/{token}/rate/1")
    assert status == 200
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once is not None
    return {"csrf": csrf_in(page), "once": once[1]}


async def send(
    browser: Browser, token: str, form: dict[str, str], **more: object
) -> tuple[int, str]:
    pairs = list(form.items())
    for name, value in more.items():
        pairs += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
    async with browser.http.post(f"{browser.base}/t/{token}/rate/1", data=pairs) as answer:
        return answer.status, plain(await answer.text())


async def test_a_finished_visit_asks_and_chooses_nothing_beforehand(
    browser: Browser, token: str
) -> None:
    _, page = await browser.get(f"/t/{token}")
    assert f'href="/t/{token}/rate/1"' in page
    _, page = await browser.get(f"/t/{token}/rate/1")
    assert page.count('type="radio"') == 5
    assert "checked" not in page
    for words in ("非常满意", "满意", "基本满意", "不满意", "非常不满意"):
        assert f"<span>{words}</span>" in page
    buttons = re.findall(r'<button class="([^"]+)"[^>]*>([^<]+)</button>', page)
    assert {kind for kind, _ in buttons} == {"button even"}
    assert [words for _, words in buttons] == ["提交评价", "不评价"]


@pytest.mark.parametrize("level", list(RatingLevel))
async def test_each_of_the_five_levels_can_be_given(
    hall: PhoneHall, browser: Browser, token: str, level: RatingLevel
) -> None:
    tags = [BAD[level]] if level in BAD else []
    form = await form_of(browser, token)
    status, page = await send(browser, token, form, level=level.value, tags=tags, words=" 说明 ")
    assert (status, "已经办结，也评价过了" in page) == (200, True)
    (row,) = await ratings(hall)
    assert row["level"] == level.value
    assert row["tags"] == tags
    assert row["words"] == "说明"
    assert row["channel"] == RatingChannel.QR_CODE.value
    assert "/rate/1" not in page, "rated once"


@pytest.mark.parametrize("level", list(BAD))
async def test_a_bad_level_needs_a_reason_and_keeps_what_was_written(
    hall: PhoneHall, browser: Browser, token: str, level: RatingLevel
) -> None:
    form = await form_of(browser, token)
    status, page = await send(browser, token, form, level=level.value, words="等了很久")
    assert (status, "请至少选择一个不满意的原因" in page) == (422, True)
    assert "等了很久</textarea>" in page
    assert re.search(rf'value="{level.value}" checked', page)
    assert await ratings(hall) == []
    status, _ = await send(browser, token, form, level=level.value, tags=[BAD[level]])
    assert status == 200
    assert len(await ratings(hall)) == 1


async def test_a_bad_level_cannot_be_sent_with_a_reason_of_a_good_one(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    form = await form_of(browser, token)
    status, page = await send(browser, token, form, level="dissatisfied", tags=["517", "408"])
    assert (status, "请至少选择一个不满意的原因" in page) == (422, True)
    assert await ratings(hall) == []


async def test_boxes_left_over_from_a_former_choice_are_not_sent_along(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    form = await form_of(browser, token)
    await send(browser, token, form, level="satisfied", tags=["208", "408"])
    assert [row["tags"] for row in await ratings(hall)] == [["408"]]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"level": "satisfied", "tags": ["999"]}, "评价标签（999）与所选等级不符"),
        ({"words": "只写了话"}, "还没有选满意程度"),
        ({"level": "satisfied", "words": "字" * 151}, "留言有 151 个字，最多 150 个字"),
        ({"level": "excellent"}, "level"),
        ({"level": "satisfied", "channel": "hall_tablet"}, "channel"),
        ({"level": "satisfied", "tags": ["<b>"]}, "tags"),
    ],
)
async def test_what_the_rules_do_not_know_is_refused(
    hall: PhoneHall, browser: Browser, token: str, fields: dict[str, object], words: str
) -> None:
    status, page = await send(browser, token, await form_of(browser, token), **fields)
    assert (status, words in page) == (422, True)
    if "words" in fields:
        assert str(fields["words"]) in page, "nothing that was typed is lost"
    assert await ratings(hall) == []


async def test_150_characters_with_line_breaks_fit(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    words = "字" * 74 + "\r\n" + "字" * 75
    await send(browser, token, await form_of(browser, token), level="satisfied", words=words)
    assert len((await ratings(hall))[0]["words"]) == 150


async def test_the_same_form_sent_twice_is_one_rating(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    form = await form_of(browser, token)
    answers = [await send(browser, token, form, level="satisfied") for _ in range(2)]
    assert {status for status, _ in answers} == {200}
    assert len(await ratings(hall)) == 1


async def test_a_second_rating_is_refused_and_changes_nothing(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    first, second = await form_of(browser, token), await form_of(browser, token)
    await send(browser, token, first, level="very_dissatisfied", tags=["108"])
    status, page = await send(browser, token, second, level="very_satisfied")
    assert (status, "已经评价过了" in page) == (409, True)
    assert [row["level"] for row in await ratings(hall)] == ["very_dissatisfied"]


async def test_a_visit_rated_at_the_pad_says_so(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    form = await form_of(browser, token)
    await hall.do(c.RateVisit(ticket=hall.ticket(token).id, level=RatingLevel.SATISFIED))
    _, page = await browser.get(f"/t/{token}/rate/1")
    assert "已经办结，也评价过了" in page
    status, _ = await send(browser, token, form, level="very_satisfied")
    assert status == 409
    assert [row["channel"] for row in await ratings(hall)] == ["hall_tablet"]


@pytest.mark.parametrize("steps", ["", "call", "call begin", "call no_show"])
async def test_nothing_is_rated_before_it_is_finished(
    hall: PhoneHall, browser: Browser, steps: str
) -> None:
    token = await hall.take()
    _, page = await browser.get(f"/t/{token}/leave")
    form = {"csrf": csrf_in(page), "once": "once-0001"}
    await hall.at_window(*steps.split())
    status, page = await send(browser, token, form, level="very_satisfied")
    assert (status, "业务办完以后才能评价" in page) == (409, True)
    _, page = await browser.get(f"/t/{token}/rate/1")
    assert 'type="radio"' not in page
    assert await ratings(hall) == []


async def test_skipping_is_never_a_rating_and_can_be_changed_the_same_day(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    status, page = await browser.post(
        f"/t/{token}/skip/1", form_at=f"/t/{token}/rate/1", level="very_satisfied", once="x1"
    )
    assert (status, "这次不评价" in page, "还可以评价" in page) == (200, True, True)
    assert await ratings(hall) == []
    assert hall.desk.state.windows[hall.window].tally.not_rated == 1
    await send(browser, token, await form_of(browser, token), level="satisfied")
    assert len(await ratings(hall)) == 1
    assert hall.desk.state.windows[hall.window].tally.not_rated == 0


async def test_the_pad_s_minute_does_not_end_the_phone_s_day(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    await hall.do(c.LeaveUnrated(ticket=hall.ticket(token).id, reason=NotRatedReason.TIMEOUT))
    status, _ = await send(browser, token, await form_of(browser, token), level="satisfied")
    assert status == 200
    assert len(await ratings(hall)) == 1


async def test_the_next_day_a_visit_is_no_longer_rated_here(
    hall: PhoneHall, browser: Browser, token: str
) -> None:
    form = await form_of(browser, token)
    hall.clock.shift += 86_400
    await hall.take()
    status, page = await send(browser, token, form, level="satisfied")
    assert (status, "没有找到这张号票" in page) == (404, True)
    assert await ratings(hall) == []


async def test_a_rating_needs_our_own_form(hall: PhoneHall, browser: Browser, token: str) -> None:
    form = await form_of(browser, token) | {"csrf": "forged"}
    for path in ("rate", "skip"):
        async with browser.http.post(
            f"{hall.base}/t/{token}/{path}/1", data=form | {"level": "satisfied"}
        ) as answer:
            assert answer.status == 403
    assert await ratings(hall) == []
