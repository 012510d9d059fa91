"""Promises of the agent's configuration: all faults at once, each clear."""

from pathlib import Path

import pytest

from hallserver.agent.settings import load_agent_settings
from qingting.kernel.settings import SettingsError

GOOD = """
hall = "ws://127.0.0.1:8801/hub"
device = "k1-agent"
key = "secret"
kiosk = "k1"

[[devices]]
id = "k1"
kind = "kiosk"
name = "1号取号机"

[[devices]]
id = "k1-printer"
kind = "printer"
name = "打印机"
parent = "k1"
profile = "masung.ms-d347"
url = "serial:///dev/ttyS1?baud=115200"

[[devices]]
id = "k2-printer"
kind = "printer"
name = "别的取号机的打印机"
parent = "k2"
profile = "nobody.knows"
url = "?"
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_agent_takes_the_peripherals_of_its_kiosk_only(tmp_path: Path) -> None:
    settings = load_agent_settings(write(tmp_path, GOOD), {})
    assert [device.id for device in settings.peripherals] == ["k1-printer"]


def test_the_key_may_come_from_a_file_and_the_environment_wins(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-file\n", "utf-8")
    text = GOOD.replace('key = "secret"', f'key_file = "{secret}"')
    settings = load_agent_settings(
        write(tmp_path, text), {"QINGTING_AGENT_HALL": "wss://hall.example/hub"}
    )
    assert (settings.key, settings.hall) == ("from-file", "wss://hall.example/hub")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"ws://127.0.0.1:8801/hub"', '"http://127.0.0.1"', "hall: expected ws://"),
        ("masung.ms-d347", "masung.d347", "no device profile 'masung.d347'"),
        ("masung.ms-d347", "generic.samv", "profile 'generic.samv' is a id_reader"),
        ("serial:///dev/ttyS1", "serial://", "device address"),
        ('kiosk = "k1"', 'kiosk = "k9"', "no peripheral belongs to kiosk 'k9'"),
        ('id = "k2-printer"', 'id = "k1-printer"', ""),
        ('kind = "printer"', 'kind = "fax"', "Invalid enum value 'fax'"),
        ('key = "secret"', 'clef = "secret"', "clef: unknown setting; key: missing"),
    ],
)
def test_each_fault_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = GOOD.replace(old, new, 1)
    if not told:
        text = text.replace('parent = "k2"', 'parent = "k1"')
        told = "id 'k1-printer' appears twice"
    with pytest.raises(SettingsError) as caught:
        load_agent_settings(write(tmp_path, text), {})
    assert told in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("masung.ms-d347", "x.y").replace("serial:///dev/ttyS1", "usb://x")
    with pytest.raises(SettingsError) as caught:
        load_agent_settings(write(tmp_path, text), {})
    assert len(caught.value.faults) == 2


def test_models_of_a_folder_of_one_s_own_are_known_and_win_over_the_shipped(tmp_path: Path) -> None:
    models = tmp_path / "models" / "printers"
    models.mkdir(parents=True)
    (models / "masung.ms-d347.toml").write_text(
        'schema = 1\nid = "masung.ms-d347"\nkind = "printer"\ndriver = "escpos"\nvendor = "Masung"\n'
        'model = "as we have it"\ninherits = "generic.escpos80"\nrevision = 2\nevidence = "field-tested"\n'
        'sources = ["our own"]\n',
        "utf-8",
    )
    text = GOOD.replace('kiosk = "k1"', f'kiosk = "k1"\nprofiles = "{models.parent}"', 1)
    settings = load_agent_settings(write(tmp_path, text), {})
    assert settings.library().load("masung.ms-d347").model == "as we have it"
    with pytest.raises(SettingsError, match=r"nobody\.knows"):
        load_agent_settings(write(tmp_path, text.replace("masung.ms-d347", "nobody.knows", 1)), {})
