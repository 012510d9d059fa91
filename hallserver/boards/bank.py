"""The clip bank: every word of the vocabulary as a sound file, and a licence for it.

A bank is a folder: ``bank.toml`` and the files it names. A synthesiser's bank and a human announcer's have
the same form, so one can take the place of the other (docs/operators/boards.md).
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from hallserver.boards import pcm
from hallserver.boards.pcm import Samples
from hallserver.boards.phrases import SLOW_GAP, Phrase, Word, vocabulary
from qingting.contract.base import Strict

SCHEMA = 1
FILE = "bank.toml"
CHIME_KEY = "chime"
SHORTEST, LONGEST = 0.08, 3.0
"""Seconds of one clip; outside of this something was cut off or nobody stopped recording."""
LOUDNESS_TOLERANCE = 6.0
"""dB by which a clip may differ from the common loudness; a short, peaky word reaches its peak first."""


class BankError(Exception):
    """The folder is no usable bank; ``faults`` are English lines for the operator."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Clip(Strict, frozen=True, kw_only=True):
    """One word. ``slow`` marks the slow reading of it for tickets of the elder version."""

    key: str
    words: str
    file: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9/_-]*\.wav$")]
    seconds: float
    slow: bool = False


class BankFile(Strict, frozen=True, kw_only=True):
    """``bank.toml``. ``licence`` says under which terms the recordings may be played, ``source`` whose
    voice it is."""

    schema: Annotated[int, msgspec.Meta(ge=SCHEMA, le=SCHEMA)]
    source: str
    licence: str
    sample_rate: Annotated[int, msgspec.Meta(ge=pcm.RATE, le=pcm.RATE)]
    clip: tuple[Clip, ...]


class Bank:
    """A loaded bank: samples by key, the slow ones apart."""

    def __init__(
        self, file: BankFile, clips: Mapping[str, Samples], slow: Mapping[str, Samples]
    ) -> None:
        self.file = file
        self._clips = clips
        self._slow = slow

    def missing(self, phrase: Phrase) -> list[Word]:
        """Words of the phrase that the synthesiser has to say."""
        return [one for one in phrase if isinstance(one, Word) and one.key not in self._clips]

    def say(self, phrase: Phrase, spoken: Mapping[str, Samples], *, slow: bool = False) -> Samples:
        """The phrase as sound. ``spoken`` has the words of :meth:`missing` by their text."""
        result: list[Samples] = []
        run: list[Samples] = []
        for one in phrase:
            if not isinstance(one, Word):
                result += [pcm.join(run), pcm.silence(one * (2 if slow else 1))]
                run = []
            else:
                found = self._clip(one.key, slow) if one.key in self._clips else spoken[one.text]
                run += [found, pcm.silence(SLOW_GAP)] if slow else [found]
        return pcm.concatenate([*result, pcm.join(run)])

    def _clip(self, key: str, slow: bool) -> Samples:
        return self._slow.get(key, self._clips[key]) if slow else self._clips[key]


def load_bank(folder: Path) -> Bank:
    """Reads a bank that was checked when it was made. Blocks: use a thread. Raises :class:`BankError`."""
    return _load(folder, lambda samples: [])


def check_bank(folder: Path) -> Bank:
    """Reads a bank and listens to every clip: length, loudness, clipping. Takes seconds.

    Raises :class:`BankError` with everything that is wrong.
    """
    return _load(folder, clip_faults)


def _load(folder: Path, faults_of: Callable[[Samples], list[str]]) -> Bank:
    file = _read_file(folder)
    faults: list[str] = []
    clips: dict[str, Samples] = {}
    slow: dict[str, Samples] = {}
    for clip in file.clip:
        try:
            rate, samples = pcm.read_wav((folder / clip.file).read_bytes())
        except (OSError, pcm.WavError) as error:
            faults.append(f"{clip.file}: {error}")
            continue
        if rate != pcm.RATE:
            faults.append(f"{clip.file}: {rate} samples a second instead of {pcm.RATE}")
        faults += [f"{clip.file}: {fault}" for fault in faults_of(samples)]
        (slow if clip.slow else clips)[clip.key] = samples
    wanted = {word.key: word.text for word in vocabulary()} | {CHIME_KEY: "chime"}
    faults += [f"no clip {key!r} ({text})" for key, text in wanted.items() if key not in clips]
    if faults:
        raise BankError(faults)
    return Bank(file, clips, slow)


def _read_file(folder: Path) -> BankFile:
    try:
        raw = tomllib.loads((folder / FILE).read_text("utf-8"))
        return msgspec.convert(raw, BankFile)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BankError([f"{FILE}: {error}"]) from error


def clip_faults(samples: Samples) -> list[str]:
    """What is wrong with the sound of one word."""
    faults = []
    length = pcm.seconds(samples)
    if not SHORTEST <= length <= LONGEST:
        faults.append(f"{length:.2f} seconds long")
    loud = pcm.loudness(samples)
    if abs(loud - pcm.TARGET_DB) > LOUDNESS_TOLERANCE:
        faults.append(f"loudness {loud:.1f} dBFS instead of {pcm.TARGET_DB:.0f}")
    if samples and max(map(abs, samples)) >= pcm.FULL:
        faults.append("clipped")
    return faults


def bank_toml(file: BankFile) -> str:
    """``bank.toml`` in writing."""
    lines = [
        "# Clip bank of the hall's voice. See docs/operators/boards.md.",
        f"schema = {file.schema}",
        f"source = {_quoted(file.source)}",
        f"licence = {_quoted(file.licence)}",
        f"sample_rate = {file.sample_rate}",
    ]
    for clip in file.clip:
        lines += [
            "",
            "[[clip]]",
            f"key = {_quoted(clip.key)}",
            f"words = {_quoted(clip.words)}",
            f"file = {_quoted(clip.file)}",
            f"seconds = {clip.seconds:.3f}",
        ]
        if clip.slow:
            lines.append("slow = true")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
