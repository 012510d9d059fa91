"""Parts of a page that are served alone, as a page renews them, need nothing that stands outside of them: there a macro
or an import of the template's own is unknown, and the part would fail where the page does not."""

import re
from pathlib import Path

import jinja2
from jinja2 import nodes

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [one for part in ("console", "hallserver") for one in sorted((ROOT / part).rglob("*.py"))]
TEMPLATES = {
    one.name: one
    for part in ("console", "hallserver", "qingting/web/pages")
    for one in sorted((ROOT / part).rglob("templates/*.html"))
}
ALONE = re.compile(r'"(\w+\.html)",[^"]*?block="(\w+)"|render_block\([^"]*"(\w+\.html)",\s*"(\w+)"')


def _given(tree: nodes.Template) -> set[str]:
    """Macros and imports at the top of a template."""
    found = {one.name for one in tree.body if isinstance(one, nodes.Macro)}
    return found | {one.target for one in tree.body if isinstance(one, nodes.Import)}


def _missing(template: str, block: str) -> set[str]:
    tree = jinja2.Environment().parse(TEMPLATES[template].read_text("utf-8"))
    part = next((one for one in tree.find_all(nodes.Block) if one.name == block), None)
    if part is None:
        return set()  # inherited from the frame
    own = {one.name for one in part.find_all(nodes.Macro)}
    own |= {one.target for one in part.find_all(nodes.Import)}
    used = {one.name for one in part.find_all(nodes.Name) if one.ctx == "load"}
    return (used & _given(tree)) - own


def test_a_part_that_is_served_alone_needs_nothing_from_outside_of_it() -> None:
    pairs = {
        (found[1] or found[3], found[2] or found[4])
        for source in SOURCES
        for found in ALONE.finditer(source.read_text("utf-8"))
    }
    assert ("c_book_times.html", "places") in pairs
    faults = {
        f"{one}: {block}": missing for one, block in pairs if (missing := _missing(one, block))
    }
    assert faults == {}


def test_browsers_read_every_pattern_of_an_input() -> None:
    """They read it with the flag ``v``: a hyphen at the edge of a class has to be escaped there, and a pattern that is
    not read checks nothing."""
    given = {
        (name, found[1])
        for name, path in TEMPLATES.items()
        for found in re.finditer(r"""pattern(?:': '|=")([^'"]+)['"]""", path.read_text("utf-8"))
    }
    assert len(given) > 5
    bad = [one for one in sorted(given) if re.search(r"\[[^\]]*(?<!\\)-\]|\[-", one[1])]
    assert not bad, bad
