"""The files that a run begins with are there, so that none of them is looked for in vain after a move."""

from pathlib import Path

from longest import LONGEST, place

TESTS = Path(__file__).parents[2]


def test_every_file_that_begins_a_run_exists() -> None:
    assert [one for one in LONGEST if not (TESTS / one).is_file()] == []


def test_the_longest_stand_before_all_others_in_their_order() -> None:
    others = (TESTS / "unit/docs/test_a.py", TESTS / "integration/hub/test_b.py")
    assert [place(TESTS / one) for one in LONGEST] == list(range(len(LONGEST)))
    assert {place(one) for one in others} == {len(LONGEST)}
