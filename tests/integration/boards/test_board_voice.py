"""The hall's voice: calls as sound from bank and synthesiser, and an honest answer when there is none."""

import array
import asyncio
import io
import itertools
import json
import math
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from patience import until

from hallserver.app.desk import DESK
from hallserver.app.server import HallSettings, open_hall_app
from hallserver.boards import voice as voices
from hallserver.boards.announce import Announcement
from hallserver.boards.bank_build import build_from_synthesiser
from hallserver.boards.synthesiser import Synthesiser
from hallserver.boards.voice import Voice
from hallserver.hall import Hall
from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.ids import ItemId, StaffId, WindowId
from qingting.contract.layouts import Announcements
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

    async def call_one(self, *, english: bool = False) -> None:
        """One citizen takes a number and is called to window 1."""
        token = f"token-of-number-{next(self.keys):03d}"
        language = Language.EN if english else Language.ZH
        await self.do(c.IssueTicket(item=ItemId("id-first"), token=token, language=language))
        await self.do(c.CallNext(window=W1))

    async def can_speak(self) -> bool:
        _, _, body = await self.get("/voice/available")
        return bool(json.loads(body)["available"])

    async def get(self, path: str) -> tuple[int, str, bytes]:
        response = await self.client.get(path)
        return response.status, response.content_type, await response.read()


