"""The documentation says what the program does: its examples are decoded, its links lead somewhere."""

import json
import re
import shutil
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from console.app.server import ConsoleSettings
from hallserver.agent.machine import MachineSettings
from hallserver.agent.settings import AgentSettings
from hallserver.app.settings import HallSettings
from hallserver.devices.profile_types import LedProfile, PrinterProfile
from hallserver.devices.profiles import ProfileLibrary, load_kind
from hallserver.devices.protocols.led.codecs import codec_for
from hallserver.devices.protocols.led.line import LedLine
from hallserver.devices.supervisor import device_faults
from hallserver.hub.hub import HANDLERS
from hallserver.hub.registry import EVERYBODY, REGISTRY
from qingting.cli import main
from qingting.contract.config import Device
from qingting.contract.errors import ErrorText, error_texts
from qingting.contract.hub import ClientMessage, ServerMessage
from qingting.contract.link import Frame

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md"))
DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "client": msgspec.json.Decoder(ClientMessage),
    "server": msgspec.json.Decoder(ServerMessage),
    "frame": msgspec.json.Decoder(Frame),
}
BLOCK = re.compile(r"^ *```json (client|server|frame)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`((?:hub|ticket|rating|identity|print|kiosk|link|store|config)\.[a-z_]+)`")
NAMES = re.compile(r'"([a-z_]+\.[a-z_]+)"')
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def examples() -> list[tuple[str, str]]:
    return [found for page in PAGES for found in BLOCK.findall(page.read_text("utf-8"))]


def kept(written: Any, decoded: Any) -> bool:
    """True when everything that was written is in what was decoded."""
    if isinstance(written, dict):
        return all(key in decoded and kept(one, decoded[key]) for key, one in written.items())
    if isinstance(written, list):
        pairs = zip(written, decoded, strict=True)
        return all(kept(one, other) for one, other in pairs)
    return bool(written == decoded)


@pytest.mark.parametrize(("kind", "text"), examples())
def test_every_example_message_is_a_message(kind: str, text: str) -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(DECODERS[kind].decode(text)))
    assert kept(msgspec.json.decode(text), msgspec.json.decode(msgspec.json.encode(decoded)))


def test_the_examples_cover_both_directions_and_the_link() -> None:
    kinds = [kind for kind, _ in examples()]
    assert min(kinds.count(kind) for kind in DECODERS) >= 5


