"""The demonstration halls are sound configurations with believable, marked content."""

import re

import msgspec
import pytest

from hallserver.devices.profiles import shipped_profiles
from qingting.contract.config import HallConfig, Item, RepeatRule, config_faults
from qingting.contract.ids import DeviceId, HallId
from qingting.contract.states import DeviceKind, StaffRole
from qingting.demo.builder import build_hall, hall_ids
from qingting.demo.sources import departments, halls, items

ITEM_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}[1-7]\d{12}")
ICONS = [
    "bus",
    "market",
    "land",
    "health",
    "insurance",
    "people",
    "house",
    "police",
    "notary",
    "plan",
    "shelter",
    "city",
    "safety",
]
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
every_hall = pytest.mark.parametrize("hall", hall_ids(12))


def uscc_is_valid(code: str) -> bool:
    """GB 32100-2015: the last character is the check character of the seventeen before it."""
    total = sum(
        USCC_ALPHABET.index(one) * weight
        for one, weight in zip(code[:17], USCC_WEIGHTS, strict=True)
    )
    return len(code) == 18 and USCC_ALPHABET[(31 - total % 31) % 31] == code[17]


def all_items() -> tuple[Item, ...]:
    return build_hall(HallId("daqing")).items


def found_by(query: str) -> set[str]:
    """Names of items that a kiosk finds for a typed query."""
    return {
        i.name for i in all_items() if query in i.name or query in i.pinyin or query in i.initials
    }


def test_the_check_of_the_check_digit_knows_right_from_wrong() -> None:
    assert uscc_is_valid("11440232MB2D06811W")
    assert not uscc_is_valid("11440232MB2D06812W")


@every_hall
def test_every_hall_is_a_sound_configuration(hall: HallId) -> None:
    config = build_hall(hall)
    assert config_faults(config) == []
    text = msgspec.json.encode(config)
    assert msgspec.json.decode(text, type=HallConfig) == config


def test_the_nine_halls_are_the_districts_and_counties() -> None:
    divisions = [halls()[one].division for one in hall_ids(9)]
    assert sorted(divisions) == sorted(
        f"2306{part}" for part in ("02", "03", "04", "05", "06", "21", "22", "23", "24")
    )


def test_one_to_twelve_halls_can_be_asked_for() -> None:
    assert hall_ids(1) == (HallId("saertu"),)
    assert len(set(hall_ids(12))) == 12
    for count in (0, 13, -1):
        with pytest.raises(ValueError, match="1 to 12"):
            hall_ids(count)


def test_an_unknown_hall_is_refused() -> None:
    with pytest.raises(KeyError):
        build_hall(HallId("atlantis"))


def test_all_thirteen_departments_have_items_and_their_own_icon() -> None:
    assert len(departments()) == 13
    assert sorted(one.icon for one in departments()) == sorted(ICONS)
    assert all(len(items()[one.id]) >= 4 for one in departments())
    assert all(one.name.startswith("大庆市") for one in departments())


def test_codes_have_the_right_shape_and_check_digits() -> None:
    assert all(uscc_is_valid(one.uscc) for one in departments())
    assert all(one.uscc[2:8] == "230600" for one in departments())
    assert len({one.uscc for one in departments()}) == 13
    owner = {one.id: one.uscc for one in departments()}
    for item in all_items():
        assert ITEM_CODE.fullmatch(item.code), item.id
        assert item.code.startswith(owner[item.department])
    codes = [item.code for item in all_items()]
    assert len(set(codes)) == len(codes)


def test_there_are_at_least_sixty_items_and_all_are_marked_as_samples() -> None:
    assert len(all_items()) >= 65
    assert all(item.sample for item in all_items())
    assert len({item.id for item in all_items()}) == len(all_items())
    assert len({item.name for item in all_items()}) == len(all_items())


def test_every_item_says_what_to_bring_and_on_what_law_it_rests() -> None:
    for item in all_items():
        assert 3 <= len(item.materials) <= 6, item.id
        assert re.fullmatch(r"《[^》]+》(第[一二三四五六七八九十百零]+条)?", item.legal_basis), (
            item.id
        )
        assert item.name_en.isascii(), item.id
        assert 0 <= item.promised_days <= 60, item.id


def test_every_item_can_be_read_in_english_too() -> None:
    for item in all_items():
        assert len(item.materials_en) == len(item.materials), item.id
        for text in (*item.materials_en, item.legal_basis_en):
            assert text.isascii(), (item.id, text)
            assert text[:1].isupper(), (item.id, text)
        article = re.search(r"第(\w+)条", item.legal_basis)
        assert bool(article) == bool(re.search(r", Art\. \d+$", item.legal_basis_en)), item.id
    departments = build_hall(HallId("daqing")).departments
    assert all(one.name_en.isascii() and one.name_en for one in departments)


def test_one_paper_has_one_english_name() -> None:
    pairs = {
        pair for item in all_items() for pair in zip(item.materials, item.materials_en, strict=True)
    }
    assert len({chinese for chinese, _ in pairs}) == len(pairs)


def test_the_items_show_every_kind_of_offer() -> None:
    assert 8 <= sum(item.hot for item in all_items()) <= 10
    assert 3 <= sum(not item.needs_identity for item in all_items()) <= 6
    limited = [item for item in all_items() if len(item.weekdays) < 7]
    assert [item.name for item in limited] == ["遗嘱公证"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("sfz", "居民身份证换领"),
        ("shenfenz", "居民身份证换领"),
        ("身份证", "居民身份证换领"),
        ("jiazhao", "机动车驾驶证期满换证"),
        ("gjjmf", "住房公积金提取（购买自住住房）"),
        ("bdc", "不动产转移登记"),
        ("guohu", "不动产转移登记"),
        ("yyzz", "个体工商户设立登记"),
        ("sbk", "社会保障卡补领（换领）"),
        ("wangyueche", "网络预约出租汽车驾驶员证核发"),
    ],
)
def test_items_are_found_by_chinese_pinyin_initials_and_everyday_words(
    query: str, name: str
) -> None:
    assert name in found_by(query)


