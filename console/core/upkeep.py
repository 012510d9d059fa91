"""What the city's machine is kept by: where backups go and when, and which files are watched."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from console.core.senders.opening import SenderSettings

BACKUP_HOUR = 2
BACKUP_KEEP = 14
DRILL_DAYS = 7
OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepSettings:
    """``backup_folder`` None: no backups are made by themselves. ``backup_hour``: local hour from which the day's
    backup is made; ``backup_keep``: how many archives stay; ``drill_days``: days between restore drills, 0: none by
    itself. ``data``, ``key_file`` and ``certificate`` are watched by the health page where they are given."""

    backup_folder: Path | None = None
    backup_hour: int = BACKUP_HOUR
    backup_keep: int = BACKUP_KEEP
    drill_days: int = DRILL_DAYS
    data: Path | None = None
    key_file: Path | None = None
    certificate: Path | None = None


class UpkeepOptions(SenderSettings, frozen=True, kw_only=True):
    """Settings of upkeep, with those before them. ``backup_folder`` "off": no backups by themselves; empty: beside an
    embedded database, none for a server's, whose consoles may be on several machines. ``certificate_file`` is that of the
    proxy in front of the console, which the health page watches; for the others see :class:`UpkeepSettings`."""

    backup_folder: str = ""
    backup_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = BACKUP_HOUR
    backup_keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = BACKUP_KEEP
    drill_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = DRILL_DAYS
    certificate_file: str = ""

    def upkeep(self, data: Path, key_file: Path, *, embedded: bool) -> UpkeepSettings:
        beside = str(data / "backups") if embedded else OFF
        folder = self.backup_folder or beside
        return UpkeepSettings(
            backup_folder=Path(folder) if folder != OFF else None,
            backup_hour=self.backup_hour,
            backup_keep=self.backup_keep,
            drill_days=self.drill_days,
            data=data,
            key_file=key_file,
            certificate=Path(self.certificate_file) if self.certificate_file else None,
        )
