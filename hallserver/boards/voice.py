"""The hall's own voice: sentences become sound on the hall server, without the Internet.

The sound is made by eSpeak NG (https://github.com/espeak-ng/espeak-ng), a program of its own that an
operator installs beside the hall server. Debian's 1.51 spells Chinese characters in its voice ``cmn``;
``cmn-latn-pinyin`` reads them.
"""

import asyncio
import shutil
import struct
from collections import OrderedDict
from weakref import WeakValueDictionary

import structlog

from qingting.contract.errors import Refusal
from qingting.contract.states import Language

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 5.0
"""A sentence takes some hundredths of a second; what takes this long is stuck."""
AT_ONCE = 2
KEPT = 32
"""Sentences kept in memory, about 200 kB each: boards of one hall ask for the same ones together."""
WORDS_PER_MINUTE = 150
_VOICES = {Language.ZH: "cmn-latn-pinyin", Language.EN: "en"}
_PROBE = "请"
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class Voice:
    """Speaks through ``program``, a name on the path or a path; an empty one means no voice."""

    def __init__(self, program: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._program = program
        self._deadline = deadline
        self._free = asyncio.Semaphore(AT_ONCE)
        self._kept: OrderedDict[tuple[str, Language], bytes] = OrderedDict()
        self._turns: WeakValueDictionary[tuple[str, Language], asyncio.Lock] = WeakValueDictionary()

    async def available(self) -> bool:
        """True when the program is installed and has just spoken, or has before."""
        try:
            await self.say(_PROBE, Language.ZH)
        except Refusal:
            return False
        return True

    async def say(self, text: str, language: Language) -> bytes:
        """``text`` as a WAV file, 16 bit mono.

        Raises ``voice.unavailable`` when there is no such program, ``voice.failed`` when it does not
        speak within the deadline.
        """
        path = await asyncio.to_thread(shutil.which, self._program) if self._program else None
        if path is None:
            raise Refusal("voice.unavailable")
        wanted = (text, language)
        # Held by everyone who waits for the sentence, so that it is made once.
        turn = self._turns.setdefault(wanted, asyncio.Lock())
        async with turn:
            if wanted not in self._kept:
                self._kept[wanted] = await self._make(path, text, language)
            self._kept.move_to_end(wanted)
            sound = self._kept[wanted]
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return sound

    async def _make(self, path: str, text: str, language: Language) -> bytes:
        try:
            async with self._free, asyncio.timeout(self._deadline):
                code, sound, words = await _run(path, text, language)
        except TimeoutError:
            log.warning("voice.stuck", program=path, seconds=self._deadline)
            raise Refusal("voice.failed") from None
        except OSError as error:
            log.warning("voice.not_started", program=path, error=repr(error))
            raise Refusal("voice.failed") from error
        file = whole_wav(sound)
        if code != 0 or file is None:
            log.warning("voice.failed", program=path, code=code, said=words[-200:])
            raise Refusal("voice.failed")
        return file


async def _run(path: str, text: str, language: Language) -> tuple[int, bytes, str]:
    """Exit code, sound and complaints. The program does not outlive the call."""
    process = await asyncio.create_subprocess_exec(
        path,
        "-b",
        "1",
        "-v",
        _VOICES[language],
        "-s",
        str(WORDS_PER_MINUTE),
        "--stdin",
        "--stdout",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        sound, words = await process.communicate(text.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, sound, words.decode("utf-8", "replace").strip()


def whole_wav(sound: bytes) -> bytes | None:
    """A streamed WAV with its true lengths, which the program can not know when it writes the header.

    None when it is not 16-bit mono PCM or holds no sound. Layout: Microsoft RIFF, 44-byte header.
    """
    if len(sound) <= _HEADER.size:
        return None
    fields = list(_HEADER.unpack_from(sound))
    marks = (fields[0], fields[2], fields[3], fields[11])
    form, channels, bits = fields[5], fields[6], fields[10]
    if marks != (b"RIFF", b"WAVE", b"fmt ", b"data") or (form, channels, bits) != (1, 1, 16):
        return None
    body = sound[_HEADER.size :]
    body = body[: len(body) & ~1]
    fields[1], fields[12] = len(body) + _HEADER.size - 8, len(body)
    return _HEADER.pack(*fields) + body
