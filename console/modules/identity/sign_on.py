"""Staff by single sign-on: an account is found by whom it is bound to, and bound by its owner or its keeper."""

from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from console.core.audit import Audit
from console.core.oidc import Identity, LoggedOut
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.identity import repository_sign_on as repo
from console.modules.identity.accounts import AccountService
from console.modules.identity.origins import origin_of
from console.modules.identity.repository_sessions import end_of_origin
from console.modules.identity.service import IdentityService, Login
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer, SealError

OFFER_MS = 5 * 60_000
CLOCKS_MS = 5_000
"""The platform's clock tells whole seconds, and may be a little behind."""
LONGEST_NAME, LONGEST_STAFF = 40, 20


class Offer(Strict, frozen=True, kw_only=True):
    """Whom the platform named, kept by the browser for the minutes until its person confirms."""

    issuer: str
    subject: str
    name: str
    staff: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How an account stands with the platform. ``wishes``: who came as its member of staff."""

    since: int
    by: str
    wishes: tuple[sa.RowMapping, ...] = ()


class SignOnService:
    """Roles stay ours; the second factor is asked for unless the platform says that it did."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        sealer: Sealer,
        identity: IdentityService,
        accounts: AccountService,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._sealer = sealer
        self._identity = identity
        self._accounts = accounts

    async def login(self, uow: Uow, who: Identity, address: str) -> Login:
        """The account that ``who`` is bound to. Nobody's wish is kept, for the keeper of the account to confirm."""
        row = await repo.bound(uow, who.issuer, who.subject)
        if row is not None and not row["disabled"]:
            means = "sso+mfa" if who.strong else "sso"
            origin = origin_of(who.issuer, who.subject, who.text("sid"))
            return await self._identity.enter(uow, row, address, means=means, origin=origin)
        stranger = Subject(id="?" if row is None else row["id"], name="", address=address)
        await self._audit.write(
            uow, stranger, "login.sso", object=stranger.id, result="sso.unbound"
        )
        staff = who.text("staff_number")[:LONGEST_STAFF]
        if row is None and staff:
            name, now = who.text("name")[:LONGEST_NAME], self._clock.now_ms()
            await repo.wish(uow, who.issuer, who.subject, staff, name, now)
        return Login(refusal=Refusal("sso.unbound"))

    async def logged_out(self, uow: Uow, told: LoggedOut, address: str) -> None:
        """Somebody logged out at the platform: sessions that stand on that login and began before end, those that a
        telephone lent too. Word that is sent again ends nothing that began later."""
        origin = origin_of(told.issuer, told.subject, told.sid)
        for account in await end_of_origin(uow, origin, told.at + CLOCKS_MS):
            who = Subject(id=account, name="", address=address)
            await self._audit.write(uow, who, "logout.sso", object=account)

    # -- by the owner -------------------------------------------------------------------------

    def offer(self, who: Identity) -> str:
        """A text for the browser's cookie, until its person confirms."""
        offer = Offer(
            issuer=who.issuer,
            subject=who.subject,
            name=who.text("name")[:LONGEST_NAME],
            staff=who.text("staff_number")[:LONGEST_STAFF],
            at=self._clock.now_ms(),
        )
        return self._sealer.seal(msgspec.json.encode(offer).decode(), context="sso offer")

    def offered(self, sealed: str) -> Offer | None:
        try:
            opened = self._sealer.open(sealed, context="sso offer")
            offer = msgspec.json.decode(opened, type=Offer)
        except (SealError, msgspec.DecodeError):
            return None
        return offer if self._clock.now_ms() - offer.at <= OFFER_MS else None

    async def own(self, uow: ReadUow, subject: Subject) -> Bound | None:
        return _bound(await repo.binding_of(uow, subject.id))

    async def confirm(
        self, uow: Uow, subject: Subject, sealed: str, password: str
    ) -> Refusal | None:
        """Binds the own account to whom the browser came back as; the refusal to show otherwise."""
        offer = self.offered(sealed)
        if offer is None:
            return Refusal("sso.over")
        if refusal := await self._identity.confirm_password(uow, subject, password):
            return refusal
        now = self._clock.now_ms()
        if not await repo.bind(uow, offer.issuer, offer.subject, subject.id, subject.id, now):
            return Refusal("sso.taken")
        await self._audit.write(uow, subject, "sso.bound", object=subject.id)
        return None

    async def unbind_own(self, uow: Uow, subject: Subject) -> None:
        """Raises ``sso.none``."""
        await self._unbind(uow, subject, subject.id)

    # -- by the keeper ------------------------------------------------------------------------

    async def of(self, uow: ReadUow, subject: Subject, account: str, staff: str) -> Bound:
        subject.require(Permission.ACCOUNTS)
        found = _bound(await repo.binding_of(uow, account))
        if found is not None:
            return found
        wishes = await repo.wishes(uow, staff, self._clock.now_ms()) if staff else ()
        return Bound(since=0, by="", wishes=tuple(wishes))

    async def bind(self, uow: Uow, subject: Subject, account: str, who: str) -> None:
        """Confirms that somebody who came as the account's member of staff (platform's ``who``) is.

        Raises ``account.unknown``, ``account.yourself``, ``account.above``, ``sso.unknown``, ``sso.taken``.
        """
        staff = (await self._accounts.kept(uow, subject, account)).staff
        now = self._clock.now_ms()
        wish = await repo.find_wish(uow, staff, who, now) if staff else None
        if wish is None:
            raise Refusal("sso.unknown")
        if not await repo.bind(uow, wish["issuer"], who, account, subject.id, now):
            raise Refusal("sso.taken")
        await self._audit.write(uow, subject, "sso.bound", object=account)

    async def unbind(self, uow: Uow, subject: Subject, account: str) -> None:
        """Raises what :meth:`bind` raises for the account, and ``sso.none``."""
        await self._accounts.kept(uow, subject, account)
        await self._unbind(uow, subject, account)

    async def _unbind(self, uow: Uow, subject: Subject, account: str) -> None:
        if not await repo.unbind(uow, account):
            raise Refusal("sso.none")
        await self._audit.write(uow, subject, "sso.unbound", object=account)


def _bound(row: sa.RowMapping | None) -> Bound | None:
    return None if row is None else Bound(since=row["given_at"], by=row["given_by"])
