"""The modules of the city keep apart: a module imports another only through its declared public face."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from console.app.modules import MODULES, PAGE_PACKAGES
from console.core.module import ModuleError, ModuleSpec, in_order
from console.modules.evaluation import domain as evaluation
from qingting.contract.errors import error_texts
from qingting.kernel.i18n import Catalogue

ROOT = Path(__file__).resolve().parents[3]
SPECS = {spec.name: spec for spec in MODULES}


def sources(package: str) -> Iterator[tuple[str, ast.Module]]:
    folder = ROOT / package.replace(".", "/")
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            # "from console.modules.x import models" names a file too.
            yield from ((node.lineno, f"{node.module}.{one.name}") for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)


def owner(module: str) -> ModuleSpec | None:
    for spec in MODULES:
        if module == spec.package or module.startswith(f"{spec.package}."):
            return spec
    return None


def strangers(spec: ModuleSpec, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports of another module's inner files, or of a module that was not declared."""
    for line, name in imports(tree):
        other = owner(name)
        if other is None or other is spec or name == other.package:
            continue
        face = name == f"{other.package}.api" or name.startswith(f"{other.package}.api.")
        if not face or other.name not in spec.requires:
            yield line, name


@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_module_sees_only_the_public_face_of_what_it_requires(name: str) -> None:
    spec = SPECS[name]
    found = [
        f"{path}:{line} imports {other}"
        for path, tree in sources(spec.package)
        for line, other in strangers(spec, tree)
    ]
    assert found == []


def test_the_rule_finds_a_stranger() -> None:
    bad = ast.parse("from console.modules.identity.service import IdentityService")
    undeclared = ast.parse("from console.modules.identity.api import IDENTITY")
    good = ast.parse("from console.halls.api import HALLS")
    spec = SPECS["devices"]
    assert list(strangers(spec, bad))
    assert list(strangers(spec, undeclared))
    assert not list(strangers(spec, good))


def test_the_core_knows_no_module() -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in sources("console.core")
        for line, name in imports(tree)
        if name.startswith(("console.modules", "console.halls", "console.app"))
    ]
    assert found == []


def test_what_a_module_requires_it_uses() -> None:
    for spec in MODULES:
        used = {
            other.name
            for _, tree in sources(spec.package)
            for _, name in imports(tree)
            if (other := owner(name)) is not None and other is not spec
        }
        assert used == set(spec.requires), spec.name


def test_tables_carry_the_prefix_of_their_module() -> None:
    for spec in MODULES:
        if not spec.table_prefix:
            continue
        models = import_module(f"{spec.package}.models")
        tables = [one.name for one in vars(models).values() if hasattr(one, "primary_key")]
        assert tables
        assert [name for name in tables if not name.startswith(spec.table_prefix)] == []


def test_circles_and_unknown_modules_are_found_at_the_start() -> None:
    def spec(name: str, *requires: str) -> ModuleSpec:
        return ModuleSpec(
            name=name, package=name, requires=requires, table_prefix="", setup=lambda _: None
        )

    with pytest.raises(ModuleError, match="a → b → a"):
        in_order([spec("a", "b"), spec("b", "a")])
    with pytest.raises(ModuleError, match="unknown c"):
        in_order([spec("a", "c")])
    assert [one.name for one in in_order([spec("a", "b"), spec("b")])] == ["b", "a"]


def test_every_text_has_its_twin_and_no_page_is_without_words() -> None:
    Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
    for package in PAGE_PACKAGES:
        for folder in ("templates", "locale"):
            assert files(package).joinpath(folder).is_dir(), package


def test_every_refusal_raised_by_the_city_is_in_the_catalogue() -> None:
    codes = {
        node.args[0].value
        for _, tree in sources("console")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Refusal"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert codes
    assert codes <= set(error_texts())


def test_only_a_citizens_own_rating_sets_a_level() -> None:
    """Nothing in the city writes a level but the one case of the fold that handles ``rating.given``."""
    writers = [
        path
        for path, tree in sources("console.modules.evaluation")
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "level"
        and isinstance(node.value, ast.Attribute)
        and ast.unparse(node.value) == "body.level.value"
    ]
    assert writers == ["console/modules/evaluation/domain.py"]
    assert inspect.getsource(evaluation).count("level=") == 1
    for path, tree in sources("console"):
        text = ast.unparse(tree)
        if path != "console/modules/evaluation/projector.py":
            assert "m.visit, [" not in text, path
        assert "UPDATE eval_visit" not in text, path
        assert "INSERT INTO eval_visit" not in text, path
