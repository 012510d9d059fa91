"""Sound arithmetic: lengths are exact, nothing clips, silence goes, words stay."""

import itertools
import math
import wave
from array import array
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallserver.boards import pcm

shorts = st.integers(-pcm.FULL, pcm.FULL)
sounds = st.lists(shorts, max_size=2000).map(lambda values: array("h", values))


def tone(hertz: float, seconds: float, loud: float = 0.5, rate: int = pcm.RATE) -> pcm.Samples:
    count = round(seconds * rate)
    return array(
        "h",
        (round(pcm.FULL * loud * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count)),
    )


def wav(samples: pcm.Samples, rate: int, channels: int = 1) -> bytes:
    """Written by Python's own module, to check our reader against another hand."""
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()


@given(sounds)
def test_what_is_written_is_read_back(samples: pcm.Samples) -> None:
    data = pcm.write_wav(samples)
    assert pcm.read_wav(data) == (pcm.RATE, samples)
    with wave.open(BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.getnframes() == len(samples)


def test_stereo_recordings_and_extra_chunks_are_taken() -> None:
    both = array("h", [1000, 3000] * 50)
    rate, samples = pcm.read_wav(wav(both, 44_100, channels=2))
    assert (rate, list(samples)) == (44_100, [2000] * 50)
    plain = wav(array("h", [5, 6]), 24_000)
    listed = plain[:12] + b"LIST\x03\x00\x00\x00abc\x00" + plain[12:]
    assert list(pcm.read_wav(listed)[1]) == [5, 6]


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"not a sound at all", wav(array("h"), 24_000)[:30]]
)
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(pcm.WavError):
        pcm.read_wav(data)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
def test_resampling_keeps_length_loudness_and_pitch(rate: int) -> None:
    made = pcm.resample(tone(440, 0.5, rate=rate), rate)
    assert pcm.seconds(made) == pytest.approx(0.5, abs=0.001)
    assert pcm.loudness(made) == pytest.approx(pcm.loudness(tone(440, 0.5)), abs=0.3)
    crossings = sum((a < 0) != (b < 0) for a, b in itertools.pairwise(made))
    assert crossings / 2 / pcm.seconds(made) == pytest.approx(440, rel=0.01)


def test_what_is_above_the_new_range_does_not_come_back_as_a_whistle() -> None:
    assert pcm.loudness(pcm.resample(tone(15_000, 0.3, rate=48_000), 48_000)[500:-500]) < -30


def test_silence_around_a_word_is_cut_and_the_word_is_not() -> None:
    word = tone(300, 0.4)
    made = pcm.trim(pcm.silence(0.5) + word + pcm.silence(0.7), keep=0.02)
    assert pcm.seconds(made) == pytest.approx(0.44, abs=0.02)
    assert max(made) == max(word)
    assert pcm.trim(pcm.silence(1)) == array("h")


@given(st.floats(0.01, 1.0))
def test_levelled_words_are_equally_loud_and_never_clip(loud: float) -> None:
    made = pcm.level(tone(440, 0.2, loud))
    assert pcm.loudness(made) == pytest.approx(pcm.TARGET_DB, abs=0.3)
    assert max(map(abs, made)) <= pcm.PEAK * pcm.FULL


@given(st.lists(sounds, max_size=6), st.floats(0, 0.02))
def test_joined_words_are_never_louder_than_the_loudest_and_lose_only_the_fades(
    pieces: list[pcm.Samples], fade: float
) -> None:
    made = pcm.join(pieces, fade)
    assert max(map(abs, made), default=0) <= max(
        (max(map(abs, one), default=0) for one in pieces), default=0
    )
    overlap = round(fade * pcm.RATE)
    assert len(made) >= sum(map(len, pieces)) - overlap * max(0, len(pieces) - 1)
    assert len(made) <= sum(map(len, pieces))


def test_the_chime_is_soft_and_short() -> None:
    made = pcm.chime()
    assert 1 < pcm.seconds(made) < 1.6
    assert pcm.loudness(made) == pytest.approx(pcm.TARGET_DB - 2, abs=0.5)
    assert abs(made[0]) < 200
    assert abs(made[-1]) < 200
