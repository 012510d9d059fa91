"""Habits that became code: sizes, import cycles, where the environment may be read."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("qingting", "hallserver", "console", "simulators", "benchmarks")
FILE_LINES, FUNCTION_LINES, VUE_LINES = 500, 40, 250
WRITTEN = ("*.py", "*.css", "*.js", "*.ts", "*.html", "*.md")
"""What people write and read. Catalogues of texts are data, and so are locks."""
GENERATED = ("qingting/web/src/generated/", "CHANGELOG.md")
"""Made by a command; the list of changes grows for ever and is read from its top."""


@cache
def tracked(pattern: str) -> tuple[Path, ...]:
    """Files of the project matching a git pattern, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", pattern],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(ROOT / name for name in listed.stdout.split() if (ROOT / name).is_file())


@cache
def shipped() -> dict[str, ast.Module]:
    """Every shipped Python module by dotted name."""
    trees = {}
    for path in tracked("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in PACKAGES:
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            trees[name] = ast.parse(path.read_text("utf-8"))
    return trees


def test_files_stay_small_enough_to_read() -> None:
    long = [
        f"{name}: {count}"
        for pattern in WRITTEN
        for path in tracked(pattern)
        if not (name := path.relative_to(ROOT).as_posix()).startswith(GENERATED)
        and (count := len(path.read_text("utf-8").splitlines())) > FILE_LINES
    ]
    long += [
        f"{path.relative_to(ROOT)}: {count}"
        for path in tracked("*.vue")
        if (count := len(path.read_text("utf-8").splitlines())) > VUE_LINES
    ]
    assert long == []


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and without functions nested in it."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    nested = sum(
        (inner.end_lineno or 0) - inner.lineno + 1
        for inner in ast.walk(node)
        if inner is not node and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return (node.end_lineno or 0) - body[0].lineno + 1 - nested


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{name}.{one.name}: {count}"
        for name, tree in shipped().items()
        for one in functions(tree)
        if (count := body_lines(one)) > FUNCTION_LINES
    ]
    assert long == []


def imports(name: str, tree: ast.Module) -> set[str]:
    """Modules of ours that ``name`` imports when it is loaded."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {one for one in found if one in shipped() and one != name}


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: imports(name, tree) for name, tree in shipped().items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            pytest.fail("circular import: " + " → ".join([*path[path.index(name) :], name]))
        if name in done:
            return
        for other in sorted(graph[name]):
            visit(other, (*path, name))
        done.add(name)

    for module in sorted(graph):
        visit(module, ())


ENVIRONMENT_READERS = {"qingting.cli"}


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name
        for name, tree in shipped().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert readers <= ENVIRONMENT_READERS


def test_public_modules_say_what_they_are_for() -> None:
    silent = [
        name for name, tree in shipped().items() if tree.body and ast.get_docstring(tree) is None
    ]
    assert silent == []


def test_test_files_have_unique_names() -> None:
    names = [path.name for path in tracked("tests/*.py") if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))


def test_nothing_committed_carries_a_machine_path_or_registry() -> None:
    banned = ("/work" + "/main", "registry." + "npmjs", "files.python" + "hosted")
    hits = []
    for pattern in (
        "*.py",
        "*.ts",
        "*.vue",
        "*.md",
        "*.toml",
        "*.json",
        "Makefile",
        "locks/*.txt",
        ".ci/*",
    ):
        for path in tracked(pattern):
            text = path.read_text("utf-8", errors="ignore")
            hits += [f"{path.relative_to(ROOT)}: {one}" for one in banned if one in text]
    assert hits == []
