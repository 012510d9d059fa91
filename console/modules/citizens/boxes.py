"""The sealed boxes of this module, for the change of the city's keys."""

import sqlalchemy as sa

from console.core.personal import Context, SealedColumn
from console.modules.citizens import models as m


def context_of(field: str, citizen: str) -> str:
    """What a citizen's field is sealed with, so that a box opens nowhere else."""
    return f"citizen {field} {citizen}"


def _of(field: str) -> Context:
    def context(row: sa.RowMapping) -> str:
        return context_of(field, row["id"])

    return context


def _reach(field: str) -> Context:
    def context(row: sa.RowMapping) -> str:
        return context_of(field, row["citizen"])

    return context


def _of_proof(row: sa.RowMapping) -> str:
    return context_of(row["channel"], row["citizen"])


BOXES = (
    SealedColumn(m.citizen.c.name_box, _of("name")),
    SealedColumn(m.citizen.c.number_box, _of("number")),
    SealedColumn(m.citizen.c.comes_box, _of("comes")),
    SealedColumn(m.citizen.c.phone_box, _of("phone")),
    SealedColumn(m.citizen.c.mail_box, _of("mail")),
    SealedColumn(m.proof.c.box, _of_proof),
    SealedColumn(m.alipay.c.box, _reach("alipay")),
    SealedColumn(m.device.c.box, _reach("device")),
)
