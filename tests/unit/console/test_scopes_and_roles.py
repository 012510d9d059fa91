"""Pure rules of who may do what where: what a reach means, who may give a role, and that the three administrators
never meet in one hand."""

import itertools

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from console.core.permissions import (
    CITY_WIDE,
    DUTIES,
    EVERYWHERE,
    NOWHERE,
    Area,
    Duty,
    Permission,
    Reach,
    ReachKind,
    Scope,
    Subject,
    grants_everywhere,
    stem,
)
from console.modules.identity.roles import (
    BUILT_IN,
    Assignment,
    Role,
    grants_of,
    joint_duty,
    may_give,
)
from console.modules.organisation.api import Department, Level
from console.modules.organisation.domain import (
    Chart,
    full,
    level_of,
    parent_of,
    read_divisions,
)
from qingting.contract.errors import Refusal

DIVISIONS = {one.code: one for one in read_divisions()}
CITY, SAERTU, STREET, LONGFENG = (full(one) for one in ("230600", "230602", "230602013", "230603"))
RSJ = Department(id="rsj", parent="", division=CITY, code="rsj", name="人社局", name_en="", uscc="")
SAERTU_RSJ = Department(
    id="saertu-rsj", parent="rsj", division=SAERTU, code="rsj", name="区人社局", name_en="", uscc=""
)
CHART = Chart(
    DIVISIONS,
    {one.id: one for one in (RSJ, SAERTU_RSJ)},
    {
        "city": ("230600", ""),
        "saertu": ("230602", ""),
        "street": ("230602013", ""),
        "longfeng": ("230603", "rsj"),
        "new": ("", ""),
    },
)
ROLES = {one.id: one for one in BUILT_IN}


def region(code: str) -> Reach:
    return Reach(ReachKind.REGION, code)


def subject(role: str, reach: Reach) -> Subject:
    grants = grants_of([Assignment(ROLES[role], reach)], {reach: CHART.scope(reach)})
    return Subject(id=role, name=role, grants=grants)


class TestWhatAReachMeans:
    def test_daqing_has_its_districts_and_counties_and_their_parts(self) -> None:
        levels = [one.level for one in DIVISIONS.values()]
        assert levels.count(Level.CITY) == 1
        assert levels.count(Level.DISTRICT) == 10
        assert levels.count(Level.TOWN) > 100
        assert all(one.parent in DIVISIONS for one in DIVISIONS.values() if one.parent)

    @pytest.mark.parametrize(
        ("code", "own", "parent", "level"),
        [
            ("230600", "2306", "", Level.CITY),
            ("230602", "230602", "230600", Level.DISTRICT),
            ("230602013", "230602013", "230602", Level.TOWN),
            ("230602013001", "230602013001", "230602013", Level.VILLAGE),
        ],
    )
    def test_a_code_says_what_it_is_and_under_what(
        self, code: str, own: str, parent: str, level: Level
    ) -> None:
        assert (stem(code), level_of(full(code))) == (own, level)
        assert parent_of(full(code)) == (full(parent) if parent else "")
        assert level_of("23060x") is None

    def test_a_division_holds_the_halls_below_it_and_no_others(self) -> None:
        assert CHART.scope(region(SAERTU)).halls == {"saertu", "street"}
        assert CHART.scope(region(STREET)).halls == {"street"}
        assert CHART.scope(region(LONGFENG)).halls == {"longfeng"}

    def test_the_city_holds_all_halls_also_those_that_belong_nowhere_yet(self) -> None:
        assert CHART.scope(region(CITY)) == EVERYWHERE
        assert EVERYWHERE.has("new")

    def test_a_department_has_the_halls_it_runs_and_its_own_work_in_the_others(self) -> None:
        scope = CHART.scope(Reach(ReachKind.DEPARTMENT, "rsj"))
        assert scope.halls == {"longfeng"}
        assert scope.touched is None
        assert scope.has_department("saertu-rsj", SAERTU)
        district = CHART.scope(Reach(ReachKind.DEPARTMENT, "saertu-rsj"))
        assert (district.halls, district.touched) == (frozenset(), {"saertu", "street"})
        assert not district.has_department("rsj", CITY)

    def test_what_is_gone_means_nothing(self) -> None:
        for reach in (region(full("230699")), Reach(ReachKind.HALL, "gone"), Reach(ReachKind.OWN)):
            assert CHART.scope(reach) == NOWHERE
        assert str(NOWHERE.where(sa.column("hall"))) == "false"

    @given(st.lists(st.sampled_from(sorted(DIVISIONS)), max_size=4))
    def test_several_reaches_hold_what_each_holds(self, codes: list[str]) -> None:
        scopes = [CHART.scope(region(one)) for one in codes]
        joint = NOWHERE
        for one in scopes:
            joint |= one
        for hall in CHART.halls:
            assert joint.has(hall) == any(one.has(hall) for one in scopes)


