"""A hall in a process of its own under a crowd: as many presses at once as there are lines on its input.

Usage: ``python hall_crowd.py <database>``. Each input line is ``take <key>`` or ``next <window> <key>``. All are
pressed at the same moment; ``<key> <ticket>`` is written after each answer, ``done`` after the last.
"""

import asyncio
import os
import sys
from pathlib import Path

from engine_builders import CARE, HEALTH, small_hall
from msgspec.structs import replace

from hallserver.hall import Hall, open_hall
from qingting.contract import commands as c
from qingting.contract.config import HallConfig, Staff, Window
from qingting.contract.events import TicketCalled, TicketIssued
from qingting.contract.ids import StaffId, WindowId
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.logging import configure_logging

WINDOWS = 64


def wide_hall() -> HallConfig:
    """64 windows of one queue, a clerk for each."""
    numbers = range(1, WINDOWS + 1)
    return small_hall(
        windows=tuple(
            Window(
                id=WindowId(f"w{one}"), number=f"{one}", name="窗", name_en="W", queues=(HEALTH,)
            )
            for one in numbers
        ),
        staff=tuple(Staff(id=StaffId(f"s{one}"), number=f"{one}", name="员") for one in numbers),
        devices=(),
        items=tuple(replace(one, queue=HEALTH) for one in small_hall().items),
    )


async def open_windows(hall: Hall) -> None:
    await asyncio.gather(
        *(
            hall.submit(
                c.OpenWindow(window=WindowId(f"w{one}"), staff=StaffId(f"s{one}")),
                key=f"open:{one:06d}",
                actor="staff",
            )
            for one in range(1, WINDOWS + 1)
        )
    )


async def press(hall: Hall, line: str) -> tuple[str, str]:
    """The key and the ticket that the press came to."""
    kind, *rest = line.split()
    key = rest[-1]
    command: c.Command = (
        c.IssueTicket(item=CARE, token=key)
        if kind == "take"
        else c.CallNext(window=WindowId(rest[0]))
    )
    done = await hall.submit(command, key=key, actor="crowd")
    wanted = TicketIssued if kind == "take" else TicketCalled
    return key, next(one.b.ticket for one in done.events if isinstance(one.b, wanted))


async def main(path: Path, lines: list[str]) -> None:
    async with open_hall(path, clock=SystemClock(), config=wide_hall()) as hall:
        await open_windows(hall)

        async def one(line: str) -> None:
            os.write(1, "{} {}\n".format(*await press(hall, line)).encode())

        await asyncio.gather(*map(one, lines))
    os.write(1, b"done\n")


if __name__ == "__main__":
    configure_logging()
    asyncio.run(main(Path(sys.argv[1]), sys.stdin.read().splitlines()))
