"""Citizens; implements :class:`console.modules.citizens.api.CitizensApi`."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from console.core.audit import Audit
from console.core.module import ModuleContext
from console.core.oidc import Identity
from console.core.permissions import Subject
from console.core.personal import PersonSought
from console.core.uow import ReadUow, Uow
from console.modules.appointments.api import AppointmentsApi
from console.modules.citizens import repository as repo
from console.modules.citizens.api import Citizen, CitizenKind, Firm, Level
from console.modules.citizens.boxes import context_of
from console.modules.citizens.door import CITIZEN, to_consent, to_login
from console.modules.citizens.people import (
    Told,
    checked_person,
    checked_phone,
    plain_phone,
    same_name,
    told,
)
from console.modules.citizens.reach import Reachable
from console.modules.citizens.sessions import CitizenSessions
from console.modules.notifications.api import NotificationsApi, Reach
from console.modules.privacy.api import Requester
from qingting.contract.errors import Refusal
from qingting.contract.ids import HallId
from qingting.contract.people import Person, mask_name, mask_number, mask_phone
from qingting.contract.states import CertificateKind, Language
from qingting.kernel.security.device_keys import digest, new_token
from qingting.kernel.security.persons import seal_person
from qingting.kernel.web import WebSession

CONSENT = "2026-11"
"""The text that citizens agree to at their first login (``c.consent.…``); another one asks again."""
HOLDER = "citizens"
"""Under which name this module tells what it holds about people."""
PROOF = "proof:"
"""Beginning of the name under which a message goes to an address that is yet to be confirmed."""


class CitizenService:
    """See :class:`console.modules.citizens.api.CitizensApi`."""

    def __init__(
        self,
        context: ModuleContext,
        store: CitizenSessions,
        notifications: NotificationsApi,
        reachable: Reachable,
        appointments: AppointmentsApi,
    ) -> None:
        self._appointments = appointments
        self._reachable = reachable
        self._clock = context.clock
        self._audit: Audit = context.audit
        self._sealer = context.sealer
        self._hall_sealer = context.hall_sealer
        self._store = store
        self._notifications = notifications

    # -- for other modules ------------------------------------------------------------------------

    async def require(self, request: web.Request) -> Citizen:
        found: Citizen | None = request.get(CITIZEN)
        if found is None:
            raise to_login(request)
        if not found.consented:
            raise to_consent(request)
        return found

    async def citizen(self, uow: ReadUow, id: str) -> Citizen:  # noqa: A002
        return _citizen(await self.row(uow, id))

    async def row(self, uow: ReadUow, citizen: str) -> sa.RowMapping:
        """Raises ``citizen.unknown``."""
        found = await repo.row(uow, citizen)
        if found is None:
            raise Refusal("citizen.unknown")
        return found

    async def find(self, uow: ReadUow, kind: CertificateKind, number: str) -> Citizen | None:
        found = await repo.by_number(uow, kind.value, self._sealer.blind_index(number))
        return None if found is None else _citizen(found)

    async def find_by_phone(self, uow: ReadUow, phone: str) -> Sequence[Citizen]:
        found = await repo.by_phone(uow, self.phone_index(phone))
        return [_citizen(row) for row in found]

    def phone_index(self, phone: str) -> str | None:
        """By which a phone number is found; None of none."""
        digits = plain_phone(phone)
        return self._sealer.blind_index(digits) if digits else None

    async def register(
        self,
        uow: Uow,
        subject: Subject,
        *,
        kind: CertificateKind,
        name: str,
        number: str,
        phone: str = "",
    ) -> Citizen:
        name, number = checked_person(kind, name, number)
        given = Told(
            certificate=kind,
            name=name,
            number=number,
            phone=checked_phone(phone) if phone.strip() else "",
            level=Level.BASIC,
        )
        row, made = await self._kept(uow, given)
        if not same_name(self.opened(row["name_box"], "name", row["id"]), name):
            raise Refusal("citizen.name_differs")
        if _takes_phone(row, given):
            await repo.change(uow, row["id"], self._phone(row["id"], given.phone))
        if made:
            await repo.change(uow, row["id"], {"registered": True})
            await self._audit.write(uow, subject, "citizen.registered", object=row["id"])
        return await self.citizen(uow, row["id"])

    async def person(self, uow: ReadUow, id: str, hall: HallId) -> Person:  # noqa: A002
        row = await self.row(uow, id)
        found = self._comes(row)
        if found is None:
            raise Refusal("citizen.nobody_comes")
        person = row["certificate"] in set(CertificateKind)
        kind = CertificateKind(row["certificate"]) if person else CertificateKind.RESIDENT_ID
        return seal_person(self._hall_sealer(hall), kind, *found)

    async def check_stays(self, uow: ReadUow, id: str) -> None:  # noqa: A002
        row = await self.row(uow, id)
        if row["erasing_since"] is not None:
            raise Refusal("citizen.being_erased")

    async def hold_still(self, uow: Uow, id: str) -> None:  # noqa: A002
        row = await repo.row(uow, id)
        if row is not None:
            await repo.lock_number(uow, row["certificate"], row["number_index"])

    async def in_clear(self, uow: ReadUow, ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        rows = await repo.rows(uow, ids)

        def opened() -> dict[str, tuple[str, str]]:
            found = {row["id"]: self._comes(row) for row in rows}
            return {id_: one for id_, one in found.items() if one is not None}

        return await asyncio.to_thread(opened)

    def _comes(self, row: sa.RowMapping) -> tuple[str, str] | None:
        """Name and number of the person, or of who comes for a firm; None: it has not said who."""
        if row["certificate"] in set(CertificateKind):
            return (
                self.opened(row["name_box"], "name", row["id"]),
                self.opened(row["number_box"], "number", row["id"]),
            )
        if not row["comes_box"]:
            return None
        comes = json.loads(self.opened(row["comes_box"], "comes", row["id"]))
        return comes["name"], comes["number"]

    async def reach(self, uow: ReadUow, citizen: str) -> Reach | None:
        if citizen.startswith(PROOF):
            return await self._unconfirmed(uow, citizen.removeprefix(PROOF))
        row = await repo.row(uow, citizen)
        if row is None:
            return None
        return Reach(
            phone=self.opened(row["phone_box"], "phone", citizen),
            mail=self.opened(row["mail_box"], "mail", citizen),
            push=await self._reachable.push(uow, citizen),
            alipay=await self._reachable.at_alipay(uow, citizen),
            language=Language(row["language"]),
        )

    async def gone(self, uow: Uow, citizen: str, tokens: Collection[str]) -> None:
        await self._reachable.gone(uow, citizen, tokens)

    async def _unconfirmed(self, uow: ReadUow, key: str) -> Reach | None:
        """The address that a code goes to which is to confirm it."""
        citizen, _, channel = key.partition(":")
        row, proof = await repo.row(uow, citizen), await repo.proof(uow, citizen, channel)
        if row is None or proof is None:
            return None
        to, language = self.opened(proof["box"], channel, citizen), Language(row["language"])
        if channel == "phone":
            return Reach(phone=to, language=language)
        return Reach(mail=to, language=language)

    async def keep_for_now(self, uow: Uow, citizen: str) -> None:
        """Whoever asked to be erased can see, change and give back what is booked, and book nothing more."""
        row = await self.row(uow, citizen)
        if row["erasing_since"] is None:
            await repo.change(uow, citizen, {"erasing_since": self._clock.now_ms()})

    async def forget(self, uow: Uow, subject: Subject, id: str) -> None:  # noqa: A002
        row = await self.row(uow, id)
        if row["number_index"] is not None:
            await self._appointments.account_ends(uow, id, row["number_index"])
        await repo.forget(uow, id, self._clock.now_ms())
        await self._notifications.forget(uow, id)
        await self._store.within(uow).drop_subject(id)
        await self._audit.write(uow, subject, "citizen.forgotten", object=id)

    # -- who asks -----------------------------------------------------------------------------------

    async def current(self, uow: ReadUow, session: WebSession) -> Citizen | None:
        """Whose session it is, acting for whom it was chosen; a firm that is no longer given is oneself again."""
        row = await repo.row(uow, session.subject)
        if row is None:
            return None
        found = _citizen(row)
        if not session.acting:
            return found
        for firm, legal in await repo.mandates(uow, found.id):
            if firm.id == session.acting:
                return _acting(found, firm, legal)
        return found

    async def acts_alone(self, digest: str, session: WebSession) -> WebSession:
        """In the own name from now on, whatever becomes of the request."""
        return await self._store.act_for(digest, session, "")

    async def firms(self, uow: ReadUow, citizen: Citizen) -> Sequence[tuple[Firm, bool]]:
        """For which somebody may act, each with whether as its legal representative."""
        return await repo.mandates(uow, citizen.id)

    async def signed_in(
        self, uow: Uow, identity: Identity, language: Language, address: str
    ) -> Citizen:
        """Whom the sign-on named, kept as it said now. Raises ``citizen.claims``."""
        given = told(identity.claims)
        row, _ = await self._kept(uow, given)
        citizen, now = str(row["id"]), self._clock.now_ms()
        values: dict[str, Any] = {
            "level": given.level.value,
            "language": language.value,
            "registered": False,
            "seen_at": now,
            **self._name(citizen, given),
        }
        if _takes_phone(row, given):
            values |= self._phone(citizen, given.phone)
        elif row["phone_index"] is None and row["phone_box"]:
            # Kept before phones could be searched for.
            phone = self.opened(row["phone_box"], "phone", citizen)
            values["phone_index"] = self.phone_index(phone)
        await repo.change(uow, citizen, values)
        await repo.put_login(uow, login_of(identity.issuer, identity.subject), citizen, now)
        firms = [
            (await repo.put_firm(uow, new_token(), one.code, one.name), one.legal)
            for one in given.firms
        ]
        await repo.put_mandates(uow, citizen, firms)
        actor = Subject(id=f"citizen {citizen}", name="", address=address)
        await self._audit.write(uow, actor, "citizen.login", object=citizen)
        return await self.citizen(uow, citizen)

    async def consent(self, uow: Uow, citizen: str) -> None:
        await repo.change(uow, citizen, {"consent": CONSENT, "consent_at": self._clock.now_ms()})

    # -- what is kept ---------------------------------------------------------------------------------

    async def _kept(self, uow: Uow, given: Told) -> tuple[sa.RowMapping, bool]:
        """The row of a certificate, made when there is none; and whether it was made."""
        index = self._sealer.blind_index(given.number)
        await repo.lock_number(uow, given.kind, index)
        found = await repo.by_number(uow, given.kind, index)
        if found is not None:
            return found, False
        citizen, now = new_token(), self._clock.now_ms()
        firm = given.certificate is None
        values = {
            "id": citizen,
            "certificate": given.kind,
            "number_index": index,
            "number_box": self.sealed(given.number, "number", citizen),
            "masked_number": given.number if firm else mask_number(given.number),
            "comes_box": "",
            "mail_box": "",
            "masked_mail": "",
            "level": given.level.value,
            "language": Language.ZH.value,
            "registered": False,
            "consent": "",
            "made_at": now,
            "seen_at": now,
            **self._name(citizen, given),
            **self._phone(citizen, given.phone),
        }
        await repo.add(uow, values)
        await self._appointments.account_begins(uow, citizen, index)
        return await self.row(uow, citizen), True

    def _name(self, citizen: str, given: Told) -> dict[str, str]:
        masked = given.name if given.certificate is None else mask_name(given.name)
        return {"name_box": self.sealed(given.name, "name", citizen), "masked_name": masked}

    def _phone(self, citizen: str, phone: str) -> dict[str, str | None]:
        return {
            "phone_index": self.phone_index(phone),
            "phone_box": self.sealed(phone, "phone", citizen),
            "masked_phone": mask_phone(phone),
        }

    def sealed(self, text: str, field: str, citizen: str) -> str:
        """A box that opens as this field of this citizen alone; of nothing there is none."""
        return self._sealer.seal(text, context=context_of(field, citizen)) if text else ""

    async def sought(self, uow: ReadUow, citizen: str) -> PersonSought:
        """Whom other holders of data have to look for."""
        number = await self._number(uow, citizen)
        return PersonSought(number=number, index=self._sealer.blind_index(number))

    async def requester(self, uow: ReadUow, citizen: str) -> Requester:
        """Somebody in clear, for a request that is sealed anew."""
        row = await self.row(uow, citizen)
        return Requester(
            name=self.opened(row["name_box"], "name", citizen),
            number=await self._number(uow, citizen),
            phone=self.opened(row["phone_box"], "phone", citizen),
        )

    async def _number(self, uow: ReadUow, citizen: str) -> str:
        row = await self.row(uow, citizen)
        return self.opened(row["number_box"], "number", citizen)

    def opened(self, box: str, field: str, citizen: str) -> str:
        """Inverse of :meth:`sealed`."""
        return self._sealer.open(box, context=context_of(field, citizen)) if box else ""


def login_of(issuer: str, subject: str) -> str:
    """By which somebody of the sign-on is known here; empty of nobody."""
    return digest(f"{issuer}\n{subject}") if subject else ""


def _takes_phone(row: sa.RowMapping, given: Told) -> bool:
    """Nothing more is collected of somebody who is to be erased."""
    return bool(given.phone) and not row["masked_phone"] and row["erasing_since"] is None


def _citizen(row: sa.RowMapping) -> Citizen:
    firm = row["certificate"] not in set(CertificateKind)
    itself = Firm(id=row["id"], name=row["masked_name"], code=row["masked_number"])
    return Citizen(
        id=row["id"],
        kind=CitizenKind.FIRM if firm else CitizenKind.PERSON,
        certificate=None if firm else CertificateKind(row["certificate"]),
        masked_name=row["masked_name"],
        masked_number=row["masked_number"],
        masked_phone=row["masked_phone"],
        level=Level(row["level"]),
        acts_for=itself if firm else None,
        registered=row["registered"],
        consented=row["consent"] == CONSENT,
        comes=not firm or bool(row["comes_box"]),
        erasing=row["erasing_since"] is not None,
    )


def _acting(citizen: Citizen, firm: Firm, legal: bool) -> Citizen:
    return replace(citizen, kind=CitizenKind.FIRM if legal else CitizenKind.AGENT, acts_for=firm)
