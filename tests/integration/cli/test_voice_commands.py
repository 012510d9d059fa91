"""The command that makes a clip bank: names what to record, refuses what is not complete."""

from pathlib import Path

from click.testing import CliRunner

from hallserver.boards.phrases import vocabulary
from qingting.cli import main


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["voice", *arguments])
    return result.exit_code, result.output


def test_an_announcer_is_told_every_word_and_the_name_of_its_file() -> None:
    code, text = run("words")
    assert code == 0
    lines = [line.split("\t") for line in text.splitlines()]
    assert len(lines) == len(vocabulary())
    assert ["zh/please.wav", "请"] in lines


def test_a_bank_of_the_synthesiser_passes_its_check(tmp_path: Path) -> None:
    bank = tmp_path / "voice"
    code, text = run("build", "--out", str(bank))
    assert (code, "licence: Output of eSpeak NG" in text) == (0, True)
    code, text = run("check", str(bank))
    assert (code, "sound" in text) == (0, True)
    (bank / "zh/3.wav").unlink()
    code, text = run("check", str(bank))
    assert (code, "zh/3" in text) == (1, True)


def test_recordings_that_are_not_complete_are_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    out = tmp_path / "voice"
    arguments = ("build", "--out", str(out), "--source", "recorded", "--recordings", str(tmp_path))
    code, text = run(*arguments, "--licence", "ours")
    assert (code, "zh/please (请)" in text) == (1, True)
    assert not out.exists()
    assert run(*arguments)[0] == 1, "without a licence"


def test_a_folder_with_other_things_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear hall", "utf-8")
    code, text = run("build", "--out", str(tmp_path))
    assert (code, "something else" in text) == (2, True)
    assert (tmp_path / "letter.txt").exists()


def test_recorded_and_recordings_belong_together(tmp_path: Path) -> None:
    assert run("build", "--out", str(tmp_path / "x"), "--source", "recorded")[0] == 2
