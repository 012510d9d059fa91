"""An item as a row of a spreadsheet and back: both ways with the same words."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from console.core.sheet_import import CellFault, SheetRow, read_rows, texts_in
from console.core.sheet_reading import Given
from console.core.sheet_zeros import Codes
from console.modules.calendar.api import TimeLimit, Unit
from console.modules.catalogue.domain import (
    Audience,
    Channel,
    ItemBody,
    body_faults,
    code_faults,
    code_warnings,
    doubled_names,
    meant_code,
    short_division,
)

COLUMNS: Mapping[str, tuple[str, str]] = {
    "code": ("编码", "code"), "name": ("名称", "name"), "name_en": ("英文名称", "English name"),
    "kind": ("事项类型", "kind"), "level": ("行使层级", "level"), "division": ("区划代码", "division"),
    "department": ("部门", "department"), "audience": ("服务对象", "audience"),
    "handling": ("办件类型", "handling"), "themes": ("主题", "themes"), "basis": ("设定依据", "legal basis"),
    "materials": ("申报材料", "materials"), "process": ("办理流程", "process"),
    "legal": ("法定时限", "legal limit"), "promised": ("承诺时限", "promised limit"),
    "charge": ("收费", "charge"), "channels": ("办理形式", "channels"), "halls": ("办理大厅", "halls"),
    "withdrawn": ("取消", "withdrawn"),
}  # fmt: skip
REQUIRED = ("code", "name", "department")
KIND_WORDS = {
    "01": "行政许可", "02": "行政处罚", "03": "行政强制", "04": "行政征收", "05": "行政给付", "06": "行政检查",
    "07": "行政确认", "08": "行政奖励", "09": "行政裁决", "10": "其他行政权力", "20": "公共服务",
}  # fmt: skip
LEVEL_WORDS = {1: "国家级", 2: "省级", 3: "市级", 4: "县级", 5: "乡镇级", 6: "村级", 7: "分级管理"}
HANDLING_WORDS = {1: "即办件", 2: "承诺件", 9: "其他"}
AUDIENCE_WORDS = {Audience.PERSON: "个人", Audience.FIRM: "法人", Audience.BOTH: "个人和法人"}
CHANNEL_WORDS = {
    Channel.WINDOW: "窗口", Channel.COMPUTER: "电脑端", Channel.MOBILE: "移动端",
    Channel.POST: "快递", Channel.KIOSK: "自助机",
}  # fmt: skip
UNIT_WORDS = {Unit.WORKDAYS: "个工作日", Unit.DAYS: "天", Unit.MONTHS: "个月", Unit.YEARS: "年"}
_UNITS = {
    "个工作日": Unit.WORKDAYS, "工作日": Unit.WORKDAYS, "workdays": Unit.WORKDAYS, "天": Unit.DAYS, "日": Unit.DAYS,
    "个自然日": Unit.DAYS, "自然日": Unit.DAYS, "days": Unit.DAYS, "个月": Unit.MONTHS, "月": Unit.MONTHS,
    "months": Unit.MONTHS, "年": Unit.YEARS, "years": Unit.YEARS,
}  # fmt: skip
_BETWEEN = re.compile(r"[；;\n]+")
_YES, _NO = ("是", "yes", "true", "1", "y"), ("", "否", "no", "false", "0", "n")


class CellError(ValueError):
    """A cell that says nothing known."""


def cells_of(code: str, body: ItemBody) -> list[str]:
    """A row, in the order of :data:`COLUMNS`."""
    values: dict[str, str] = {
        "code": code,
        "name": body.name,
        "name_en": body.name_en,
        "kind": KIND_WORDS.get(body.kind, body.kind),
        "level": LEVEL_WORDS.get(body.level, str(body.level)),
        "division": body.division,
        "department": body.department,
        "audience": AUDIENCE_WORDS[body.audience],
        "handling": HANDLING_WORDS.get(body.handling, str(body.handling)),
        "basis": body.basis,
        "legal": limit_words(body.legal),
        "promised": limit_words(body.promised),
        "charge": body.charge,
        "channels": "；".join(CHANNEL_WORDS[one] for one in body.channels),
        "withdrawn": "是" if body.withdrawn else "",
        **{
            name: "；".join(getattr(body, name))
            for name in ("themes", "materials", "process", "halls")
        },
    }
    return [values[key] for key in COLUMNS]


def limit_words(limit: TimeLimit | None) -> str:
    return "" if limit is None else f"{limit.amount}{UNIT_WORDS[limit.unit]}"


def limit_of(text: str) -> TimeLimit | None:
    """``20个工作日``, ``20`` (working days), ``3 months``; empty for none. Raises :class:`CellError`."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,4})\s*(\D*)", text)
    unit = _UNITS.get(found[2].strip().casefold() or "工作日") if found else None
    if found is None or unit is None:
        raise CellError(text)
    return TimeLimit(int(found[1]), unit)


