"""What came into force in each hall, whoever put it there, and what became of what the city sent."""

from collections.abc import Sequence

from console.core.projection import StoredEvent
from console.core.uow import Uow
from console.modules.configuration import repository as repo
from console.modules.configuration.difference import diff
from console.modules.configuration.packing import document, pack, unpack
from qingting.contract import events as e
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import edited
from qingting.contract.ids import HallId


class ConfigurationProjector:
    """Implements :class:`console.core.projection.Projector`."""

    name = "configuration"

    async def apply(self, uow: Uow, hall: HallId, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            match stored.event.b:
                case e.ConfigApplied() as body:
                    await self._came(uow, hall, stored, body.config)
                case e.ConfigEdited() as body:
                    row = await repo.newest(uow, hall)
                    if row is None:
                        continue
                    config = edited(unpack(row["body"]), body.version, body.part)
                    await self._came(uow, hall, stored, config)
                case e.DirectiveApplied() as body:
                    await self._applied(uow, hall, body.no, stored.event.at)
                case e.DirectiveRefused() as body:
                    why = (body.code, body.params)
                    await repo.end_publication(uow, hall, body.no, stored.event.at, why)
                case _:
                    continue
            uow.changed("configuration")

    async def _came(self, uow: Uow, hall: HallId, stored: StoredEvent, config: HallConfig) -> None:
        before = await repo.newest(uow, hall)
        known = document(unpack(before["body"])) if before is not None else {}
        parts = sorted({one.path[0] for one in diff(known, document(config))}) if known else []
        origin, who = _maker(stored.event.by, config)
        await repo.add_version(
            uow,
            hall=hall,
            epoch=stored.epoch,
            seq=stored.seq,
            version=config.version,
            at=stored.event.at,
            origin=origin,
            who=who,
            note="",
            parts=" ".join(parts),
            body=pack(config),
        )

    async def _applied(self, uow: Uow, hall: HallId, directive: int, at: int) -> None:
        """What was sent is in force: it has a name, and the draft is done, or goes on from there."""
        sent = await repo.end_publication(uow, hall, directive, at)
        if sent is None:
            return
        await repo.name_version(uow, sent)
        draft = await repo.draft(uow, hall)
        if draft is None or not sent["revision"]:
            return
        if draft.revision == sent["revision"]:
            await repo.drop_draft(uow, hall)
            return
        base = await repo.newest(uow, hall)
        if base is not None:
            await repo.rebase_draft(uow, hall, base["body"], base["version"])

    async def forget(self, uow: Uow, hall: HallId) -> None:
        """Drafts and what was sent stay; what became of it is read again."""
        await repo.forget(uow, hall)


def _maker(by: str, config: HallConfig) -> tuple[str, str]:
    """Origin and name of who did it; who did it at the city is said by what was sent."""
    if by == "city":
        return "city", ""
    kind, _, key = by.partition(":")
    if kind == "staff":
        names = [one.name for one in config.staff if one.id == key]
        return "hall", names[0] if names else key
    return ("file" if kind == "file" else "hall"), ""
