"""Scan-to-login (扫码登录): a session on a telephone confirms the login of a browser that shows a code."""

from dataclasses import dataclass

from console.core.audit import Audit
from console.core.permissions import Subject
from console.core.uow import ReadUow, Uow
from console.modules.identity import repository_networks as networks_repo
from console.modules.identity import repository_scan as repo
from console.modules.identity.api import is_strong
from console.modules.identity.networks import note_of
from console.modules.identity.programs import program_name
from console.modules.identity.repository import find_account
from console.modules.identity.service import IdentityService, Login
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.device_keys import digest, new_device_key, new_token
from qingting.kernel.web import WebSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A browser that waits: where it is (``place`` is the note of its network) and what it calls itself."""

    address: str
    place: str
    program: str
    at: int


class ScanService:
    """The code is a token of two minutes, good once; the browser that shows it holds another secret."""

    def __init__(self, clock: Clock, audit: Audit, identity: IdentityService) -> None:
        self._clock = clock
        self._audit = audit
        self._identity = identity

    async def begin(self, uow: Uow, former: str, *, address: str, program: str) -> tuple[str, str]:
        """The token to show and the secret of the browser, instead of its ``former`` one. Raises ``scan.busy``."""
        if former:
            await repo.drop(uow, digest(former))
        token, secret = new_token(), new_device_key()
        done = await repo.put(
            uow, digest(token), digest(secret),
            address=address, program=program, now=self._clock.now_ms(),
        )  # fmt: skip
        if not done:
            raise Refusal("scan.busy")
        return token, secret

    async def waiting(self, uow: ReadUow, token: str) -> Waiting:
        """Raises ``scan.over``."""
        row = await repo.waiting(uow, digest(token), self._clock.now_ms())
        if row is None:
            raise Refusal("scan.over")
        known = await networks_repo.networks(uow)
        return Waiting(
            address=row["address"],
            place=note_of(known, row["address"]),
            program=program_name(row["program"]),
            at=row["at"],
        )

    async def decide(
        self, uow: Uow, subject: Subject, session: WebSession, token: str, *, confirmed: bool
    ) -> None:
        """What the telephone says. Its session lends the browser no more than it showed itself, and one that was lent
        lends nothing. Raises ``scan.over``, ``scan.lent``."""
        if session.means.startswith("scan"):
            raise Refusal("scan.lent")
        done = await repo.decide(
            uow, digest(token), self._clock.now_ms(),
            state="confirmed" if confirmed else "refused",
            account=subject.id,
            means="scan+mfa" if is_strong(session.means) else "scan",
            origin=session.origin,
        )  # fmt: skip
        if not done:
            raise Refusal("scan.over")
        act = "scan.confirmed" if confirmed else "scan.refused"
        await self._audit.write(uow, subject, act, object=subject.id)

    async def state(self, uow: ReadUow, secret: str) -> str:
        """``waiting``, ``confirmed``, ``refused``, or empty when it is over."""
        return await repo.state_of(uow, digest(secret), self._clock.now_ms()) if secret else ""

    async def login(self, uow: Uow, secret: str, address: str) -> Login:
        """Ends a confirmed login; nobody can twice."""
        taken = await repo.take(uow, digest(secret), self._clock.now_ms()) if secret else None
        row = None if taken is None else await find_account(uow, taken["account"])
        if taken is None or row is None or row["disabled"]:
            return Login(refusal=Refusal("scan.over"))
        return await self._identity.enter(
            uow, row, address, means=taken["means"], origin=taken["origin"]
        )