def test_a_query_that_means_nothing_finds_nothing() -> None:
    assert found_by("qqqq") == set()


@every_hall
def test_every_queue_is_served_and_open_round_the_clock(hall: HallId) -> None:
    config = build_hall(hall)
    assert {q for w in config.windows for q in w.queues} == {q.id for q in config.queues}
    for queue in config.queues:
        assert [(one.start, one.end) for one in queue.hours] == [("00:00", "24:00")]
        assert queue.closed_reason == ""
    assert {i.queue for i in config.items} == {q.id for q in config.queues}
    assert {i.department for i in config.items} == {d.id for d in config.departments}


@every_hall
def test_windows_are_numbered_from_one_and_serve_at_most_three_queues(hall: HallId) -> None:
    windows = build_hall(hall).windows
    assert 8 <= len(windows) <= 17
    assert [one.number for one in windows] == [str(n + 1) for n in range(len(windows))]
    assert all(1 <= len(one.queues) <= 3 for one in windows)


@every_hall
def test_a_hall_has_one_manager_and_a_clerk_for_each_window(hall: HallId) -> None:
    config = build_hall(hall)
    clerks = [one for one in config.staff if one.role is StaffRole.CLERK]
    managers = [one for one in config.staff if one.role is StaffRole.MANAGER]
    assert len(managers) == 1
    assert managers[0].number.endswith("00")
    assert len(clerks) > len(config.windows)
    assert len({one.name for one in config.staff}) == len(config.staff)
    assert all(one.department is not None for one in clerks)


def test_the_halls_use_what_the_engine_can() -> None:
    config = build_hall(HallId("saertu"))
    assert {one.repeat for one in config.items} == set(RepeatRule)
    assert {one.group for one in config.items} == {"个人事项", "企业事项"}
    assert min(one.party_max for one in config.items) == 1
    assert any(one.daily_cap for one in config.items)
    assert any(one.appointment_only for one in config.windows)
    assert {one.area for one in config.windows} == {"A 区", "B 区", "C 区"}
    assert all(one.place_en.isascii() and one.place_en for one in config.windows)
    assert config.rules.conditions
    assert config.kiosk_templates[0].notices


@every_hall
def test_items_that_need_a_skill_have_an_ordinary_window_whose_clerks_have_it(hall: HallId) -> None:
    config = build_hall(hall)
    walk_in = [one for one in config.windows if not one.appointment_only]
    for item in config.items:
        if not item.skill:
            continue
        windows = [n for n, one in enumerate(config.windows, 1) if item.queue in one.queues]
        assert any(item.skill in config.staff[n].skills for n in windows), item.id
    for queue in config.queues:
        assert any(queue.id in one.queues for one in walk_in)


def test_staff_numbers_are_unique_in_the_city() -> None:
    numbers = [one.number for hall in hall_ids(12) for one in build_hall(hall).staff]
    assert len(set(numbers)) == len(numbers)


@every_hall
def test_a_hall_has_two_full_kiosks_two_boards_and_two_pads_a_window(hall: HallId) -> None:
    config = build_hall(hall)
    for kiosk in ("k1", "k2"):
        parts = {one.kind for one in config.devices if one.parent == kiosk}
        assert (DeviceKind.FACE in parts) == (kiosk == "k1"), "one kiosk shows how it is without"
        assert parts - {DeviceKind.FACE} == {
            DeviceKind.AGENT,
            DeviceKind.PRINTER,
            DeviceKind.ID_READER,
            DeviceKind.SCANNER,
        }
    kinds = [one.kind for one in config.devices]
    assert kinds.count(DeviceKind.BOARD) == 2
    for window in config.windows:
        pads = {one.kind for one in config.devices if one.window == window.id}
        assert pads - {DeviceKind.LED} == {DeviceKind.CALL_PAD, DeviceKind.RATING_PAD}
    (strip,) = [one for one in config.devices if one.kind is DeviceKind.LED]
    assert strip.window in {window.id for window in config.windows}


@every_hall
def test_every_peripheral_names_its_profile(hall: HallId) -> None:
    driven = {DeviceKind.PRINTER, DeviceKind.ID_READER, DeviceKind.SCANNER, DeviceKind.LED}
    driven.add(DeviceKind.FACE)
    for device in build_hall(hall).devices:
        assert bool(device.profile) == (device.kind in driven), device.id


def test_the_place_of_a_peripheral_is_given_when_the_hall_is_built() -> None:
    printer = DeviceId("k1-printer")
    url = "tcp://127.0.0.1:9100"
    devices = {one.id: one for one in build_hall(HallId("saertu"), urls={printer: url}).devices}
    assert devices[printer].url == url
    assert devices[DeviceId("k2-printer")].url == ""


def test_the_version_is_the_callers() -> None:
    assert build_hall(HallId("saertu"), version=7).version == 7


def test_addresses_say_that_they_are_examples() -> None:
    assert all("示例" in hall.address for hall in halls().values())


def test_every_profile_named_in_the_halls_is_shipped() -> None:
    shipped = set(shipped_profiles().ids())
    named = {one.profile for hall in hall_ids(12) for one in build_hall(hall).devices} - {""}
    assert named
    assert named <= shipped
