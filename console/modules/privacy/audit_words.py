"""What an entry of the audit tells besides its act, in words: counts and settings by their names."""

from collections.abc import Callable, Mapping
from typing import Protocol

from console.core.audit import AuditEntry

NAMED: Mapping[str, str] = {
    "backup.restored": "restored",
    "catalogue.sync": "sync.figure",
    "policy.set": "policy",
    "privacy.policy": "privacy.rule",
}
"""Acts whose detail is ``name=value`` by spaces, and where the texts of those names begin."""
COUNTED = frozenset(
    {
        *("alarms.export", "audit.export", "devices.export", "list.export"),
        *("personal.limit", "personal.unusual", "request.copied"),
    }
)
"""Acts whose detail begins with how many records they were about."""


class Text(Protocol):
    """A text in the reader's language."""

    def __call__(self, key: str, /, **params: object) -> str: ...


def told(entry: AuditEntry, t: Text, has: Callable[[str], bool]) -> str:
    """The detail in words; as it was written where it is not of a form that is known. Counts of nothing are left out."""
    if entry.act in NAMED:
        return _named(entry.detail, NAMED[entry.act], t, has) or entry.detail
    first, _, rest = entry.detail.partition(" ")
    if entry.act in COUNTED and first.isdecimal():
        return t("audit.then").join([t("audit.rows", n=int(first)), *([rest] if rest else [])])
    return entry.detail


def _named(detail: str, prefix: str, t: Text, has: Callable[[str], bool]) -> str:
    said = []
    for pair in detail.split():
        name, mark, value = pair.partition("=")
        key = "audit.version" if name == "version" else f"{prefix}.{name}"
        if not mark or not has(key):
            return ""
        if value not in ("", "0"):
            said.append(t("audit.pair", name=t(key), value=value))
    return t("audit.then").join(said)
