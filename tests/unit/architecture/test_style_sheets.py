"""Style sheets of the pages say what pages need, each thing in its place."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT / "qingting" / "web" / "pages"
SERVERS = {
    "console": (ROOT / "console" / "app" / "static",),
    "hallserver": (
        ROOT / "hallserver" / "app" / "static" / "pages",
        ROOT / "hallserver" / "app" / "phone" / "static",
    ),
}
MADE_AT_RUN_TIME = {
    "htmx-request": "by htmx",
    **dict.fromkeys(("w4", "w7", "w9", "w18"), "w{{ … }}"),
}
"""Classes that no source holds as a word, and who makes them."""
STEMS = ("tags-",)
"""How classes begin that end in a value."""


def sources(*folders: Path) -> str:
    """All that can give an element a class."""
    return "\n".join(
        path.read_text("utf-8")
        for folder in folders
        for kind in ("*.html", "*.py", "*.js")
        for path in sorted(folder.rglob(kind))
        if not {"kiosk", "tablet", "faces"} & set(path.parts)
    )


def classes(sheet: Path) -> set[str]:
    """Classes that a sheet has rules for."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    heads = re.findall(r"([^{};]+)\{", text)
    return {name for one in heads for name in re.findall(r"\.([a-zA-Z][\w-]*)", one)}


def unused(sheets: list[Path], text: str) -> list[str]:
    words = set(re.findall(r"[\w-]+", text)) | set(MADE_AT_RUN_TIME)
    return [
        f"{sheet.relative_to(ROOT)}: .{name}"
        for sheet in sheets
        for name in sorted(classes(sheet) - words)
        if not name.startswith(STEMS)
    ]


def written(*folders: Path) -> list[Path]:
    return sorted(one for each in folders for one in each.rglob("*.css") if one.is_file())


@pytest.mark.parametrize("server", sorted(SERVERS))
def test_no_sheet_has_rules_for_a_class_that_no_page_gives(server: str) -> None:
    sheets = written(*SERVERS[server])
    assert len(sheets) > 3
    assert unused(sheets, sources(ROOT / server, SHARED)) == []


def test_no_shared_sheet_has_rules_for_a_class_that_no_page_gives() -> None:
    text = sources(*(ROOT / server for server in SERVERS), SHARED)
    assert unused(written(SHARED / "static"), text) == []


def test_parts_of_a_sheet_have_a_place_of_their_own() -> None:
    """Rules of equal weight obey the later one: an order by names alone would turn with the next new name."""
    folders = [one for each in SERVERS.values() for one in each] + [SHARED / "static"]
    sheets = [one for each in folders for one in each.rglob("*.css") if one.is_dir()]
    assert sheets
    for sheet in sheets:
        numbers = [one.name.partition("-")[0] for one in sorted(sheet.iterdir())]
        assert numbers == [f"{place:02}" for place in range(1, len(numbers) + 1)], sheet.name
