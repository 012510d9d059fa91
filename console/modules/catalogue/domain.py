"""Service items (政务服务事项): what is said of one, what makes it unusable, and how two versions differ. Pure rules.

Codes and value tables are those of GB/T 39046-2020 as collected in standards.md B1 to B3.
"""

import re
import warnings
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from console.core import codes
from console.core.permissions import stem
from console.core.sheet_import import CellFault, Difference
from console.core.sheet_import import differences as fields_changed
from console.modules.calendar.api import TimeLimit
from qingting.contract.base import Strict

DEFAULT_PATTERN = r"[0-9A-HJ-NPQRTUWXY]{18}[1-7]\d{12}(\d{2})?"
"""Implementation code (实施编码) of 31 characters: credit code, level, basic code; with 2 more a handling item
(业务办理项, 33 characters)."""
LONGEST_CODE = 64
MOST_LOOSE = 4
"""Parts of a pattern that may have another length or another form each time."""
_CLASS = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]")
_LOOSE = re.compile(r"\{[0-9]*,[0-9]*\}|[?*+|]")
_SIGN = r"(?:\[(?:\\.|[^\]\\])+\]|\\[dDwWsS.\\-]|[^\\\[\](){}|?*+^$])"
_TIMES = r"(?:\{[0-9]{1,2}(?:,[0-9]{0,2})?\}|[?*+])?"
_RUN = f"(?:{_SIGN}{_TIMES})+"
_GROUP = rf"\((?:\?:)?{_RUN}(?:\|{_RUN})*\)\??"
_ROW = f"(?:{_SIGN}{_TIMES}|{_GROUP})+"
_SHAPE = re.compile(rf"{_ROW}(?:\|{_ROW})*")
LEVEL_AT = 18
KINDS = ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20")
"""事项类型: 许可, 处罚, 强制, 征收, 给付, 检查, 确认, 奖励, 裁决, 其他, 公共服务."""
LEVELS = (1, 2, 3, 4, 5, 6, 7)
"""行使层级: 国, 省, 市, 县, 镇, 村, 分级管理."""
HANDLINGS = (1, 2, 9)
"""办件类型: 即办件, 承诺件, 其他."""
NAME_LENGTH = 200
TEXT_LENGTH = 4000
_DIVISION = re.compile(r"[0-9]{6}([0-9]{3}([0-9]{3})?)?")


class Channel(StrEnum):
    """Where an item can be handled (办理形式)."""

    WINDOW = "window"
    COMPUTER = "computer"
    MOBILE = "mobile"
    POST = "post"
    KIOSK = "kiosk"


class Audience(StrEnum):
    """Whom an item serves (服务对象)."""

    PERSON = "person"
    FIRM = "firm"
    BOTH = "both"


class State(StrEnum):
    """How far a version is."""

    DRAFT = "draft"
    PUBLISHED = "published"


class ItemBody(Strict, frozen=True, kw_only=True):
    """One version of an item as citizens read it.

    ``department`` is its name, ``division`` its code (区划代码). ``materials`` are names in the dictionary of
    materials. ``charge`` empty: free. ``halls`` are those that handle it. ``withdrawn``: the item is no more (取消).
    """

    name: str
    name_en: str = ""
    kind: str = "20"
    level: int = 3
    division: str = ""
    department: str = ""
    audience: Audience = Audience.BOTH
    handling: int = 2
    themes: tuple[str, ...] = ()
    basis: str = ""
    materials: tuple[str, ...] = ()
    process: tuple[str, ...] = ()
    legal: TimeLimit | None = None
    promised: TimeLimit | None = None
    charge: str = ""
    channels: tuple[Channel, ...] = (Channel.WINDOW,)
    halls: tuple[str, ...] = ()
    withdrawn: bool = False


FIELDS: tuple[str, ...] = ItemBody.__struct_fields__
"""Fields of an item in the order in which people read them."""


def uscc_fits(code: str) -> bool:
    """True when the first 18 characters are a credit code whose check character fits (GB 32100-2015)."""
    return _uscc_fits(code[:18])


@lru_cache(maxsize=4096)
def _uscc_fits(code: str) -> bool:
    """A department's items share its credit code."""
    return codes.uscc_fits(code)


