"""A board's own topic: what it shows by its layout, and what it owes until it has said it."""

from typing import Any

from qingting.contract import boards as b
from qingting.contract import hub as h
from qingting.contract import hub_sound as sound
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, DeviceState

House = Any
TOPIC = "board:lcd"


def owed(board: Any) -> list[int]:
    says = [one for one in board.topics[TOPIC].values() if isinstance(one, b.BoardSay)]
    return [one.call_no for one in sorted(says, key=lambda one: one.order)]


def numbers(board: Any) -> list[str]:
    rows = [one for one in board.topics[TOPIC].values() if isinstance(one, b.BoardRow)]
    return [one.number for one in sorted(rows, key=lambda one: -one.call_no)]


async def watch(house: House) -> Any:
    board = await house.join("lcd")
    await board.ask(h.Subscribe(topics=(TOPIC,)), key=None)
    return board


async def test_a_call_is_shown_and_owed_until_the_board_has_said_it(house: House) -> None:
    async with await house.join("k1") as kiosk, await house.clerk() as pad:
        board = await watch(house)
        await house.ticket(kiosk)
        await pad.ask(h.Next())
        await board.until(lambda: owed(board) == [1] or None)
        assert len(numbers(board)) == 1
        await board.ask(sound.Announced(call_no=1))
        await board.until(lambda: owed(board) == [] or None)
        assert len(numbers(board)) == 1, "it is still shown"
        await board.close()


async def test_a_board_that_was_away_owes_what_it_missed_and_nothing_that_it_said(
    house: House,
) -> None:
    async with await house.join("k1") as kiosk, await house.clerk() as pad:
        board = await watch(house)
        await house.ticket(kiosk)
        await pad.ask(h.Next())
        await board.until(lambda: owed(board) == [1] or None)
        await board.ask(sound.Announced(call_no=1), key="said-00000001")
        await board.close()
        await pad.ask(h.Begin())
        await pad.ask(h.Finish())
        await house.ticket(kiosk)
        await pad.ask(h.Next())
        await house.restart()
        board = await watch(house)
        assert owed(board) == [2]
        await board.ask(sound.Announced(call_no=1), key="said-00000001")
        assert owed(board) == [2], "a report that comes again changes nothing"
        await board.close()


async def test_the_state_of_a_window_reaches_boards_that_show_it(house: House) -> None:
    async with await house.join("k1") as kiosk:
        board = await watch(house)
        before = board.topics[TOPIC]["screen"]
        await house.ticket(kiosk)
        await board.until(lambda: board.topics[TOPIC]["screen"] != before or None)
        await board.close()


async def test_a_board_that_cannot_be_heard_says_so_and_nothing_else_of_itself_or_others(
    house: House,
) -> None:
    def about(device: str, kind: DeviceKind, *conditions: Condition) -> h.DeviceReport:
        state = DeviceState.READY
        return h.DeviceReport(
            device=DeviceId(device), kind=kind, state=state, conditions=conditions
        )

    board = await watch(house)
    lcd = DeviceId("lcd")
    for conditions in ((Condition.MUTED,), ()):
        await board.ask(about("lcd", DeviceKind.BOARD, *conditions))
        assert set(house.hall.state.devices[lcd].conditions) == set(conditions)
    for wrong in (
        about("lcd", DeviceKind.BOARD, Condition.PAPER_OUT),
        about("k1", DeviceKind.KIOSK),
    ):
        assert await board.refused(wrong) == "hub.forbidden"
    await board.close()
