"""Ticket layouts and kiosk screens as data: what is printed, shown and offered where."""

import msgspec
import pytest
from engine_builders import CARE, HEALTH, KIOSK, MONDAY_9, PERSON, RENEW, EngineRun, small_hall
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine.kiosks import screen, template_of
from hallserver.engine.tickets import facts_of, template_for, ticket_document
from qingting.contract import commands as c
from qingting.contract.config import HallConfig, config_faults
from qingting.contract.config_parts import KioskTemplatesPart, TicketTemplatesPart
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, ItemId
from qingting.contract.printing import PairLine, QrCode, TextLine
from qingting.contract.states import Language
from qingting.contract.templates import (
    DEFAULT_TICKET,
    PLACEHOLDERS,
    FieldRow,
    KioskBlock,
    KioskNotice,
    KioskTemplate,
    QrRow,
    RowWhen,
    TextRow,
    TicketField,
    TicketTemplate,
)

NUMBER = TextRow(text="{number}", scale=4)


def layout(name: str, *rows: object, **more: object) -> TicketTemplate:
    return TicketTemplate(id=name, name=name, rows=(NUMBER, *rows), **more)  # type: ignore[arg-type]


def with_group(config: HallConfig) -> HallConfig:
    items = tuple(
        msgspec.structs.replace(one, group="户政") if one.id == RENEW else one
        for one in config.items
    )
    return msgspec.structs.replace(config, items=items)


@pytest.fixture
def run() -> EngineRun:
    return EngineRun(with_group(small_hall()))


def put(run: EngineRun, *templates: TicketTemplate) -> None:
    assert run.state.config is not None
    base = run.state.config.version
    run.do(c.EditConfig(base=base, part=TicketTemplatesPart(ticket_templates=templates)))


def put_kiosks(run: EngineRun, *templates: KioskTemplate) -> None:
    assert run.state.config is not None
    base = run.state.config.version
    run.do(c.EditConfig(base=base, part=KioskTemplatesPart(kiosk_templates=templates)))


class TestTicketLayouts:
    def test_without_templates_the_built_in_one_is_printed(self, run: EngineRun) -> None:
        assert template_for(run.state, run.state.tickets[run.take()]) is DEFAULT_TICKET

    def test_the_most_exact_binding_wins(self, run: EngineRun) -> None:
        both = layout("both", kiosks=(KIOSK,), groups=("户政",))
        kiosk = layout("kiosk", kiosks=(KIOSK,))
        group = layout("group", groups=("户政",))
        care, renew = run.take(CARE), run.take(RENEW)
        elsewhere = run.take(RENEW, device=None)
        put(run, group, kiosk, both)
        chosen = [
            template_for(run.state, run.state.tickets[one]).id for one in (care, renew, elsewhere)
        ]
        assert chosen == ["kiosk", "both", "group"]

    def test_a_template_bound_to_nothing_is_for_nothing(self, run: EngineRun) -> None:
        put(run, layout("loose"))
        assert template_for(run.state, run.state.tickets[run.take()]).id == "builtin"

    def test_a_fact_that_a_ticket_does_not_have_leaves_no_empty_line(self, run: EngineRun) -> None:
        rows = [FieldRow(field=one) for one in TicketField]
        document = ticket_document(run.state, run.take(CARE), "http://hall", layout("all", *rows))
        pairs = [one for one in document if isinstance(one, PairLine)]
        assert all(one.value for one in pairs)
        assert "姓　　名" not in {one.label for one in pairs}

    def test_rows_for_booked_visitors_are_not_printed_for_others(self, run: EngineRun) -> None:
        row = TextRow(text="请按预约时间办理", when=RowWhen.BOOKED)
        document = ticket_document(run.state, run.take(), "http://hall", layout("x", row))
        assert [one for one in document if isinstance(one, TextLine) and "预约" in one.text] == []

    def test_the_own_label_and_the_language_of_the_citizen_are_used(self, run: EngineRun) -> None:
        row = FieldRow(field=TicketField.ITEM, label="办", label_en="For")
        run.do(c.IssueTicket(item=CARE, token="t-english", language=Language.EN))
        ticket = run.state.tokens["t-english"]
        (pair,) = [
            one
            for one in ticket_document(run.state, ticket, "http://hall", layout("x", row))
            if isinstance(one, PairLine)
        ]
        assert (pair.label, pair.value) == ("For", "Item care")

    def test_the_code_never_says_anything_but_the_token(self, run: EngineRun) -> None:
        ticket = run.take(RENEW)
        document = ticket_document(run.state, ticket, "http://hall", layout("x", QrRow()))
        (code,) = [one for one in document if isinstance(one, QrCode)]
        assert code.data == f"http://hall/t/{run.state.tickets[ticket].token}"

    @given(
        rows=st.lists(
            st.one_of(
                st.builds(
                    TextRow,
                    text=st.sampled_from(sorted(PLACEHOLDERS)).map(lambda one: f"—{{{one}}}—"),
                    scale=st.integers(1, 8),
                    fit=st.booleans(),
                ),
                st.builds(FieldRow, field=st.sampled_from(TicketField)),
            ),
            max_size=20,
        )
    )
    def test_every_sound_template_can_be_printed(self, rows: list[object]) -> None:
        run = EngineRun()
        ticket = run.take(RENEW)
        assert ticket_document(run.state, ticket, "http://hall", layout("any", *rows))

    @pytest.mark.parametrize(
        ("template", "fault"),
        [
            (TicketTemplate(id="x", name="x", rows=(QrRow(),)), "the number is missing"),
            (
                layout("x", TextRow(text="{certificate_number}")),
                "no placeholder {certificate_number}",
            ),
            (layout("x", groups=("没有",)), "no item group"),
        ],
    )
    def test_an_unusable_template_is_refused_with_the_reason(
        self, run: EngineRun, template: TicketTemplate, fault: str
    ) -> None:
        with pytest.raises(Refusal) as refused:
            put(run, template)
        assert refused.value.code == "config.invalid"
        assert fault in str(refused.value.params["faults"])


