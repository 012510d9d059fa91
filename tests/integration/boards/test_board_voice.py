"""The hall's voice: the board's calls as sound, and an honest answer when there is none."""

import array
import asyncio
import io
import itertools
import json
import math
import sys
import threading
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from patience import HANG_S, until

from hallserver.app.desk import DESK
from hallserver.app.server import HallSettings, open_hall_app
from hallserver.boards import voice as voices
from hallserver.boards.voice import Voice
from hallserver.hall import Hall
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.contract.states import Language
from qingting.demo.builder import build_hall, hall_ids
from qingting.kernel.config_file import dump_config
from qingting.kernel.security.passwords import Passwords

W1 = WindowId("w1")
SPEAKS = """
import json, os, struct, sys, time
started, text = time.monotonic(), sys.stdin.buffer.read().decode()
time.sleep({seconds})
sys.stdout.buffer.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0x7FFFF024, b"WAVE", b"fmt ", 16,
    1, 1, 22050, 44100, 2, 16, b"data", 0x7FFFF000) + b"\\x10\\x27" * 2205)
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], text, started, time.monotonic()]) + "\\n")
"""


@dataclass
class Program:
    """A stand-in for espeak-ng that notes what it was asked to say, and when."""

    path: Path
    log: Path

    async def said(self) -> list[str]:
        return [text for _, text, _, _ in await self.runs()]

    async def runs(self) -> list[tuple[list[str], str, float, float]]:
        text = await asyncio.to_thread(
            lambda: self.log.read_text("utf-8") if self.log.exists() else ""
        )
        return [tuple(json.loads(line)) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def _children_are_buried() -> Iterator[None]:
    """Python 3.11 waits for each ended child in a thread of its own, which needs a moment to end too."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("asyncio-waitpid"):
            thread.join(HANG_S)


Make = Callable[..., Awaitable[Program]]


@pytest.fixture
def program(tmp_path: Path) -> Make:
    path, log = tmp_path / "espeak-ng", tmp_path / "said.log"

    def write(script: str) -> None:
        path.write_text(f"#!{sys.executable}\n{script}", "utf-8")
        path.chmod(0o755)

    async def make(body: str = SPEAKS, seconds: float = 0) -> Program:
        script = body.format(log=str(log), seconds=seconds) if body is SPEAKS else body
        await asyncio.to_thread(write, script)
        return Program(path, log)

    return make


@dataclass
class House:
    client: TestClient[web.Request, web.Application]
    hall: Hall
    keys: "itertools.count[int]" = field(default_factory=itertools.count)

    async def do(self, command: c.Command) -> None:
        await self.hall.submit(command, key=f"voice-test-{next(self.keys):05d}", actor="test")

    async def call_one(self) -> None:
        """One citizen takes a number and is called to window 1."""
        token = f"token-of-number-{next(self.keys):03d}"
        await self.do(c.IssueTicket(item=ItemId("id-first"), token=token))
        await self.do(c.CallNext(window=W1))

    async def can_speak(self) -> bool:
        _, _, body = await self.get("/voice/available")
        return bool(json.loads(body)["available"])

    async def get(self, path: str) -> tuple[int, str, bytes]:
        response = await self.client.get(path)
        return response.status, response.content_type, await response.read()


@asynccontextmanager
async def house(folder: Path, speech_program: str) -> AsyncIterator[House]:
    file = folder / "hall.json"
    config = await asyncio.to_thread(lambda: build_hall(hall_ids(1)[0]))
    await asyncio.to_thread(dump_config, config, file)
    passwords = await asyncio.to_thread(
        lambda: Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    )
    settings = HallSettings(
        data=str(folder / "data"), config=str(file), speech_program=speech_program
    )
    async with (
        open_hall_app(settings, passwords=passwords) as app,
        TestClient(TestServer(app)) as client,
    ):
        made = House(client, app[DESK].hall)
        await made.do(c.OpenWindow(window=W1, staff=StaffId(config.staff[0].id)))
        yield made


def seconds_and_loudness(sound: bytes) -> tuple[float, float]:
    """Length, and root mean square between 0 and 1."""
    with wave.open(io.BytesIO(sound)) as file:
        frames = file.readframes(file.getnframes())
        assert len(frames) == file.getnframes() * 2, "the header tells the true length"
        seconds = file.getnframes() / file.getframerate()
    samples = array.array("h", frames)
    return seconds, math.sqrt(sum(one * one for one in samples) / len(samples)) / 32768


# ---- the address --------------------------------------------------------------------------------


async def test_a_call_on_the_board_can_be_heard(tmp_path: Path, program: Make) -> None:
    fake = await program()
    async with house(tmp_path, str(fake.path)) as hall:
        await hall.call_one()
        status, kind, sound = await hall.get("/voice/1.wav")
        assert (status, kind) == (200, "audio/wav")
        assert seconds_and_loudness(sound)[0] == pytest.approx(0.1)
        assert await fake.said() == ["请 A 零零一号，到 一号窗口"]


async def test_it_is_heard_in_english_on_request(tmp_path: Path, program: Make) -> None:
    fake = await program()
    async with house(tmp_path, str(fake.path)) as hall:
        await hall.call_one()
        assert (await hall.get("/voice/1.wav?lang=en"))[0] == 200
        assert (await hall.get("/voice/1.wav?lang=fr"))[0] == 422
        ((arguments, said, _, _),) = await fake.runs()
        assert said == "Number A, zero zero one. Please go to window 1."
        assert arguments[arguments.index("-v") + 1] == "en"


async def test_only_calls_on_the_board_can_be_heard(tmp_path: Path, program: Make) -> None:
    async with house(tmp_path, str((await program()).path)) as hall:
        await hall.call_one()
        status, _, body = await hall.get("/voice/2.wav")
        assert (status, json.loads(body)) == (404, {"code": "voice.unknown_call"})
        assert (await hall.get("/voice/1234567890.wav"))[0] == 404
        assert (await hall.get("/voice/one.wav"))[0] == 404


async def test_sound_is_never_kept_by_a_cache_because_numbers_begin_again_each_day(
    tmp_path: Path, program: Make
) -> None:
    async with house(tmp_path, str((await program()).path)) as hall:
        await hall.call_one()
        response = await hall.client.get("/voice/1.wav")
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["", "no-such-speech-program"])
async def test_a_hall_without_a_speech_program_says_so(tmp_path: Path, name: str) -> None:
    async with house(tmp_path, name) as hall:
        await hall.call_one()
        status, _, body = await hall.get("/voice/1.wav")
        assert (status, json.loads(body)) == (503, {"code": "voice.unavailable"})
        assert json.loads((await hall.get("/voice/available"))[2]) == {"available": False}


async def test_a_program_that_is_installed_later_is_found_without_a_restart(
    tmp_path: Path, program: Make
) -> None:
    place = tmp_path / "espeak-ng"
    async with house(tmp_path, str(place)) as hall:
        assert json.loads((await hall.get("/voice/available"))[2]) == {"available": False}
        await program()
        await until(hall.can_speak)


# ---- the program --------------------------------------------------------------------------------


async def test_the_words_are_handed_over_as_input_never_as_arguments(program: Make) -> None:
    fake = await program()
    await Voice(str(fake.path)).say("--version", Language.ZH)
    ((arguments, said, _, _),) = await fake.runs()
    assert said == "--version"
    assert "--version" not in arguments


async def test_a_sentence_that_several_boards_want_is_made_once(program: Make) -> None:
    fake = await program(seconds=0.1)
    voice = Voice(str(fake.path))
    sounds = await asyncio.gather(*(voice.say("请 A 零零一号", Language.ZH) for _ in range(6)))
    assert len(set(sounds)) == 1
    assert await fake.said() == ["请 A 零零一号"]


async def test_no_more_than_two_programs_run_at_once(program: Make) -> None:
    fake = await program(seconds=0.15)
    voice = Voice(str(fake.path))
    await asyncio.gather(*(voice.say(f"请 {one}", Language.ZH) for one in range(6)))
    runs = await fake.runs()
    assert len(runs) == 6
    for _, _, start, _ in runs:
        assert sum(begun <= start < ended for _, _, begun, ended in runs) <= 2


async def test_old_sentences_are_forgotten(program: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "KEPT", 2)
    fake = await program()
    voice = Voice(str(fake.path))
    for word in ("一", "二", "一", "三", "一", "二"):
        await voice.say(word, Language.ZH)
    assert await fake.said() == ["一", "二", "三", "二"]


async def test_a_program_that_hangs_is_ended_at_the_deadline(program: Make) -> None:
    path = (await program("import time; time.sleep(600)")).path
    voice = Voice(str(path), deadline=0.5)
    with pytest.raises(Refusal) as refused:
        await voice.say("请", Language.ZH)
    assert refused.value.code == "voice.failed"
    assert not await asyncio.to_thread(is_running, path)


def is_running(program: Path) -> bool:
    """True while any process of this machine was started from ``program``."""
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended just now
            if str(program).encode() in arguments.read_bytes():
                return True
    return False


@pytest.mark.parametrize(
    "body",
    [
        "import sys; sys.exit('Error: The specified espeak-ng voice does not exist.')",
        "print('this is no sound')",
        "pass",
        "import sys; sys.stdout.buffer.write(b'RIFF' + bytes(200))",
    ],
)
async def test_a_program_that_fails_is_no_voice_and_is_tried_again(
    program: Make, body: str
) -> None:
    voice = Voice(str((await program(body)).path))
    assert not await voice.available()
    with pytest.raises(Refusal) as refused:
        await voice.say("请", Language.ZH)
    assert refused.value.code == "voice.failed"
    await program()
    assert await voice.available()


async def test_a_file_that_is_no_program_is_no_voice(program: Make) -> None:
    fake = await program()
    await asyncio.to_thread(fake.path.write_bytes, b"\x7fELF not really")
    assert not await Voice(str(fake.path)).available()


# ---- the real one -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_the_real_program_says_a_call_in_one_to_eight_seconds(
    tmp_path: Path, lang: str
) -> None:
    async with house(tmp_path, "espeak-ng") as hall:
        await hall.call_one()
        await until(hall.can_speak)  # on a busy machine the first tries may miss their deadline

        async def spoken() -> bytes:
            status, _, sound = await hall.get(f"/voice/1.wav?lang={lang}")
            return sound if status == 200 else b""

        sound = await until(spoken)
        seconds, loudness = seconds_and_loudness(sound)
        assert 1 < seconds < 8
        assert loudness > 0.02, "this is silence"
