"""The lists of pages that the crawl is held to name what is there, each address once, and hide no page of a new kind."""

from pages_looked_at import CITY_ROUTES, LINKED, NO_PAGE, NO_PAGES, RARE, not_among


def test_every_exception_is_an_address_of_the_console_and_in_one_list() -> None:
    named = [*RARE, *(one for these in NO_PAGES.values() for one in these)]
    assert set(named) - set(CITY_ROUTES) == set(), "it is gone: take it out"
    assert len(named) == len(set(named))
    assert len(LINKED) > len(RARE) + len(NO_PAGE)


def test_a_page_that_nobody_looked_at_is_found_missing() -> None:
    seen = {"/staff", "/halls/{hall}", "/configurations/{hall}/parts/windows"}
    wanted = {"/staff", "/halls/{hall}", "/configurations/{hall}/parts/{part}", "/quite/new"}
    assert not_among(wanted, seen) == ["/quite/new"]
