"""How the health page judges: what is late, full or never done is said with what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.app.modules import PAGE_PACKAGES
from console.core.upkeep import UpkeepOptions
from console.halls.api import HallStatus, LinkState
from console.modules.upkeep.api import HealthState
from console.modules.upkeep.health import DAY_MS, HOUR_MS, Figures, judged, worst
from qingting.contract.ids import HallId
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue

WELL = Figures(
    now=100 * DAY_MS,
    ping_ms=2,
    database_mb=30,
    connections=10,
    most_connections=100,
    halls=(),
    behind=0,
    slowest="",
    parked=0,
    jobs_waiting_ms=None,
    jobs_failed=0,
    channels=("mail",),
    given_up=0,
    disks=(("data", 60), ("backups", 50)),
    certificate_days=90,
    key_age_days=10,
    version="0.2.0",
    backup_on=True,
    backup_age_ms=HOUR_MS,
    drill_age_ms=DAY_MS,
    drill_good=True,
    drill_days=7,
)

TEXTS = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)


def states(figures: Figures) -> dict[str, HealthState]:
    return {one.name: one.state for one in judged(figures)}


def test_a_city_that_is_well_has_nothing_to_do() -> None:
    parts = judged(WELL)
    assert worst(parts) is HealthState.OK
    assert [one.todo for one in parts if one.todo] == []


@pytest.mark.parametrize(
    ("part", "changed", "state"),
    [
        ("database", {"connections": 95}, HealthState.FAULT),
        ("projectors", {"parked": 1}, HealthState.FAULT),
        ("projectors", {"behind": 6000, "slowest": "halls"}, HealthState.CAUTION),
        ("jobs", {"jobs_failed": 1}, HealthState.CAUTION),
        ("jobs", {"jobs_waiting_ms": 2 * HOUR_MS}, HealthState.FAULT),
        ("channels", {"channels": ()}, HealthState.UNKNOWN),
        ("channels", {"given_up": 2}, HealthState.CAUTION),
        ("disk", {"disks": (("a", 60), ("b", 4))}, HealthState.FAULT),
        ("certificate", {"certificate_days": -1}, HealthState.FAULT),
        ("certificate", {"certificate_days": 20}, HealthState.CAUTION),
        ("backup", {"backup_age_ms": 30 * HOUR_MS}, HealthState.CAUTION),
        ("backup", {"backup_age_ms": 60 * HOUR_MS}, HealthState.FAULT),
        ("backup", {"backup_age_ms": None}, HealthState.FAULT),
        ("backup", {"backup_age_ms": None, "backup_on": False}, HealthState.CAUTION),
        ("drill", {"drill_good": False}, HealthState.FAULT),
        ("drill", {"drill_age_ms": 15 * DAY_MS}, HealthState.CAUTION),
        ("drill", {"drill_age_ms": None}, HealthState.CAUTION),
    ],
)
def test_what_is_wrong_shows_at_its_part_with_what_to_do(
    part: str, changed: dict[str, object], state: HealthState
) -> None:
    figures = replace(WELL, **changed)  # type: ignore[arg-type]
    assert states(figures) == states(WELL) | {part: state}
    (one,) = [one for one in judged(figures) if one.name == part]
    words = Catalogue.load(*PAGE_PACKAGES)
    for language in Language:
        assert words.text(language, one.says, **one.params)
        assert words.text(language, one.todo)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"restored": "2026-11-26 10:00"}, "10:00"),
        ({"besides": (("city_before_20261126100000", 14_000_000),)}, "14 MB"),
        ({"restored": "2026-11-26 10:00", "besides": (("city_before_x", 1),)}, "city_before_x"),
    ],
)
def test_a_restore_and_what_it_kept_are_news_and_no_fault(
    changed: dict[str, object], says: str
) -> None:
    figures = replace(WELL, **changed)  # type: ignore[arg-type]
    assert worst(judged(figures)) is HealthState.OK
    (part,) = [one for one in judged(figures) if one.name == "restored"]
    for language in Language:
        assert says in TEXTS.text(language, part.says, **part.params)
        assert not part.todo or TEXTS.text(language, part.todo)
    assert "restored" not in states(WELL)


@pytest.mark.parametrize(
    ("part", "changed", "says"),
    [
        ("projectors", {}, "没有落后"),
        ("projectors", {"behind": 7, "slowest": "halls"}, "最慢的（halls）落后 7 条"),
        ("version", {}, "城市 0.2.0"),
        ("backup", {"backup_age_ms": HOUR_MS - 1}, "不到 1 小时前"),
        ("drill", {"drill_age_ms": DAY_MS - 1}, "一天以内，通过"),
        ("channels", {"channels": ("mail", "webhook")}, "2 个渠道，一周内 0 条没送到"),
    ],
)
def test_what_is_nothing_is_said_as_people_say_it(
    part: str, changed: dict[str, object], says: str
) -> None:
    figures = replace(WELL, **changed)  # type: ignore[arg-type]
    (one,) = [one for one in judged(figures) if one.name == part]
    assert TEXTS.text(Language.ZH, one.says, **one.params) == says
    assert TEXTS.text(Language.EN, one.says, **one.params)


def test_the_hall_whose_clock_is_farthest_off_and_every_program_are_named() -> None:
    near = HallStatus(
        id=HallId("a"), name="甲厅", name_en="Hall A", division="", department="", address="", phone="",
        state=LinkState.ONLINE, since=0, seen_at=0, event_at=0, received_at=0, seq=0, head=0,
        oldest_unacked=0, clock_offset_ms=900, build="0.1.0", refused="", config_version=1, parked=0, fork=None,
    )  # fmt: skip
    far = replace(
        near, id=HallId("b"), name="乙厅", name_en="", clock_offset_ms=-40_000, build="0.2"
    )
    parts = {one.name: one for one in judged(replace(WELL, halls=(near, far)))}
    clocks, version = parts["clocks"], parts["version"]
    assert clocks.state is HealthState.CAUTION
    assert TEXTS.text(Language.ZH, clocks.says, **clocks.params) == "偏差最大的是 乙厅：40 秒"
    assert "乙厅" in TEXTS.text(Language.EN, clocks.says, **clocks.params)
    assert TEXTS.text(Language.ZH, version.says, **version.params) == "城市 0.2.0；大厅 0.1.0, 0.2"


def test_backups_on_the_disk_of_the_data_are_said_to_be_there() -> None:
    (part,) = [one for one in judged(replace(WELL, same_disk=True)) if one.name == "backup"]
    assert part.state is HealthState.OK
    assert "磁盘" in TEXTS.text(Language.ZH, part.says, **part.params)


def test_an_embedded_city_has_backups_unless_somebody_turned_them_off() -> None:
    data, key = Path("data/city"), Path("seal.keys")

    def folder(named: str, *, embedded: bool) -> Path | None:
        options = UpkeepOptions(backup_folder=named)
        return options.upkeep(data, key, embedded=embedded).backup_folder

    assert folder("", embedded=True) == data / "backups"
    assert folder("", embedded=False) is None
    assert folder("off", embedded=True) is None
    assert folder("/backup", embedded=False) == Path("/backup")