def pattern_works(pattern: str) -> bool:
    """True for a pattern that can be used for codes: signs and classes with how often they stand, groups of them in a row.
    Nothing repeated is repeated again and few parts have no fixed length, since a pattern such as ``(a+)+`` would keep
    the program busy for years with one wrong code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what will mean something else one day is none either
            re.compile(pattern)
    except (re.error, FutureWarning, DeprecationWarning):
        return False
    loose = len(_LOOSE.findall(_CLASS.sub("x", pattern)))
    short = 0 < len(pattern) <= 200
    return short and loose <= MOST_LOOSE and _SHAPE.fullmatch(pattern) is not None


def code_faults(code: str, pattern: str, level: int) -> list[CellFault]:
    """What is wrong with a code; only the shape and the level stop it."""
    if len(code) > LONGEST_CODE or not re.fullmatch(pattern, code, re.ASCII):
        return [CellFault("code", "catalogue.bad.code", {"length": len(code)})]
    told = code[LEVEL_AT : LEVEL_AT + 1]
    if pattern == DEFAULT_PATTERN and told != str(level):
        return [CellFault("level", "catalogue.bad.level", {"told": told, "level": level})]
    return []


def meant_code(code: str, pattern: str) -> str:
    """A code as it was meant: without spaces, full-width signs plain, and in capitals where the pattern wants them."""
    tidy = "".join(codes.plain(code).split())
    if len(tidy) > LONGEST_CODE:
        return code
    fits = re.fullmatch(pattern, tidy, re.ASCII) or not re.fullmatch(
        pattern, tidy.upper(), re.ASCII
    )
    return tidy if fits else tidy.upper()


def code_warnings(code: str) -> list[CellFault]:
    """What looks wrong and is let through: registered credit codes exist whose check character does not fit."""
    if len(code) in (31, 33) and not uscc_fits(code):
        return [CellFault("code", "catalogue.warn.uscc", {})]
    return []


def body_faults(body: ItemBody) -> list[CellFault]:
    """What makes a version unusable, all of it."""
    found = []
    if not body.name.strip() or max(len(body.name), len(body.name_en)) > NAME_LENGTH:
        found.append(CellFault("name", "catalogue.bad.name", {"most": NAME_LENGTH}))
    if not body.department.strip() or len(body.department) > NAME_LENGTH:
        found.append(CellFault("department", "catalogue.bad.department", {}))
    if body.division and not _DIVISION.fullmatch(body.division):
        found.append(CellFault("division", "catalogue.bad.division", {}))
    for name, value, table in (
        ("kind", body.kind, KINDS), ("level", body.level, LEVELS), ("handling", body.handling, HANDLINGS),
    ):  # fmt: skip
        if value not in table:
            found.append(CellFault(name, "catalogue.bad.value", {"value": value}))
    if max(len(body.basis), len(body.charge), sum(map(len, body.process))) > TEXT_LENGTH:
        found.append(CellFault("basis", "catalogue.bad.long", {"most": TEXT_LENGTH}))
    if not body.channels:
        found.append(CellFault("channels", "catalogue.bad.channels", {}))
    return found + _limit_faults(body)


def _limit_faults(body: ItemBody) -> list[CellFault]:
    """A promise must not be longer than the law allows; limits in different units are not compared."""
    found = [
        CellFault(field, "catalogue.bad.limit", {})
        for field, limit in (("legal", body.legal), ("promised", body.promised))
        if limit is not None and not 0 <= limit.amount <= 3000
    ]
    legal, promised = body.legal, body.promised
    same = legal is not None and promised is not None and legal.unit is promised.unit
    if same and legal is not None and promised is not None and promised.amount > legal.amount:
        found.append(CellFault("promised", "catalogue.bad.promise", {}))
    return found


def differences(before: ItemBody | None, after: ItemBody) -> list[Difference]:
    """Fields that changed, in their order; all that say something when there was nothing before."""
    return fields_changed(before, after, FIELDS, ItemBody(name=""))


def doubled_names(names: Sequence[str]) -> tuple[str, ...]:
    """Without repetitions and empty ones, in order."""
    return tuple(dict.fromkeys(one.strip() for one in names if one.strip()))


def short_division(code: str) -> str:
    """A division's code as items bear it: 6 digits for a city or a district, 9 below, 12 for a village. What is no
    code stays as it is."""
    if not _DIVISION.fullmatch(code):
        return code
    found = stem(code)
    return found.ljust(6 if len(found) <= 6 else 9 if len(found) <= 9 else 12, "0")
