"""The limits of privacy as the security administrator sets them, one version after the other, within sane bounds."""

from typing import Annotated

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.core.audit import Audit
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.calendar.api import TimeLimit, Unit
from console.modules.privacy import models as m
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock

SHOWN = 20


class PrivacyPolicy(Strict, frozen=True, kw_only=True):
    """``shown_minutes``: a record stays in clear for so long. ``day_limit``: records that one account may be shown in a
    day. ``unusual_at``: so many are unusual without a past, ``unusual_factor`` times the own median with one.
    ``max_rows``: rows of one export. ``decide_days`` and ``fetch_hours``: in which an export is decided, and fetched.
    ``answer_days``: working days to answer a request of somebody's (GB/T 35273: thirty days; ours are within that).
    ``least_words``: characters of a reason. ``version`` counts changes."""

    version: int = 1
    shown_minutes: Annotated[int, msgspec.Meta(ge=1, le=30)] = 5
    day_limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 60
    unusual_at: Annotated[int, msgspec.Meta(ge=2, le=200)] = 20
    unusual_factor: Annotated[int, msgspec.Meta(ge=2, le=10)] = 3
    max_rows: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 5000
    decide_days: Annotated[int, msgspec.Meta(ge=1, le=14)] = 3
    fetch_hours: Annotated[int, msgspec.Meta(ge=1, le=72)] = 24
    answer_days: Annotated[int, msgspec.Meta(ge=1, le=20)] = 15
    least_words: Annotated[int, msgspec.Meta(ge=2, le=50)] = 4

    @property
    def shown_ms(self) -> int:
        return self.shown_minutes * 60_000

    @property
    def decide_ms(self) -> int:
        return self.decide_days * 86_400_000

    @property
    def fetch_ms(self) -> int:
        return self.fetch_hours * 3_600_000

    @property
    def limit(self) -> TimeLimit:
        return TimeLimit(self.answer_days, Unit.WORKDAYS)

    def check_words(self, words: str) -> str:
        """The reason without its ends. Raises ``personal.words``."""
        if len(words.strip()) < self.least_words:
            raise Refusal("personal.words", least=self.least_words)
        return words.strip()


NUMBERS = tuple(one.name for one in msgspec.structs.fields(PrivacyPolicy) if one.name != "version")


class PolicyChange(Strict, frozen=True, kw_only=True):
    """A version with who put it and when."""

    policy: PrivacyPolicy
    at: int
    by: str


async def read_policy(uow: ReadUow) -> PrivacyPolicy:
    """What is in force."""
    newest, *_ = await policy_history(uow, 1)
    return newest.policy


async def policy_history(uow: ReadUow, most: int = SHOWN) -> list[PolicyChange]:
    """The newest versions first."""
    statement = sa.select(m.policy).order_by(m.policy.c.version.desc()).limit(most)
    return [
        PolicyChange(
            policy=PrivacyPolicy(version=row["version"], **{one: row[one] for one in NUMBERS}),
            at=row["at"],
            by=row["by"],
        )
        for row in await uow.all(statement)
    ]


async def put_policy(
    uow: Uow, subject: Subject, wanted: PrivacyPolicy, *, clock: Clock, audit: Audit
) -> None:
    """Puts the version after the one that was read. Raises ``policy.changed``."""
    subject.require(Permission.KEYS)
    new = msgspec.structs.replace(wanted, version=wanted.version + 1)
    values = msgspec.structs.asdict(new)
    before = (await read_policy(uow)).version
    statement = insert(m.policy).values(at=clock.now_ms(), by=subject.id, **values)
    if before != wanted.version or not await uow.run(statement.on_conflict_do_nothing()):
        raise Refusal("policy.changed")
    detail = " ".join(f"{name}={value}" for name, value in values.items())
    await audit.write(uow, subject, "privacy.policy", object="privacy", detail=detail)
