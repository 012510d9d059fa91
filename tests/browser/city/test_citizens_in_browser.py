"""A citizen in real Chromium: books without scripts, or with a keyboard alone, and every page fits 320 px in the elder
version, in both languages, with nothing that an accessibility checker finds."""

import pytest
from by_keyboard import Keys
from by_touch import LEAST, LEAST_ELDER, too_small
from citizen_stage import CARD, citizens_city
from manager_browser import axe_finds, watched
from pictures import picture
from playwright.async_api import Browser, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
PUBLIC = (
    "/c",
    "/c/items",
    f"/c/items/{CARD}",
    "/c/halls",
    "/c/halls/saertu",
    "/c/login",
    "/c/items?q=zzz",
)
OWN = ("/c/me", "/c/consent", "/c/acting", "/c/book", "/c/book/saertu", "/c/bookings", "/c/messages", "/c/me/delete", "/c/me/requests")  # fmt: skip


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).first.click()


async def book(page: Page, base: str) -> str:
    """Finds a service, logs in on the way, books; gives the address of the booking."""
    await page.goto(f"{base}/c")
    await page.get_by_label("查找事项").fill("qzx")
    await press(page, "查找")
    await expect(page.get_by_text("没有找到").first).to_be_visible()
    await page.get_by_label("查找事项").fill("shbzk")
    await press(page, "查找")
    await page.get_by_role("link", name="社会保障卡补办").click()
    await page.get_by_role("link", name="预约办理").click()
    await page.get_by_role("link", name="萨尔图区政务服务中心").click()
    await page.locator(".c-dates a.has").nth(1).click()
    await page.get_by_role("link", name="登录后预约").click()
    await page.get_by_role("link", name="用统一身份认证登录").click()
    await page.locator("input[value=agent-woman]").check()
    await page.locator("button[name=allow]").click()
    await page.get_by_role("checkbox").check()
    await press(page, "同意并继续")
    await page.get_by_label("大庆市示例商贸有限公司").check()
    await press(page, "确定")
    await expect(page.get_by_text("您正在为 大庆市示例商贸有限公司 办理")).to_be_visible()
    # The page of times came back with the day that was chosen before the login.
    await expect(page.get_by_role("heading", name="11月24日 周二", exact=True)).to_be_visible()
    await page.locator("button.c-place").first.click()
    await expect(page.get_by_role("heading", name="确认预约")).to_be_visible()
    hold = page.url
    await press(page, "确认预约")
    await expect(page.get_by_text("预约成功。")).to_be_visible()
    await expect(page.get_by_role("img", name="预约二维码")).to_be_visible()
    await page.goto(hold)
    assert page.url != hold, "what is booked is no hold any more"
    return page.url


async def looks_right(page: Page, path: str, least: int = LEAST) -> None:
    assert await too_small(page, least) == [], path
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320, path
    assert await axe_finds(page) == [], path


async def unfold(page: Page, name: str) -> None:
    """Opens the menu by keys alone; what it hides is there afterwards, and where one is can be told."""
    here = page.get_by_role("navigation", name="主菜单").or_(
        page.get_by_role("navigation", name="Main menu")
    )
    await expect(here).to_be_hidden()
    await Keys(page).walk_to(name)
    await page.keyboard.press("Enter")
    await expect(here.locator("[aria-current=page]")).to_be_visible()
    await expect(
        page.get_by_role("button", name="退出").or_(page.get_by_role("button", name="Log out"))
    ).to_be_visible()


async def heads_leave_room(page: Page, menu: str, other: str) -> None:
    """On the smallest phone in the elder version, in both languages, for somebody who acts for a firm: three quarters of
    the screen are for the page, and whom one acts for is seen."""
    size, url = page.viewport_size, page.url
    await page.set_viewport_size({"width": 320, "height": 568})
    for _ in range(2):
        await expect(page.locator(".c-for")).to_contain_text("大庆市示例商贸有限公司")
        height = await page.locator(".c-top").evaluate("one => one.offsetHeight")
        assert height <= 568 / 4, f"{menu}: {height} px"
        await unfold(page, menu)
        async with page.expect_navigation():
            await page.get_by_role("link", name=other, exact=True).click()
        menu, other = "Menu", "中文"
    assert size is not None
    await page.set_viewport_size(size)
    await page.goto(url)


