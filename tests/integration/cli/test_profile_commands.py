"""``qingting profile``: what is shipped is sound, a new model begins as a sound file, a wrong one is told where."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qingting.cli import main

ROOT = Path(__file__).parents[3]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["profile", *words])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    begun = run(
        *("new", "huayin.hy-80k", "--inherits", "masung.ms-d347"),
        *("--vendor", "Huayin", "--model", "HY-80K", "--out", str(tmp_path)),
    )
    assert begun.exit_code == 0, begun.output
    return tmp_path


def test_every_shipped_model_is_sound_and_has_a_line_of_its_own() -> None:
    done = run("check")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert len(lines) >= 22
    assert all(line.endswith(" ok") for line in lines)


def test_a_model_begun_by_command_is_sound_and_says_what_it_inherits(models: Path) -> None:
    assert (models / "printers" / "huayin.hy-80k.toml").exists()
    checked = run("check", str(models))
    assert checked.exit_code == 0
    assert "huayin.hy-80k ok" in checked.output.splitlines()
    told = run("explain", "huayin.hy-80k", "--folder", str(models)).output
    assert "stands on    masung.ms-d347" in told
    assert "号票没有取走" in told


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        ("[capabilities]\nwidth_dotz = 576\n", "huayin.hy-80k.toml:18: "),
        ('[commands]\nfence = "1D 72 {id:ascii4}"\n', "commands.fence: gs_r needs the slots []"),
        (
            "[simulator]\ninitial = { paper = 0x7E }\n",
            "a healthy answer shows paper_low, paper_out",
        ),
        (
            '[[status.query]]\nname = "new"\nsend = "10 04 06"\nbits = [{ mask = 0x04, is = "jam" }]\n',
            "simulator.initial: no healthy answer for new",
        ),
        (
            '[[status.query]]\nname = "paper"\nsend = "04"\nbits = [{ byte = 3, mask = 4, is = "jam" }]\n',
            "status.query paper: an answer has no byte 3",
        ),
    ],
)
def test_a_wrong_model_fails_the_check_with_the_fault(
    models: Path, addition: str, told: str
) -> None:
    with (models / "printers" / "huayin.hy-80k.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + addition)
    checked = run("check", str(models))
    assert checked.exit_code == 1
    (line,) = [one for one in checked.output.splitlines() if not one.endswith(" ok")]
    assert line.startswith("huayin.hy-80k: ")
    assert told in line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("new", "Huayin", "--inherits", "generic.escpos80"), "vendor.model in small letters"),
        (("new", "a.b", "--inherits", "no.such"), "no device profile 'no.such'"),
        (("new", "epson.tm-t88", "--inherits", "generic.escpos80"), "exists already"),
    ],
)
def test_a_model_that_cannot_begin_is_refused_in_words(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    done = run(*words, "--vendor", "V", "--model", "M", "--out", str(tmp_path))
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(models: Path) -> None:
    again = run(
        *("new", "huayin.hy-80k", "--inherits", "generic.escpos80"),
        *("--vendor", "V", "--model", "M", "--out", str(models)),
    )
    assert again.exit_code == 1
    assert 'inherits = "masung' in (models / "printers" / "huayin.hy-80k.toml").read_text("utf-8")


def test_explaining_an_unknown_model_says_which_are_known() -> None:
    told = run("explain", "no.such")
    assert told.exit_code == 1
    assert "epson.tm-t88" in told.output


def test_the_page_of_models_is_as_the_profiles_say() -> None:
    page = (ROOT / "docs" / "operators" / "models.md").read_text("utf-8")
    assert run("table").output == page, "run make generate"
