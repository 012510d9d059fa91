"""A visit at a window, from the clerk's pairing code to the citizen's rating, with a real hub."""

from typing import Any

import pytest
from pad_hands import clerk_at_desk, log_in, pad_of, press
from playwright.async_api import Browser, expect

from qingting.contract.events import RatingGiven, RatingNotGiven, TicketCalled
from qingting.contract.ids import StaffId
from qingting.contract.states import DeviceKind, NotRatedReason, RatingLevel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SmallHall = Any


def of_kind(hall: SmallHall, kind: type) -> list[Any]:
    return [event.b for event in hall.events if isinstance(event.b, kind)]


async def test_a_visit_goes_from_the_call_to_a_bad_rating_with_its_reason(
    small_hall: SmallHall, browser: Browser
) -> None:
    call = await clerk_at_desk(small_hall, browser)
    code = await small_hall.code_for("rate3", DeviceKind.RATING_PAD)
    rate = await pad_of(browser, small_hall.page("rate", code))
    await expect(rate.get_by_text("李敏")).to_be_visible()
    await small_hall.take_number("visit-0001")
    await press(call, "呼叫 A001")
    await expect(call.get_by_text("居民身份证原件")).to_be_visible()
    await expect(rate.get_by_text("A001")).to_be_visible()
    await press(call, "开始办理 A001")
    await press(call, "办结 A001")
    await rate.click("[data-test=level-dissatisfied]")
    await rate.click("[data-test=send]")
    await expect(rate.get_by_role("alert")).to_contain_text("请至少选择一个")
    assert of_kind(small_hall, RatingGiven) == []
    await rate.click("[data-test=tag-207]")
    await rate.click("[data-test=send]")
    await expect(rate.get_by_text("谢谢您")).to_be_visible()
    (rating,) = of_kind(small_hall, RatingGiven)
    assert (rating.level, rating.tags) == (RatingLevel.DISSATISFIED, ("207",))
    await expect(call.get_by_text("现在没有人等候本窗口")).to_be_visible()


async def test_a_citizen_who_skips_is_not_rated(small_hall: SmallHall, browser: Browser) -> None:
    call = await clerk_at_desk(small_hall, browser)
    code = await small_hall.code_for("rate3", DeviceKind.RATING_PAD)
    rate = await pad_of(browser, small_hall.page("rate", code))
    await small_hall.take_number("visit-0001")
    for label in ("呼叫 A001", "开始办理 A001", "办结 A001"):
        await press(call, label)
    await rate.click("[data-test=skip]")
    await expect(rate.get_by_text("这次不评价")).to_be_visible()
    (ended,) = of_kind(small_hall, RatingNotGiven)
    assert ended.reason is NotRatedReason.DECLINED
    assert of_kind(small_hall, RatingGiven) == []


async def test_a_pad_carries_on_after_the_hall_server_was_restarted(
    small_hall: SmallHall, browser: Browser
) -> None:
    call = await clerk_at_desk(small_hall, browser)
    for number in ("visit-0001", "visit-0002"):
        await small_hall.take_number(number)
    await press(call, "呼叫 A001")
    await expect(call.locator("[data-test=primary]")).to_contain_text("开始办理 A001")
    await small_hall.stop()
    await expect(call.get_by_text("正在自动重连")).to_be_visible()
    await expect(call.locator("[data-test=primary]")).to_be_disabled()
    await small_hall.start()
    await press(call, "开始办理 A001")
    await press(call, "办结 A001")
    await press(call, "呼叫 A002")
    await expect(call.locator("[data-test=primary]")).to_contain_text("开始办理 A002")
    assert len(of_kind(small_hall, TicketCalled)) == 2
    await small_hall.accounts.devices.forget_login(staff=StaffId("s-01"))
    await small_hall.stop()
    await small_hall.start()
    await expect(call.get_by_text("登录已失效")).to_be_visible()
    await log_in(call)
    await press(call, "开始办理 A002")
    await expect(call.locator("[data-test=primary]")).to_contain_text("办结 A002")
