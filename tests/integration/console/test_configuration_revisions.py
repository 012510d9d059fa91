"""A revision of a hall's draft never comes twice: nobody saves over a new draft from a page of a former one."""

import msgspec
import pytest
from configuration_stage import HALL, Stage
from test_configuration import stage

from console.core.permissions import SYSTEM
from console.modules.configuration.together import Origin
from qingting.contract.config import HallConfig
from qingting.contract.errors import Refusal

pytestmark = pytest.mark.postgres
__all__ = ["stage"]


async def saved(stage: Stage, origin: Origin, phone: str) -> Origin:
    """Saves another telephone number of the hall, from a page that was made from ``origin``."""
    async with stage.ready.city.db.write() as uow:
        standing = await stage.service.standing(uow, SYSTEM, HALL)
        config = with_phone(standing.present.config, phone)
        await stage.service.save(uow, SYSTEM, HALL, origin, config, "hall")
    return (await stage.standing()).origin


def with_phone(config: HallConfig, phone: str) -> HallConfig:
    return msgspec.structs.replace(config, hall=msgspec.structs.replace(config.hall, phone=phone))


async def test_a_page_of_a_draft_that_was_thrown_away_does_not_save_over_a_new_one(
    stage: Stage,
) -> None:
    stale = await saved(stage, (await stage.standing()).origin, "0459-1111111")
    async with stage.ready.city.db.write() as uow:
        await stage.service.drop(uow, SYSTEM, HALL)
    fresh = await saved(stage, (await stage.standing()).origin, "0459-2222222")
    assert fresh.revision > stale.revision
    with pytest.raises(Refusal, match=r"config\.draft_gone"):
        await saved(stage, stale, "0459-3333333")
    assert (await stage.standing()).config.hall.phone == "0459-2222222"


async def test_a_page_of_a_draft_that_came_into_force_does_not_save_over_a_new_one(
    stage: Stage,
) -> None:
    stale = await saved(stage, (await stage.standing()).origin, "0459-1111111")
    async with stage.ready.city.db.write() as uow:
        sent = await stage.service.publish(uow, SYSTEM, HALL, "test")
    begun = (await stage.at_version(sent)).origin
    assert begun.revision == 0, "the draft is in force"
    fresh = await saved(stage, begun, "0459-2222222")
    assert fresh.revision > stale.revision
    with pytest.raises(Refusal, match=r"config\.draft_gone"):
        await saved(stage, stale, "0459-3333333")
    assert (await stage.standing()).config.hall.phone == "0459-2222222"