@asynccontextmanager
async def house(
    folder: Path, speech_program: str, bank: str = "", **announcements: Any
) -> AsyncIterator[House]:
    file = folder / "hall.json"
    config = await asyncio.to_thread(lambda: build_hall(hall_ids(1)[0]))
    config = msgspec.structs.replace(config, announcements=Announcements(**announcements))
    await asyncio.to_thread(dump_config, config, file)
    passwords = await asyncio.to_thread(
        lambda: Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    )
    settings = HallSettings(
        data=str(folder / "data"),
        config=str(file),
        speech_program=speech_program,
        voice_bank=bank,
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


def announcement(number: str = "A001", **changes: Any) -> Announcement:
    base: dict[str, Any] = {
        "number": number,
        "window": "1",
        "named": ("", ""),
        "languages": (Language.ZH,),
        "repeats": 1,
        "slow": False,
        "chime": False,
        "pause_seconds": 0.6,
    }
    return Announcement(**(base | changes))


def synthesised(program: Program) -> Voice:
    return Voice(Synthesiser(str(program.path)))


# ---- the address --------------------------------------------------------------------------------


async def test_a_call_can_be_heard(tmp_path: Path, program: Make) -> None:
    fake = await program()
    async with house(tmp_path, str(fake.path), chime=False) as hall:
        await hall.call_one()
        status, kind, sound = await hall.get("/voice/1.wav")
        assert (status, kind) == (200, "audio/wav")
        assert seconds_and_loudness(sound)[0] == pytest.approx(0.1, abs=0.02)
        assert await fake.said() == ["请 A 零零一号，到一号窗口办理"]


async def test_the_ticket_language_follows_the_hall_language(tmp_path: Path, program: Make) -> None:
    fake = await program()
    async with house(tmp_path, str(fake.path)) as hall:
        await hall.call_one(english=True)
        assert (await hall.get("/voice/1.wav"))[0] == 200
        chinese, english = await fake.runs()
        assert chinese[1] == "请 A 零零一号，到一号窗口办理"
        assert english[1] == "Number A zero zero one, please go to window one"
        assert english[0][english[0].index("-v") + 1] == "en"


async def test_a_call_is_repeated_as_often_as_the_hall_wants_after_one_chime(
    tmp_path: Path, program: Make
) -> None:
    fake = await program()
    lengths = []
    for folder, wanted in (("once", {"repeats": 1}), ("twice", {"repeats": 2})):
        place = tmp_path / folder
        await asyncio.to_thread(place.mkdir)
        async with house(place, str(fake.path), pause_seconds=1.0, **wanted) as hall:
            await hall.call_one()
            lengths.append(seconds_and_loudness((await hall.get("/voice/1.wav"))[2])[0])
    assert lengths[0] == pytest.approx(1.32 + 0.25 + 0.1, abs=0.05)
    assert lengths[1] - lengths[0] == pytest.approx(1.0 + 0.1, abs=0.02)


async def test_only_calls_that_were_made_can_be_heard(tmp_path: Path, program: Make) -> None:
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
    await Synthesiser(str(fake.path)).say("--version", Language.ZH)
    ((arguments, said, _, _),) = await fake.runs()
    assert said == "--version"
    assert "--version" not in arguments


async def test_the_slow_version_is_spoken_slowly(program: Make) -> None:
    fake = await program()
    voice = synthesised(fake)
    await voice.sound(announcement())
    await voice.sound(announcement(slow=True))
    speeds = [int(one[0][one[0].index("-s") + 1]) for one in await fake.runs()]
    assert speeds[1] < speeds[0]


async def test_an_announcement_that_several_boards_want_is_made_once(program: Make) -> None:
    fake = await program(seconds=0.1)
    voice = synthesised(fake)
    sounds = await asyncio.gather(*(voice.sound(announcement()) for _ in range(6)))
    assert len(set(sounds)) == 1
    assert len(await fake.said()) == 1


async def test_no_more_than_two_programs_run_at_once(program: Make) -> None:
    fake = await program(seconds=0.15)
    voice = synthesised(fake)
    await asyncio.gather(*(voice.sound(announcement(f"A00{one}")) for one in range(6)))
    runs = await fake.runs()
    assert len(runs) == 6
    for _, _, start, _ in runs:
        assert sum(begun <= start < ended for _, _, begun, ended in runs) <= 2


async def test_old_announcements_are_forgotten(
    program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voices, "KEPT", 2)
    fake = await program()
    voice = synthesised(fake)
    for number in ("A1", "A2", "A1", "A3", "A1", "A2"):
        await voice.sound(announcement(number))
    assert [said[4] for said in await fake.said()] == ["一", "二", "三", "二"]


async def test_a_program_that_hangs_is_ended_at_the_deadline(program: Make, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    body = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    synthesiser = Synthesiser(str((await program(body)).path), deadline=0.5)
    with pytest.raises(Refusal) as refused:
        await synthesiser.say("请", Language.ZH)
    assert refused.value.code == "voice.failed"
    pid = await asyncio.to_thread(note.read_text)
    assert not await asyncio.to_thread(Path(f"/proc/{pid}").exists)


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
    voice = synthesised(await program(body))
    assert not await voice.available()
    with pytest.raises(Refusal) as refused:
        await voice.sound(announcement())
    assert refused.value.code == "voice.failed"
    await program()
    await until(voice.available)


async def test_a_file_that_is_no_program_is_no_voice(program: Make) -> None:
    fake = await program()
    await asyncio.to_thread(fake.path.write_bytes, b"\x7fELF not really")
    assert not await synthesised(fake).available()


# ---- the bank and the real synthesiser ----------------------------------------------------------


@pytest.fixture(scope="module")
def real_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bank that a hall makes for itself."""
    out = tmp_path_factory.mktemp("real") / "voice"
    build_from_synthesiser(out)
    return out


@pytest.mark.parametrize("english", [False, True])
async def test_the_bank_says_a_call_in_one_to_ten_seconds(
    tmp_path: Path, real_bank: Path, english: bool
) -> None:
    async with house(tmp_path, "auto", str(real_bank)) as hall:
        await hall.call_one(english=english)
        assert json.loads((await hall.get("/voice/available"))[2]) == {"available": True}
        status, _, sound = await hall.get("/voice/1.wav")
        assert status == 200
        seconds, loudness = seconds_and_loudness(sound)
        assert 4 < seconds < 8 if not english else 7 < seconds < 13
        assert loudness > 0.03, "this is silence"


async def test_with_a_bank_the_synthesiser_is_asked_for_nothing_but_unknown_words(
    tmp_path: Path, program: Make, real_bank: Path
) -> None:
    fake = await program()
    voice = Voice(Synthesiser(str(fake.path)), real_bank)
    await voice.run()
    await voice.sound(announcement())
    assert await fake.said() == []
    await voice.sound(announcement(window="综合"))
    assert await fake.said() == ["综合"]


async def test_a_call_with_a_word_that_nobody_can_say_is_said_without_it(real_bank: Path) -> None:
    voice = Voice(Synthesiser(""), real_bank)
    await voice.run()
    whole = seconds_and_loudness(await voice.sound(announcement()))[0]
    without = seconds_and_loudness(await voice.sound(announcement(window="综合")))[0]
    assert 1 < without < whole


async def test_a_bank_that_cannot_be_used_is_said_and_the_synthesiser_speaks(
    tmp_path: Path, program: Make
) -> None:
    fake = await program()
    voice = Voice(Synthesiser(str(fake.path)), tmp_path / "nothing")
    await voice.run()
    assert voice.state.faults == ("there is no bank.toml",)
    await voice.sound(announcement())
    assert len(await fake.said()) == 1


async def test_a_hall_without_a_bank_makes_one_when_somebody_wants_to_hear_something(
    tmp_path: Path,
) -> None:
    voice = Voice(Synthesiser("auto"), tmp_path / "voice", generate=True)
    making = asyncio.ensure_future(voice.run())
    await asyncio.sleep(0)
    await until(voice.available)  # the synthesiser speaks meanwhile
    await making
    assert "eSpeak" in voice.state.source
    assert "GPL" in voice.state.licence
    assert voice.state.faults == ()


async def test_a_bank_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    voice = Voice(Synthesiser("no-such-speech-program"), tmp_path / "voice", generate=True)
    assert not await voice.available()
    await voice.run()
    (fault,) = voice.state.faults
    assert "no-such-speech-program" in fault
