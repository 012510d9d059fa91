"""What an open page is told: within a second, once, and only when its own ticket stands otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from patience import HANG_S, limit_s, until
from phone_hall import Browser, PhoneHall, plain

from hallserver.app.phone import stream as stream_module
from hallserver.app.phone.standing import Look
from hallserver.app.phone.watch import STREAMS_PER_TICKET
from hallserver.engine.state import Ticket
from qingting.contract import commands as c
from qingting.contract.events import Interval
from qingting.contract.states import DeviceKind, DeviceState, RatingLevel

A_SECOND = limit_s(1)


class Line:
    """One open stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def event(self, seconds: float = A_SECOND) -> tuple[str, Any]:
        """The next event and what it carries."""
        async with asyncio.timeout(seconds):
            while True:
                block = (await self.answer.content.readuntil(b"\n\n")).decode()
                if "event: " in block:
                    break
        kind = block.split("event: ")[1].split("\n")[0]
        data = plain(block.split("data: ")[1].strip())
        return kind, msgspec.json.decode(data) if data != "-" else None

    async def said(self, words: str) -> dict[str, str]:
        """Reads on until ``words`` are said; everything must come within a second."""
        async with asyncio.timeout(A_SECOND):
            while True:
                kind, told = await self.event()
                if kind == "say" and words in told["say"]:
                    return dict(told)


