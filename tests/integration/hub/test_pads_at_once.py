"""64 call pads on real sockets press *next* at the same moment; a kiosk's bookings leave with who showed them."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract import directives as d
from qingting.contract import hub as h
from qingting.contract.bookings import Booking
from qingting.contract.ids import BookingId, DeviceId, ItemId, StaffId, WindowId
from qingting.contract.people import Person
from qingting.contract.states import CertificateKind, DeviceKind

PADS = 64
PASSWORD = "Lotus-2026-pond"


def wide(config: cfg.HallConfig) -> cfg.HallConfig:
    """The small hall with 64 windows, each with a pad and a clerk."""
    queue = config.queues[0].id
    numbers = range(1, PADS + 1)
    return msgspec.structs.replace(
        config,
        version=2,
        windows=tuple(
            cfg.Window(
                id=WindowId(f"w{one}"), number=f"{one}", name="窗", name_en="W", queues=(queue,)
            )
            for one in numbers
        ),
        staff=tuple(
            cfg.Staff(id=StaffId(f"c-{one}"), number=f"9{one:03d}", name="员") for one in numbers
        ),
        devices=(
            *(one for one in config.devices if one.kind is not DeviceKind.CALL_PAD),
            *(
                cfg.Device(
                    id=DeviceId(f"p{one}"),
                    kind=DeviceKind.CALL_PAD,
                    name="呼叫器",
                    window=WindowId(f"w{one}"),
                )
                for one in numbers
            ),
        ),
    )


async def test_64_pads_that_press_next_at_once_get_64_people(
    house: Any, config: cfg.HallConfig
) -> None:
    apply = c.ApplyConfig(config=wide(config))
    await house.hall.submit(apply, key="config:wide", actor="file")
    await house.accounts.staff.seed({StaffId(f"c-{one}"): PASSWORD for one in range(1, PADS + 1)})
    for one in range(PADS):
        await house.issue(f"{one:08d}")
    async with AsyncExitStack() as stack:
        pads = []
        for one in range(1, PADS + 1):
            pad = await stack.enter_async_context(await house.join(f"p{one}"))
            await pad.ask(h.Login(number=f"9{one:03d}", password=PASSWORD), key=None)
            await pad.ask(h.TakeWindow(window=WindowId(f"w{one}")))
            pads.append(pad)
        await asyncio.gather(*(pad.ask(h.Next()) for pad in pads))
        again = await asyncio.gather(*(pad.refused(h.Next()) for pad in pads))
    assert set(again) == {"window.busy"}
    called = [life.ticket for life in house.hall.state.windows.values()]
    assert len(set(called)) == PADS
    assert set(called) == set(house.hall.state.tickets)


async def test_a_booking_is_forgotten_with_the_visitor_and_a_repeated_press_gets_its_number(
    house: Any,
) -> None:
    now = house.clock.now_ms()
    person = Person(
        kind=CertificateKind.RESIDENT_ID,
        masked_name="张*三",
        masked_number="230602********1238",
        sealed="k1.AAAA",
        index="00",
    )
    for no in (1, 2):
        booking = Booking(
            id=BookingId(f"b-{no}"),
            code=f"booking-code-{no:04d}",
            day=house.hall.state.day,
            start=now,
            end=now + 1_800_000,
            items=(ItemId("advice"),),
            person=person,
        )
        put = c.ApplyDirective(no=no, directive=d.PutBooking(booking=booking))
        await house.hall.submit(put, key=f"dir:{no}", actor="city")
    kiosk = DeviceId("k1")

    def take(no: int) -> h.TakeTicket:
        return h.TakeTicket(item=ItemId("advice"), booking=BookingId(f"b-{no}"))

    async with await house.join(kiosk) as client:
        assert await client.refused(take(1)) == "booking.not_shown"
        house.hub.board.identity.offer(kiosk, (BookingId("b-1"), BookingId("b-2")))
        first = await client.ask(take(1), key="press-0001")
        assert first is not None
        assert await client.refused(take(2)) == "booking.not_shown"
        again = await client.ask(take(1), key="press-0001")
        assert again is not None
        assert (again.ticket, again.number) == (first.ticket, first.number)
    assert len(house.hall.state.tickets) == 1
