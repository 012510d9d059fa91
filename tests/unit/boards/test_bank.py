"""The clip bank: complete, level, licensed; a sentence is its words and nothing between them."""

import math
from array import array
from pathlib import Path

import msgspec
import pytest

from hallserver.boards import pcm
from hallserver.boards.bank import FILE, BankError, BankFile, bank_toml, check_bank, load_bank
from hallserver.boards.bank_build import build_from_recordings
from hallserver.boards.phrases import Word, call_phrase, vocabulary
from qingting.contract.states import Language

LICENCE = "Recorded for this hall by its own announcer; for use in it."


def voice(hertz: float, seconds: float, loud: float = 0.3, rate: int = 44_100) -> pcm.Samples:
    return array(
        "h",
        (
            round(pcm.FULL * loud * math.sin(2 * math.pi * hertz * n / rate))
            for n in range(round(seconds * rate))
        ),
    )


def wav(samples: pcm.Samples, rate: int) -> bytes:
    data = bytearray(pcm.write_wav(samples))
    data[24:28] = rate.to_bytes(4, "little")
    return bytes(data)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An announcer's folder: every word with a breath before and after, some slow readings."""
    folder = tmp_path_factory.mktemp("announcer")
    rest = array("h", bytes(2 * 4_000))
    for number, word in enumerate(vocabulary()):
        path = folder / f"{word.key}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav(rest + voice(150 + number, 0.2) + rest, 44_100))
    (folder / "slow/zh").mkdir(parents=True)
    (folder / "slow/zh/please.wav").write_bytes(wav(voice(150, 0.5), 44_100))
    return folder


@pytest.fixture(scope="module")
def bank(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bank") / "voice"
    build_from_recordings(out, recordings, LICENCE)
    return out


def test_recordings_become_a_bank_that_passes_its_own_check(bank: Path) -> None:
    file = check_bank(bank).file
    assert file.licence == LICENCE
    assert {clip.key for clip in file.clip if not clip.slow} == {
        "chime",
        *(word.key for word in vocabulary()),
    }
    please = next(clip for clip in file.clip if clip.key == "zh/please")
    assert please.seconds == pytest.approx(0.23, abs=0.03), "the breath around it is gone"


def test_a_sentence_is_as_long_as_its_words_and_pauses_and_does_not_clip(bank: Path) -> None:
    loaded = load_bank(bank)
    phrase = call_phrase("A001", "12", Language.ZH)
    lengths = {clip.key: clip.seconds for clip in loaded.file.clip if not clip.slow}
    said = loaded.say(phrase, {})
    words = [one for one in phrase if isinstance(one, Word)]
    pauses = [one for one in phrase if isinstance(one, float)]
    whole = sum(lengths[one.key] for one in words) + sum(pauses)
    fades = (len(words) - 1 - len(pauses)) * pcm.FADE_SECONDS
    assert pcm.seconds(said) == pytest.approx(whole - fades, abs=0.01)
    assert max(map(abs, said)) <= pcm.PEAK * pcm.FULL + 1


def test_the_slow_version_takes_slow_readings_where_there_are_some_and_more_rest(
    bank: Path,
) -> None:
    loaded = load_bank(bank)
    phrase = call_phrase("A001", "3", Language.ZH)
    plain, slow = (pcm.seconds(loaded.say(phrase, {}, slow=one)) for one in (False, True))
    assert slow > plain + 0.5


def test_a_word_that_no_bank_has_is_taken_from_the_synthesiser(bank: Path) -> None:
    loaded = load_bank(bank)
    phrase = call_phrase("A001", "综合", Language.ZH)
    assert [word.text for word in loaded.missing(phrase)] == ["综合"]
    spoken = {"综合": voice(200, 0.6, rate=pcm.RATE)}
    longer = pcm.seconds(loaded.say(phrase, spoken))
    assert longer > pcm.seconds(loaded.say(call_phrase("A001", "3", Language.ZH), {}))


def test_every_missing_recording_is_named_at_once_and_nothing_is_left_behind(
    tmp_path: Path,
) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh/please.wav").write_bytes(wav(voice(200, 0.3), 44_100))
    (tmp_path / "zh/to.wav").write_bytes(b"noise")
    (tmp_path / "zh/number.wav").write_bytes(wav(array("h", bytes(40_000)), 44_100))
    with pytest.raises(BankError) as refused:
        build_from_recordings(tmp_path / "out", tmp_path, LICENCE)
    assert len(refused.value.faults) == len(vocabulary()) - 1
    assert any("zh/to (到): not a WAV file" in one for one in refused.value.faults)
    assert any("zh/number (号): silence" in one for one in refused.value.faults)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["zh"]


def test_recordings_without_a_licence_are_not_taken(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(BankError, match="licence"):
        build_from_recordings(tmp_path / "out", recordings, "  ")


def test_a_damaged_bank_says_what_is_wrong_with_it(bank: Path, tmp_path: Path) -> None:
    file = load_bank(bank).file
    for clip in file.clip:
        path = tmp_path / clip.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((bank / clip.file).read_bytes())
    kept = tuple(clip for clip in file.clip if clip.key != "zh/3")
    (tmp_path / FILE).write_text(bank_toml(msgspec.structs.replace(file, clip=kept)), "utf-8")
    (tmp_path / "zh/4.wav").write_bytes(pcm.write_wav(voice(200, 0.3, loud=0.002, rate=pcm.RATE)))
    (tmp_path / "zh/5.wav").unlink()
    (tmp_path / "zh/6.wav").write_bytes(pcm.write_wav(voice(200, 4, rate=pcm.RATE)))
    (tmp_path / "zh/7.wav").write_bytes(pcm.write_wav(array("h", [pcm.FULL, -pcm.FULL] * 5000)))
    with pytest.raises(BankError) as refused:
        check_bank(tmp_path)
    found = " ".join(refused.value.faults)
    for fault in ("zh/3", "zh/4.wav: loudness", "zh/5.wav", "zh/6.wav: 4.0", "zh/7.wav: clipped"):
        assert fault in found


@pytest.mark.parametrize("text", ["", "schema = 2", 'schema = 1\nsurprise = "x"'])
def test_a_file_that_is_no_description_of_a_bank_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(BankError, match=FILE):
        load_bank(tmp_path)


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd.wav", "a.txt", "zh/.hidden.wav"])
def test_a_bank_names_no_file_outside_of_itself(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(
            {
                "schema": 1,
                "source": "x",
                "licence": "x",
                "sample_rate": 24_000,
                "clip": [{"key": "zh/1", "words": "一", "file": name, "seconds": 1}],
            },
            BankFile,
        )
