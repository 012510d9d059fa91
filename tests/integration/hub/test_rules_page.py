"""Calling rules as the manager changes them: tried before they are switched on, with nothing lost."""

import threading

import msgspec
import pytest
from fixtures_manager import PASSWORD, Site
from form_fields import form_fields
from patience import until

from hallserver.app.manage.rules_form import form_of, rules_of
from hallserver.app.manage.trials import TRIALS
from qingting.contract import commands as c
from qingting.contract.calendar import Period
from qingting.contract.config_parts import RulesPart
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.contract.rules import (
    Between,
    CallCondition,
    CalledFewer,
    CallingRules,
    LineAtLeast,
    Ratio,
    WaitingOver,
)

EDIT = "/manage/rules/edit"
W1 = WindowId("w1")
FULL = CallingRules(
    ratios=(Ratio(first="booked", second="ordinary", a=2, b=1),),
    conditions=(
        CallCondition(
            name="人多时",
            when=(
                LineAtLeast(people=8, queues=("ga",)),  # type: ignore[arg-type]
                CalledFewer(classes=("soldier", "elderly"), than=1, of=4),
                Between(period=Period(start="09:00", end="11:30")),
            ),
            classes=("elderly",),
            queues=("ga",),  # type: ignore[arg-type]
        ),
        CallCondition(name="等久了", when=(WaitingOver(minutes=20, classes=("ordinary",)),)),
    ),
)
"""One of everything that rules can hold."""


async def three_visits(site: Site) -> None:
    """Two ordinary visitors and an elderly one, all there before the first call."""
    await site.do(c.OpenWindow(window=W1, staff=StaffId("s-01")))
    for number, priority in enumerate(("ordinary", "ordinary", "elderly")):
        await site.do(
            c.IssueTicket(item=ItemId("advice"), token=f"token-{number}", priority=priority)
        )
    for _ in range(3):
        for press in (c.CallNext, c.BeginService, c.FinishService):
            await site.do(press(window=W1))
        site.clock.shift += 600


async def fields_of(site: Site, path: str = EDIT) -> dict[str, str]:
    _, page = await site.get(path)
    return form_fields(page, EDIT)


async def tried(site: Site, fields: dict[str, str]) -> tuple[str, str]:
    """Address and finished page of a trial."""
    status, page = await site.post(EDIT, form_at=EDIT, **fields, do="try")
    assert status == 200, page
    trials = site.client.app[TRIALS]
    (*_, trial) = trials._trials.values()
    await until(lambda: trial.done)
    address = f"/manage/rules/trial/{trial.id}"
    return address, (await site.get(address))[1]


def rules_in_force(site: Site) -> CallingRules:
    assert site.desk.state.config is not None
    return site.desk.state.config.rules


# ---- the form -----------------------------------------------------------------------------------


async def test_the_form_holds_everything_that_rules_can_say(inside: Site) -> None:
    assert inside.desk.state.config is not None
    base = inside.desk.state.config.version
    await inside.do(c.EditConfig(base=base, part=RulesPart(rules=FULL)))
    await tried(inside, await fields_of(inside))
    (*_, trial) = inside.client.app[TRIALS]._trials.values()
    assert trial.variant.rules == FULL


async def test_the_rules_are_said_in_words_in_both_languages(inside: Site) -> None:
    assert inside.desk.state.config is not None
    base = inside.desk.state.config.version
    await inside.do(c.EditConfig(base=base, part=RulesPart(rules=FULL)))
    _, page = await inside.get("/manage/rules")
    assert "有人等满 90 分钟，就先叫等得最久的人" in page
    assert "每叫 2 位预约，再叫 1 位普通" in page
    assert "公安综合等候不少于 8 人，并且最近 4 次呼叫里军人、老年人少于 1 次" in page
    _, page = await inside.get("/manage/rules?lang=en")
    assert "When somebody has waited for 90 minutes" in page
    assert "at least 8 people wait (Police)" in page


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("max_delay_minutes", "-5", "最长等候"),
        ("class-2-weight", "many", "人员类别 3 · 起始分"),
        ("class-4-name", "", "人员类别 5 · 名称"),
        ("second_chances", "99", "过号可重排"),
    ],
)
async def test_a_fault_is_named_and_everything_stays_typed(
    inside: Site, field: str, value: str, word: str
) -> None:
    fields = await fields_of(inside) | {"name": "我的规则", field: value}
    status, page = await inside.post(EDIT, form_at=EDIT, **fields, do="try")
    assert status == 422
    assert word in page
    assert form_fields(page, EDIT) == fields


async def test_buttons_of_the_lists_change_the_form_alone(inside: Site) -> None:
    fields = await fields_of(inside)
    version = rules_in_force(inside).version
    for action in ("class/add:class", "condition/add:condition", "ratio/add:ratio"):
        _, page = await inside.post(EDIT, form_at=EDIT, **fields, do=action)
        fields = form_fields(page, EDIT)
    assert "class-7-name" in fields
    assert "condition-0-name" in fields
    assert "ratio-0-a" in fields
    _, page = await inside.post(EDIT, form_at=EDIT, **fields, do="class/drop:6")
    assert "class-7-name" not in form_fields(page, EDIT)
    assert rules_in_force(inside).version == version


# ---- the trial ----------------------------------------------------------------------------------


