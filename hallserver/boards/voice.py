"""The hall's own voice: calls become sound on the hall server, without the Internet.

Words come from the clip bank; what it does not hold, and everything until there is a bank, comes from the
synthesiser. A hall without a bank of its own makes one out of the synthesiser when a board first asks for
sound.
"""

import asyncio
import sys
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from hallserver.boards import pcm
from hallserver.boards.announce import Announcement
from hallserver.boards.bank import CHIME_KEY, FILE, Bank, BankError, load_bank
from hallserver.boards.pcm import Samples
from hallserver.boards.phrases import Phrase, Word, call_phrase, text_of
from hallserver.boards.synthesiser import Synthesiser
from qingting.contract.errors import Refusal
from qingting.contract.states import Language

log = structlog.get_logger(__name__)

KEPT = 32
"""Announcements kept in memory, about 300 kB each: boards of one hall ask for the same ones together."""
BUILD_SECONDS = 300.0
"""A bank is made in about ten seconds; on a very small machine it takes longer."""
CHIME = Word(CHIME_KEY, "")
TEST_WORDS = "音箱测试"
AFTER_CHIME = 0.25
MAX_SPOKEN_CHARS = 40
"""A window's name that is longer is cut: nobody waits for the end of such an announcement."""


@dataclass(frozen=True, slots=True)
class VoiceState:
    """What the manager's page says of the voice. ``faults`` are English lines of a bank that cannot be
    used; ``making`` while one is made."""

    source: str = ""
    licence: str = ""
    making: bool = False
    faults: tuple[str, ...] = ()


class Voice:
    """Made by the composition root; :meth:`run` is its service.

    ``bank`` is the folder of the bank, None = speak without one; ``generate``: make it when it is missing.
    """

    def __init__(
        self, synthesiser: Synthesiser, bank: Path | None = None, *, generate: bool = False
    ) -> None:
        self.synthesiser = synthesiser
        self.state = VoiceState()
        self._folder = bank
        self._generate = generate
        self._bank: Bank | None = None
        self._wanted = asyncio.Event()
        self._kept: OrderedDict[Announcement, bytes] = OrderedDict()
        self._turns: WeakValueDictionary[Announcement, asyncio.Lock] = WeakValueDictionary()

    # ---- the bank -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Reads the bank; makes it when somebody wants to hear something and there is none."""
        if self._folder is None or await self._read(self._folder) or not self._generate:
            return
        await self._wanted.wait()
        self.state = VoiceState(making=True)
        fault = await self._make(self._folder)
        self.state = VoiceState()
        if fault:
            # Not tried again before the next start: the synthesiser is missing or the disk is full.
            log.warning("voice.bank_not_made", folder=str(self._folder), fault=fault)
            self.state = VoiceState(faults=(fault,))
        elif await self._read(self._folder):
            log.info("voice.bank_made", folder=str(self._folder))

    async def _read(self, folder: Path) -> bool:
        if not await asyncio.to_thread((folder / FILE).is_file):
            if not self._generate:
                self._refuse_bank(folder, [f"there is no {FILE}"])
            return False
        try:
            self._bank = await asyncio.to_thread(load_bank, folder)
        except BankError as error:
            self._refuse_bank(folder, error.faults)
            return False
        self._kept.clear()
        file = self._bank.file
        self.state = VoiceState(source=file.source, licence=file.licence)
        return True

    def _refuse_bank(self, folder: Path, faults: list[str]) -> None:
        log.error("voice.bank_unusable", folder=str(folder), faults=faults[:10])
        self.state = VoiceState(faults=tuple(faults))

    async def _make(self, folder: Path) -> str:
        """Why there is no bank now; empty when it was made."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hallserver.boards.bank_build", str(folder),
            self.synthesiser.program,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(BUILD_SECONDS):
                _, words = await process.communicate()
        except TimeoutError:
            return f"not finished in {BUILD_SECONDS:.0f} seconds"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0:
            return ""
        return words.decode("utf-8", "replace").strip()[-200:] or "ended without a word"

    # ---- sound ----------------------------------------------------------------------------------

    async def available(self) -> bool:
        """True when words can be spoken now; proven by a bank or by speaking, not by looking for a file."""
        self._wanted.set()
        if self._bank is not None:
            return True
        try:
            await self.synthesiser.say("请", Language.ZH)
        except Refusal:
            return False
        return True

    async def sound(self, announcement: Announcement) -> bytes:
        """The announcement as a WAV file: chime, every language, every repeat.

        Raises ``voice.unavailable`` or ``voice.failed``.
        """
        self._wanted.set()
        # Held by everyone who waits for it, so that it is made once.
        turn = self._turns.setdefault(announcement, asyncio.Lock())
        async with turn:
            if announcement not in self._kept:
                self._kept[announcement] = await self._assemble(announcement)
            self._kept.move_to_end(announcement)
            sound = self._kept[announcement]
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return sound

    async def test_sound(self) -> bytes:
        """A chime, and a sentence where words can be spoken, as a WAV file: what a loudspeaker is tried with."""
        pieces = [await self._chime(), pcm.silence(AFTER_CHIME)]
        try:
            spoken = await self.synthesiser.say(TEST_WORDS, Language.ZH)
            pieces.append(await asyncio.to_thread(lambda: pcm.level(pcm.trim(spoken))))
        except Refusal as refusal:
            log.info("voice.test_without_words", code=refusal.code)
        return pcm.write_wav(pcm.concatenate(pieces))

    async def _assemble(self, one: Announcement) -> bytes:
        said = [await self._phrase(one, language) for language in one.languages]
        chime = await self._chime() if one.chime else array("h")
        return await asyncio.to_thread(_joined, one, said, chime)

    async def _phrase(self, one: Announcement, language: Language) -> Samples:
        phrase = call_phrase(one.number, one.window[:MAX_SPOKEN_CHARS], language, one.named)
        if self._bank is None:
            spoken = await self.synthesiser.say(text_of(phrase), language, slow=one.slow)
            return await asyncio.to_thread(lambda: pcm.level(pcm.trim(spoken)))
        return await self._from_bank(self._bank, phrase, language, slow=one.slow)

    async def _from_bank(
        self, bank: Bank, phrase: Phrase, language: Language, *, slow: bool
    ) -> Samples:
        missing = bank.missing(phrase)
        if missing:
            try:
                spoken = {
                    one.text: await self.synthesiser.say(one.text, language, slow=slow)
                    for one in missing
                }
            except Refusal as refusal:
                # Number and place are said without the word; the screen shows it.
                log.warning("voice.word_left_out", code=refusal.code, words=len(missing))
                phrase = [one for one in phrase if one not in missing]
                spoken = {}
        else:
            spoken = {}

        def say() -> Samples:
            levelled = {word: pcm.level(pcm.trim(one)) for word, one in spoken.items()}
            return bank.say(phrase, levelled, slow=slow)

        return await asyncio.to_thread(say)

    async def _chime(self) -> Samples:
        if self._bank is not None:
            return self._bank.say([CHIME], {})
        return await asyncio.to_thread(pcm.chime)


def _joined(one: Announcement, said: list[Samples], chime: Samples) -> bytes:
    pieces = [chime, pcm.silence(AFTER_CHIME)] if chime else []
    pause = pcm.silence(max(one.pause_seconds, 0.2))
    for turn in range(one.repeats):
        for number, phrase in enumerate(said):
            pieces += [pause, phrase] if turn or number else [phrase]
    return pcm.write_wav(pcm.concatenate(pieces))
