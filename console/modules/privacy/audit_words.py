"""What an entry of the audit tells besides its act, in words: counts and settings by their names."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo

from console.core.audit import AuditEntry
from console.modules.privacy.audit_details import Text, Words, read
from qingting.contract.states import Language

NAMED: Mapping[str, str] = {
    "backup.restored": "restored",
    "catalogue.sync": "sync.figure",
    "policy.set": "policy",
    "privacy.policy": "privacy.rule",
}
"""Acts whose detail is ``name=value`` by spaces, and where the texts of those names begin."""
COUNTED = frozenset(
    {
        *("alarms.export", "personal.limit", "personal.unusual", "request.copied"),
    }
)
"""Acts whose detail begins with how many records they were about."""


GIVEN = frozenset({"role.given", "role.withdrawn"})
"""Acts whose detail is a role, the kind of its reach and what that is of."""
OF_JOBS = frozenset({"job.cancel", "job.start"})
"""Acts whose detail is the kind of a job."""
_BACKUP = re.compile(r"(\d+) bytes, (\d+) rows, (\d+) dropped")
_OF_ACCOUNTS = (
    "account.",
    "login",
    "logout",
    "session.",
    "factor.",
    "role.given",
    "role.withdrawn",
)


def about_account(entry: AuditEntry) -> bool:
    """True where the object is an account, which has a name that says more than its id."""
    return entry.act.startswith(_OF_ACCOUNTS)


def told(
    entry: AuditEntry,
    t: Text,
    has: Callable[[str], bool],
    language: Language = Language.ZH,
    zone: tzinfo = UTC,
) -> str:
    """The detail in words; as it was written where it is not of a form that is known. Counts of nothing are left out."""
    if words := read(entry.act, entry.detail, Words(t, has, language, zone)):
        return words
    if entry.act in NAMED:
        return _named(entry.detail, NAMED[entry.act], t, has) or entry.detail
    if entry.act in OF_JOBS and has(kind := f"job.kind.{entry.detail}"):
        return t(kind)
    if entry.act == "backup.made":
        return _backed_up(entry.detail, t)
    first, _, rest = entry.detail.partition(" ")
    if entry.act == "hall.directive" and has(sent := f"audit.directive.{rest}"):
        return t("audit.pair", name=t("audit.entry", no=first), value=t(sent))
    if entry.act in GIVEN:
        return _given(first, rest, t, has)
    if entry.act == "role.put" and first.isdecimal():
        return _functions(rest.split()[1:], t, has) or entry.detail
    if first == "sheet" and rest:
        return _by_sheet(entry.act.partition(".")[0], rest, t, has)
    if entry.act in COUNTED and first.isdecimal():
        return t("audit.then").join([t("audit.rows", n=int(first)), *([rest] if rest else [])])
    return entry.detail


def _backed_up(detail: str, t: Text) -> str:
    found = _BACKUP.fullmatch(detail)
    if found is None:
        return detail
    size, rows, gone = map(int, found.groups())
    said = [t("audit.backup_made", kb=max(1, size // 1000), rows=rows)]
    return t("audit.then").join([*said, *([t("audit.backup_dropped", n=gone)] if gone else [])])


def _given(role: str, reach: str, t: Text, has: Callable[[str], bool]) -> str:
    kind, _, target = reach.partition(" ")
    if not has(f"reach.{kind}"):
        return f"{role} {reach}".strip()
    word = t(f"reach.{kind}")
    where = t("audit.pair", name=word, value=target) if target else word
    return t("audit.then").join([role, where])


def _functions(names: Sequence[str], t: Text, has: Callable[[str], bool]) -> str:
    named = [t(key) if has(key := f"function.{one}") else one for one in names]
    return t("audit.and").join(named)


def _by_sheet(kind: str, fields: str, t: Text, has: Callable[[str], bool]) -> str:
    """Which fields a spreadsheet changed."""
    named = [t(key) if has(key := f"{kind}.{one}") else one for one in fields.split(",")]
    return t("audit.pair", name=t("audit.by_sheet"), value=t("audit.and").join(named))


def _named(detail: str, prefix: str, t: Text, has: Callable[[str], bool]) -> str:
    said = []
    for pair in detail.split():
        name, mark, value = pair.partition("=")
        key = "audit.version" if name == "version" else f"{prefix}.{name}"
        if not mark or not has(key):
            return ""
        if value not in ("", "0"):
            many = [t(one) if has(one := f"function.{each}") else each for each in value.split(",")]
            said.append(t("audit.pair", name=t(key), value=t("audit.and").join(many)))
    return t("audit.then").join(said)
