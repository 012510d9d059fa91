"""Ticket layouts as the manager edits them: without a script, with nothing lost, only by managers."""

import msgspec
import pytest
from fixtures_manager import PASSWORD, Site

from hallserver.app.manage.rows import MAX_ROWS, changed, read_rows
from qingting.contract.errors import Refusal
from qingting.contract.ids import StaffId
from qingting.contract.templates import DEFAULT_TICKET

NEW = "/manage/ticket-layouts/builtin/copy"


async def new_layout(inside: Site) -> tuple[str, dict[str, str]]:
    """Address and fields of a form that was begun and not sent."""
    _, page = await inside.get(NEW)
    action = page.split('<form id="layout" class="editor" method="post" action="')[1].split('"')[0]
    base = page.split('name="base" value="')[1].split('"')[0]
    fields = {"base": base, "name": "户政号票", "row-0-row": "text", "row-0-text": "{number}"}
    return action, fields


async def test_a_layout_is_saved_and_bound(inside: Site) -> None:
    action, fields = await new_layout(inside)
    kiosk = next(one for one in inside.desk.state.devices if one.startswith("k"))
    status, page = await inside.post(action, form_at=NEW, **fields, kiosks=kiosk, do="save")
    assert (status, "已保存" in page, "户政号票" in page) == (200, True, True)
    config = inside.desk.state.config
    assert config is not None
    (template,) = config.ticket_templates
    assert (template.name, template.kiosks) == ("户政号票", (kiosk,))


async def test_what_cannot_be_printed_is_refused_and_stays_typed(inside: Site) -> None:
    action, fields = await new_layout(inside)
    fields["row-0-text"] = "没有号码"
    status, page = await inside.post(action, form_at=NEW, **fields, do="save")
    assert status == 422
    assert "缺少号码" in page
    assert 'value="没有号码"' in page
    assert inside.desk.state.config is not None
    assert inside.desk.state.config.ticket_templates == ()


async def test_buttons_of_the_list_change_the_form_alone(inside: Site) -> None:
    action, fields = await new_layout(inside)
    version = inside.desk.state.config.version if inside.desk.state.config else 0
    status, page = await inside.post(action, form_at=NEW, **fields, do="add:qr")
    assert (status, page.count('class="row"')) == (200, 2)
    assert inside.desk.state.config is not None
    assert inside.desk.state.config.version == version


async def test_a_save_on_top_of_somebody_else_s_is_refused_and_stays_typed(inside: Site) -> None:
    action, fields = await new_layout(inside)
    other, first = await new_layout(inside)
    await inside.post(other, form_at=NEW, **(first | {"name": "先保存的"}), do="save")
    status, page = await inside.post(action, form_at=NEW, **fields, do="save")
    assert (status, "配置刚被别人改过" in page, 'value="户政号票"' in page) == (409, True, True)


async def test_the_built_in_layout_is_never_changed_or_removed(inside: Site) -> None:
    _, fields = await new_layout(inside)
    for path in ("/manage/ticket-layouts/builtin", "/manage/ticket-layouts/builtin/drop"):
        status, _ = await inside.post(path, form_at=NEW, **fields, do="save")
        assert status in (409, 422)
    assert DEFAULT_TICKET.rows


async def test_a_clerk_gets_nowhere_near(inside: Site) -> None:
    await inside.desk.accounts.staff.put(StaffId("s-01"), PASSWORD, must_change=False)
    await inside.post("/manage/logout", form_at="/manage/")
    _, page = await inside.log_in(number="0101")
    status, page = await inside.get("/manage/ticket-layouts")
    assert "号票内容" not in page
    assert "新建模板" not in page
    assert status in (200, 403)


@pytest.mark.parametrize("example", ["walk_in", "booked", "late", "several", "english", "nonsense"])
async def test_every_example_can_be_looked_at(inside: Site, example: str) -> None:
    action, fields = await new_layout(inside)
    status, page = await inside.post(action + "/preview", form_at=NEW, **fields, example=example)
    assert (status, "data:image/png;base64," in page) == (200, True)


class TestRows:
    def test_come_in_the_order_of_their_numbers(self) -> None:
        data = {"row-2-text": "b", "row-0-text": "a", "other": "x"}
        assert read_rows(data) == [{"text": "a"}, {"text": "b"}]

    @pytest.mark.parametrize("key", ["row-x-text", f"row-{MAX_ROWS}-text", "row-1-", "row-1"])
    def test_with_a_wrong_name_are_refused(self, key: str) -> None:
        with pytest.raises(Refusal) as refused:
            read_rows({key: "x"})
        assert refused.value.code == "form.invalid"

    @pytest.mark.parametrize(
        ("action", "names"),
        [
            ("up:1", "bac"),
            ("down:1", "acb"),
            ("drop:0", "bc"),
            ("up:0", "abc"),
            ("down:2", "abc"),
            ("drop:9", "abc"),
            ("add:new", "abcn"),
            ("add:other", "abc"),
            ("", "abc"),
            ("save:1", "abc"),
        ],
    )
    def test_move_as_the_button_says(self, action: str, names: str) -> None:
        rows = [{"text": one} for one in "abc"]
        moved = changed(rows, action, {"new": {"text": "n"}})
        assert "".join(one["text"] for one in moved) == names


def test_the_built_in_layout_can_be_written_and_read_again() -> None:
    raw = msgspec.json.encode(DEFAULT_TICKET)
    assert msgspec.json.decode(raw, type=type(DEFAULT_TICKET)) == DEFAULT_TICKET