def _word(words: Mapping[Any, str]) -> Callable[[str], Any]:
    """Reads a value by its word or its code; numbers may have lost their zero in front."""
    known = {word: value for value, word in words.items()}
    known |= {str(value): value for value in words}
    known |= {str(value).lstrip("0"): value for value in words}

    def read(text: str) -> Any:
        if text not in known:
            raise CellError(text)
        return known[text]

    return read


def _many(text: str) -> tuple[str, ...]:
    return doubled_names(_BETWEEN.split(text))


def _channels(text: str) -> tuple[Channel, ...]:
    read = _word(CHANNEL_WORDS)
    return tuple(read(one) for one in _many(text))


def _truth(text: str) -> bool:
    if text.casefold() in _YES + _NO:
        return text.casefold() in _YES
    raise CellError(text)


_remembered = lru_cache(maxsize=4096)
"""Thousands of rows have the same few texts in most columns."""
_names, _limit = _remembered(_many), _remembered(limit_of)
READERS: Mapping[str, Callable[[str], Any]] = {
    "name": str, "name_en": str, "division": _remembered(short_division), "department": str, "basis": str, "charge": str,
    "kind": _word(KIND_WORDS), "level": _word(LEVEL_WORDS), "handling": _word(HANDLING_WORDS),
    "audience": _word(AUDIENCE_WORDS), "channels": _remembered(_channels), "legal": _limit, "promised": _limit,
    "themes": _names, "materials": _names, "process": _names, "halls": _names, "withdrawn": _truth,
}  # fmt: skip


_NONE = Codes(())


def read_items(
    rows: Sequence[Sequence[Given]],
    pattern: str,
    known: Callable[[str], ItemBody | None],
    codes: Codes = _NONE,
) -> list[SheetRow[ItemBody]]:
    """Every row that says something. Columns that are not there leave what ``known`` has for the code; ``codes`` has
    those that the sheet's may have been.

    Raises ``sheet.column`` when a needed column is missing.
    """

    def read(number: int, cells: Mapping[str, str]) -> SheetRow[ItemBody]:
        code = cells["code"] if known(cells["code"]) else meant_code(cells["code"], pattern)
        return _row(number, {**cells, "code": code}, pattern, known(code))

    return read_rows(rows, COLUMNS, key="code", required=REQUIRED, read=read, codes={"code": codes})


def codes_in(rows: Sequence[Sequence[Given]], pattern: str) -> set[str]:
    """Every code that is written in the sheet, and as it was meant. Raises ``sheet.column``."""
    written = texts_in(rows, COLUMNS["code"])
    return written | {meant_code(one, pattern) for one in written}


def _row(
    number: int, cells: Mapping[str, str], pattern: str, held: ItemBody | None
) -> SheetRow[ItemBody]:
    code = cells["code"]
    values = {name: getattr(held, name) for name in held.__struct_fields__} if held else {}
    faults: list[CellFault] = []
    for key, text in cells.items():
        if key == "code":
            continue
        try:
            # An empty cell of a table of values means its usual value.
            if text or key not in ("kind", "level", "handling", "audience", "channels"):
                values[key] = READERS[key](text)
        except CellError:
            faults.append(CellFault(key, "catalogue.bad.value", {"value": text[:60]}))
    body = ItemBody(**{"name": "", **values})
    faults += code_faults(code, pattern, body.level) + body_faults(body)
    return SheetRow(
        row=number,
        key=code,
        value=None if faults else body,
        faults=faults,
        warnings=code_warnings(code),
    )
