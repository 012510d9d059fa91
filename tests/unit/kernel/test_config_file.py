"""A hall's configuration survives a file, and a wrong file is explained in full."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.config import (
    Department,
    Device,
    HallConfig,
    HallInfo,
    Item,
    Period,
    Queue,
    Staff,
    Window,
)
from qingting.contract.ids import (
    DepartmentId,
    DeviceId,
    HallId,
    ItemId,
    QueueId,
    StaffId,
    WindowId,
)
from qingting.contract.states import DeviceKind, StaffRole
from qingting.kernel.config_file import ConfigFileError, dump_config, load_config


def small_config() -> HallConfig:
    return HallConfig(
        version=3,
        hall=HallInfo(id=HallId("h"), name="示例大厅", name_en="Sample hall", division="230602"),
        departments=(
            Department(id=DepartmentId("d"), name="部门", name_en="Department", short_name="部"),
        ),
        queues=(
            Queue(
                id=QueueId("q"),
                name="队列",
                name_en="Queue",
                prefix="A",
                hours=(Period(start="08:30", end="11:30"), Period(start="13:00", end="17:00")),
            ),
        ),
        items=(
            Item(
                id=ItemId("i"),
                name="事项「甲」",
                name_en='Item "one"\\two',
                department=DepartmentId("d"),
                queue=QueueId("q"),
                minutes=7.5,
                weekdays=(1, 3),
                materials=("身份证", "户口簿"),
            ),
        ),
        windows=(
            Window(
                id=WindowId("w1"), number="1", name="窗", name_en="Window", queues=(QueueId("q"),)
            ),
        ),
        staff=(Staff(id=StaffId("s"), number="01", name="王某", role=StaffRole.MANAGER),),
        devices=(
            Device(id=DeviceId("k1"), kind=DeviceKind.KIOSK, name="取号机"),
            Device(
                id=DeviceId("k1-printer"),
                kind=DeviceKind.PRINTER,
                name="打印机",
                parent=DeviceId("k1"),
                url="tcp://127.0.0.1:9100",
            ),
        ),
    )


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_a_configuration_is_read_back_as_it_was_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"hall{ending}"
    dump_config(small_config(), path)
    assert load_config(path) == small_config()


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_a_hall_without_windows_devices_or_staff_is_read_back_too(
    tmp_path: Path, ending: str
) -> None:
    bare = msgspec.structs.replace(small_config(), windows=(), devices=(), staff=())
    path = tmp_path / f"hall{ending}"
    dump_config(bare, path)
    assert load_config(path) == bare


@given(words=st.text(max_size=40))
def test_any_words_survive_toml(tmp_path_factory: pytest.TempPathFactory, words: str) -> None:
    path = tmp_path_factory.mktemp("words") / "hall.toml"
    plain = small_config()
    config = msgspec.structs.replace(plain, hall=msgspec.structs.replace(plain.hall, address=words))
    dump_config(config, path)
    assert load_config(path) == config


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hall.toml"
    dump_config(small_config(), path)
    text = path.read_text("utf-8")
    text = text.replace("version = 3", "version = 0").replace('prefix = "A"', 'prefix = "a1"')
    text = text.replace('division = "230602"', 'division = "2306"\nmayor = "nobody"')
    text = text.replace('number = "1"', "")
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigFileError) as caught:
        load_config(path)
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 5
    for place in ("version:", "queues[q].prefix:", "hall.division:", "hall.mayor: unknown key"):
        assert place in faults
    assert "windows[w1].number: missing" in faults
    assert str(path) in str(caught.value)


def test_broken_references_are_faults_too(tmp_path: Path) -> None:
    path = tmp_path / "hall.json"
    dump_config(msgspec.structs.replace(small_config(), queues=()), path)
    with pytest.raises(ConfigFileError) as caught:
        load_config(path)
    assert caught.value.code == "config.invalid"
    assert set(caught.value.faults) == {"items.i: no queue 'q'", "windows.w1: no queue 'q'"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("hall.toml", b"version = ", "Invalid value"),
        ("hall.json", b"{", "truncated"),
        ("hall.json", b"[]", "Expected `object`"),
        ("hall.toml", b"\xff\xfe", "utf-8"),
        ("hall.yaml", b"", ".toml or .json"),
    ],
)
def test_a_file_that_is_no_configuration_says_why(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigFileError, match="hall") as caught:
        load_config(path)
    assert says in caught.value.faults[0]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match="No such file"):
        load_config(tmp_path / "hall.toml")


def test_a_file_of_another_kind_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.toml or \.json"):
        dump_config(small_config(), tmp_path / "hall.yaml")
    assert not list(tmp_path.iterdir())


def test_writing_leaves_no_draft_behind(tmp_path: Path) -> None:
    path = tmp_path / "hall.json"
    dump_config(small_config(), path)
    dump_config(msgspec.structs.replace(small_config(), version=4), path)
    assert [one.name for one in tmp_path.iterdir()] == ["hall.json"]
    assert load_config(path).version == 4
