"""What was sent to a hall that is away can be taken back; what the hall says of it is what happened."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from configuration_stage import HALL, Stage, linked
from console_browser import browser, console
from engine_builders import W1, small_hall
from patience import until

from console.core.audit import read_audit
from console.core.permissions import NOBODY, SYSTEM
from console.halls import models as hall_models
from console.halls.repository import open_directives
from hallserver.hall import open_hall
from qingting.contract import commands as c
from qingting.contract.config_parts import RosterPart
from qingting.contract.errors import Refusal
from qingting.contract.link import read_directive
from qingting.kernel.aio.clock import SystemClock

pytestmark = pytest.mark.postgres
PAGE = "/configurations/test"


def renamed(name: str) -> RosterPart:
    """The first window under another name."""
    config = small_hall()
    windows = tuple(
        msgspec.structs.replace(one, name=name) if one.id == W1 else one for one in config.windows
    )
    return RosterPart(windows=windows, staff=config.staff, shifts=())


@pytest.fixture
async def stage(city_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """The hall has told what it has in force, and is away."""
    path, clock = tmp_path / "hall.sqlite", SystemClock()
    async with (
        open_hall(path, clock=clock, config=small_hall()) as hall,
        console(city_url) as ready,
        browser(ready) as person,
    ):
        await person.enter(ready)
        found = Stage(ready, hall, person)
        async with linked(ready, hall):
            await until(found.known)
        yield found


async def publish(stage: Stage, name: str) -> str:
    """Sends the first window's name; gives the number with which its button takes it back."""
    await stage.push(renamed(name))
    assert (await stage.press("publish", note=name))[0] == 200
    button = re.search(r'name="directive" value="(\d+)"', (await stage.person.get(PAGE))[1])
    assert button is not None, "what waits has a button to take it back"
    return button[1]


async def answers(stage: Stage) -> list[tuple[int, str]]:
    """What the hall's log in the city says of directives: number and code, empty for what it did."""
    async with stage.ready.city.db.read() as uow:
        rows = await uow.all(sa.select(hall_models.outcome).order_by(hall_models.outcome.c.no))
    return [(row["no"], row["code"]) for row in rows]


async def deliver(stage: Stage, row: sa.RowMapping) -> None:
    """A directive reaches the hall as it was when the link read it."""
    directive = read_directive(msgspec.Raw(row["body"]))
    command = c.ApplyDirective(no=row["no"], directive=directive, expires_at=row["expires_at"])
    await stage.hall.submit(command, key=f"dir:{row['no']}", actor="city")


async def on_the_wire(stage: Stage) -> sa.RowMapping:
    async with stage.ready.city.db.read() as uow:
        return (await open_directives(uow, HALL, 0))[0]


async def test_a_hall_that_comes_back_after_the_withdrawal_keeps_what_it_had(stage: Stage) -> None:
    before = stage.hall.state.config
    number = await publish(stage, "综合一号")
    status, text = await stage.press("withdraw", directive=number)
    assert (status, "第 2 版已撤回，不再发给大厅" in text) == (200, True)
    assert "大厅还没有确认" in text, "the hall has said nothing so far, and the page says so"
    assert (await stage.standing()).draft is not None, "what was written is not lost"
    async with linked(stage.ready, stage.hall):
        assert await stage.answered() == "withdrawn directive.expired"
    assert stage.hall.state.config == before
    assert await answers(stage) == [(1, "directive.expired")]
    _, text = await stage.person.get(PAGE)
    assert "第 2 版已撤回，大厅确认没有启用" in text
    assert "撤回人：" in text
    assert "已撤回" in (await stage.person.get("/configurations"))[1]
    async with stage.ready.city.db.read() as uow:
        acts = [(one.act, one.object, one.detail) for one in await read_audit(uow)]
    assert ("config.withdraw", "test", "version 2 directive 1") in acts


