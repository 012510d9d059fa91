"""Sound as numbers: 16-bit mono PCM, cut, levelled and joined. Pure; lists of samples are ``array('h')``.

Python's own ``audioop`` is deprecated and numpy would be a heavy guest for a few seconds of speech a
minute, so this is plain Python: a sentence is joined in about a millisecond.
"""

import math
import struct
from array import array
from collections.abc import Sequence
from functools import cache
from itertools import chain
from operator import mul
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Samples: TypeAlias = array[int]
else:
    Samples = array  # has no parameter at run time before Python 3.12
RATE = 24_000
"""Samples a second of everything the hall plays."""
FULL = 32_767
FRAME = RATE // 100
"""Ten milliseconds, the grain in which loudness is judged."""
SILENCE_DB = -46.0
"""Frames below are silence to a listener in a hall."""
TARGET_DB = -20.0
"""Loudness of every clip, root mean square of its sounding frames (dBFS)."""
PEAK = 0.89
"""No sample is larger than this share of full scale (-1 dBFS): loudspeakers of boards distort early."""
FADE_SECONDS = 0.012
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_ZERO_CROSSINGS = 8
"""Half the length of the resampling filter in samples of the slower rate."""


class WavError(ValueError):
    """The bytes are no 16-bit mono PCM file; the message says why, in English."""


def seconds(samples: Samples) -> float:
    return len(samples) / RATE


def silence(length: float) -> Samples:
    return array("h", bytes(2 * round(length * RATE)))


# ---- files --------------------------------------------------------------------------------------


