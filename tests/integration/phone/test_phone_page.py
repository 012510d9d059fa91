"""The page behind a ticket's QR code: says what to do in every state, to nobody else, and forgets nothing."""

import re

import pytest
from aiohttp import web
from phone_hall import PERSON, Browser, PhoneHall, csrf_in, plain

from hallserver.app.phone import pages
from hallserver.app.phone.tries import BURST
from qingting.contract import commands as c
from qingting.contract.states import Language, TicketState
from qingting.kernel.security.device_keys import new_token

WORDS_OF = {
    "": ("前面没有人了", "快到您了"),
    "call": ("请到 {window} 号窗口", "请现在就过去"),
    "call begin": ("正在 {window} 号窗口办理", "可以在这里评价"),
    "call begin finish": ("已经办结", "今天 24:00 前都可以评价"),
    "call no_show": ("过号了，还可以回来", "不用重新取号", "我在这里，继续排队"),
    "call park": ("您已暂离", "到 今天", "会自动恢复排队", "我在这里，继续排队"),
}


@pytest.mark.parametrize("steps", WORDS_OF)
async def test_every_state_says_what_it_is_and_what_to_do_now(
    hall: PhoneHall, browser: Browser, steps: str
) -> None:
    token = await hall.take()
    await hall.at_window(*steps.split())
    status, page = await browser.get(f"/t/{token}")
    assert status == 200
    assert hall.ticket(token).number in page
    for words in WORDS_OF[steps]:
        assert words.format(window=hall.number_of_window) in page


async def test_who_waits_reads_place_interval_windows_and_papers(
    hall: PhoneHall, browser: Browser
) -> None:
    await hall.at_window()
    for _ in range(6):
        token = await hall.take()
    _, page = await browser.get(f"/t/{token}")
    assert re.search(r"前面还有 5 人，约 \d+–\d+ 分钟", page)
    assert f"{hall.number_of_window} 号窗口正在办这项业务" in page
    item = hall.desk.state.items[hall.item]
    assert item.name in page
    assert item.materials[0] in page
    assert re.search(r"今天 \d\d:\d\d 取号", page)
    assert "快到您了" not in page


async def test_three_before_you_is_said(hall: PhoneHall, browser: Browser) -> None:
    for _ in range(4):
        token = await hall.take()
    _, page = await browser.get(f"/t/{token}")
    assert "前面还有 3 人" in page
    assert "快到您了。请到窗口附近等候" in page


async def test_without_a_window_the_time_is_unknown_and_said_as_such(
    hall: PhoneHall, browser: Browser
) -> None:
    await hall.do(c.CloseWindow(window=hall.window))
    _, page = await browser.get(f"/t/{await hall.take()}")
    assert "暂时估计不出要等多久" in page
    assert "现在没有窗口在办这项业务" in page


