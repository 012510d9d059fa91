"""SQL of the device page."""

import sqlalchemy as sa

from console.core.lists import PAGE_ROWS
from console.core.rows import save_rows
from console.core.uow import ReadUow, Uow
from console.modules.devicepage import models as m
from console.modules.devicepage.domain import Happening, What
from console.modules.devicepage.photos import Photo
from qingting.contract.ids import HallId


async def profiles(uow: ReadUow, hall: HallId) -> dict[str, str]:
    """The profile that the hall's configuration names for each device."""
    rows = await uow.all(
        sa.select(m.device.c.id, m.device.c.profile).where(m.device.c.hall == hall)
    )
    return {row["id"]: row["profile"] for row in rows}


async def count(uow: ReadUow, hall: HallId, device: str, span: tuple[int, int] | None) -> int:
    """Lines of a timeline within ``span``, first instant and the one after the last."""
    return int(
        await uow.scalar(
            sa.select(sa.func.count()).select_from(m.happening).where(_of(hall, device, span))
        )
        or 0
    )


async def lines(
    uow: ReadUow, hall: HallId, device: str, span: tuple[int, int] | None, page: int
) -> list[Happening]:
    """A page of the timeline, newest first."""
    rows = await uow.all(
        sa.select(m.happening)
        .where(_of(hall, device, span))
        .order_by(m.happening.c.at.desc(), m.happening.c.epoch.desc(), m.happening.c.seq.desc())
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    )
    return [
        Happening(
            device=row["device"],
            at=row["at"],
            what=What(row["what"]),
            state=row["state"],
            before=row["before"],
            began=tuple(row["began"]),
            ended=tuple(row["ended"]),
        )
        for row in rows
    ]


def _of(hall: HallId, device: str, span: tuple[int, int] | None) -> sa.ColumnElement[bool]:
    mine = (m.happening.c.hall == hall) & (m.happening.c.device == device)
    if span is None:
        return mine
    return mine & (m.happening.c.at >= span[0]) & (m.happening.c.at < span[1])


async def photo_digest(uow: ReadUow, model: str) -> str:
    """Digest of a model's photograph; empty without one."""
    statement = sa.select(m.photo.c.digest).where(m.photo.c.model == model)
    return str(await uow.scalar(statement) or "")


async def photo_body(uow: ReadUow, model: str) -> bytes | None:
    body = await uow.scalar(sa.select(m.photo.c.body).where(m.photo.c.model == model))
    return None if body is None else bytes(body)


async def put_photo(uow: Uow, model: str, photo: Photo, by: str, at: int) -> None:
    row = {
        "model": model,
        "body": photo.body,
        "digest": photo.digest,
        "width": photo.width,
        "height": photo.height,
        "put_by": by,
        "put_at": at,
    }
    await save_rows(uow, m.photo, [row])


async def drop_photo(uow: Uow, model: str) -> bool:
    return bool(await uow.run(sa.delete(m.photo).where(m.photo.c.model == model)))
