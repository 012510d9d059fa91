"""The synthesiser: any words become sound on the hall server, without the Internet.

The sound is made by eSpeak NG (https://github.com/espeak-ng/espeak-ng) in a process of its own: the copy
that comes with the Python package ``espeakng-loader``, or a program that an operator installed. Debian's
1.51 spells Chinese characters in its voice ``cmn``; ``cmn-latn-pinyin`` reads them in every version.
"""

import asyncio
import shutil
import sys
from importlib.util import find_spec

import structlog

from hallserver.boards.pcm import Samples, WavError, read_wav, resample
from qingting.contract.errors import Refusal
from qingting.contract.states import Language

log = structlog.get_logger(__name__)

AUTO = "auto"
"""The setting that takes the copy of the Python package, or ``espeak-ng`` on the path."""
DEADLINE_SECONDS = 5.0
"""A sentence takes some hundredths of a second; what takes this long is stuck."""
AT_ONCE = 2
SPEED, SLOW_SPEED = 150, 110
"""Words a minute."""
VOICES = {Language.ZH: "cmn-latn-pinyin", Language.EN: "en"}
Command = tuple[str, ...]


def find_command(program: str) -> Command | None:
    """What to run for the setting ``program``; None = no synthesiser. Looks at the disk."""
    if program == AUTO:
        if find_spec("espeakng_loader") is not None:
            return (sys.executable, "-m", "hallserver.boards.espeak_worker")
        program = "espeak-ng"
    path = shutil.which(program) if program else None
    return None if path is None else (path,)


class Synthesiser:
    """Speaks through ``program`` (:data:`AUTO`, a name on the path or a path); empty means no voice."""

    def __init__(self, program: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        self.program = program
        self._deadline = deadline
        self._free = asyncio.Semaphore(AT_ONCE)

    async def say(self, text: str, language: Language, *, slow: bool = False) -> Samples:
        """``text`` as samples at the hall's rate.

        Raises ``voice.unavailable`` when there is no such program, ``voice.failed`` when it does not
        speak within the deadline.
        """
        command = await asyncio.to_thread(find_command, self.program)
        if command is None:
            raise Refusal("voice.unavailable")
        try:
            async with self._free, asyncio.timeout(self._deadline):
                code, sound, words = await _run(command, text, language, slow)
        except TimeoutError:
            log.warning("voice.stuck", program=command[0], seconds=self._deadline)
            raise Refusal("voice.failed") from None
        except OSError as error:
            log.warning("voice.not_started", program=command[0], error=repr(error))
            raise Refusal("voice.failed") from error
        if code != 0:
            log.warning("voice.failed", program=command[0], code=code, said=words[-200:])
            raise Refusal("voice.failed")
        return await asyncio.to_thread(_samples, sound)


def _samples(sound: bytes) -> Samples:
    try:
        rate, samples = read_wav(sound)
    except WavError as error:
        log.warning("voice.no_sound", error=str(error))
        raise Refusal("voice.failed") from error
    if not samples:
        raise Refusal("voice.failed")
    return resample(samples, rate)


async def _run(
    command: Command, text: str, language: Language, slow: bool
) -> tuple[int, bytes, str]:
    """Exit code, sound and complaints. The program does not outlive the call."""
    speed = SLOW_SPEED if slow else SPEED
    process = await asyncio.create_subprocess_exec(
        *command, "-b", "1", "-v", VOICES[language], "-s", str(speed), "--stdin", "--stdout",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        sound, words = await process.communicate(text.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, sound, words.decode("utf-8", "replace").strip()