async def test_rules_are_tried_on_a_day_and_then_switched_on(inside: Site) -> None:
    await three_visits(inside)
    fields = await fields_of(inside) | {"class-6-weight": "0", "name": "一律先来后到"}
    address, page = await tried(inside, fields)
    assert "100.0% 的呼叫与当天实际分秒不差" in page
    assert "A003" in page
    status, page = await inside.post(f"{address}/enable", form_at=address)
    assert (status, "新规则已启用" in page, "一律先来后到" in page) == (200, True, True)
    rules = rules_in_force(inside)
    assert (rules.version, rules.name) == (2, "一律先来后到")
    assert {one.id: one.weight for one in rules.classes}["elderly"] == 0
    await inside.do(c.IssueTicket(item=ItemId("advice"), token="token-a"))
    inside.clock.shift += 60
    await inside.do(c.IssueTicket(item=ItemId("advice"), token="token-b", priority="elderly"))
    called = await inside.do(c.CallNext(window=W1))
    assert (called.events[0].b.ticket[-1], called.events[0].b.reason) == ("4", "longest_waiting")


async def test_another_roster_is_tried_and_never_switched_on(inside: Site) -> None:
    await three_visits(inside)
    fields = await fields_of(inside)
    _, page = await inside.post(EDIT, form_at=EDIT, **fields, do="plan/add:plan")
    fields = form_fields(page, EDIT)
    fields |= {"plan-0-window": "w2", "plan-0-start": "00:00", "plan-0-end": "24:00"}
    address, page = await tried(inside, fields)
    assert "2 号窗口 开窗" in page
    assert "启用这套规则" not in page
    status, page = await inside.post(f"{address}/enable", form_at=address)
    assert (status, "请先只用这套规则" in page) == (409, True)
    kept = await fields_of(inside, page.split('href="')[1] and f"{EDIT}?trial={address[-12:]}")
    assert kept["plan-0-start"] == "00:00"


async def test_a_conflict_is_said_and_nothing_is_lost(inside: Site) -> None:
    await three_visits(inside)
    address, _ = await tried(inside, await fields_of(inside) | {"name": "第二个人的"})
    assert inside.desk.state.config is not None
    other = msgspec.structs.replace(rules_in_force(inside), version=2, name="第一个人的")
    base = inside.desk.state.config.version
    await inside.do(c.EditConfig(base=base, part=RulesPart(rules=other)))
    status, page = await inside.post(f"{address}/enable", form_at=address)
    assert (status, "配置刚被别人改过" in page) == (409, True)
    fields = await fields_of(inside, f"{EDIT}?trial={address[-12:]}")
    assert fields["name"] == "第二个人的"
    address, _ = await tried(inside, fields)
    status, _ = await inside.post(f"{address}/enable", form_at=address)
    assert (status, rules_in_force(inside).name) == (200, "第二个人的")


async def test_the_versions_say_who_changed_what_and_come_back_as_new_ones(inside: Site) -> None:
    address, _ = await tried(inside, await fields_of(inside) | {"max_delay_minutes": "45"})
    await inside.post(f"{address}/enable", form_at=address)
    _, page = await inside.get("/manage/rules")
    assert "赵主任" in page
    assert "最长等候（分钟） 90 → 45" in page
    old = form_fields(page, "/manage/rules/restore")
    status, page = await inside.post("/manage/rules/restore", form_at="/manage/rules", **old)
    assert (status, "旧规则已作为新版本启用" in page) == (200, True)
    rules = rules_in_force(inside)
    assert (rules.version, rules.max_delay_minutes) == (3, 90)
    status, page = await inside.post("/manage/rules/restore", form_at="/manage/rules", **old)
    assert (status, rules_in_force(inside).version) == (409, 3)


async def test_a_day_that_is_not_in_the_log_is_refused_in_words(inside: Site) -> None:
    _, page = await tried(inside, await fields_of(inside) | {"day": "2020-01-01"})
    assert "记录里没有 2020-01-01 这一天" in page
    assert "开始于" in page


async def test_one_trial_at_a_time_beside_the_loop(
    inside: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, threads = threading.Event(), []

    def slow(*_: object) -> object:
        threads.append(threading.current_thread())
        going.wait(30)
        raise LookupError

    monkeypatch.setattr("hallserver.app.manage.trials.compare", slow)
    fields = await fields_of(inside)
    status, page = await inside.post(EDIT, form_at=EDIT, **fields, do="try")
    assert (status, "正在重算这一天" in page) == (200, True)
    status, page = await inside.post(EDIT, form_at=EDIT, **fields, do="try")
    assert (status, "正在进行一次试算" in page) == (409, True)
    going.set()
    (*_, trial) = inside.client.app[TRIALS]._trials.values()
    await until(lambda: trial.done)
    assert trial.problem is not None
    assert trial.problem.code == "internal"
    assert f"/manage/rules/trial/{trial.id}" in (page := (await inside.get("/manage/rules"))[1])
    assert "没有算成" in page
    assert "只保留到大厅服务器重新启动" in page
    assert threads[0] is not threading.main_thread()


async def test_a_clerk_can_neither_see_nor_do_any_of_it(inside: Site) -> None:
    address, _ = await tried(inside, await fields_of(inside) | {"name": "不该启用"})
    await inside.desk.accounts.staff.put(StaffId("s-01"), PASSWORD, must_change=False)
    await inside.post("/manage/logout", form_at="/manage/")
    await inside.log_in(number="0101")
    before = inside.desk.state.seq
    for path in ("/manage/rules", EDIT, address):
        assert (await inside.get(path))[0] == 403
    for path in (EDIT, "/manage/rules/restore", f"{address}/enable"):
        status, _ = await inside.post(path, form_at="/manage/password", do="try", version="1")
        assert status == 403, path
    assert inside.desk.state.seq == before


def test_a_form_of_rules_gives_them_back() -> None:
    assert rules_of(None, form_of(FULL, 1), FULL.version) == FULL  # type: ignore[arg-type]
