"""Forms made from types: what a form shows is what is saved, rows come and go, and what is wrong is named."""

from typing import Any, get_args

import msgspec
import pytest

from console.modules.configuration.packing import Document, document
from console.modules.configuration.typed import flat, parts
from console.modules.configuration.typed.drawn import Artist, Node
from console.modules.configuration.typed.flat import Flat
from console.modules.configuration.typed.shapes import Group, Kinds, Leaf, Pairs, Rows, Shape
from qingting.contract import layouts as lay
from qingting.contract import rules as r
from qingting.contract.config import HallConfig
from qingting.contract.examples import CONFIG
from qingting.contract.states import Language
from qingting.contract.templates import DEFAULT_KIOSK, DEFAULT_TICKET, KioskNotice
from qingting.kernel.web.faulty import FormRefusal

LAYOUT = lay.BoardLayout(
    id="strip",
    name="条屏",
    kind=lay.LayoutKind.WINDOW_STRIP,
    scope=lay.ScopeWindows(windows=(CONFIG.windows[0].id,)),
    rows=1,
    matrix=lay.Matrix(height=16, width=128),
    slots=(
        lay.Slot(
            zone=lay.Zone.CALLS,
            parts=(lay.Part(what=lay.Content.TEXT, text="请{number}", lang=Language.ZH),),
        ),
    ),
)
RULES = r.CallingRules(
    ratios=(r.Ratio(first="booked", second="ordinary", a=2, b=1),),
    conditions=(
        r.CallCondition(
            name="早上",
            when=(
                r.Between(period=CONFIG.queues[0].hours[0]),
                r.WaitingOver(minutes=30, classes=("elderly",), queues=(CONFIG.queues[0].id,)),
                r.CalledFewer(classes=("soldier",), than=1, of=3),
            ),
        ),
    ),
)
FULL: HallConfig = msgspec.structs.replace(
    CONFIG,
    rules=RULES,
    layouts=(LAYOUT,),
    board_layouts={CONFIG.devices[0].id: "strip"},
    announcements=lay.Announcements(
        quiet=(lay.QuietSpan(start="22:00", end="06:00"),),
        speakers={CONFIG.devices[0].id: lay.ScopeHall()},
    ),
    ticket_templates=(DEFAULT_TICKET,),
    kiosk_templates=(
        msgspec.structs.replace(DEFAULT_KIOSK, notices=(KioskNotice(text="今天停电"),)),
    ),
)
KNOWN: Document = document(FULL)
PLACES = [(part, parts.ONE) for part in parts.WHOLE] + [
    (part, KNOWN[field][0]["id"]) for part, field in parts.LISTS.items()
]


def put(part: str, key: str, given: Flat) -> HallConfig:
    return parts.put(KNOWN, FULL.version, part, key, given)


@pytest.mark.parametrize(("part", "key"), PLACES)
def test_a_form_that_nobody_touched_changes_nothing(part: str, key: str) -> None:
    assert put(part, key, parts.standing(KNOWN, part, key)) == FULL


@pytest.mark.parametrize(("part", "key"), PLACES)
def test_every_input_of_a_form_is_drawn_with_words(part: str, key: str) -> None:
    given = parts.standing(KNOWN, part, key)
    drawn = Artist(KNOWN, part, lambda text: text, True).draw(
        parts.shape(part), parts.root(part), given
    )
    names = set(_inputs(drawn))
    assert set(given) <= names, "an input that is not drawn would be lost with the next save"


def _inputs(node: Node) -> list[str]:
    own = {"rows": [f"{node.name}.#"], "kinds": [f"{node.name}.@"], "row": [], "group": []}
    found = list(own.get(node.draws, [node.name]))
    for one in node.inner:
        found += _inputs(one)
    return found


def test_a_field_of_each_part_is_changed_by_its_input() -> None:
    given = parts.standing(KNOWN, "rules", parts.ONE)
    given["rules.classes.1.weight"] = ["25"]
    changed = put("rules", parts.ONE, given).rules
    assert changed.classes[1].weight == 25
    assert changed.version == RULES.version + 1, "another version of the rules"
    given = parts.standing(KNOWN, "boards", "strip")
    given |= {"one.slots.0.motion": ["blink"], "one.matrix.@": [""], "one.kind": ["page_overview"]}
    layout = put("boards", "strip", given).layouts[0]
    assert (layout.slots[0].motion, layout.matrix) == (lay.Motion.BLINK, None)
    given = parts.standing(KNOWN, "announcements", parts.ONE)
    given["announcements.chime"] = []
    assert not put("announcements", parts.ONE, given).announcements.chime


