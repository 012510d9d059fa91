"""eSpeak NG as a program: ``python -m hallserver.boards.espeak_worker``, for machines without the package.

The library and its voices (GPL-3-or-later) come with the Python package ``espeakng-loader``. They are
loaded here and nowhere else, in a process of its own that only gets words and gives sound; no other part
of the product imports this module.

It understands the part of espeak-ng's command line that the hall uses (``-v VOICE -s SPEED``, text on
standard input, a WAV file on standard output). With ``--batch`` each line of input is one JSON list
``[voice, speed, text]``, and each answer a length of four bytes (little-endian) and that many bytes of WAV.
"""

import ctypes
import json
import struct
import sys
from array import array
from collections.abc import Callable

_SYNCHRONOUS = 2
"""``AUDIO_OUTPUT_SYNCHRONOUS``: the callback gets the samples, nothing is played (speak_lib.h)."""
_UTF8 = 1
_RATE_PARAMETER = 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
Speak = Callable[[str, int, str], bytes]


def load() -> Speak:
    """``(voice, words a minute, text) → WAV``. Raises ``OSError`` when the library cannot start."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        raise OSError("eSpeak NG does not find its voices")
    samples = array("h")

    def collect(block: "ctypes._Pointer[ctypes.c_short] | None", count: int, _: int) -> int:
        if block is not None and count > 0:
            samples.extend(block[:count])
        return 0

    callback = _CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)

    def speak(voice: str, speed: int, text: str) -> bytes:
        samples[:] = array("h")
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise OSError(f"eSpeak NG has no voice {voice!r}")
        library.espeak_SetParameter(_RATE_PARAMETER, speed, 0)
        said = text.encode()
        library.espeak_Synth(said, len(said) + 1, 0, 0, 0, _UTF8, None, None)
        library.espeak_Synchronize()
        return _wav(rate, samples.tobytes())

    speak.__dict__["callback"] = callback  # the library calls it as long as somebody can speak
    return speak


def _wav(rate: int, body: bytes) -> bytes:
    head = _HEADER.pack(
        b"RIFF", len(body) + 36, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data",
        len(body),
    )  # fmt: skip
    return head + body


def main(arguments: list[str]) -> int:
    """Speaks once, or until the end of its input with ``--batch``."""
    speak = load()
    out = sys.stdout.buffer
    if "--batch" in arguments:
        for line in sys.stdin.buffer:
            voice, speed, text = json.loads(line)
            sound = speak(voice, speed, text)
            out.write(struct.pack("<I", len(sound)) + sound)
            out.flush()
        return 0
    voice = arguments[arguments.index("-v") + 1]
    speed = int(arguments[arguments.index("-s") + 1])
    out.write(speak(voice, speed, sys.stdin.buffer.read().decode()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
