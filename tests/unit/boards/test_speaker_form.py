"""The page of announcements keeps what it cannot show, and puts into the configuration what was chosen."""

from calling_house import SPEAKERS, House

from hallserver.app.manage.speaker_form import fields_of, scopes_of
from qingting.contract.layouts import ScopeAreas, ScopeWindows

FIRST, SECOND = SPEAKERS


def test_what_was_chosen_is_in_the_configuration_and_shown_again() -> None:
    house = House()
    typed = {f"speaker-{FIRST}": "area:东区", f"speaker-{SECOND}": "hall"}
    assert scopes_of(house.state, typed) == {FIRST: ScopeAreas(areas=("东区",))}
    assert [one.chosen for one in fields_of(house.state, typed)] == ["area:东区", "hall"]
    assert [one.chosen for one in fields_of(house.state, {})] == ["hall", "hall"]
    offered = [value for value, _, _ in fields_of(house.state, {})[0].choices]
    assert offered[:3] == ["hall", "area:东区", "area:西区"]


def test_a_choice_that_the_page_does_not_offer_stays_as_the_file_has_it() -> None:
    windows = ScopeWindows(windows=(next(iter(House().state.window_config)),))
    house = House(speakers={FIRST: windows})
    assert fields_of(house.state, {})[0].chosen == "kept"
    assert scopes_of(house.state, {f"speaker-{FIRST}": "kept"}) == {FIRST: windows}
    assert scopes_of(house.state, {}) == {FIRST: windows}