@every_page
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [
        target
        for target in LINK.findall(page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_carries_both_sides_of_a_merge(page: Path) -> None:
    assert not re.search(r"^(<<<<<<<|=======$|>>>>>>>)", page.read_text("utf-8"), re.MULTILINE)


def test_error_codes_in_the_docs_exist() -> None:
    schema = "".join(
        path.read_text("utf-8") for path in (ROOT / "qingting/contract/schema").glob("*.json")
    )
    known = set(error_texts()) | set(NAMES.findall(schema))
    named = {code for page in PAGES for code in CODE.findall(page.read_text("utf-8"))}
    assert {one for one in named - known if not one.endswith((".json", ".py", ".md"))} == set()


def test_the_walked_through_printer_profile_loads(tmp_path: Path) -> None:
    text = (ROOT / "docs/developers/add-a-printer.md").read_text("utf-8")
    name, profile = re.findall(r"^```toml profile=(\S+)\n(.*?)^```", text, re.M | re.S)[0]
    root = shutil.copytree(ROOT / "firmware_profiles", tmp_path / "profiles")
    (root / f"{name}.toml").write_text(profile, "utf-8")
    loaded = load_kind(PrinterProfile, Path(name).name, ProfileLibrary(root))
    assert loaded.transport.serial.baud == 19200
    assert loaded.commands.cut.fill() == b"\x1d\x56\x00"
    assert [query.name for query in loaded.status.query][-1] == "exit"
    assert loaded.capabilities.width_dots == 576


def test_the_walked_through_led_profile_loads(tmp_path: Path) -> None:
    text = (ROOT / "docs/developers/add-an-led.md").read_text("utf-8")
    name, profile = re.findall(r"^```toml profile=(\S+)\n(.*?)^```", text, re.M | re.S)[0]
    root = shutil.copytree(ROOT / "firmware_profiles", tmp_path / "profiles")
    (root / f"{name}.toml").write_text(profile, "utf-8")
    loaded = load_kind(LedProfile, Path(name).name, ProfileLibrary(root))
    codec = codec_for(loaded.protocol, loaded.led.charset, loaded.led.max_bytes)
    line = LedLine(number=1, top=0, height=16, width=128)
    assert codec.show(line, first=True) == b"\x02 \x03"


def declared_packages() -> set[str]:
    """Every package that pyproject.toml and the package.json files ask for by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"]]
    lines += [one for extra in project["optional-dependencies"].values() for one in extra]
    names = {re.split(r"[\[><=]", line)[0] for line in lines}
    manifests = [ROOT / "package.json"]
    manifests += [ROOT / one / "package.json" for one in ("qingting/web", "kiosk_ui", "tablet_app")]
    for manifest in manifests:
        raw = json.loads(manifest.read_text("utf-8"))
        names |= set(raw.get("dependencies", {})) | set(raw.get("devDependencies", {}))
    return {name for name in names if not name.startswith("@qingting/")}


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "docs/dependencies.md").read_text("utf-8")
    words = set(re.findall(r"[\w@/.-]+", text))
    assert declared_packages() - words == set()


def toml_blocks(page: Path) -> list[dict[str, Any]]:
    blocks = re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text("utf-8"), re.M | re.S)
    return [tomllib.loads(textwrap.dedent(block)) for block in blocks]


@every_page
def test_every_toml_example_is_what_it_says_it_is(page: Path) -> None:
    for block in toml_blocks(page):
        if "devices" in block:
            devices = msgspec.convert(block["devices"], list[Device])
            assert [fault for one in devices for fault in faults_of(one)] == []
        elif page.name in ("hall.md", "pads.md"):
            msgspec.convert(block, HallSettings)
        elif page.name == "remote-hands.md":
            msgspec.convert(block["machine"], MachineSettings)
        elif page.name == "cameras.md":
            needed = {"hall": "ws://h/hub", "device": "a", "key": "k", "kiosk": "k1"}
            msgspec.convert(needed | block, AgentSettings)
        elif page.name in ("city.md", "backup.md"):
            msgspec.convert(block, ConsoleSettings)
        else:
            msgspec.convert(block, dict[str, ErrorText])


def faults_of(device: Device) -> list[str]:
    """Address faults; the walked-through profile of a printer that does not exist is none."""
    return [fault for fault in device_faults(device) if "huayin.hy-80k" not in fault]


def commands(group: click.Group, before: str = "qingting") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[f"{before} {name}"] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{before} {name}")
    return found


def test_every_command_in_the_docs_exists_and_every_command_is_in_the_readme() -> None:
    known = commands(main)
    leaves = {name for name, one in known.items() if not isinstance(one, click.Group)}
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"^ *(qingting [a-z][a-z-]+)|`(qingting [a-z][a-z-]+)", text, re.M))
    assert {one or other for one, other in named} <= set(known)
    for readme in ("README.md", "README.zh-CN.md"):
        shown = (ROOT / readme).read_text("utf-8")
        assert [one for one in leaves if f"`{one}" not in shown] == []


def test_the_table_of_requests_says_who_may_ask_and_what_needs_a_key() -> None:
    text = (ROOT / "docs/integrators/hub.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[a-z_.`, ]+`) \| ([a-z, ]+) \| [^|]+ \| (yes)? ?\|$", text, re.M)
    said = {
        request: (frozenset(role.split(", ")), bool(key))
        for requests, role, key in rows
        for request in re.findall(r"`([a-z_.]+)`", requests)
    }
    assert HANDLERS
    true = {
        str(kind.__struct_config__.tag): (
            frozenset({"all"})
            if entry.roles == set(EVERYBODY)
            else frozenset(role.value.replace("_", " ") for role in entry.roles),
            entry.changes,
        )
        for kind, entry in REGISTRY.items()
    }
    assert said == true
