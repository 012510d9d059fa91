"""A kiosk's screen speaks for its camera; the photo's whereabouts go to the kiosk alone; the outcome to the clerk."""

import asyncio
import sqlite3
from typing import Any

import msgspec
import pytest

from qingting.contract import hub as h
from qingting.contract.config import Device
from qingting.contract.face_check import CardPhoto, FaceCheck, FaceVerdict, Liveness
from qingting.contract.ids import DeviceId, ItemId
from qingting.contract.states import Condition, DeviceKind, DeviceState

House = Any
CAMERA = DeviceId("k1-camera")
PHOTO = CardPhoto(port=41207, token="one-time-token-of-a-photo")
TAKE = ItemId("id-renew")


@pytest.fixture
async def watched(house: House) -> House:
    """Kiosk 1 with a camera, and an item that asks for a face check."""
    await house.stop()
    camera = Device(
        id=CAMERA,
        kind=DeviceKind.CAMERA,
        name="摄像头",
        parent=DeviceId("k1"),
        profile="generic.uvc",
    )
    items = tuple(
        msgspec.structs.replace(one, face_check=one.id == TAKE) for one in house.config.items
    )
    house.config = msgspec.structs.replace(
        house.config, version=2, devices=(*house.config.devices, camera), items=items
    )
    house.path = house.path.with_name("watched.db")
    house.keys.clear()
    await house.start()
    return house


def camera(state: DeviceState, *conditions: Condition) -> h.DeviceReport:
    return h.DeviceReport(device=CAMERA, kind=DeviceKind.CAMERA, state=state, conditions=conditions)


async def test_a_camera_works_fails_and_works_again_as_its_kiosk_says_and_nobody_else(
    watched: House,
) -> None:
    async with await watched.join("k1") as kiosk, await watched.join("k2") as other:
        await kiosk.ask(camera(DeviceState.READY))
        for _ in range(2):
            await kiosk.ask(camera(DeviceState.ABSENT, Condition.OFFLINE))
        assert watched.device(CAMERA).state is DeviceState.ABSENT
        await kiosk.ask(camera(DeviceState.READY))
        assert watched.device(CAMERA).state is DeviceState.READY
        changed = await asyncio.to_thread(logged, watched)
        assert changed.count(CAMERA) == 3, "a fault is logged once, however often it is told"
        assert await other.refused(camera(DeviceState.READY)) == "hub.forbidden"
        async with await watched.agent() as agent:
            assert await agent.refused(camera(DeviceState.READY)) == "hub.forbidden"
            about_reader = h.DeviceReport(
                device=DeviceId("k1-reader"), kind=DeviceKind.ID_READER, state=DeviceState.READY
            )
            assert await kiosk.refused(about_reader) == "hub.forbidden"
    await watched.until(lambda: not watched.hub.board.presence.connected("k1"))
    watched.clock.shift += 3.5
    await watched.until(lambda: watched.device(CAMERA).state is DeviceState.LOST)


def logged(house: House) -> list[str]:
    """The devices that changed, in the order of the log."""
    with sqlite3.connect(house.path) as file:
        rows = file.execute("SELECT json FROM event WHERE k = 'device.changed' ORDER BY seq")
        return [msgspec.json.decode(row[0])["b"]["device"] for row in rows]


async def test_the_photo_is_told_to_the_kiosk_alone_and_only_the_outcome_is_kept(
    watched: House,
) -> None:
    check = FaceCheck(verdict=FaceVerdict.UNSURE, liveness=Liveness.DOUBTFUL)
    async with (
        await watched.agent() as agent,
        await watched.join("k1") as kiosk,
        await watched.clerk() as pad,
    ):
        await pad.ask(h.Subscribe(topics=("window:w1",)), key=None)
        await kiosk.ask(h.BeginIdentity(), key=None)
        await agent.ask(msgspec.structs.replace(watched.card(), photo=PHOTO), key=None)
        read = await kiosk.get(h.IdentityRead)
        assert read.photo == PHOTO
        await kiosk.ask(h.TakeTicket(item=TAKE, identity=read.token, face_check=check))
        await pad.ask(h.Next())
        visit = await pad.until(lambda: pad.topics["window:w1"]["window"].visit)
        assert visit.face_check == check
        assert PHOTO.token not in str(pad.messages)
    await watched.stop()
    stored = await asyncio.to_thread(watched.path.read_bytes)
    assert PHOTO.token.encode() not in stored
