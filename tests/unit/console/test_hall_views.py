"""The map of halls and how a hall's devices stand together: every hall and device once, a lost kiosk as one fault."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console.halls.api import Entry, HallStatus, LinkState
from console.modules.devices.api import ConditionSince, DeviceInfo
from console.modules.overview.domain import attention
from console.modules.overview.places import MAP, MOST_TILES, TILE_HEIGHT, TILE_WIDTH, tiles
from console.modules.overview.service import HallLine
from console.modules.overview.standing import stand
from console.modules.statistics.api import totals
from qingting.contract.ids import HallId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.demo.builder import build_hall, hall_ids

HALL = HallId("h")


def status(hall: str = HALL, division: str = "230602") -> HallStatus:
    return HallStatus(
        id=HallId(hall), name="甲", name_en="A", division=division, department="", address="", phone="",
        state=LinkState.ONLINE, since=0, seen_at=0, event_at=0, received_at=0, seq=0, head=0,
        oldest_unacked=0, clock_offset_ms=0, build="", refused="", config_version=1, parked=0, fork=None,
    )  # fmt: skip


def line(hall: str, division: str) -> HallLine:
    return HallLine(
        status=status(hall, division), waiting=0, totals=totals([]), devices=0, out_of_order=0
    )


class TestMap:
    def test_every_hall_of_the_tender_has_a_tile_of_its_own(self) -> None:
        infos = [build_hall(hall).hall for hall in hall_ids(12)]
        found = tiles([line(info.id, info.division) for info in infos])
        assert sorted(tile.line.status.id for tile in found) == sorted(info.id for info in infos)
        assert not [tile for tile in found if tile.more]

    def test_no_tile_leaves_the_picture_or_covers_another_however_many_halls_there_are(
        self,
    ) -> None:
        codes = [code for place in MAP.place for code in place.codes]
        found = tiles([line(f"{code}-{n}", code) for code in codes for n in range(5)])
        boxes = sorted((tile.x, tile.y) for tile in found)
        assert all(0 <= x <= MAP.width - TILE_WIDTH for x, _ in boxes)
        for (x, y), (_, below) in pairwise(boxes):
            if (x, below) in boxes and below > y:
                assert below - y >= TILE_HEIGHT
        for place in MAP.place:
            here = [tile for tile in found if tile.line.status.division in place.codes]
            assert len(here) == MOST_TILES
            assert here[-1].more == 5 * len(place.codes) - MOST_TILES

    def test_a_hall_of_an_unknown_division_is_left_to_the_list(self) -> None:
        assert tiles([line("x", "110101"), line("y", "")]) == []

    def test_the_areas_are_closed_shapes_within_the_picture(self) -> None:
        for place in MAP.place:
            corners = [tuple(map(int, one.split(","))) for one in place.shape.split()]
            assert len(corners) >= 4
            assert all(0 <= x <= MAP.width and 0 <= y <= MAP.height for x, y in corners)

    def test_the_drawings_are_whole_and_bring_no_script_or_address(self) -> None:
        from console.app.server import _STATIC

        drawings = sorted((_STATIC / "drawings").glob("*.svg"))
        assert drawings
        for path in drawings:
            text = path.read_text("utf-8")
            ET.fromstring(text)
            assert not any(
                word in text for word in ("script", "href", "http://www.w3.org/1999", "url(")
            )


def device(
    key: str, kind: DeviceKind, state: DeviceState = DeviceState.READY, **more: object
) -> DeviceInfo:
    plain = DeviceInfo(
        hall=HALL, hall_name="甲", hall_name_en="A", id=key, kind=kind, name=key, name_en="", parent="",
        parent_name="", parent_name_en="", window="", state=state, conditions=(), detail="", since=1,
        seen=2, fresh=True,
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def kiosk(state: DeviceState, agent: DeviceState, parts: DeviceState) -> list[DeviceInfo]:
    offline = (ConditionSince(condition=Condition.OFFLINE, since=1),)
    gone = offline if parts is DeviceState.LOST else ()
    return [
        device("k1", DeviceKind.KIOSK, state),
        device("k1-agent", DeviceKind.AGENT, agent, parent="k1"),
        device("k1-printer", DeviceKind.PRINTER, parts, parent="k1", conditions=gone),
        device("k1-reader", DeviceKind.ID_READER, parts, parent="k1", conditions=gone),
    ]


def window(key: str) -> Entry:
    return Entry(hall=HALL, kind="window", id=key, name="", name_en="", label=key, present=True)


class TestStanding:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(DeviceKind),
                st.sampled_from(DeviceState),
                st.sampled_from(["", "d0", "d1", "elsewhere"]),
                st.sampled_from(["", "w1", "w9"]),
            ),
            max_size=12,
        )
    )
    def test_every_device_is_told_once_or_counted(
        self, found: list[tuple[DeviceKind, DeviceState, str, str]]
    ) -> None:
        devices = [
            device(f"d{n}", kind, state, parent=parent if parent != f"d{n}" else "", window=at)
            for n, (kind, state, parent, at) in enumerate(found)
            if not (kind is DeviceKind.KIOSK and parent)
        ]
        standing = stand(devices, [window("w1")], [])
        told = [one.id for one in standing.others]
        for machine in standing.machines:
            told += [machine.kiosk.id, *(part.id for part in machine.parts)]
        pads = [pad.id for desk in standing.desks for pad in desk.pads]
        behind = sum(machine.behind for machine in standing.machines)
        assert len(told) == len(set(told))
        at_quiet = 0 if standing.desks else sum(
            one.window == "w1" and one.kind in (DeviceKind.CALL_PAD, DeviceKind.RATING_PAD)
            and one.id not in told for one in devices
        )  # fmt: skip
        assert len(told) + len(set(pads) - set(told)) + behind + at_quiet == len(devices)

    def test_a_lost_kiosk_is_one_fault_and_so_is_a_lost_agent(self) -> None:
        lost, ready = DeviceState.LOST, DeviceState.READY
        for state, agent, parts, told, behind in (
            (lost, lost, lost, ["k1"], 3),
            (ready, lost, lost, ["k1", "k1-agent"], 2),
            (ready, ready, lost, ["k1", "k1-agent", "k1-reader", "k1-printer"], 0),
        ):
            devices = kiosk(state, agent, parts)
            (machine,) = stand(devices, [], []).machines
            assert [machine.kiosk.id, *(one.id for one in machine.parts)] == told
            assert machine.behind == behind
            needs = [one for one in attention([status()], devices, 0) if one.device]
            assert len(needs) == (2 if told[-1] == "k1-printer" else 1)
