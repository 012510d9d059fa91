"""The audit as its filters find it, as a file."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timezone
from functools import partial

from console.core.audit import AuditEntry
from console.core.audit_reading import audit_blocks, audit_count_of
from console.core.long_lists import BLOCK_ROWS, LongList
from console.core.permissions import Permission, Subject
from console.core.uow import ReadUow
from console.modules.identity.api import IdentityApi
from console.modules.privacy.audit_words import told
from console.modules.privacy.views_audit import filter_of
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue
from qingting.kernel.web.sheets import Cell, moment

MAX_EXPORT = 10_000
COLUMNS = (
    *("audit.no", "audit.at", "audit.actor", "audit.act", "audit.object", "audit.result"),
    *("audit.address", "audit.detail", "audit.hash"),
)


def whole_list(identity: IdentityApi, texts: Catalogue, zone: timezone) -> LongList:
    """The newest :data:`MAX_EXPORT` entries that are found."""

    async def count(uow: ReadUow, subject: Subject, query: Mapping[str, str]) -> int:
        subject.require(Permission.AUDIT_READ)
        return await audit_count_of(uow, filter_of(query, zone), MAX_EXPORT)

    async def blocks(
        uow: ReadUow, subject: Subject, query: Mapping[str, str], language: Language
    ) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        subject.require(Permission.AUDIT_READ)
        names: dict[str, str] = {}
        acts: dict[str, str] = {}

        def words(entry: AuditEntry) -> tuple[str, str]:
            """Result and detail; a refusal with its code, by which it is looked up."""
            t = partial(texts.text, language)
            done = entry.result == "done"
            result = t("audit.done") if done else f"{t('audit.refused')} {entry.result}"
            return result, told(entry, t, texts.has, language, zone)

        async for entries in audit_blocks(uow, filter_of(query, zone), MAX_EXPORT, BLOCK_ROWS):
            new = {one.actor for one in entries} - set(names)
            names |= {one: one for one in new} | dict(await identity.names(uow, new))
            for act in {one.act for one in entries} - set(acts):
                key = f"audited.{act}"
                # A release that is gone wrote what nobody knows any more.
                acts[act] = texts.text(language, key) if texts.has(key) else act
            yield [_row(one, names, acts, zone, words) for one in entries]

    return LongList(
        name="audit.list",
        file="audit",
        permission=Permission.AUDIT_READ,
        title=lambda language: texts.text(language, "audit.title"),
        head=lambda language: [texts.text(language, key) for key in COLUMNS],
        count=count,
        blocks=blocks,
        act="audit.export",
    )


def _row(
    one: AuditEntry,
    names: Mapping[str, str],
    acts: Mapping[str, str],
    zone: timezone,
    words: Callable[[AuditEntry], tuple[str, str]],
) -> Sequence[Cell]:
    result, detail = words(one)
    return (
        one.no,
        moment(one.at, zone),
        names[one.actor],
        acts[one.act],
        one.object,
        result,
        one.address,
        detail,
        one.hash,
    )
