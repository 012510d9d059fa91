"""A hall with three open windows, two boards and two loudspeakers, for tests of what is said aloud."""

from typing import Any

import msgspec
from engine_builders import CARE, LI, RENEW, W1, W2, W3, WANG, EngineRun, small_hall

from hallserver.boards.announce import due
from hallserver.boards.layouts import DEFAULT
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract.ids import DeviceId, StaffId, WindowId
from qingting.contract.layouts import Announcements, BoardLayout
from qingting.contract.states import DeviceKind

BOARD, OTHER = DeviceId("board-1"), DeviceId("board-2")
SPEAKERS = DeviceId("speaker-1"), DeviceId("speaker-2")
STAFF = {W1: LI, W2: WANG, W3: StaffId("chen")}


def hall(**announcements: Any) -> cfg.HallConfig:
    base = small_hall()
    boards = tuple(cfg.Device(id=one, kind=DeviceKind.BOARD, name="大屏") for one in (BOARD, OTHER))
    loud = tuple(
        cfg.Device(id=one, kind=DeviceKind.SPEAKER, name="音箱", url="sound://default")
        for one in SPEAKERS
    )
    return msgspec.structs.replace(
        base,
        devices=(*base.devices, *boards, *loud),
        staff=(*base.staff, cfg.Staff(id=STAFF[W3], number="0103", name="陈静")),
        windows=tuple(
            msgspec.structs.replace(one, area="东区" if one.id == W1 else "西区")
            for one in base.windows
        ),
        announcements=Announcements(**announcements),
    )


class House(EngineRun):
    """A hall with three open windows and two boards."""

    def __init__(self, **announcements: Any) -> None:
        super().__init__(hall(**announcements))
        for window, staff in STAFF.items():
            self.open(window, staff)

    def owed(self, board: DeviceId = BOARD, layout: BoardLayout = DEFAULT) -> list[str]:
        """Numbers in the order in which the board has to say them."""
        return [
            self.state.tickets[one.ticket].number
            for one in due(self.state, board, layout, self.now)
        ]

    def call(self, window: WindowId = W1) -> None:
        self.take(CARE if window == W1 else RENEW)
        self.do(c.CallNext(window=window))

    def say_next(self, board: DeviceId = BOARD) -> None:
        first = due(self.state, board, DEFAULT, self.now)[0]
        self.do(c.ReportAnnounced(device=board, call_no=first.call_no), after=0)
