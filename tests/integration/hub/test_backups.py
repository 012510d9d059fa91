"""The day's backup of a hall: made by itself, missed aloud, and asked for by the manager alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fixtures_manager import PASSWORD, Site
from form_fields import invalid_inputs
from patience import until
from structlog.testing import capture_logs

from hallserver.copies.desk import CopyDesk, Plan
from hallserver.copies.rules import RETRY_MS
from hallserver.copies.runner import Hear
from hallserver.hall import open_hall
from hallserver.store.copying import Order, Outcome, Word, carry_out
from hallserver.store.verify import verify
from qingting.contract.config import HallConfig
from qingting.contract.ids import StaffId
from qingting.kernel.aio.clock import ManualClock
from qingting.kernel.aio.tasks import Supervisor

DAY_S = 86_400.0


async def here(order: Order, hear: Hear) -> Outcome:
    """In a thread: what the process of its own does, without its start."""
    return await asyncio.to_thread(
        carry_out, order, lambda step, share: hear(Word(step=step, share=share))
    )


@asynccontextmanager
async def a_hall(
    folder: Path, clock: ManualClock, config: HallConfig, keep: int
) -> AsyncIterator[CopyDesk]:
    plan = Plan(folder / "backups", 2, keep)
    async with (
        open_hall(folder / "hall.db", clock=clock, config=config) as hall,
        Supervisor("test") as tasks,
    ):
        yield CopyDesk(hall, clock, plan, tasks, run=here)


async def drilled(desk: CopyDesk, name: str) -> str:
    """The code of what was found wrong."""
    await desk.drill(name, "0109")
    await until(lambda: desk.job is not None and desk.job.ended)
    assert desk.job is not None
    return desk.job.problem.code if desk.job.problem is not None else ""


def spoil(copy: Path) -> None:
    data = bytearray(copy.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = b"\x55" * 4096
    copy.write_bytes(bytes(data))


async def test_a_hall_backs_itself_up_each_night_once_and_keeps_so_many(
    tmp_path: Path, config: HallConfig
) -> None:
    clock = ManualClock()
    async with a_hall(tmp_path, clock, config, keep=2) as desk:
        await desk.look()
        assert await desk.backups() == [], (
            "a hall of today has nothing to save before its first night"
        )
        keeping = asyncio.create_task(desk.keep())
        await clock.advance(DAY_S)
        await until(lambda: desk.job is not None and desk.job.ended)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        for night in range(1, 4):
            assert desk.job is not None
            assert desk.job.problem is None
            made = desk.job.file
            await desk.look()
            assert desk.job.file == made, "one a day"
            found = await desk.backups()
            assert [one.whole for one in found] == [True] * min(night, 2)
            assert found[0].name == made
            await clock.advance(DAY_S)
            await desk.look()
        assert (await desk.backups())[0].name != made
        copy = desk.book().folder / found[0].name
        assert (await asyncio.to_thread(verify, copy)).faults == []
        assert (await asyncio.to_thread(copy.stat)).st_mode & 0o077 == 0
        assert desk.bad_since == 0
        assert await drilled(desk, found[0].name) == ""
        await asyncio.to_thread(spoil, copy)
        assert await drilled(desk, found[0].name) == "hall_backup.not_whole"
        assert [one.whole for one in await desk.backups()] == [True, False]


async def test_a_folder_that_takes_no_backup_is_said_once_until_it_works_again(
    tmp_path: Path, config: HallConfig
) -> None:
    clock, told = ManualClock(), []
    async with a_hall(tmp_path, clock, config, keep=3) as desk:
        desk.changed = lambda: told.append(desk.bad_since)
        folder = desk.book().folder
        with capture_logs() as logs:
            await asyncio.to_thread(folder.write_text, "in the way")
            for seconds in (DAY_S, RETRY_MS / 1000, RETRY_MS / 1000):
                await clock.advance(seconds)
                await desk.look()
            assert desk.problem is not None
            assert desk.problem.code == "hall_backup.not_written"
            failing = desk.bad_since
            assert told == [failing]
            assert failing > 0
            await asyncio.to_thread(folder.unlink)
            await clock.advance(RETRY_MS / 1000)
            await desk.look()
            await until(lambda: desk.problem is None)
            assert told == [failing, 0]
        events = [one["event"] for one in logs if one["event"].startswith("backup.")]
        assert events == ["backup.failing", "backup.made", "backup.works_again"]


async def test_only_a_manager_who_is_sure_and_knows_the_password_restores(inside: Site) -> None:
    desk = inside.desk
    _, page = await inside.post("/manage/backups", form_at="/manage/backups")
    assert "备份" in page
    await until(lambda: desk.copies.job is not None and desk.copies.job.ended)
    (backup,) = await desk.copies.backups()
    assert backup.proof is not None
    assert backup.proof.facts == await desk.copies.present()
    where = f"/manage/backups/{backup.name}"

    async def asked(**form: str) -> tuple[int, set[str]]:
        status, page = await inside.post(f"{where}/restore", form_at=where, **form)
        return status, invalid_inputs(page)

    assert await asked(password=PASSWORD) == (422, {"sure"})
    assert await asked(password="wrong-by-far", sure="yes") == (401, {"password"})
    # This test's server cannot open again by itself, and says so to whoever got that far.
    assert await asked(password=PASSWORD, sure="yes") == (409, set())
    for name in ("other-20261126T020000Z.db", "..%2Fhall.db", backup.name + ".json"):
        assert (await inside.get(f"/manage/backups/{name}"))[0] == 404
    assert desk.copies.job is not None
    assert desk.copies.job.kind == "backup"
    data = desk.copies.database.parent
    assert await asyncio.to_thread(lambda: list(data.glob("*restore*"))) == []

    inside.client.session.cookie_jar.clear()
    await desk.accounts.staff.put(StaffId("s-01"), PASSWORD, must_change=False)
    await inside.log_in("0101")
    assert (await inside.get("/manage/backups"))[0] == 403
    refused = await inside.client.post(f"{where}/restore", data={"sure": "yes"})
    assert refused.status == 403
