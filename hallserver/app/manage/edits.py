"""What the pages that edit the configuration share: typed fields, hours as text, compare and set."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from hallserver.app.desk import Desk, desk_of, person_of
from hallserver.app.manage.rows import Values
from qingting.contract.calendar import Period
from qingting.contract.commands import EditConfig
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.errors import Refusal
from qingting.contract.states import Language
from qingting.kernel.security.device_keys import new_token
from qingting.kernel.web import LANGUAGE
from qingting.kernel.web.faulty import FormRefusal, inputs_at

T = TypeVar("T")
_SPAN = re.compile(r"^(\d{1,2}:\d{2})\s*[-–—~～至]\s*(\d{1,2}:\d{2})$")


class FormFault(FormRefusal):
    """``form.invalid`` of one row of a list; ``at`` is None where it is of no row. ``inputs`` are the names of its
    inputs, inside a row without the row's prefix."""

    def __init__(self, field: str, *inputs: str, at: tuple[str, int] | None = None) -> None:
        super().__init__(field, frozenset(inputs))
        self.field = field
        self.at = at


@contextmanager
def in_row(label: str, name: str, number: int) -> Iterator[None]:
    """Faults of fields that are read inside are those of this row of list ``name``, called ``label``."""
    try:
        yield
    except FormFault as fault:
        raise FormFault(
            f"{label} {number + 1} · {fault.field}",
            *(f"{name}-{number}-{one}" for one in fault.inputs),
            at=(name, number),
        ) from fault


class Typed:
    """The fields of a posted form as they were typed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def one(self, name: str) -> str:
        value = self.data.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def many(self, name: str) -> list[str]:
        getall = getattr(self.data, "getall", None)
        values = getall(name, []) if getall is not None else [self.data.get(name, "")]
        return [one for one in values if isinstance(one, str) and one]

    @property
    def base(self) -> int:
        """The version on which the form was opened; 0 when it says none."""
        text = self.one("base")
        return int(text) if text.isdecimal() else 0


async def typed(request: web.Request) -> Typed:
    return Typed(await request.post())


def config_of(desk: Desk) -> HallConfig:
    """The configuration in force; raises ``config.none``."""
    if desk.state.config is None:
        raise Refusal("config.none")
    return desk.state.config


async def put_part(request: web.Request, base: int, part: ConfigPart) -> None:
    """Puts a part in force in the manager's name. Raises ``config.moved_on``, ``config.invalid``."""
    desk = desk_of(request)
    command = EditConfig(base=base, part=part)
    actor = f"staff:{person_of(request).id}"
    await desk.hall.submit(command, key=f"manager:{new_token()}", actor=actor)


def say(request: web.Request, key: str, **params: object) -> str:
    """A text of the catalogue in the reader's language."""
    return desk_of(request).pages.text(request.get(LANGUAGE) or Language.ZH, key, **params)


def convert(request: web.Request, raw: object, kind: type[T], words: str) -> T:
    """``raw`` as ``kind``; a fault is ``form.invalid`` naming the field by the text ``<words>.<field>``."""
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        message = str(error)
        raise FormFault(
            _place(request, message, words), *_inputs_of(message), at=_row_of(message)
        ) from error


def _inputs_of(message: str) -> frozenset[str]:
    path = message.rpartition("`$")[2].strip("`").strip(".") if "`$" in message else ""
    missing = re.search(r"required field `(\w+)`", message)
    return inputs_at(".".join(filter(None, (path, missing[1] if missing is not None else ""))))


def _row_of(message: str) -> tuple[str, int] | None:
    """``$.windows[2].number`` → the third row of ``windows``."""
    found = re.search(r"`\$\.(\w+)\[(\d+)\]", message)
    return (found[1], int(found[2])) if found is not None else None


def _place(request: web.Request, message: str, words: str) -> str:
    """``$.classes[2].weight`` → 类别 3 · 权重."""
    path = message.rpartition("`$")[2].strip("`").strip(".") if "`$" in message else ""
    named = []
    for part in path.split("."):
        name, _, number = part.partition("[")
        if not name:
            continue
        text = word(request, words, name)
        named.append(
            f"{text} {int(number.strip(']')) + 1}" if number.strip("]").isdecimal() else text
        )
    missing = re.search(r"required field `(\w+)`", message)
    if missing is not None:
        named.append(word(request, words, missing[1]))
    return " · ".join(named) or "?"


def word(request: web.Request, words: str, name: str) -> str:
    """What people call a field; its own name where the catalogue has no word."""
    try:
        return say(request, f"{words}.{name}")
    except KeyError:
        return name


def marked(values: Values, prefix: str) -> list[str]:
    """Ticked boxes of a row: ``classes:soldier`` = on → ``soldier``."""
    start = f"{prefix}:"
    return [
        name.removeprefix(start)
        for name, value in values.items()
        if name.startswith(start) and value
    ]


def ticks(prefix: str, names: Iterable[object]) -> Values:
    """Inverse of :func:`marked`."""
    return {f"{prefix}:{one}": "on" for one in names}


def needed(request: web.Request, values: Values, words: str, *names: str) -> dict[str, object]:
    """Fields that must be filled in. Raises :class:`FormFault` for the first that is not."""
    for name in names:
        if not values.get(name, ""):
            raise FormFault(word(request, words, name), name)
    return given(values, *names)


def given(values: Mapping[str, str], *names: str) -> dict[str, object]:
    """The named fields that were filled in; the others keep their default."""
    return {name: values[name] for name in names if values.get(name, "") != ""}


# ---- hours as people write them ------------------------------------------------------------------


def periods_text(periods: Iterable[Period]) -> str:
    """``09:00-12:00 13:30-17:00``."""
    return " ".join(f"{one.start}-{one.end}" for one in periods)


def periods_of(text: str, field: str, name: str = "periods") -> list[dict[str, str]]:
    """Inverse of :func:`periods_text`, forgiving about signs between. Raises ``form.invalid`` for ``field``, whose
    input is ``name``."""
    found = []
    text = text.replace("：", ":")
    for part in re.split(r"[\s,，、;；]+", re.sub(r"\s*[-–—~～至]\s*", "-", text.strip())):
        if not part:
            continue
        span = _SPAN.match(part)
        if span is None:
            raise FormFault(f"{field}：{part[:20]}", name)
        found.append({"start": span[1].zfill(5), "end": span[2].zfill(5)})
    return found