async def test_a_citizen_books_without_scripts_and_every_page_suits_an_old_phone(
    city_url: str, browser: Browser
) -> None:
    async with citizens_city(city_url) as city:
        plain = await browser.new_context(
            viewport={"width": 390, "height": 800}, java_script_enabled=False
        )
        booking = await book(await plain.new_page(), city.url)
        kept = await plain.storage_state()
        complaints: list[str] = []
        small = await browser.new_context(
            viewport={"width": 320, "height": 700}, storage_state=kept
        )
        page = await watched(small, complaints)
        await page.goto(f"{city.url}/c")
        await picture(page, "citizen-home", whole=True)
        await page.get_by_role("link", name="长辈版").click()
        size = await page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
        assert size >= 18
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
        times = f"/c/book/saertu/times?item={await item_of(page, city.url)}"
        own = (
            *OWN,
            booking.removeprefix(city.url),
            f"{booking.removeprefix(city.url)}/cancel",
            times,
        )
        for path in (*PUBLIC, *own):
            await page.goto(city.url + path)
            await looks_right(page, path, LEAST_ELDER)
        await picture(page, "citizen-times-elder", whole=True)
        await page.goto(booking)
        await heads_leave_room(page, "菜单", "English")
        await unfold(page, "菜单")
        await looks_right(page, "the unfolded menu", LEAST_ELDER)
        await page.get_by_role("link", name="标准版").click()
        await unfold(page, "菜单")
        await looks_right(page, "the unfolded menu")
        await page.get_by_role("link", name="高对比").click()
        await picture(page, "citizen-booking", whole=True)
        await looks_right(page, booking)
        await unfold(page, "菜单")
        await page.get_by_role("link", name="English").click()
        await looks_right(page, booking)
        await page.get_by_role("link", name="Cancel").click()
        await page.get_by_label("I have no time").or_(page.locator("[value=no_time]")).first.check()
        await press(page, "Cancel it")
        await expect(page.get_by_text("Cancelled.")).to_be_visible()
        desk = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        assert complaints == []
        await books_by_keys(await watched(desk, []), city.url)


async def books_by_keys(page: Page, base: str) -> None:
    """Finds, logs in, books, changes and cancels; no mouse."""
    keys = Keys(page)
    await page.goto(f"{base}/c")
    await keys.walk_to("跳到正文")
    await keys.press("Enter", "Tab")
    assert await keys.here() == "查找事项", "the link over the menu leads past it"
    await keys.write("shbzk")
    async with page.expect_navigation():
        await keys.press("Enter")
    for link in ("社会保障卡补办", "预约办理", "萨尔图区", "登录后预约", "用统一身份认证登录"):
        await keys.follow(link)
    await keys.follow("登录")
    await keys.follow("同意并继续")
    assert (await keys.here()).startswith("请先勾选"), "one is led to what is wrong"
    await keys.walk_to("我看过了")
    await keys.press("Space")
    await keys.follow("同意并继续")
    await keys.follow("11月25日")
    await keys.walk_to("09:00")
    await renewed(page, "#places")
    assert (await keys.here()).startswith("09:00"), "what renews itself takes nobody's place"
    async with page.expect_navigation():
        await keys.press("Enter")
    await keys.follow("确认预约")
    assert (await keys.here()).startswith("预约成功"), "and to what was done"
    await keys.follow("改时间")
    await keys.follow("09:30")
    await expect(page.get_by_text("09:30–10:00").first).to_be_visible()
    await keys.follow("取消预约")
    await keys.walk_to("时间不合适")
    await keys.press("ArrowDown", "Space")
    await keys.follow("确定取消")
    await expect(page.get_by_text("预约已取消。")).to_be_visible()


