"""What is told outside about the item system."""

from console.core.channels import Message
from qingting.contract.conditions import Severity
from qingting.contract.states import Language
from qingting.kernel.i18n import Catalogue

CATALOGUE = Catalogue.load("qingting.web.pages", "console.modules.catalogue")
"""Read at import: what is sent outside has no page around it."""


def silence(since: int, hours: int, now: int) -> Message:
    """The item system has not answered since ``since``."""
    zh, en = (
        CATALOGUE.text(one, "sync.told_silent", hours=hours) for one in (Language.ZH, Language.EN)
    )
    return Message(
        id=f"item-system-{since}",
        at=now,
        severity=Severity.WARNING,
        act="raised",
        title=CATALOGUE.text(Language.ZH, "sync.told_title"),
        text=f"{zh}\n{en}",
    )


def back(at: int) -> Message:
    """The item system has answered again at ``at``."""
    return Message(
        id=f"item-system-back-{at}",
        at=at,
        severity=Severity.WARNING,
        act="cleared",
        title=CATALOGUE.text(Language.ZH, "sync.told_back_title"),
        text="\n".join(CATALOGUE.text(one, "sync.told_back") for one in (Language.ZH, Language.EN)),
    )