class TestWhoMayGiveWhat:
    def test_a_district_manager_gives_within_the_district_only(self) -> None:
        manager = subject("district_manager", region(SAERTU))
        for role, reach, may in (
            ("hall_manager", region(STREET), True),
            ("district_manager", region(SAERTU), True),
            ("hall_manager", Reach(ReachKind.HALL, "saertu"), True),
            ("evaluation_officer", Reach(ReachKind.DEPARTMENT, "saertu-rsj"), True),
            ("clerk", Reach(ReachKind.OWN), True),
            ("hall_manager", region(LONGFENG), False),
            ("hall_manager", region(CITY), False),
            ("hall_manager", Reach(ReachKind.HALL, "longfeng"), False),
            ("evaluation_officer", Reach(ReachKind.DEPARTMENT, "rsj"), False),
            ("system", region(SAERTU), False),
            ("audit", region(SAERTU), False),
        ):
            assert may_give(manager, ROLES[role], reach, CHART) is may, (role, reach)

    def test_the_security_administrator_gives_any_role_anywhere(self) -> None:
        keeper = subject("security", region(CITY))
        assert all(may_give(keeper, one, region(CITY), CHART) for one in BUILT_IN)

    @given(st.sampled_from(sorted(ROLES)), st.sampled_from(sorted(DIVISIONS)))
    def test_what_is_given_is_never_more_than_the_giver_has(self, role: str, code: str) -> None:
        manager = subject("district_manager", region(SAERTU))
        if may_give(manager, ROLES[role], region(code), CHART):
            for function, scope in subject(role, region(code)).grants.items():
                assert function in manager.grants
                assert scope.halls is not None
                assert all(manager.may(function, hall=hall) for hall in scope.halls)

    def test_what_all_halls_share_comes_with_the_whole_city_alone(self) -> None:
        whole = [set(subject(role, region(CITY)).grants) for role in ROLES]
        assert set().union(*whole) >= CITY_WIDE
        for role in ROLES:
            assert not set(subject(role, region(SAERTU)).grants) & CITY_WIDE, role


class TestThreeAdministrators:
    def test_no_built_in_role_has_functions_of_two(self) -> None:
        assert {one.id: one.duty for one in BUILT_IN if one.fixed} == {one: one for one in Duty}
        assert all(one.duty in (None, Duty.SECURITY) for one in BUILT_IN if not one.fixed)

    @pytest.mark.parametrize(
        "pair",
        [
            pair
            for pair in itertools.combinations(sorted(DUTIES), 2)
            if DUTIES[pair[0]] is not DUTIES[pair[1]]
        ],
    )
    def test_no_role_can_have_functions_of_two(self, pair: tuple[Permission, ...]) -> None:
        role = Role(id="both", name="x", name_en="", functions=frozenset(pair))
        with pytest.raises(Refusal, match=r"role\.duties"):
            _ = role.duty

    def test_the_audit_administrator_changes_nothing(self) -> None:
        reads = {Permission.LOOK, Permission.TICKETS, Permission.RATINGS, Permission.ALARMS}
        assert ROLES["audit"].functions == reads | {Permission.WALL, Permission.AUDIT_READ}
        assert [one.id for one in BUILT_IN if Permission.AUDIT_READ in one.functions] == ["audit"]

    def test_no_person_can_have_roles_of_two(self) -> None:
        for one, other in itertools.permutations(Duty, 2):
            with pytest.raises(Refusal, match=r"role\.duties"):
                joint_duty([ROLES["hall_manager"], ROLES[one], ROLES[other]])
        assert joint_duty([ROLES["system"], ROLES["hall_manager"]]) is Duty.SYSTEM

    def test_nobody_has_everything(self) -> None:
        assert all(set(one.functions) < set(Permission) for one in BUILT_IN)


def test_a_hall_elsewhere_is_refused_like_one_that_never_was() -> None:
    manager = subject("hall_manager", Reach(ReachKind.HALL, "saertu"))
    manager.require(Permission.LOOK, hall="saertu")
    for hall in ("longfeng", "nowhere"):
        with pytest.raises(Refusal, match=r"page\.forbidden"):
            manager.require(Permission.LOOK, hall=hall)
    everybody = Subject(id="x", name="x", grants=grants_everywhere([Permission.LOOK]))
    assert everybody.may(Permission.LOOK, hall="longfeng")
    assert not everybody.may(Permission.HANDS)


def test_a_department_sees_only_its_own_rows_and_never_a_table_that_tells_no_department() -> None:
    scope = Scope((Area(halls=None, codes=frozenset({"rsj"})),))
    hall, department = sa.column("hall", sa.Text), sa.column("department", sa.Text)
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        for code, seen in (("rsj", 1), ("gaj", 0)):
            rows = sa.select(
                sa.literal("saertu").label("hall"), sa.literal(code).label("department")
            ).subquery()
            with_it = sa.select(sa.func.count()).select_from(rows)
            assert connection.scalar(with_it.where(scope.where(hall, department))) == seen
            assert connection.scalar(with_it.where(scope.where(hall))) == 0
    engine.dispose()
