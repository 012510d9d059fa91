"""Promises of device profiles: data only, strict, and wrong ones refused where they are wrong."""

import shutil
from pathlib import Path

import pytest

from hallserver.devices.profile_types import (
    BitRow,
    Confirm,
    HexTemplate,
    IdReaderProfile,
    LedProfile,
    PrinterProfile,
    SamReply,
    ScannerProfile,
)
from hallserver.devices.profiles import (
    ProfileError,
    ProfileLibrary,
    load_kind,
    load_profile,
    shipped_profiles,
)
from qingting.contract.layouts import Colour, Motion
from qingting.contract.states import Condition, DeviceKind

ROOT = Path(__file__).parents[3] / "firmware_profiles"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return shutil.copytree(ROOT, tmp_path / "profiles")


def edit(root: Path, name: str, old: str, new: str) -> None:
    file = root / name
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize("profile_id", shipped_profiles().ids())
def test_every_shipped_profile_is_valid(profile_id: str) -> None:
    assert load_profile(profile_id).id == profile_id


def test_all_profiles_of_the_first_hall_are_shipped() -> None:
    library = shipped_profiles()
    first = {"epson.tm-t88", "generic.escpos80", "masung.ms-d347"}
    assert first <= set(library.ids(DeviceKind.PRINTER))
    assert "generic.samv" in library.ids(DeviceKind.ID_READER)
    assert {"generic.serial-line", "newland.gm65"} <= set(library.ids(DeviceKind.SCANNER))
    assert {"generic.ascii-strip", "onbon.bx-5k", "qyled.udp"} <= set(library.ids(DeviceKind.LED))


def test_at_least_twenty_models_are_known_each_with_its_evidence() -> None:
    library = shipped_profiles()
    models = [library.load(one) for one in library.ids() if not one.startswith("generic.")]
    assert len(models) >= 20
    assert all(one.sources for one in models)
    assert len({(one.vendor, one.model) for one in models}) == len(models)


@pytest.mark.parametrize("profile_id", shipped_profiles().ids())
def test_a_device_that_is_back_is_seen_within_two_seconds(profile_id: str) -> None:
    """The longest pause between two tries and one question. A camera has no line of its own, a speaker is looked at by
    playing to it, and seldom."""
    profile = load_profile(profile_id)
    if profile.kind not in (DeviceKind.CAMERA, DeviceKind.SPEAKER):
        line = profile.transport
        pause_s = line.reconnect.max_s * (1 + line.reconnect.jitter)
        assert pause_s + line.request_timeout_ms / 1000 <= 2


def test_an_led_profile_names_a_code_for_every_motion_and_colour_of_a_layout() -> None:
    for profile_id in shipped_profiles().ids(DeviceKind.LED):
        protocol = load_kind(LedProfile, profile_id).protocol
        assert set(getattr(protocol, "effects", Motion)) == set(Motion), profile_id
        assert set(getattr(protocol, "colours", Colour)) == set(Colour), profile_id


def test_a_wrong_protocol_key_is_refused_with_its_line(root: Path) -> None:
    edit(root, "leds/onbon.bx-5k.toml", "screen = 1", "scren = 1")
    with pytest.raises(ProfileError, match=r"leds/onbon\.bx-5k\.toml:\d+: .*scren"):
        ProfileLibrary(root).load("onbon.bx-5k")


def test_tables_are_merged_deeply_and_lists_replace() -> None:
    generic = load_kind(PrinterProfile, "generic.escpos80")
    masung = load_kind(PrinterProfile, "masung.ms-d347")
    assert masung.commands == generic.commands
    assert masung.capabilities.width_dots == generic.capabilities.width_dots
    assert [query.name for query in masung.status.query][-1] == "exit"
    assert len(generic.status.query) == 4


