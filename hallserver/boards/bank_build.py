"""Makes a clip bank: from the synthesiser, or out of a human announcer's recordings.

Runs in a process of its own (``python -m hallserver.boards.bank_build OUT PROGRAM``) when a hall server
makes its default bank, because it is a few seconds of arithmetic. A bank appears in one step, finished.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hallserver.boards import pcm
from hallserver.boards.bank import (
    CHIME_KEY,
    FILE,
    SCHEMA,
    Bank,
    BankError,
    BankFile,
    Clip,
    bank_toml,
    clip_faults,
    load_bank,
)
from hallserver.boards.pcm import Samples
from hallserver.boards.phrases import Word, vocabulary
from hallserver.boards.synthesiser import AUTO, SLOW_SPEED, SPEED, VOICES, find_command
from qingting.contract.states import Language

ESPEAK_LICENCE = (
    "Output of eSpeak NG. The program is under GPL-3.0-or-later, which does not cover what it says;"
    " may be played in public."
)
CLIP_SECONDS = 20
"""A synthesiser that needs longer for one word is stuck."""
SPEECH_PADDING = 0.015
"""Seconds of rest kept at both ends of a word, so that the cross-fade does not eat its first sound."""
Reading = Callable[[Word, bool], Samples | None]
"""``(word, slow) → samples at any loudness``; None when there is no slow reading."""


def build_from_synthesiser(out: Path, program: str = AUTO) -> Bank:
    """Every word in both speeds. Raises :class:`BankError`."""
    command = find_command(program)
    if command is None:
        raise BankError([f"there is no speech program {program!r}"])
    with _speaker(command) as speak:

        def read(word: Word, slow: bool) -> Samples:
            language = Language.EN if word.key.startswith("en/") else Language.ZH
            rate, samples = pcm.read_wav(
                speak(VOICES[language], SLOW_SPEED if slow else SPEED, word.text)
            )
            return pcm.resample(samples, rate)

        return _build(out, read, f"eSpeak NG, voice {VOICES[Language.ZH]}", ESPEAK_LICENCE)


def build_from_recordings(out: Path, recordings: Path, licence: str) -> Bank:
    """An announcer's files ``zh/please.wav`` … ``en/9.wav`` below ``recordings``, slow ones below
    ``recordings/slow``; any sample rate, 16 bit. Raises :class:`BankError`, with every missing file."""
    if not licence.strip():
        raise BankError(["say under which licence the recordings may be played"])

    def read(word: Word, slow: bool) -> Samples | None:
        path = recordings / ("slow" if slow else "") / f"{word.key}.wav"
        if slow and not path.is_file():
            return None
        rate, samples = pcm.read_wav(path.read_bytes())
        return pcm.resample(samples, rate)

    return _build(out, read, f"recordings from {recordings.name}", licence)


def _build(out: Path, read: Reading, source: str, licence: str) -> Bank:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bank-", dir=out.parent) as folder:
        work = Path(folder) / "bank"
        clips, faults = _write_clips(work, read)
        if faults:
            raise BankError(faults)
        file = BankFile(
            schema=SCHEMA, source=source, licence=licence, sample_rate=pcm.RATE, clip=tuple(clips)
        )
        (work / FILE).write_text(bank_toml(file), "utf-8")
        bank = load_bank(work)
        if out.exists():
            shutil.rmtree(out)
        work.rename(out)
    return bank


def _write_clips(work: Path, read: Reading) -> tuple[list[Clip], list[str]]:
    clips = [_write(work, Word(CHIME_KEY, "chime"), pcm.chime(), slow=False)]
    faults: list[str] = []
    for slow in (False, True):
        for word in vocabulary():
            try:
                found = read(word, slow)
            except (OSError, pcm.WavError) as error:
                faults.append(f"{word.key} ({word.text}): {error}")
                continue
            if found is None:
                continue
            heard = pcm.level(pcm.trim(found, SPEECH_PADDING))
            wrong = clip_faults(heard) if heard else ["silence"]
            faults += [f"{word.key} ({word.text}): {fault}" for fault in wrong]
            if heard:
                clips.append(_write(work, word, heard, slow=slow))
    return clips, faults


def _write(work: Path, word: Word, samples: Samples, *, slow: bool) -> Clip:
    name = f"{'slow/' if slow else ''}{word.key}.wav"
    path = work / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pcm.write_wav(samples))
    return Clip(
        key=word.key, words=word.text, file=name, seconds=round(pcm.seconds(samples), 3), slow=slow
    )


Speak = Callable[[str, int, str], bytes]


@contextmanager
def _speaker(command: tuple[str, ...]) -> Iterator[Speak]:
    """Says words one after the other: in one process where the program is ours, else one for each."""
    if command[0] != sys.executable:
        yield lambda voice, speed, text: _speak_once(command[0], voice, speed, text)
        return
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        words_in, sound_out = process.stdin, process.stdout

        def speak(voice: str, speed: int, text: str) -> bytes:
            words_in.write(json.dumps([voice, speed, text]).encode() + b"\n")
            words_in.flush()
            size = sound_out.read(4)
            if len(size) < 4:
                raise pcm.WavError("the speech program ended")
            return sound_out.read(struct.unpack("<I", size)[0])

        try:
            yield speak
        finally:
            words_in.close()


def _speak_once(program: str, voice: str, speed: int, text: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own program, the words are its input
            [program, "-b", "1", "-v", voice, "-s", str(speed), "--stdin", "--stdout"],
            input=text.encode(),
            capture_output=True,
            timeout=CLIP_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise pcm.WavError(f"the speech program failed: {error}") from error
    return done.stdout


def main(arguments: list[str]) -> int:
    """``OUT PROGRAM``: 0 when the bank is there."""
    out, program = Path(arguments[0]), arguments[1]
    os.nice(10)  # the hall beside it serves people meanwhile
    try:
        build_from_synthesiser(out, program)
    except (BankError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
