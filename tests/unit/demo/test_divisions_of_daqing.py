"""The divisions of Daqing are complete and well formed."""

import re
from collections import Counter

from qingting.demo.sources import DivisionKind, divisions, halls

PARTS = {
    "230602": 11,
    "230603": 8,
    "230604": 13,
    "230605": 8,
    "230606": 15,
    "230621": 14,
    "230622": 22,
    "230623": 12,
    "230624": 13,
    "230671": 2,
}
"""How many streets, towns, townships and others each area has in the statistics of 2022-10-31."""


def test_there_are_five_districts_four_counties_and_one_zone() -> None:
    kinds = Counter(one.kind for one in divisions() if len(one.code) == 6)
    assert kinds == {
        DivisionKind.CITY: 1,
        DivisionKind.DISTRICT: 5,
        DivisionKind.COUNTY: 4,
        DivisionKind.ZONE: 1,
    }


def test_each_area_has_all_its_parts() -> None:
    assert Counter(one.parent for one in divisions() if len(one.code) == 9) == PARTS


def test_codes_are_unique_and_start_with_their_parents_code() -> None:
    codes = [one.code for one in divisions()]
    assert len(set(codes)) == len(codes)
    for one in divisions():
        assert re.fullmatch(r"2306\d\d(\d{3})?", one.code)
        if len(one.code) == 9:
            assert one.parent == one.code[:6]


def test_names_tell_the_kind() -> None:
    named = {one.code: (one.name, one.kind) for one in divisions()}
    assert named["230602018"] == ("铁人街道", DivisionKind.STREET)
    assert named["230604101"] == ("喇嘛甸镇", DivisionKind.TOWN)
    assert named["230622201"] == ("薄荷台乡", DivisionKind.TOWNSHIP)
    assert named["230624501"] == ("大山种羊场", DivisionKind.OTHER)
    assert named["230624"] == ("杜尔伯特蒙古族自治县", DivisionKind.COUNTY)


def test_every_hall_stands_in_a_known_division() -> None:
    known = {one.code for one in divisions()}
    assert {hall.division for hall in halls().values()} <= known
