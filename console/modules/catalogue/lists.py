"""Lists and rules that the whole catalogue shares: themes (主题), materials, codes, who may review what."""

from datetime import date

from console.core.audit import Audit
from console.core.permissions import SYSTEM, Permission, Subject
from console.core.uow import ReadUow, Uow
from console.modules.catalogue import repository
from console.modules.catalogue.domain import DEFAULT_PATTERN, pattern_works
from qingting.contract.errors import Refusal

PATTERN, FOUR_EYES = "pattern", "four_eyes"
LONGEST_THEME = 40


class CatalogueLists:
    """Changed by whoever publishes for the whole city; that author and reviewer differ, by whoever keeps the roles."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def pattern(self, uow: ReadUow) -> str:
        """Which codes are taken, as a regular expression of the whole code."""
        return await repository.rule(uow, PATTERN) or DEFAULT_PATTERN

    async def put_pattern(self, uow: Uow, subject: Subject, pattern: str) -> None:
        """Raises ``catalogue.pattern``. Items that are there already stay."""
        _require_city(subject)
        if not pattern_works(pattern):
            raise Refusal("catalogue.pattern")
        await repository.put_rule(uow, PATTERN, pattern)
        await self._note(uow, subject, "catalogue.pattern_put", "", pattern)

    async def four_eyes(self, uow: ReadUow) -> bool:
        """True when who wrote a draft may not publish it; so it is unless somebody decided otherwise."""
        return await repository.rule(uow, FOUR_EYES) != "off"

    async def put_four_eyes(self, uow: Uow, subject: Subject, *, wanted: bool) -> None:
        """For who keeps the roles: nobody lifts it for the own drafts."""
        subject.require(Permission.ROLES)
        await repository.put_rule(uow, FOUR_EYES, "on" if wanted else "off")
        await self._note(uow, subject, "catalogue.four_eyes_put", "", "on" if wanted else "off")

    async def check_reviewer(self, uow: ReadUow, subject: Subject, made_by: str, name: str) -> None:
        """Raises ``catalogue.own_draft``. The program itself, and a shell on its machine, are nobody's author."""
        own = made_by == subject.id and subject.id != SYSTEM.id
        if own and await self.four_eyes(uow):
            raise Refusal("catalogue.own_draft", name=name)

    async def put_material(
        self, uow: Uow, subject: Subject, name: str, name_en: str, note: str
    ) -> None:
        """Raises ``catalogue.material`` for a name that is empty or too long."""
        subject.require(Permission.CATALOGUE)
        if not name.strip() or max(len(name), len(name_en)) > 200 or len(note) > 1000:
            raise Refusal("catalogue.material")
        await repository.put_material(uow, name.strip(), name_en.strip(), note.strip())
        await self._note(uow, subject, "catalogue.material_put", name.strip(), "")

    # -- themes -----------------------------------------------------------------------------------

    async def put_theme(self, uow: Uow, subject: Subject, name: str, name_en: str) -> None:
        """Adds a theme at the end, or changes the English name of a known one. Raises ``catalogue.theme``."""
        _require_city(subject)
        name, name_en = name.strip(), name_en.strip()
        if not name or len(name) > LONGEST_THEME or len(name_en) > 2 * LONGEST_THEME:
            raise Refusal("catalogue.theme")
        await repository.put_theme(uow, name, name_en)
        await self._note(uow, subject, "catalogue.theme_put", name, name_en)

    async def move_theme(self, uow: Uow, subject: Subject, name: str, *, up: bool) -> None:
        """One place up or down, as far as it goes."""
        _require_city(subject)
        names = [one for one, _ in await repository.themes(uow)]
        if name not in names:
            raise Refusal("catalogue.theme")
        at = names.index(name)
        to = max(0, at - 1) if up else min(len(names) - 1, at + 1)
        names.insert(to, names.pop(at))
        await repository.order_themes(uow, names)
        await self._note(uow, subject, "catalogue.theme_moved", name, str(to))

    async def drop_theme(self, uow: Uow, subject: Subject, name: str, today: date) -> None:
        """Raises ``catalogue.theme_used`` while items have it."""
        _require_city(subject)
        if await repository.theme_used(uow, name, today):
            raise Refusal("catalogue.theme_used", name=name)
        await repository.drop_theme(uow, name)
        await self._note(uow, subject, "catalogue.theme_dropped", name, "")

    async def _note(self, uow: Uow, subject: Subject, act: str, object: str, detail: str) -> None:  # noqa: A002
        await self._audit.write(uow, subject, act, object=object, detail=detail)
        uow.changed("catalogue")


def _require_city(subject: Subject) -> None:
    if not subject.scope(Permission.CATALOGUE_PUBLISH).everywhere:
        raise Refusal("page.forbidden")
