"""Forms of the catalogue's pages."""

from datetime import date

from console.modules.catalogue.api import ItemQuery
from console.modules.catalogue.cells import CellError, limit_of, limit_words
from console.modules.catalogue.domain import (
    Audience,
    Channel,
    ItemBody,
    doubled_names,
    short_division,
)
from console.modules.catalogue.service import Flags
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.kernel.web.faulty import FormRefusal, inputs_at


class ItemForm(Strict, frozen=True, kw_only=True):
    """An item as its page has it: lists as lines, limits as words."""

    code: str
    seen: str = "new"
    name: str = ""
    name_en: str = ""
    kind: str = "20"
    level: int = 3
    division: str = ""
    department: str = ""
    audience: Audience = Audience.BOTH
    handling: int = 2
    themes: tuple[str, ...] = ()
    basis: str = ""
    materials: str = ""
    process: str = ""
    legal: str = ""
    promised: str = ""
    charge: str = ""
    channels: tuple[Channel, ...] = ()
    halls: tuple[str, ...] = ()
    withdrawn: bool = False

    @classmethod
    def of(cls, code: str, seen: str, body: ItemBody) -> "ItemForm":
        same = {
            name: getattr(body, name)
            for name in body.__struct_fields__
            if name not in ("division", "materials", "process", "legal", "promised")
        }
        return cls(
            code=code,
            seen=seen,
            division=short_division(body.division),
            materials="\n".join(body.materials),
            process="\n".join(body.process),
            legal=limit_words(body.legal),
            promised=limit_words(body.promised),
            **same,
        )

    def body(self) -> ItemBody:
        """Raises ``form.invalid`` for a limit that cannot be read."""
        try:
            legal, promised = limit_of(self.legal.strip()), limit_of(self.promised.strip())
        except CellError as error:
            field = "legal" if str(error) == self.legal.strip() else "promised"
            raise FormRefusal(field, inputs_at(field)) from error
        same = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in ("code", "seen", "materials", "process", "legal", "promised")
        }
        return ItemBody(
            materials=doubled_names(self.materials.splitlines()),
            process=doubled_names(self.process.splitlines()),
            legal=legal,
            promised=promised,
            **same,
        )


class FlagsForm(Strict, frozen=True, kw_only=True):
    """``codes``: the chosen items; ``all_found``: all that the filters find. ``bookable``, ``on_site``: ``yes``,
    ``no`` or empty for as it is. The fields after them are the filters of the page; ``only_…`` those of the flags."""

    codes: tuple[str, ...] = ()
    all_found: bool = False
    bookable: str = ""
    on_site: str = ""
    q: str = ""
    department: str = ""
    theme: str = ""
    division: str = ""
    hall: str = ""
    only_bookable: str = ""
    only_on_site: str = ""
    back: str = ""

    def flags(self) -> Flags:
        return Flags(bookable=yes_no(self.bookable), on_site=yes_no(self.on_site))

    def wanted(self) -> ItemQuery:
        return ItemQuery(
            text=self.q,
            department=self.department,
            theme=self.theme,
            division=self.division,
            hall=self.hall,
            bookable=yes_no(self.only_bookable),
            on_site=yes_no(self.only_on_site),
        )


class PublishForm(Strict, frozen=True, kw_only=True):
    """``chosen``: code and version of each draft as ``code@version``. ``own_days``: where a draft's origin names a day, from
    that one. ``all_synced``: all drafts of the item system too that were made up to then."""

    chosen: tuple[str, ...] = ()
    effective: date
    own_days: bool = False
    all_synced: int = 0

    def drafts(self) -> dict[str, int]:
        """Raises ``form.invalid``."""
        found = {}
        for one in self.chosen:
            code, _, number = one.rpartition("@")
            if not code or not number.isdecimal() or len(number) > 6:
                raise Refusal("form.invalid", field="chosen")
            found[code] = int(number)
        return found


class CodeForm(Strict, frozen=True, kw_only=True):
    code: str


class MaterialForm(Strict, frozen=True, kw_only=True):
    name: str = ""
    name_en: str = ""
    note: str = ""


class ThemeForm(Strict, frozen=True, kw_only=True):
    name: str = ""
    name_en: str = ""
    up: bool = False


class FourEyesForm(Strict, frozen=True, kw_only=True):
    wanted: bool = False


class PatternForm(Strict, frozen=True, kw_only=True):
    pattern: str = ""


def yes_no(text: str) -> bool | None:
    """``yes``, ``no``, anything else is no wish."""
    return {"yes": True, "no": False}.get(text)
