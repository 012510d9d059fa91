"""A city or a hall that was put back from an older copy: nothing that was said to a hall is lost or said twice."""

import pytest
import sqlalchemy as sa
from city_hall import Log
from patience import until
from test_halls_link import HALL, Served, log, served

from console.core.permissions import SYSTEM, Permission
from console.halls import models as m
from console.halls.api import HALLS, LinkState
from qingting.contract import events as e
from qingting.contract import link as k
from qingting.contract.directives import PutNotice
from qingting.contract.errors import Refusal

__all__ = ["log", "served"]
pytestmark = pytest.mark.postgres


class TestRestoredCity:
    """A city from an older backup: the hall may have had directives that it knows nothing of."""

    async def tell(self, served: Served, text: str) -> int:
        async with served.city.db.write() as uow:
            halls, notice = served.city.context.take(HALLS), PutNotice(text=text)
            return await halls.send(uow, SYSTEM, HALL, notice, under=Permission.HALLS_DECIDE)

    async def unsettle(self, served: Served) -> None:
        """As a restore does."""
        async with served.city.db.write() as uow:
            await uow.run(sa.update(m.hall).values(settled=False))

    async def test_a_hall_that_says_what_it_has_is_told_only_what_it_has_not(
        self, served: Served, log: Log
    ) -> None:
        assert [await self.tell(served, text) for text in "一二"] == [1, 2]
        await self.unsettle(served)
        with pytest.raises(Refusal, match=r"hall\.unsettled"):
            await self.tell(served, "太早")
        async with served.client() as client:
            await client.send(log.hello(served.key, directive_no=1))
            await client.expect(k.Welcome)
            assert (await client.expect(k.Dir)).no == 2
        await self.unsettle(served)
        async with served.client() as client:
            await client.send(log.hello(served.key, directive_no=7))
            await client.expect(k.Welcome)
            assert await self.tell(served, "三") == 8
            assert (await client.expect(k.Dir)).no == 8

    async def test_a_hall_from_an_older_copy_of_itself_is_told_again_what_it_had_confirmed(
        self, served: Served, log: Log
    ) -> None:
        assert [await self.tell(served, text) for text in "一二三"] == [1, 2, 3]
        async with served.client() as client:
            await client.send(log.hello(served.key, directive_no=3))
            await client.expect(k.Welcome)
            assert await self.tell(served, "四") == 4
            assert (await client.expect(k.Dir)).no == 4, "what it has is not said again"
        async with served.client() as client:
            await client.send(log.hello(served.key, directive_no=1))
            await client.expect(k.Welcome)
            assert [(await client.expect(k.Dir)).no for _ in range(3)] == [2, 3, 4]

    async def test_an_older_hall_is_told_again_once_its_log_is_read_as_far_as_it_was(
        self, served: Served, log: Log
    ) -> None:
        log.add(e.DirectiveRefused(no=6, code="directive.expired"))
        log.add(e.DirectiveApplied(no=7))
        log.issue(9)
        await self.unsettle(served)
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1, log.head - 1))
            with pytest.raises(Refusal, match=r"hall\.unsettled"):
                await self.tell(served, "太早")
            await client.push(log.frame(log.head))
            assert await self.tell(served, "三") == 8
        await self.unsettle(served)
        async with served.client() as client:
            await client.greet(log, served.key)
            assert await self.tell(served, "四") == 9, "the city has its whole log"

    async def test_a_hall_on_probation_is_believed_once_its_log_proves_it(
        self, served: Served, log: Log
    ) -> None:
        async with served.client() as client:
            await client.greet(log, served.key)
            await client.push(log.frame(1, 5))
            await client.send(k.LinkBye(code="link.fork"))
        await until(lambda: served.is_state(LinkState.QUARANTINED))
        await self.unsettle(served)
        log.add(e.DirectiveApplied(no=3))
        async with served.client() as client:
            await client.send(log.hello(served.key, directive_no=3))
            assert (await client.expect(k.Welcome)).verdict == "resume"
            with pytest.raises(Refusal, match=r"hall\.unsettled"):
                await self.tell(served, "太早")
            await client.push(log.frame(6))
            assert await self.tell(served, "三") == 4
