"""Use cases of the device page."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from console.core.audit import Audit
from console.core.lists import PAGE_ROWS
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.devicepage import repository
from console.modules.devicepage.domain import Happening
from console.modules.devicepage.knowledge import MODELS, Model
from console.modules.devicepage.photos import photo_of
from console.modules.devices.api import DeviceInfo, DevicesApi
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.states import DeviceKind
from qingting.kernel.aio.clock import Clock
from qingting.kernel.order import natural


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePicture:
    """A device with what is known of it. ``model`` is what photographs are kept by, ``facts`` are None for a
    model that the city does not know. ``parent`` is the kiosk it stands in, ``around`` what stands there
    with it (for a kiosk: in it; for a pad: at its window)."""

    device: DeviceInfo
    profile: str
    facts: Model | None
    parent: DeviceInfo | None
    around: tuple[DeviceInfo, ...]
    photo: str

    @property
    def model(self) -> str:
        return self.profile or f"kind.{self.device.kind.value}"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of what happened, newest first, and how many lines there are in all."""

    lines: tuple[Happening, ...]
    count: int
    page: int


class DevicePageService:
    """Reads through the other modules' interfaces; keeps timelines and photographs."""

    def __init__(
        self, clock: Clock, audit: Audit, devices: DevicesApi, utc_offset_minutes: int
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._devices = devices
        self._zone = timezone(timedelta(minutes=utc_offset_minutes))

    async def picture(
        self, uow: ReadUow, subject: Subject, hall: HallId, device: str
    ) -> DevicePicture:
        """Raises ``device.unknown``."""
        subject.require(Permission.LOOK, hall=hall)
        devices = await self._devices.devices(uow, subject.scope(Permission.LOOK), hall)
        found = next((one for one in devices if one.id == device), None)
        if found is None:
            raise Refusal("device.unknown")
        profile = (await repository.profiles(uow, hall)).get(device, "")
        model = profile or f"kind.{found.kind.value}"
        return DevicePicture(
            device=found,
            profile=profile,
            facts=MODELS.get(profile),
            parent=next((one for one in devices if found.parent and one.id == found.parent), None),
            around=_around(found, devices),
            photo=await repository.photo_digest(uow, model),
        )

    async def models(self, uow: ReadUow, hall: HallId) -> dict[str, str]:
        """See :class:`console.modules.devicepage.api.ModelsApi`."""
        profiles = await repository.profiles(uow, hall)
        return {
            device: MODELS[profile].title if profile in MODELS else profile
            for device, profile in profiles.items()
            if profile
        }

    async def timeline(
        self, uow: ReadUow, subject: Subject, hall: HallId, device: str, day: date | None, page: int
    ) -> Timeline:
        """``day``: that day only, in the city's time; a page behind the end is the last one."""
        subject.require(Permission.LOOK, hall=hall)
        span = None if day is None else self._span(day)
        count = await repository.count(uow, hall, device, span)
        page = min(page, max(1, -(-count // PAGE_ROWS)))
        lines = await repository.lines(uow, hall, device, span, page)
        return Timeline(tuple(lines), count, page)

    async def photo(self, uow: ReadUow, subject: Subject, model: str) -> bytes:
        """WebP. Raises ``page.not_found``."""
        subject.require(Permission.LOOK)
        body = await repository.photo_body(uow, model)
        if body is None:
            raise Refusal("page.not_found")
        return body

    async def put_photo(self, uow: Uow, subject: Subject, model: str, data: bytes) -> None:
        """Keeps a photograph for every device of ``model`` in the city. Raises ``photo.unreadable``,
        ``photo.too_large`` and ``page.not_found`` for a model that nobody has."""
        subject.require(Permission.PHOTOS)
        if not _is_model(model):
            raise Refusal("page.not_found")
        photo = await asyncio.to_thread(photo_of, data)
        await repository.put_photo(uow, model, photo, subject.id, self._clock.now_ms())
        await self._audit.write(uow, subject, "photo.put", object=model, detail=photo.digest)
        uow.changed("devices")

    async def drop_photo(self, uow: Uow, subject: Subject, model: str) -> None:
        """Back to the drawing. Raises ``page.not_found``."""
        subject.require(Permission.PHOTOS)
        if not await repository.drop_photo(uow, model):
            raise Refusal("page.not_found")
        await self._audit.write(uow, subject, "photo.drop", object=model)
        uow.changed("devices")

    def _span(self, day: date) -> tuple[int, int]:
        begin = datetime.combine(day, time(), self._zone)
        return int(begin.timestamp() * 1000), int((begin + timedelta(days=1)).timestamp() * 1000)


def _is_model(model: str) -> bool:
    return model in MODELS or model in {f"kind.{kind.value}" for kind in DeviceKind}


def _around(device: DeviceInfo, devices: list[DeviceInfo]) -> tuple[DeviceInfo, ...]:
    if device.kind is DeviceKind.KIOSK:
        found = [one for one in devices if one.parent == device.id]
    elif device.parent:
        found = [one for one in devices if one.parent == device.parent]
    elif device.window:
        found = [one for one in devices if one.window == device.window]
    else:
        found = []
    others = [one for one in found if one.id != device.id]
    return tuple(sorted(others, key=lambda one: (one.kind.value, natural(one.name))))
