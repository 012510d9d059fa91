"""The line in front of the database's connections: whoever came first is served first, acts before looks."""

import asyncio
from collections import deque
from contextvars import ContextVar

ACTS: ContextVar[bool] = ContextVar("acts", default=False)
"""Whether what runs is somebody's act, such as a booking; pages that are looked at, and background work, are not."""
IN_A_ROW = 3
"""After so many acts one of those who look is served, so that nobody waits for ever."""
Waiting = deque[asyncio.Future[None]]


class Line:
    """``places`` can be taken at one time. Each is given back once by who took it."""

    def __init__(self, places: int) -> None:
        self._places = self._free = places
        self._acts: Waiting = deque()
        self._looks: Waiting = deque()
        self._row = 0

    @property
    def taken(self) -> int:
        """How many places somebody has."""
        return self._places - self._free

    async def take(self) -> None:
        """Waits for its turn; nobody who came later and wants the same gets it before."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._acts if ACTS.get() else self._looks).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # Called up and gone in the same moment: the next one is called.
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Calls the next one."""
        while (turn := self._next()) is not None:
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _next(self) -> asyncio.Future[None] | None:
        if self._acts and (self._row < IN_A_ROW or not self._looks):
            self._row += 1
            return self._acts.popleft()
        self._row = 0
        return self._looks.popleft() if self._looks else None
