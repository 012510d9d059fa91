"""The hall's shelf keeps a release only when every byte of it is the one that was meant."""

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from hallserver.engine.state import HallState, ReleaseLife
from hallserver.hub.release_shelf import ReleaseShelf, checked
from qingting.contract.commands import ReportRelease
from qingting.contract.errors import Refusal
from qingting.contract.link import Piece
from qingting.contract.releases import ReleaseFacts
from qingting.contract.states import App
from qingting.kernel.release_archive import FILE_LIST, Manifest, make_release, read_release

PAGE = b'<script type="module" src="/kiosk/boot.js" data-entry="assets/k.js"></script>'
ARCHIVE = make_release(
    Manifest(app=App.KIOSK, version="1", build="0a1b2c3d4e5f"),
    {"index.html": PAGE, "assets/k.js": b"export {};"},
)
FACTS = read_release(ARCHIVE).facts


@dataclass
class Hall:
    """The log as far as the shelf needs it."""

    state: HallState
    told: list[ReportRelease]

    async def submit(self, command: ReportRelease, *, key: str, actor: str) -> None:
        self.told.append(command)
        life = self.state.releases[command.release]
        life.kept, life.code = not command.code, command.code

    def subscribe(self, listener: object) -> None:
        """Nothing happens in this hall."""


@pytest.fixture
async def hall() -> Hall:
    return Hall(HallState(releases={FACTS.id: ReleaseLife(facts=FACTS)}), [])


async def shelf_of(hall: Hall, folder: Path) -> ReleaseShelf:
    shelf = ReleaseShelf(hall, folder / "releases")  # type: ignore[arg-type]
    await shelf.open()
    return shelf


async def feed(shelf: ReleaseShelf, data: bytes, size: int = 100) -> None:
    while (want := shelf.want()) is not None and want.offset < len(data):
        part = data[want.offset : want.offset + size]
        await shelf.take(
            Piece(release=want.release, offset=want.offset, data=base64.b64encode(part).decode())
        )


async def content(shelf: ReleaseShelf, name: str) -> bytes:
    def read() -> bytes:
        file = shelf.find(App.KIOSK, FACTS.id, name)
        assert file is not None
        return file.read_bytes()

    return await asyncio.to_thread(read)


async def left(folder: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: list((folder / "releases").iterdir()))


async def test_pieces_become_a_release_also_over_a_restart_in_between(
    hall: Hall, tmp_path: Path
) -> None:
    first = await shelf_of(hall, tmp_path)
    await feed(first, ARCHIVE[:250])
    assert hall.told == []
    second = await shelf_of(hall, tmp_path)
    want = second.want()
    assert want is not None
    assert want.offset == 250
    await feed(second, ARCHIVE)
    assert hall.told == [ReportRelease(release=FACTS.id)]
    assert second.want() is None
    assert await content(second, "assets/k.js") == b"export {};"
    assert "index.html" in msgspec.json.decode(await content(second, FILE_LIST))
    for app, name in (
        (App.PAD, "assets/k.js"),
        (App.KIOSK, "../../hall.db"),
        (App.KIOSK, "nothing.js"),
    ):
        assert await asyncio.to_thread(second.find, app, FACTS.id, name) is None
    hall.state.releases.clear()
    await second.settle()
    assert await left(tmp_path) == []


@pytest.mark.parametrize("place", [0, 40, len(ARCHIVE) - 1])
async def test_one_byte_that_is_another_leaves_nothing_on_the_shelf(
    hall: Hall, tmp_path: Path, place: int
) -> None:
    shelf = await shelf_of(hall, tmp_path)
    forged = ARCHIVE[:place] + bytes([ARCHIVE[place] ^ 1]) + ARCHIVE[place + 1 :]
    await feed(shelf, forged)
    assert hall.told == [ReportRelease(release=FACTS.id, code="release.digest")]
    assert await asyncio.to_thread(shelf.find, App.KIOSK, FACTS.id, "index.html") is None
    assert await left(tmp_path) == []
    assert shelf.want() is None, "it is not fetched again by itself"


async def test_more_than_was_told_of_is_refused_and_so_are_pieces_that_nobody_asked_for(
    hall: Hall, tmp_path: Path
) -> None:
    shelf = await shelf_of(hall, tmp_path)
    out_of_turn = Piece(release=FACTS.id, offset=77, data="AAAA")
    await shelf.take(out_of_turn)
    await shelf.take(Piece(release="f" * 16, offset=0, data="AAAA"))
    assert hall.told == []
    whole = base64.b64encode(ARCHIVE + b"more").decode()
    await shelf.take(Piece(release=FACTS.id, offset=0, data=whole))
    assert hall.told == [ReportRelease(release=FACTS.id, code="release.digest")]


def test_the_right_bytes_under_other_facts_are_another_release() -> None:
    for changed in ({"app": App.PAD}, {"build": "ffffff"}, {"sha256": "0" * 64}):
        fields = {name: getattr(FACTS, name) for name in FACTS.__struct_fields__}
        with pytest.raises(Refusal, match=r"release\.digest"):
            checked(ReleaseFacts(**{**fields, **changed}), ARCHIVE)
