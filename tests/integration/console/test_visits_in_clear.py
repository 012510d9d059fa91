"""Visits whose people are shown in clear: within reach, in a list with consent, without whoever was erased."""

import pytest
import sqlalchemy as sa
from appointment_stage import HALL, stage, visitor, wanted
from test_personal_data import NUMBER, OFFICER, privacy

from console.core.permissions import Area, Permission, Scope, Subject
from console.core.personal import Erased, Left, PersonSought
from console.modules.appointments import models as m
from console.modules.appointments.repository import note
from console.modules.privacy.api import Reason
from qingting.contract.errors import Refusal

pytestmark = pytest.mark.postgres


async def test_a_booking_is_shown_within_reach_and_loses_its_name_once_it_is_over(
    city_url: str,
) -> None:
    async with stage(city_url) as run:
        (data,) = [one for one in run.city.context.personal if one.holder == "appointments"]
        near, far = (
            Subject(id=hall, name=hall, grants={Permission.PERSONAL: within(hall)})
            for hall in (HALL, "elsewhere")
        )
        sought = PersonSought(number=NUMBER, index="-")
        async with run.city.db.write() as uow:
            one = await run.api.book(uow, visitor("known"), wanted(), key="book 1")
            masked = await data.masked(uow, near, one.id)
            assert NUMBER not in masked.values()
            assert (await data.clear(uow, near, one.id))["number"] == NUMBER
            with pytest.raises(Refusal) as refused:
                await data.clear(uow, far, one.id)
            assert refused.value.code == "personal.unknown"
            (held,) = await data.about(uow, sought)
            assert "2026-11-24 09:00" in held.fields["visit"]
            left = Left(record="known", why="booked", count=1, until=one.end_at + 86_400_000)
            assert await data.erase(uow, sought) == Erased(erased=0, left=(left,))
            await run.api.cancel(uow, visitor("known"), one.id, reason="no_time", key="cancel 1")
            said = {"at": 1, "forgiven_at": 2, "forgiven_by": "x", "reason": "张小三家里有事"}
            breach = {"appointment": one.id, "citizen": "known", "hall": HALL, **said}
            await uow.run(sa.insert(m.breach).values(**breach))
            await note(uow, one.id, "forgiven", at=2, by="x", detail=str(said["reason"]))
            assert await data.erase(uow, sought) == Erased(erased=1)
            kept = [*await uow.all(sa.select(m.breach)), *await uow.all(sa.select(m.history))]
            assert "张小三" not in str(kept), "nor what staff wrote"
            assert set((await data.masked(uow, near, one.id)).values()) == {""}


async def test_a_list_of_visits_in_clear_is_taken_out_within_reach_and_without_the_erased(
    city_url: str,
) -> None:
    async with stage(city_url) as run:
        service = privacy(run.city)
        both = (Permission.PERSONAL, Permission.APPOINTMENTS)
        near, far = (
            Subject(id=hall, name=hall, grants=dict.fromkeys(both, within(hall)))
            for hall in (HALL, "elsewhere")
        )
        async with run.city.db.write() as uow:
            await run.api.book(uow, visitor("known"), wanted(), key="book 1")
            with pytest.raises(Refusal) as refused:
                await service.request_export(
                    uow, far, "appointments", {}, Reason.SERVICE, "电话逐一通知"
                )
            assert refused.value.code == "export.nothing"
            no = await service.request_export(
                uow, near, "appointments", {"state": "booked"}, Reason.SERVICE, "电话逐一通知"
            )
            await service.exports.decide(uow, OFFICER, no, approve=True, note="")
            _, sheet = await service.exports.fetch(uow, near, no)
        assert [row[5] for row in sheet.rows] == [NUMBER]


def within(hall: str) -> Scope:
    return Scope((Area(halls=frozenset({hall})),))