def test_rows_are_added_moved_and_taken_away_and_nothing_else_is() -> None:
    shape, given = parts.shape("rules"), parts.standing(KNOWN, "rules", parts.ONE)
    more = flat.pressed(shape, "rules", given, "add:rules.ratios")
    assert flat.rows_of(more, "rules.ratios") == ["0", "1"]
    more |= {"rules.ratios.1.first": ["elderly"], "rules.ratios.1.second": ["ordinary"]}
    more |= {"rules.ratios.1.a": ["3"], "rules.ratios.1.b": ["1"]}
    moved = flat.pressed(shape, "rules", more, "up:rules.ratios:1")
    assert [one.first for one in put("rules", "one", moved).rules.ratios] == ["elderly", "booked"]
    less = flat.pressed(shape, "rules", moved, "drop:rules.ratios:0")
    assert [one.first for one in put("rules", "one", less).rules.ratios] == ["elderly"]
    for button in ("add:rules.name", "add:nowhere", "drop:rules.ratios:77", "up", ""):
        assert flat.pressed(shape, "rules", given, button) == given, button


def test_another_kind_of_a_record_brings_its_own_inputs() -> None:
    shape, given = parts.shape("rules"), parts.standing(KNOWN, "rules", parts.ONE)
    place = "rules.conditions.0.when.0"
    chosen = flat.pressed(
        shape, "rules", {**given, f"{place}.@": ["line_at_least"]}, f"kind:{place}"
    )
    with pytest.raises(FormRefusal) as wrong:
        put("rules", parts.ONE, chosen)
    assert wrong.value.inputs == {f"{place}.people"}, "what the new kind needs is asked for"
    changed = put("rules", parts.ONE, {**chosen, f"{place}.people": ["9"]}).rules
    assert changed.conditions[0].when[0] == r.LineAtLeast(people=9)


def test_a_speaker_gets_a_scope_and_a_thing_is_there_once() -> None:
    shape = parts.shape("announcements")
    given = parts.standing(KNOWN, "announcements", parts.ONE)
    more = flat.pressed(shape, "announcements", given, "add:announcements.speakers")
    more["announcements.speakers.1.key"] = given["announcements.speakers.0.key"]
    with pytest.raises(FormRefusal):
        put("announcements", parts.ONE, more)
    more["announcements.speakers.1.key"] = ["sp2"]
    assert put("announcements", parts.ONE, more).announcements.speakers["sp2"] == lay.ScopeHall()  # type: ignore[index]


@pytest.mark.parametrize(
    ("part", "key", "name", "value"),
    [
        ("rules", "one", "rules.classes.0.weight", "many"),
        ("rules", "one", "rules.classes.0.weight", "-1"),
        ("kiosks", "builtin", "one.name", ""),
        ("rules", "one", "rules.conditions.0.when.1.minutes", ""),
        ("rules", "one", "rules.conditions.0.when.0.period", "12:00"),
        ("boards", "strip", "one.slots.0.seconds", "0"),
        ("boards", "strip", "one.slots.0.starts", "tomorrow"),
        ("announcements", "one", "announcements.quiet.0.start", "25:00"),
        ("kiosks", "builtin", "one.idle_seconds", "3"),
        ("tickets", "builtin", "one.rows.0.scale", "1.5"),
    ],
)
def test_what_is_wrong_is_said_at_its_input(part: str, key: str, name: str, value: str) -> None:
    given = parts.standing(KNOWN, part, key)
    assert name in given
    with pytest.raises(FormRefusal) as wrong:
        put(part, key, {**given, name: [value]})
    assert wrong.value.inputs == {name}


def test_a_new_entry_has_an_id_of_its_own_and_one_that_goes_leaves_nothing_behind() -> None:
    given = parts.standing(KNOWN, "devices", parts.NEW)
    given |= {"one.name": ["大厅东侧取号机"], "one.kind": ["kiosk"]}
    made = put("devices", parts.NEW, given).devices[-1]
    assert made.id.startswith("x-")
    taken = {**given, "one.id": [CONFIG.devices[0].id]}
    with pytest.raises(FormRefusal):
        put("devices", parts.NEW, taken)
    less = parts.drop(KNOWN, FULL.version, "devices", CONFIG.devices[0].id)
    assert (less.devices, less.board_layouts, less.announcements.speakers) == ((), {}, {})
    less = parts.drop(KNOWN, FULL.version, "boards", "strip")
    assert (less.layouts, less.board_layouts) == ((), {})


def test_what_a_pairing_brought_is_kept_though_no_configuration_names_it() -> None:
    known = {**KNOWN, "board_layouts": {"paired-1": "strip"}}
    given = parts.standing(known, "screens", parts.ONE)
    node = Artist(known, "screens", lambda text: text, True).draw(
        parts.shape("screens"), "board_layouts", given
    )
    key = node.inner[0].inner[0].inner[0]
    assert ("paired-1", "paired-1") in key.options


def test_every_type_of_the_configuration_has_a_form() -> None:
    def leaves(shape: Shape) -> int:
        match shape:
            case Leaf():
                return 1
            case Group():
                return sum(leaves(one) for _, one in shape.fields)
            case Kinds():
                return sum(leaves(one) for _, one in shape.kinds)
            case Rows():
                return leaves(shape.of)
            case Pairs():
                return 1 + leaves(shape.value)

    tags: dict[str, Any] = {one.__struct_config__.tag: one for one in get_args(r.RuleTest)}
    assert set(tags) == {"waiting_over", "line_at_least", "called_fewer", "between"}
    assert all(
        leaves(parts.shape(part)) > 2 for part in (*parts.WHOLE, *parts.LISTS) if part != "screens"
    )
