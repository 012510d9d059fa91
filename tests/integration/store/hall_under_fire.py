"""A hall in a process of its own that issues tickets until it is killed; prints each answered one.

Usage: ``python hall_under_fire.py <database> <run>``. A line is written only after the answer.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from engine_builders import CARE, KIOSK, small_hall

from hallserver.hall import open_hall
from qingting.contract import commands as c
from qingting.contract.events import TicketIssued
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.logging import configure_logging


async def main(path: Path, run: str) -> None:
    async with open_hall(path, clock=SystemClock(), config=small_hall()) as hall:
        numbers = count()

        async def citizen() -> None:
            for number in numbers:
                key = f"k1:{run}-{number:06d}"
                command = c.IssueTicket(item=CARE, token=key, device=KIOSK)
                committed = await hall.submit(command, key=key, actor="kiosk:k1")
                body = committed.events[-2].b
                assert isinstance(body, TicketIssued)
                os.write(1, f"{key} {body.ticket}\n".encode())

        os.write(1, b"ready\n")
        await asyncio.gather(*(citizen() for _ in range(24)))


configure_logging()
asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