class TestKioskScreens:
    def test_a_kiosk_offers_what_its_template_names_and_refuses_the_rest(
        self, run: EngineRun
    ) -> None:
        put_kiosks(run, KioskTemplate(id="police", name="户政", groups=("户政",), kiosks=(KIOSK,)))
        shown = screen(run.state, template_of(run.state, KIOSK), run.now)
        assert shown.items == (RENEW,)
        with pytest.raises(Refusal) as refused:
            run.take(CARE)
        assert refused.value.code == "ticket.not_at_kiosk"
        run.take(RENEW)
        run.take(CARE, device=None)

    def test_another_kiosk_is_not_touched(self, run: EngineRun) -> None:
        put_kiosks(run, KioskTemplate(id="x", name="x", items=(RENEW,), kiosks=(KIOSK,)))
        assert screen(run.state, template_of(run.state, DeviceId("k2")), run.now).items is None

    def test_a_notice_is_shown_from_its_beginning_until_before_its_end(
        self, run: EngineRun
    ) -> None:
        notice = KioskNotice(text="停电检修", starts="2026-11-23T09:30", ends="2026-11-23T10:00")
        put_kiosks(run, KioskTemplate(id="x", name="x", notices=(notice,), kiosks=(KIOSK,)))
        template = template_of(run.state, KIOSK)
        minute = 60_000
        shown = [
            bool(screen(run.state, template, MONDAY_9 + at * minute).notices)
            for at in (29, 30, 59, 60)
        ]
        assert shown == [False, True, True, False]

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"blocks": (KioskBlock.QUEUES,)}, "nothing on the first screen leads to a number"),
            ({"blocks": (KioskBlock.TAKE, KioskBlock.TAKE)}, "a block appears twice"),
            ({"items": (ItemId("gone"),)}, "no item 'gone'"),
        ],
    )
    def test_unusable_screens_are_faults(self, change: dict[str, object], fault: str) -> None:
        template = KioskTemplate(id="x", name="x", **change)  # type: ignore[arg-type]
        config = msgspec.structs.replace(small_hall(), kiosk_templates=(template,))
        assert any(fault in one.line() for one in config_faults(config))

    def test_a_kiosk_bound_twice_is_a_fault(self) -> None:
        two = tuple(KioskTemplate(id=one, name=one, kiosks=(KIOSK,)) for one in ("a", "b"))
        config = msgspec.structs.replace(small_hall(), kiosk_templates=two)
        assert any("is bound twice" in one.line() for one in config_faults(config))


def test_a_booked_ticket_says_window_and_place() -> None:
    config = small_hall()
    windows = tuple(msgspec.structs.replace(one, place="一楼 A 区") for one in config.windows)
    run = EngineRun(msgspec.structs.replace(config, windows=windows))
    ticket = run.take(CARE)
    rows = (FieldRow(field=TicketField.WINDOWS), FieldRow(field=TicketField.PLACE))
    document = ticket_document(run.state, ticket, "http://hall", layout("x", *rows))
    pairs = [(one.label, one.value) for one in document if isinstance(one, PairLine)]
    assert pairs == [("办理窗口", "1、3"), ("窗口位置", "一楼 A 区")]
    assert run.state.tickets[ticket].queue == HEALTH
    assert PERSON.masked_name not in str(document)


def test_the_paper_of_an_english_visitor_is_english_where_somebody_has_translated() -> None:
    config = small_hall()
    windows = tuple(
        msgspec.structs.replace(one, place="一楼 A 区", place_en="Floor 1, area A")
        for one in config.windows
    )
    items = tuple(
        msgspec.structs.replace(
            one, materials=("居民户口簿",), materials_en=("Household register",)
        )
        if one.id == CARE
        else msgspec.structs.replace(one, materials=("身份证",))
        for one in config.items
    )
    run = EngineRun(msgspec.structs.replace(config, windows=windows, items=items))
    facts = [
        facts_of(run.state, run.state.tickets[run.issue(item, language=language)])
        for item, language in ((CARE, Language.EN), (CARE, Language.ZH), (RENEW, Language.EN))
    ]
    assert [one["place"] for one in facts] == [
        ["Floor 1, area A"],
        ["一楼 A 区"],
        ["Floor 1, area A"],
    ]
    assert [one["materials"] for one in facts] == [
        ["Household register"],
        ["居民户口簿"],
        ["身份证"],
    ]
