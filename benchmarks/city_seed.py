"""What ``qingting bench city`` needs in the database: citizens who are logged in, and a rule with enough places."""

from collections.abc import Iterator

import sqlalchemy as sa

from benchmarks.city_load import CitizenSeed
from console.app.city import City
from console.core.permissions import SYSTEM
from console.modules.appointments.repository_rules import add_version, versions
from console.modules.appointments.rules import DayChoice, Rule, Target
from console.modules.citizens import models as m
from console.modules.citizens.api import CITIZENS, Level
from console.modules.citizens.service import CONSENT
from console.modules.citizens.sessions import COOKIE, CitizenSessions
from qingting.contract.states import CertificateKind
from qingting.kernel.security.device_keys import digest, new_device_key, new_token
from qingting.kernel.web import WebSession

BATCH = 200
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11643: the check digit of a citizen's number."""


def numbers() -> Iterator[str]:
    """Invented certificate numbers with right check digits."""
    for number in range(10_000_000):
        body = f"230602{1950 + number // 365_000 % 60}{number // 28_000 % 12 + 1:02d}"
        body += f"{number // 1_000 % 28 + 1:02d}{number % 1_000:03d}"
        total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
        yield body + "10X98765432"[total % 11]


async def log_in(city: City, count: int) -> list[CitizenSeed]:
    """``count`` citizens with a session each, as they are after the single sign-on and the consent."""
    known, found = numbers(), list[CitizenSeed]()
    while len(found) < count:
        found += await _batch(city, [next(known) for _ in range(min(BATCH, count - len(found)))])
    return found


async def _batch(city: City, certificates: list[str]) -> list[CitizenSeed]:
    citizens, now, seeds = city.context.take(CITIZENS), city.context.clock.now_ms(), []
    async with city.db.write() as uow:
        sessions = CitizenSessions(city.db).within(uow)
        for number in certificates:
            one = await citizens.register(
                uow, SYSTEM, kind=CertificateKind.RESIDENT_ID, name="测试", number=number
            )
            secret, csrf = new_device_key(), new_token()
            session = WebSession(subject=one.id, csrf=csrf, created_at=now, seen_at=now, marks=())
            await sessions.put(digest(secret), session)
            seeds.append(CitizenSeed(cookie=f"{COOKIE}={secret}", csrf=csrf))
        await uow.run(
            sa.update(m.citizen)
            .where(m.citizen.c.consent == "")
            .values(consent=CONSENT, consent_at=now, level=Level.REAL_NAME.value, registered=False)
        )
    return seeds


async def many_places(city: City) -> None:
    """Everything can be booked, twenty at a window in a period: what is measured is no empty hall."""
    rule = Rule(open=True, per_window=20.0, days=DayChoice.OPEN_DAYS)
    async with city.db.write() as uow:
        now = city.context.clock.now_ms()
        seen = max((one.version for one in await versions(uow, Target())), default=0)
        assert await add_version(uow, Target(), seen, rule, at=now, by=SYSTEM.id, note="")