def read_wav(data: bytes) -> tuple[int, Samples]:
    """Rate and samples of a RIFF file; chunks other than ``fmt`` and ``data`` are passed over.

    Stereo is mixed to mono. Raises :class:`WavError`.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("not a WAV file")
    rate = channels = 0
    place = 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = data[place + 8 : place + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            form, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            # 0xFFFE is the extensible form that recording programs like to write.
            if form not in (1, 0xFFFE) or bits != 16 or channels not in (1, 2) or rate < 8_000:
                raise WavError(f"not 16-bit PCM of one or two channels (format {form}, {bits} bit)")
        if name == b"data" and rate:
            return rate, _mono(body, channels)
        place += 8 + size + (size & 1)
    raise WavError("it holds no sound")


def _mono(body: bytes, channels: int) -> Samples:
    samples = array("h")
    samples.frombytes(body[: len(body) - len(body) % (2 * channels)])
    if channels == 1:
        return samples
    left, right = samples[::2], samples[1::2]
    return array("h", ((a + b) // 2 for a, b in zip(left, right, strict=True)))


def write_wav(samples: Samples) -> bytes:
    """A WAV file at :data:`RATE`."""
    body = samples.tobytes()
    head = _HEADER.pack(
        b"RIFF", len(body) + _HEADER.size - 8, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16,
        b"data", len(body),
    )  # fmt: skip
    return head + body


# ---- one clip -----------------------------------------------------------------------------------


def resample(samples: Samples, rate: int) -> Samples:
    """The same sound at :data:`RATE`, through a windowed-sinc filter (polyphase)."""
    if rate == RATE or not samples:
        return array("h", samples)
    common = math.gcd(rate, RATE)
    up, down = RATE // common, rate // common
    filters = _filters(up, down)
    reach = len(filters[0]) // 2
    padded = array("h", bytes(2 * reach)) + samples + array("h", bytes(2 * reach))
    result = array("h")
    width = 2 * reach
    for number in range(len(samples) * up // down):
        start, phase = divmod(number * down, up)
        value = sum(map(mul, filters[phase], padded[start + 1 : start + 1 + width]))
        result.append(max(-FULL, min(FULL, round(value))))
    return result


@cache
def _filters(up: int, down: int) -> tuple[tuple[float, ...], ...]:
    """One filter for each phase between two samples; cut below the lower of the two rates."""
    cut = min(1.0, up / down) * 0.95
    reach = math.ceil(_ZERO_CROSSINGS / cut)
    bank = []
    for phase in range(up):
        offset = phase / up
        taps = [_tap(place - offset, cut, reach) for place in range(1 - reach, reach + 1)]
        total = sum(taps)
        bank.append(tuple(tap / total for tap in taps))
    return tuple(bank)


def _tap(place: float, cut: float, reach: int) -> float:
    """Sinc at ``place`` samples from the centre under a Hann window."""
    if abs(place) >= reach:
        return 0.0
    angle = math.pi * place * cut
    sinc = 1.0 if angle == 0 else math.sin(angle) / angle
    return sinc * (0.5 + 0.5 * math.cos(math.pi * place / reach))


def loudness(samples: Samples) -> float:
    """Root mean square of the frames that sound, in dBFS; -120 for silence."""
    powers = [power for power in _powers(samples) if _db(power) > SILENCE_DB]
    return _db(sum(powers) / len(powers)) if powers else -120.0


def _powers(samples: Samples) -> list[float]:
    """Mean square of each frame, full scale = 1."""
    frames = (samples[start : start + FRAME] for start in range(0, len(samples), FRAME))
    return [sum(map(mul, frame, frame)) / len(frame) / FULL**2 for frame in frames]


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 1e-12 else -120.0


def trim(samples: Samples, keep: float = 0.02) -> Samples:
    """Without the silence at both ends, but for ``keep`` seconds; empty when nothing sounds."""
    loud = [number for number, power in enumerate(_powers(samples)) if _db(power) > SILENCE_DB]
    if not loud:
        return array("h")
    margin = round(keep * RATE)
    return samples[max(0, loud[0] * FRAME - margin) : (loud[-1] + 1) * FRAME + margin]


def level(samples: Samples, target: float = TARGET_DB) -> Samples:
    """At the common loudness, or quieter where :data:`PEAK` would be passed."""
    highest = max(map(abs, samples), default=0)
    if highest == 0:
        return array("h", samples)
    gain = min(10 ** ((target - loudness(samples)) / 20), PEAK * FULL / highest)
    return array("h", (round(one * gain) for one in samples))


# ---- many clips ---------------------------------------------------------------------------------


def join(pieces: Sequence[Samples], fade: float = FADE_SECONDS) -> Samples:
    """One after the other, each faded into the next over ``fade`` seconds.

    A cross-fade is a weighted mean, so it is never louder than the louder of the two.
    """
    overlap = round(fade * RATE)
    result = array("h")
    for piece in pieces:
        shared = min(overlap, len(result), len(piece))
        if shared == 0:
            result.extend(piece)
            continue
        tail, head = result[-shared:], piece[:shared]
        mixed = (
            (a * (shared - place) + b * place) // shared
            for place, (a, b) in enumerate(zip(tail, head, strict=True))
        )
        result[-shared:] = array("h", mixed)
        result.extend(piece[shared:])
    return result


def joined_seconds(pieces: Sequence[Samples], fade: float = FADE_SECONDS) -> float:
    """The length of :func:`join` without making it, when no piece is shorter than the fade."""
    return sum(map(seconds, pieces)) - max(0, len(pieces) - 1) * round(fade * RATE) / RATE


def chime() -> Samples:
    """Two soft notes, E5 and C5, that ask for attention before a call."""
    notes = ((659.25, 0.0, 0.75), (523.25, 0.32, 1.0))
    length = max(start + length for _, start, length in notes)
    mixed = [0.0] * round(length * RATE)
    for hertz, start, long in notes:
        first = round(start * RATE)
        for number in range(round(long * RATE)):
            at = number / RATE
            swell = min(1.0, at / 0.01) * math.exp(-4.2 * at / long) * min(1.0, (long - at) / 0.05)
            overtone = 0.22 * math.sin(4 * math.pi * hertz * at)
            mixed[first + number] += swell * (math.sin(2 * math.pi * hertz * at) + overtone)
    return level(array("h", (round(one * 9_000) for one in mixed)), TARGET_DB - 2)


def concatenate(pieces: Sequence[Samples]) -> Samples:
    """One after the other without a fade."""
    return array("h", chain.from_iterable(pieces))