def test_a_new_printer_model_needs_only_a_file(root: Path) -> None:
    (root / "printers" / "acme.x1.toml").write_text(
        'schema = 1\nid = "acme.x1"\nkind = "printer"\ndriver = "escpos"\nvendor = "Acme"\n'
        'model = "X1"\ninherits = "generic.escpos80"\nrevision = 1\nevidence = "simulated"\n'
        'sources = ["its manual"]\n\n[capabilities]\nconfirm = "poll"\nnear_end_sensor = false\n',
        "utf-8",
    )
    profile = load_kind(PrinterProfile, "acme.x1", ProfileLibrary(root))
    assert profile.capabilities.confirm is Confirm.POLL
    assert profile.capabilities.columns == 48


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("epson.tm-t88", "presenter = false", "presentr = false", "epson.tm-t88.toml:24: "),
        ("epson.tm-t88", '"10 04 03"', '"10 04 zz"', "epson.tm-t88.toml:44: "),
        ("epson.tm-t88", '0x08, is = "cutter_error"', '0x08, is = "cuter"', ".toml:46: "),
        ("epson.tm-t88", "width_dots = 512", 'width_dots = "512"', "epson.tm-t88.toml:18: "),
        ("generic.escpos80", "cut_feed = 3", "cut_feed = 300", "generic.escpos80.toml:41: "),
        ("generic.escpos80", "cut_feed = 3", "cut_feed = ", "line 41"),
        ("epson.tm-t88", 'inherits = "generic', 'inherits = "gneric', "inherits unknown profile"),
        ("epson.tm-t88", 'id = "epson.tm-t88"', 'id = "epson.other"', "does not match the file"),
        ("epson.tm-t88", 'kind = "printer"', 'kind = "scanner"', "does not belong here"),
        ("generic.escpos80", "revision = 1", 'inherits = "epson.tm-t88"', "circle"),
    ],
)
def test_a_wrong_profile_is_refused_with_file_and_line(
    root: Path, file: str, old: str, new: str, told: str
) -> None:
    edit(root, f"printers/{file}.toml", old, new)
    with pytest.raises(ProfileError) as caught:
        ProfileLibrary(root).load("epson.tm-t88")
    assert told in str(caught.value)


def test_a_mask_of_several_bits_must_say_how_it_matches() -> None:
    with pytest.raises(ValueError, match="exactly one of"):
        BitRow(mask=0x60, means=Condition.PAPER_OUT)
    assert BitRow(mask=0x60, means=Condition.PAPER_OUT, all=True).holds(b"\x72")
    assert not BitRow(mask=0x60, means=Condition.PAPER_OUT, all=True).holds(b"\x32")
    assert BitRow(mask=0x60, means=Condition.PAPER_OUT, any=True).holds(b"\x32")
    assert BitRow(mask=0x16, means=Condition.OFFLINE, not_all=True).holds(b"\x12")


def test_a_gm65_scanner_without_commands_is_refused(root: Path) -> None:
    edit(root, "scanners/generic.serial-line.toml", 'driver = "line"', 'driver = "gm65"')
    with pytest.raises(ProfileError, match="needs \\[commands\\]"):
        ProfileLibrary(root).load("generic.serial-line")


def test_a_profile_of_another_kind_is_refused() -> None:
    with pytest.raises(ProfileError, match="not for this device"):
        load_kind(ScannerProfile, "generic.samv")
    with pytest.raises(ProfileError, match="no device profile 'acme'"):
        load_profile("acme")


def test_templates_fill_their_slots() -> None:
    assert HexTemplate("1D 56 42 {feed:u8}").fill(feed=3).hex(" ") == "1d 56 42 03"
    assert HexTemplate("1D {id:ascii4}").fill(id=42).hex(" ") == "1d 30 30 34 32"
    with pytest.raises(KeyError):
        HexTemplate("1D 56 42 {feed:u8}").fill()


def test_every_reply_code_of_the_security_module_has_a_meaning() -> None:
    reader = load_kind(IdReaderProfile, "generic.samv")
    known = (0x90, 0x9F, 0x80, 0x81, 0x10, 0x11, 0x21, 0x23, 0x24, 0x31, 0x32, 0x33, 0x40, 0x41)
    known += (0x47, 0x60, 0x66, 0x91)
    assert all(reader.reply_meaning(code) is not None for code in known)
    assert reader.reply_meaning(0x9F) is SamReply.CARD_FOUND
    assert reader.reply_meaning(0x77) is None