async def test_the_end_of_the_day_is_told(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    await hall.do(c.CloseDay())
    assert hall.ticket(token).state is TicketState.CANCELLED
    _, page = await browser.get(f"/t/{token}")
    assert "这个号已作废" in page
    assert "重新取号" in page


# ---- the key --------------------------------------------------------------------------------------


async def test_unknown_old_and_malformed_links_all_get_one_and_the_same_page(
    hall: PhoneHall, browser: Browser
) -> None:
    old = await hall.take()
    hall.clock.shift += 86_400
    await hall.take()
    links = [
        old,
        new_token(),
        "x",
        "%3Cscript%3E",
        "a" * 500,
        "..%2F",
        "",
        f"{old}/more",
        f"{old}/",
    ]
    answers = {await browser.get(f"/t/{link}") for link in links}
    assert len(answers) == 1
    status, page = answers.pop()
    assert status == 404
    assert "没有找到这张号票" in page
    assert "您的号不会因此丢掉" in page


@pytest.mark.parametrize("path", ["/live", "/leave", "/rate/1"])
async def test_no_way_in_beside_the_page(browser: Browser, path: str) -> None:
    status, page = await browser.get(f"/t/{new_token()}{path}")
    assert (status, "没有找到这张号票" in page) == (404, True)


async def test_links_cannot_be_tried_one_after_another(hall: PhoneHall, browser: Browser) -> None:
    mine, other = await hall.take(), await hall.take()
    await browser.get(f"/t/{mine}")
    for _ in range(BURST):
        assert (await browser.get(f"/t/{new_token()}"))[0] == 404
    status, page = await browser.get(f"/t/{new_token()}")
    assert (status, "太多无效的号票链接" in page) == (429, True)
    assert (await browser.get(f"/t/{other}"))[0] == 429, "a hit must not be told from a miss"
    assert (await browser.get(f"/t/{other}/live"))[0] == 429
    assert (await browser.get(f"/t/{mine}"))[0] == 200, "what was open stays open"
    hall.clock.shift += 7
    assert (await browser.get(f"/t/{other}"))[0] == 200


async def test_what_is_not_a_get_is_counted_as_well(hall: PhoneHall, browser: Browser) -> None:
    mine = await hall.take()
    for _ in range(BURST):
        await browser.post(f"/t/{new_token()}/leave", form_at=f"/t/{mine}/leave")
    assert (await browser.get(f"/t/{await hall.take()}"))[0] == 429


async def test_the_page_is_kept_by_no_cache_and_leaves_no_trace_elsewhere(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    for path in ("", "/leave"):
        async with browser.http.get(f"{hall.base}/t/{token}{path}") as answer:
            headers, page = answer.headers, await answer.text()
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "<script>" not in page
        assert " style=" not in page
        assert re.findall(r'(?:src|href|action)="(?!/)', page) == ['href="'], "only the skip link"


async def test_nothing_about_the_person_is_on_any_page(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take(person=PERSON)
    seen = []
    for steps in ("", "call", "begin", "finish"):
        await hall.at_window(*steps.split())
        seen += [(await browser.get(f"/t/{token}{path}"))[1] for path in ("", "/leave", "/rate/1")]
    for page in seen:
        for secret in (PERSON.masked_name, PERSON.masked_number, PERSON.sealed, PERSON.index):
            assert secret not in page
        assert hall.desk.state.staff[hall.staff].name not in page


async def test_no_log_line_holds_a_token(
    hall: PhoneHall,
    browser: Browser,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token, wrong = await hall.take(), new_token()
    capsys.readouterr()
    for path in ("", "/leave", "/rate/1", "/live/x", "/look?lang=en"):
        await browser.get(f"/t/{token}{path}")
    await browser.get(f"/t/{wrong}")
    await browser.http.post(f"{hall.base}/t/{token}/leave", data={"csrf": "forged"})
    await browser.http.put(f"{hall.base}/t/{token}")

    def broken(*_: object) -> web.Response:
        raise ZeroDivisionError

    monkeypatch.setattr(pages, "render_ticket", broken)
    assert (await browser.get(f"/t/{token}"))[0] == 500
    await browser.post(f"/t/{token}/leave", form_at=f"/t/{token}/leave")
    said = "".join(capsys.readouterr())
    assert "page.failed" in said
    assert "session.csrf" in said
    assert "/t/{token}" in said
    assert token not in said
    assert wrong not in said


# ---- leaving the queue ------------------------------------------------------------------------------


async def test_a_place_is_given_up_only_after_a_second_tap(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    _, page = await browser.get(f"/t/{token}")
    assert f'href="/t/{token}/leave"' in page
    status, page = await browser.get(f"/t/{token}/leave")
    assert (status, "退出后这个号作废" in page, "继续等候" in page) == (200, True, True)
    assert hall.ticket(token).state is TicketState.WAITING
    status, page = await browser.post(f"/t/{token}/leave", form_at=f"/t/{token}/leave")
    assert (status, "您已退出排队" in page) == (200, True)
    assert hall.ticket(token).cancelled == "left"
    assert "/leave" not in page


async def test_leaving_twice_is_leaving_once(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    _, page = await browser.get(f"/t/{token}/leave")
    form = {"csrf": re.search(r'name="csrf" value="([^"]+)"', page)[1]}  # type: ignore[index]
    seq = hall.desk.state.seq
    for _ in range(2):
        async with browser.http.post(f"{hall.base}/t/{token}/leave", data=form) as answer:
            assert answer.status == 200
            assert "您已退出排队" in await answer.text()
    assert hall.desk.state.seq == seq + 1


async def test_nobody_else_can_make_somebody_leave(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    for data, headers in (
        ({}, {}),
        ({"csrf": "forged"}, {}),
        ({"csrf": "x"}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        async with browser.http.post(
            f"{hall.base}/t/{token}/leave", data=data, headers=headers
        ) as answer:
            assert answer.status == 403
    assert hall.ticket(token).state is TicketState.WAITING


async def test_who_was_called_meanwhile_is_told_to_go_there(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    _, page = await browser.get(f"/t/{token}/leave")
    form = {"csrf": re.search(r'name="csrf" value="([^"]+)"', page)[1]}  # type: ignore[index]
    await hall.at_window("call")
    async with browser.http.post(f"{hall.base}/t/{token}/leave", data=form) as answer:
        text = plain(await answer.text())
        assert answer.status == 409
    assert "不能再自己退出" in text
    assert f"请到 {hall.number_of_window} 号窗口" in text
    assert hall.ticket(token).state is TicketState.CALLED


# ---- coming back ------------------------------------------------------------------------------------


async def returned(browser: Browser, token: str, times: int = 1) -> tuple[int, str]:
    """Presses "I am here" so many times on one and the same page."""
    _, page = await browser.get(f"/t/{token}")
    since = re.search(r'name="since" value="(\d+)"', page)
    assert since is not None
    form = {"csrf": csrf_in(page), "since": since[1]}
    for _ in range(times):
        async with browser.http.post(f"{browser.base}/t/{token}/return", data=form) as answer:
            found = answer.status, plain(await answer.text())
    return found


@pytest.mark.parametrize(
    ("away", "words"),
    [("call park", "您已恢复排队"), ("call no_show", "您过号后已重新排进队伍")],
)
async def test_who_was_away_comes_back_with_the_same_number(
    hall: PhoneHall, browser: Browser, away: str, words: str
) -> None:
    token = await hall.take()
    await hall.at_window(*away.split())
    seq = hall.desk.state.seq
    status, page = await returned(browser, token, times=2)
    assert (status, words in page, "前面没有人了" in page) == (200, True, True)
    assert hall.desk.state.seq == seq + 1, "pressed twice, back once"
    assert hall.ticket(token).state is TicketState.WAITING


async def test_a_pause_can_be_taken_and_ended_more_than_once(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    for _ in range(2):
        hall.clock.shift += 1
        await hall.at_window("call", "park")
        assert (await returned(browser, token))[0] == 200
        assert hall.ticket(token).state is TicketState.WAITING


async def test_after_the_last_chance_the_page_says_where_to_go_instead(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    await hall.at_window("call", "no_show")
    await returned(browser, token)
    await hall.at_window("call", "no_show")
    _, page = await browser.get(f"/t/{token}")
    assert "已经过号" in page
    assert f"请到 {hall.number_of_window} 号窗口或咨询台说一声，或重新取号" in page
    assert "/return" not in page


async def test_a_chance_that_ran_out_is_refused_in_words(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    await hall.at_window("call", "no_show")
    _, page = await browser.get(f"/t/{token}")
    form = {"csrf": csrf_in(page), "since": "1"}
    hall.clock.shift += 61 * 60
    async with browser.http.post(f"{hall.base}/t/{token}/return", data=form) as answer:
        assert answer.status == 409
        assert "超过了可以恢复的次数" in await answer.text()
    assert hall.ticket(token).state is TicketState.NO_SHOW


async def test_who_is_away_can_leave_as_well(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    await hall.at_window("call", "park")
    _, page = await browser.get(f"/t/{token}/leave")
    assert "正为您留着" in page
    _, page = await browser.post(f"/t/{token}/leave", form_at=f"/t/{token}/leave")
    assert "您已退出排队" in page


# ---- one ticket, several items, other windows ---------------------------------------------------------


async def test_a_ticket_with_two_items_shows_what_is_done_and_what_is_to_come(
    hall: PhoneHall, browser: Browser
) -> None:
    first, second = hall.two_items()
    token = await hall.take(more=(second.id,))
    _, page = await browser.get(f"/t/{token}")
    assert first.name in page
    assert f"<dt>接着要办</dt><dd>{second.name}</dd>" in page
    await hall.serve()
    _, page = await browser.get(f"/t/{token}")
    assert "已办结的事项" in page
    assert f'href="/t/{token}/rate/1"' in page
    assert "接着要办" not in page
    assert hall.ticket(token).item == second.id


async def test_who_was_sent_to_one_window_reads_that_window(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    other = hall.config.windows[1]
    await hall.do(c.OpenWindow(window=other.id, staff=hall.config.staff[-2].id))
    await hall.at_window("call")
    await hall.do(c.TransferVisit(window=hall.window, to_window=other.id))
    _, page = await browser.get(f"/t/{token}")
    assert f"{other.number} 号窗口正在办这项业务" in page


# ---- language and look --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "english"),
    [
        ("en-GB,en;q=0.9", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", False),
        ("en;q=0.3,zh;q=0.7", False),
        ("fr-FR", False),
        ("", False),
    ],
)
async def test_the_page_speaks_the_language_of_the_browser(
    hall: PhoneHall, browser: Browser, wanted: str, english: bool
) -> None:
    _, page = await browser.get(f"/t/{await hall.take()}", **{"Accept-Language": wanted})
    assert ('<html lang="en"' in page, "Nobody is ahead of you" in page) == (english, english)


async def test_a_ticket_taken_in_english_has_an_english_page_until_somebody_switches(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take(language=Language.EN)
    _, page = await browser.get(f"/t/{token}", **{"Accept-Language": "zh-CN"})
    assert "Nobody is ahead of you" in page
    _, page = await browser.get(f"/t/{token}/look?lang=zh-CN&at=leave")
    assert "退出排队？" in page
    _, page = await browser.get(f"/t/{token}", **{"Accept-Language": "en"})
    assert "前面没有人了" in page


async def test_elder_version_and_contrast_are_remembered_and_can_be_undone(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    _, page = await browser.get(f"/t/{token}/look?elder=1")
    assert 'data-theme="elder"' in page
    _, page = await browser.get(f"/t/{token}/look?contrast=1")
    assert '<html lang="zh-CN" data-theme="elder contrast">' in page
    _, page = await browser.get(f"/t/{token}/look?elder=0")
    assert '<html lang="zh-CN" data-theme="contrast">' in page


async def test_a_crafted_link_puts_no_words_on_the_page(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    for done in ("phone.called.say", "window.number", "<b>x</b>", "left"):
        status, page = await browser.get(f"/t/{token}?done={done}")
        assert (status, '<div class="banner' in page) == (200, False)


async def test_a_part_of_the_page_is_the_page_s_own_part(hall: PhoneHall, browser: Browser) -> None:
    token = await hall.take()
    _, whole = await browser.get(f"/t/{token}")
    status, part = await browser.get(f"/t/{token}", **{"HX-Request": "true"})
    assert status == 200
    assert part.strip() in whole
    async with browser.http.get(
        f"{hall.base}/t/{new_token()}", headers={"HX-Request": "true"}
    ) as answer:
        assert (answer.status, answer.headers["HX-Refresh"]) == (404, "true")