async def test_several_wait_one_after_another_and_only_the_last_that_stands_comes_into_force(
    stage: Stage,
) -> None:
    for name in ("一", "二"):
        number = await publish(stage, name)
        assert (await stage.press("withdraw", directive=number))[0] == 200
    third = await publish(stage, "三")
    status, text = await stage.press("withdraw", directive="1")
    assert (status, "撤不回了" in text) == (409, True), "a page of before takes nothing newer back"
    assert third == "3"
    assert text.count("大厅还没有确认") == 2, "all that the hall has not answered is told"
    async with linked(stage.ready, stage.hall):
        await stage.at_version(2)
        assert await stage.answered() == "applied"
    assert stage.hall.state.window_config[W1].name == "三"
    assert await answers(stage) == [(1, "directive.expired"), (2, "directive.expired"), (3, "")]
    _, text = await stage.person.get(PAGE)
    assert ("大厅已启用第 2 版" in text, "已撤回" in text) == (True, False)
    _, text = await stage.person.get(f"{PAGE}/history")
    assert "<td>三</td>" in text, "the version is of the publication that it was"


async def test_what_the_hall_took_in_the_same_moment_is_in_force_and_said_so(stage: Stage) -> None:
    """It was on the wire when it was withdrawn: another one sent meanwhile overwrites nothing."""
    number = await publish(stage, "先到")
    sent = await on_the_wire(stage)
    assert (await stage.press("withdraw", directive=number))[0] == 200
    await deliver(stage, sent)
    await publish(stage, "后到")
    async with linked(stage.ready, stage.hall):
        await stage.at_version(2)
        assert (await stage.answered()).startswith("refused config.")
    assert stage.hall.state.window_config[W1].name == "先到"
    status, text = await stage.person.get(PAGE)
    assert status == 200
    assert "撤回晚了一步：大厅在收到撤回之前已启用第 2 版" in text
    assert "大厅没有启用第 2 版" in text, "and what became of the other"
    assert "<td>先到</td>" in (await stage.person.get(f"{PAGE}/history"))[1]
    status, text = await stage.press("withdraw", directive=number)
    assert (status, "大厅已经回答" in text) == (409, True)


async def test_what_a_hall_refused_before_it_was_withdrawn_is_refused(stage: Stage) -> None:
    number = await publish(stage, "综合一号")
    sent = await on_the_wire(stage)
    edit = c.EditConfig(base=1, part=renamed("大厅自己改"))
    await stage.hall.submit(edit, key="manager:00000001", actor=f"staff:{small_hall().staff[0].id}")
    await deliver(stage, sent)
    assert (await stage.press("withdraw", directive=number))[0] == 200
    async with linked(stage.ready, stage.hall):
        assert (await stage.answered()).startswith("refused config.")


async def test_a_withdrawal_and_a_link_that_delivers_end_as_the_hall_says(stage: Stage) -> None:
    """Both at once, again and again: the page and the hall never tell two stories."""
    async with linked(stage.ready, stage.hall):
        for turn in range(4):
            await stage.push(renamed(f"第{turn}次"))
            async with stage.ready.city.db.write() as uow:
                await stage.service.publish(uow, SYSTEM, HALL, "")
            asked = stage.press("withdraw", directive=str(turn + 1))
            status, _ = (await asyncio.gather(asked, asyncio.sleep(0)))[0]
            state = await stage.answered()
            version = (await stage.standing()).present.version
            took = stage.hall.state.window_config[W1].name == f"第{turn}次"
            assert state.split()[0] == ("applied" if took else "withdrawn"), (turn, status)
            held = stage.hall.state.config
            assert held is not None
            assert held.version == version
            if (await stage.standing()).draft is not None:
                assert (await stage.press("drop"))[0] == 200


async def test_who_may_not_write_a_halls_configuration_withdraws_none(stage: Stage) -> None:
    await publish(stage, "综合一号")
    async with stage.ready.city.db.write() as uow:
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            await stage.service.withdraw(uow, NOBODY, HALL, 1)
    for odd in ("", "x", "９", "99999999999999999999"):
        assert (await stage.press("withdraw", directive=odd))[0] == 409
    assert (await stage.standing()).pending


async def test_projections_read_again_know_what_was_withdrawn(stage: Stage) -> None:
    number = await publish(stage, "综合一号")
    assert (await stage.press("withdraw", directive=number))[0] == 200
    async with linked(stage.ready, stage.hall):
        assert await stage.answered() == "withdrawn directive.expired"
    await stage.ready.city.runner.rebuild("configuration")
    assert await stage.answered() == "withdrawn directive.expired"
