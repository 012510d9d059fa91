"""Parts of a configuration as TOML text to edit by hand, and what is wrong with such a text, line by line."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec

from qingting.contract.config import HallConfig
from qingting.contract.faults import Fault
from qingting.contract.states import Language
from qingting.kernel.config_file import to_toml
from qingting.kernel.toml_lines import located

TEXT_PARTS: dict[str, tuple[str, ...]] = {
    "hall": ("hall",),
    "departments": ("departments",),
    "queues": ("queues",),
    "items": ("items",),
    "windows": ("windows",),
    "staff": ("staff",),
    "shifts": ("shifts",),
    "calendar": ("calendar",),
    "rules": ("rules",),
    "devices": ("devices",),
    "boards": ("layouts", "board_layouts"),
    "announcements": ("announcements",),
    "tickets": ("ticket_templates",),
    "kiosks": ("kiosk_templates",),
}
"""Parts as people call them, and which fields of the configuration they are."""
MAX_TEXT = 900 * 1024


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    """Ground of what a text is read as."""


def _form(fields: tuple[str, ...]) -> type[msgspec.Struct]:
    kinds = {one.name: one for one in msgspec.structs.fields(HallConfig)}
    known = [(name, kinds[name].type) for name in fields]
    return msgspec.defstruct("Part", known, bases=(_Form,), kw_only=True, frozen=True)


_FORMS = {part: _form(fields) for part, fields in TEXT_PARTS.items()}


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong in ``line`` (0: nobody can say where)."""

    line: int
    text: str


class BadText(Exception):  # noqa: N818 - not a refusal: the page shows it beside the text
    """The text is no such part. ``slips`` say where."""

    def __init__(self, slips: list[Slip]) -> None:
        super().__init__(f"{len(slips)} faults")
        self.slips = slips


def text_of(config: HallConfig, part: str) -> str:
    """The part as TOML; an empty list is one line, so that it can be filled."""
    return to_toml(_FORMS[part](**{name: getattr(config, name) for name in TEXT_PARTS[part]}))


def read_text(config: HallConfig, part: str, text: str) -> HallConfig:
    """``config`` with the part as the text says. A list that the text leaves out is empty. Raises :class:`BadText`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadText([_syntax(str(error), text)]) from error
    for name in TEXT_PARTS[part]:
        if isinstance(getattr(config, name), tuple):
            raw.setdefault(name, [])
    try:
        given: Any = msgspec.convert(raw, _FORMS[part])
    except msgspec.ValidationError as error:
        found = located(str(error), [("", text)])
        match = re.match(r":(\d+): (.*)$", found, re.DOTALL)
        slip = Slip(int(match[1]), match[2]) if match is not None else Slip(0, found)
        raise BadText([slip]) from error
    return msgspec.structs.replace(
        config, **{name: getattr(given, name) for name in TEXT_PARTS[part]}
    )


def _syntax(message: str, text: str) -> Slip:
    found = re.search(r" \(at line (\d+), column \d+\)$", message)
    if found is None:
        return Slip(text.count("\n") + 1, message.partition(" (at ")[0])
    return Slip(int(found[1]), message[: found.start()])


def lines_of(faults: list[Fault], text: str, language: Language) -> list[Slip]:
    """Faults of the whole configuration, at the line where the thing with that id stands."""
    lines = text.splitlines()
    slips = []
    for one in faults:
        mark = re.compile(rf'^\s*id\s*=\s*"{re.escape(one.key)}"') if one.key else None
        at = next((n for n, line in enumerate(lines, 1) if mark and mark.match(line)), 0)
        slips.append(Slip(at, one.text(language)))
    return slips
