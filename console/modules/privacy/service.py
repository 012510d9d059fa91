"""The module's public face over its parts."""

from collections.abc import Mapping, Sequence

from console.core.permissions import Permission, Subject
from console.core.personal import Left
from console.core.uow import ReadUow, Uow
from console.modules.privacy.alarms import PrivacyAlarms
from console.modules.privacy.api import ExportKind, Requester, SubjectRequest
from console.modules.privacy.domain import Reason, RequestKind
from console.modules.privacy.erasures import Erasures
from console.modules.privacy.exports import Exports
from console.modules.privacy.halls_told import HallsTold
from console.modules.privacy.keys import Keys
from console.modules.privacy.requests import Requests
from console.modules.privacy.unmasking import Unmasking
from qingting.kernel.security.seal import Sealer, SealKey


class PrivacyService:
    """:class:`console.modules.privacy.api.PrivacyApi`."""

    def __init__(
        self,
        keys: Keys,
        unmasking: Unmasking,
        exports: Exports,
        requests: Requests,
        halls: HallsTold,
        erasures: Erasures,
        alarms: PrivacyAlarms,
    ) -> None:
        self.keys, self.unmasking, self.exports, self.requests = keys, unmasking, exports, requests
        self.halls, self.erasures, self.alarms = halls, erasures, alarms

    async def forget_in_halls(self, uow: Uow, number: str) -> int:
        return await self.halls.tell(uow, number, None)

    async def finish_later(self, uow: Uow, holder: str, left: Sequence[Left]) -> None:
        await self.erasures.finish_later(uow, holder, left)

    async def check_keys(self, uow: Uow, sealer: Sealer) -> None:
        await self.keys.check_keys(uow, sealer)

    async def key_added(self, uow: Uow, subject: Subject, key: SealKey) -> None:
        await self.keys.added(uow, subject, key)

    async def key_removed(self, uow: Uow, subject: Subject, name: str) -> None:
        await self.keys.removed(uow, subject, name)

    def declare_export(self, kind: ExportKind) -> None:
        self.exports.declare(kind)

    async def request_export(
        self,
        uow: Uow,
        subject: Subject,
        name: str,
        query: Mapping[str, str],
        reason: Reason,
        words: str,
    ) -> int:
        return await self.exports.ask(uow, subject, name, dict(query), reason, words)

    async def clear(
        self, uow: ReadUow, subject: Subject, holder: str, record: str
    ) -> Mapping[str, str] | None:
        if not subject.may(Permission.PERSONAL):
            return None
        shown = await self.unmasking.shown(uow, subject, holder, record)
        return shown.fields if shown.until else None

    async def ask_for(
        self, uow: Uow, kind: RequestKind, requester: Requester, words: str, *, by: Subject
    ) -> SubjectRequest:
        return await self.requests.ask(uow, kind, requester, words, by=by)

    async def requests_of(self, uow: ReadUow, number: str) -> Sequence[SubjectRequest]:
        return await self.requests.of(uow, number)
