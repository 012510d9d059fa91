"""Which inputs a refusal is about, and what a page writes on them."""

import pytest

from qingting.contract.errors import Refusal
from qingting.kernel.web.faulty import (
    NOTICE,
    attributes,
    faulty_inputs,
    in_words,
    inputs_at,
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("seats", "seats"),
        ("hall.seats", "seats"),
        ("classes[2].weight", "class-2-weight"),
        ("queues[0].caps[1].tickets", "queue-0-caps"),
        ("volumes[3].percent", "volumes-3-percent"),
    ],
)
def test_a_path_leads_to_the_input_that_people_see(path: str, name: str) -> None:
    assert name in inputs_at(path)


def test_a_refusal_that_is_about_no_input_marks_none() -> None:
    assert faulty_inputs(None) == frozenset()
    assert faulty_inputs(Refusal("config.moved_on")) == frozenset()
    assert faulty_inputs(Refusal("form.invalid", field="name")) == {"name"}


def test_an_input_at_fault_keeps_its_hint_and_gets_the_notice() -> None:
    faulty = frozenset({"new"})
    assert attributes("new", "h-new", faulty) == (
        f' aria-invalid="true" aria-describedby="{NOTICE} h-new"'
    )
    assert attributes("old", "h-old", faulty) == ' aria-describedby="h-old"'
    assert attributes("old", "", faulty) == ""


def test_a_refusal_says_what_the_page_calls_the_input() -> None:
    page = '<label for="f-minutes">时段长度（分钟）</label><label for="f-note">A &amp; B</label>'
    problem = Refusal("form.invalid", field="rules[0].minutes")
    said = in_words(problem, frozenset({"minutes"}), page)
    assert said is not None
    assert "时段长度（分钟）" in said.sentence()
    assert faulty_inputs(said) == {"minutes"}
    noted = in_words(problem, frozenset({"note"}), page)
    assert noted is not None
    assert noted.params["field"] == "A & B"
    assert in_words(problem, frozenset({"elsewhere"}), page) is None
    assert in_words(Refusal("config.moved_on"), frozenset({"minutes"}), page) is None
