"""Sounds as a loudspeaker takes them: 16-bit mono PCM, little end first."""

import io
import sys
import wave
from array import array
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sound:
    """``pcm`` at ``rate`` samples a second."""

    rate: int
    pcm: bytes

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate

    def at(self, percent: int) -> "Sound":
        """The same sound at ``percent`` of its loudness."""
        if percent >= 100:
            return self
        samples = array("h", self.pcm)
        if sys.byteorder == "big":
            samples.byteswap()
        quieter = array("h", (one * percent // 100 for one in samples))
        if sys.byteorder == "big":
            quieter.byteswap()
        return Sound(self.rate, quieter.tobytes())


def sound_of(wav: bytes) -> Sound:
    """A WAV file of the hall's voice; raises ``ValueError`` for anything else."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise ValueError("not 16-bit mono")
            return Sound(file.getframerate(), file.readframes(file.getnframes()))
    except (wave.Error, EOFError) as error:
        raise ValueError(f"no WAV file: {error}") from error


def silence(seconds: float, rate: int = 24_000) -> Sound:
    return Sound(rate, bytes(2 * round(seconds * rate)))
