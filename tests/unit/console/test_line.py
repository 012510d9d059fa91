"""The line in front of the database: never more than there are places, first come first served, acts before looks."""

import asyncio
from contextvars import copy_context

from hypothesis import given
from hypothesis import strategies as st

from console.core.line import ACTS, IN_A_ROW, Line


def comes(line: Line, name: str, served: list[str], *, acts: bool = False) -> asyncio.Task[None]:
    """Somebody who takes a place and writes down having got it."""

    async def one() -> None:
        await line.take()
        served.append(name)

    context = copy_context()
    context.run(ACTS.set, acts)
    return asyncio.get_running_loop().create_task(one(), context=context)


async def settled() -> None:
    """Until all who can go on have."""
    for _ in range(5):
        await asyncio.sleep(0)


class TestLine:
    @given(
        places=st.integers(1, 4),
        people=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30),
    )
    def test_never_more_than_places_all_in_their_order_and_nobody_is_forgotten(
        self, places: int, people: list[tuple[bool, bool]]
    ) -> None:
        """Each one acts or looks, and some go away while they wait."""

        async def play() -> None:
            line, served = Line(places), list[str]()
            tasks = []
            for number, (acts, _) in enumerate(people):
                tasks.append(comes(line, f"{number}", served, acts=acts))
                await settled()
            assert len(served) == min(places, len(people))
            gone = {
                f"{number}"
                for number, (_, leaves) in enumerate(people)
                if leaves and f"{number}" not in served and tasks[number].cancel()
            }
            await settled()
            while len(served) < len(people) - len(gone):
                before = len(served)
                line.give_back()
                await settled()
                assert len(served) == before + 1
            for wanted in (True, False):
                mine = [int(one) for one in served[places:] if people[int(one)][0] is wanted]
                assert mine == sorted(mine), "whoever came first is served first"
            _ = await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(play())

    async def test_acts_go_first_and_let_one_who_looks_through_now_and_then(self) -> None:
        line, served = Line(1), list[str]()
        await line.take()
        people = [comes(line, "look", served) for _ in range(2)]
        people += [comes(line, "act", served, acts=True) for _ in range(IN_A_ROW + 2)]
        await settled()
        for _ in people:
            line.give_back()
            await settled()
        assert served == [*["act"] * IN_A_ROW, "look", "act", "act", "look"]
        _ = await asyncio.gather(*people)

    async def test_who_is_called_and_goes_at_the_same_moment_leaves_the_place_to_the_next(
        self,
    ) -> None:
        line, served = Line(1), list[str]()
        await line.take()
        hasty, next_one = comes(line, "hasty", served), comes(line, "next", served)
        await settled()
        line.give_back()
        _ = hasty.cancel()
        await settled()
        assert served == ["next"]
        _ = await asyncio.gather(hasty, next_one, return_exceptions=True)