@asynccontextmanager
async def following(browser: Browser, token: str, **headers: str) -> AsyncIterator[Line]:
    async with browser.http.get(f"{browser.base}/t/{token}/live", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["X-Accel-Buffering"] == "no"
        yield Line(answer)


async def test_an_open_page_follows_its_ticket_to_the_end(
    hall: PhoneHall, browser: Browser
) -> None:
    for _ in range(5):
        token = await hall.take()
    number = hall.ticket(token).number
    async with following(browser, token) as line:
        first = await line.said("前面还有 4 人")
        await hall.serve()
        near = await line.said("前面还有 3 人")
        assert near["mark"] != first["mark"], "three before you is a face of its own"
        assert near["title"] == f"快到您了 · {number}"
        for ahead in ("前面还有 2 人", "前面还有 1 人", "前面没有人了"):
            await hall.serve()
            assert (await line.said(ahead))["mark"] == near["mark"], "only the figures moved"
        await hall.at_window("call")
        called = await line.said(f"请到 {hall.number_of_window} 号窗口")
        await hall.at_window("recall")
        again = await line.said(f"请到 {hall.number_of_window} 号窗口")
        assert again["mark"] != called["mark"], "a second call rings again"
        await hall.at_window("begin")
        await line.said("正在")
        await hall.at_window("finish")
        await line.said("已经办结")
        await hall.do(c.RateVisit(ticket=hall.ticket(token).id, level=RatingLevel.SATISFIED))
        await line.said("也评价过了")


async def test_windows_that_open_and_close_are_told(hall: PhoneHall, browser: Browser) -> None:
    async with following(browser, await hall.take()) as line:
        await line.said("马上就到您")
        await hall.do(c.CloseWindow(window=hall.window))
        told = await line.said("暂时估计不出要等多久")
        assert "现在没有窗口" in told["more"]
        await hall.open()
        told = await line.said("马上就到您")
        assert f"{hall.number_of_window} 号窗口" in told["more"]


async def test_who_leaves_ahead_of_somebody_moves_them_up(
    hall: PhoneHall, browser: Browser
) -> None:
    first, second = await hall.take(), await hall.take()
    async with following(browser, second) as line:
        await line.said("前面还有 1 人")
        await hall.do(c.LeaveQueue(ticket=hall.ticket(first).id))
        await line.said("前面没有人了")


async def test_the_stream_speaks_the_reader_s_language(hall: PhoneHall, browser: Browser) -> None:
    async with following(browser, await hall.take(), **{"Accept-Language": "en"}) as line:
        assert (await line.event())[1]["say"].startswith("Nobody is ahead of you")


async def test_the_end_of_the_day_ends_the_page(hall: PhoneHall, browser: Browser) -> None:
    async with following(browser, await hall.take()) as line:
        await line.event()
        hall.clock.shift += 86_400
        await hall.take()
        assert (await line.event())[0] == "ended"
        assert await line.answer.content.read() == b""


async def test_a_quiet_line_beats(
    hall: PhoneHall, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "BEAT_SECONDS", 0.05)
    async with following(browser, await hall.take()) as line:
        assert [(await line.event())[0] for _ in range(3)] == ["say", "beat", "beat"]


async def test_a_phone_that_left_is_forgotten_at_the_next_beat(
    hall: PhoneHall, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "BEAT_SECONDS", 0.05)
    async with following(browser, await hall.take()) as line:
        await line.event()
        assert hall.phone.watch.open_pages == 1
        line.answer.close()
    await until(lambda: not hall.phone.watch.open_pages)


async def test_a_ticket_has_a_limit_of_open_pages_that_others_do_not_feel(
    hall: PhoneHall, browser: Browser
) -> None:
    crowded, other = await hall.take(), await hall.take()
    lines = [browser.http.get(f"{hall.base}/t/{crowded}/live") for _ in range(STREAMS_PER_TICKET)]
    opened = [await line for line in lines]
    assert (await browser.get(f"/t/{crowded}/live"))[0] == 429
    assert (await browser.get(f"/t/{crowded}"))[0] == 200
    async with following(browser, other) as line:
        await line.said("前面还有 1 人")
    for answer in opened:
        answer.close()


async def test_a_page_that_is_loaded_again_and_again_stays_live(
    hall: PhoneHall, browser: Browser
) -> None:
    token = await hall.take()
    ticket = hall.ticket(token).id
    for _ in range(3 * STREAMS_PER_TICKET):
        async with following(browser, token) as line:
            assert (await line.event())[0] == "say"
            line.answer.close()
            # The server's end of the connection hears of it; its stream would only at the next beat.
            await until(lambda: all(one.gone() for one in hall.phone.watch.followers(ticket)))


async def test_a_server_that_stops_lets_every_phone_go(hall: PhoneHall, browser: Browser) -> None:
    async with following(browser, await hall.take()) as line:
        await line.event()
        hall.phone.watch.close()
        async with asyncio.timeout(HANG_S):
            assert await line.answer.content.read() == b"", "no last word: the page comes back"


async def test_only_open_pages_cost_anything_and_devices_nothing_at_all(
    hall: PhoneHall, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    true_wait = Look.wait

    def counted(look: Look, ticket: Ticket) -> Interval | None:
        asked.append(ticket.number)
        return true_wait(look, ticket)

    tokens = [await hall.take() for _ in range(8)]
    monkeypatch.setattr(Look, "wait", counted)
    await hall.serve()
    _ = await hall.phone.watch.look_around()
    assert asked == [], "nobody looks"
    mine = hall.ticket(tokens[5])
    async with following(browser, tokens[5]) as line:
        await line.said("前面还有 4 人")
        asked.clear()
        printer = next(
            one for one in hall.desk.state.devices.values() if one.kind is DeviceKind.PRINTER
        )
        await hall.do(c.ReportDevice(device=printer.id, kind=printer.kind, state=DeviceState.READY))
        _ = await hall.phone.watch.look_around()
        assert asked == []
        await hall.serve()
        await line.said("前面还有 3 人")
    assert set(asked) == {mine.number}


async def test_many_changes_at_once_are_told_as_one(hall: PhoneHall, browser: Browser) -> None:
    tokens = [await hall.take() for _ in range(30)]
    async with following(browser, tokens[-1]) as line:
        await line.said("前面还有 29 人")
        await asyncio.gather(
            *(hall.do(c.LeaveQueue(ticket=hall.ticket(one).id)) for one in tokens[:20])
        )
        kind, told = await line.event()
        assert (kind, "前面还有 9 人" in told["say"]) == ("say", True)