async def renewed(page: Page, part: str) -> None:
    """Has the part of the page that holds ``part`` renew itself, as it does by and by."""
    async with page.expect_response(
        lambda answer: answer.request.headers.get("x-qingting-live") == "1"
    ) as found:
        await page.evaluate(
            """async part => {
                const whole = document.querySelector(part).closest('[hx-get]');
                await htmx.ajax('GET', whole.getAttribute('hx-get'), { source: whole, target: whole });
            }""",
            part,
        )
    assert (await found.value).status == 200


async def item_of(page: Page, base: str) -> str:
    await page.goto(f"{base}/c/book/saertu")
    return str(await page.locator("input[name=item]").first.input_value())


async def test_five_of_many_services_are_chosen_in_folds_by_search_and_without_scripts(
    city_url: str, browser: Browser
) -> None:
    async with citizens_city(city_url, further=24) as city:
        plain = await browser.new_context(
            viewport={"width": 390, "height": 800}, java_script_enabled=False
        )
        await chooses_in_folds(await plain.new_page(), f"{city.url}/c/book/saertu")
        small = await browser.new_context(viewport={"width": 320, "height": 640}, locale="zh-CN")
        page = await watched(small, [])
        for look in ("elder", "contrast"):
            await page.goto(f"{city.url}/c/look?{look}=1&back=/c/book/saertu")
            await looks_right(page, look)
        await stops_at_five(page)
        await looks_right(page, "with five chosen")
        await picture(page, "citizen-items-elder")


async def chooses_in_folds(page: Page, url: str) -> None:
    """Whatever is folded away or searched past stays chosen and seen; the way on is always in reach."""
    await page.goto(url)
    await expect(page.get_by_label("第0项备案")).to_be_hidden()
    await expect(page.get_by_role("button", name="看可约时间")).to_be_in_viewport(ratio=1)
    await page.get_by_text("第0分局").click()
    await page.get_by_label("第0项备案").check()
    await page.get_by_text("第0分局").click()
    await expect(page.get_by_label("第0项备案")).to_be_visible()
    await expect(page.get_by_label("第3项备案")).to_be_hidden()
    await picture(page, "citizen-items")
    assert await counted(page) == "1", "a fold closed over it"
    await page.get_by_label("查找事项").fill("shbzk")
    await page.get_by_label("查找事项").press("Enter")
    await page.get_by_label("社会保障卡补办").check()
    await press(page, "看全部事项")
    for name in ("第0项备案", "社会保障卡补办"):
        await expect(page.get_by_label(name)).to_be_checked()
    await expect(page.get_by_role("heading", name="已选 2 项")).to_be_visible()
    await press(page, "看可约时间")
    await expect(page.get_by_text("第0项备案")).to_be_visible()
    assert page.url.count("item=") == 2


async def counted(page: Page) -> str:
    """What the bar counts, as a screen reader hears it."""
    session = await page.context.new_cdp_session(page)
    nodes = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    said = [one["name"]["value"] for one in nodes if one["role"]["value"] == "StaticText"]
    return str(said[said.index(" / 5") - 1])


async def stops_at_five(page: Page) -> None:
    """By keys alone: the bar hides nothing that has the focus, and a sixth cannot be chosen."""
    keys = Keys(page)
    await keys.walk_to("第0分局")
    await keys.press("Enter")
    for n in range(0, 15, 3):
        await keys.walk_to(f"第{n}项备案")
        hidden = "document.activeElement.getBoundingClientRect().bottom > document.querySelector('.c-dock').getBoundingClientRect().top"
        assert not await page.evaluate(hidden), n
        await keys.press("Space")
    await expect(page.get_by_role("status").filter(has_text="已选 5 / 5 选满了")).to_be_visible()
    await expect(page.get_by_label("第15项备案")).to_be_disabled()
