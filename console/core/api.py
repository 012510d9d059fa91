"""The open API as modules declare it: calls with their types, scopes, and events that go to integrators.

A module hands :class:`ApiOperation` and :class:`ApiEventType` to its context in ``setup``. The gateway validates, authorises
and answers by these alone, and writes the OpenAPI document from them: what is described is what is checked.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from console.core.permissions import Permission, Subject
from console.core.uow import Uow
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.states import Language

P = TypeVar("P", bound=msgspec.Struct)
B = TypeVar("B")
R = TypeVar("R")
E = TypeVar("E", bound=msgspec.Struct)
C = TypeVar("C")
T = TypeVar("T")

BASE = "/api/v1"
"""Where every call begins."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MOST_ROWS = 200
LARGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact."""
_VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Both:
    """A text of the documentation in both languages."""

    zh: str
    en: str

    def pick(self, language: Language) -> str:
        return self.zh if language is Language.ZH else self.en


def said(zh: str, en: str, **limits: Any) -> msgspec.Meta:
    """What a field means and its limits, for ``Annotated``: the validation and the document read the same."""
    return msgspec.Meta(description=en, extra_json_schema={"x-zh": zh}, **limits)


Limit = Annotated[int, said("一页最多几条", "Rows of a page at most", ge=1, le=MOST_ROWS)]
Cursor = Annotated[
    str,
    said(
        "上一页给出的 next；不填从头开始",
        "The `next` of the page before; without it from the start",
        min_length=1,
        max_length=600,
        pattern=r"^[A-Za-z0-9_-]+$",
    ),
]
HallName = Annotated[
    str,
    said("大厅的标识", "Id of a hall", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$"),
]
Next = Annotated[
    str | None,
    said("下一页的 cursor；没有下一页时为 null", "Cursor of the next page, null on the last one"),
]
Instant = Annotated[
    int,
    said("UTC 毫秒", "UTC milliseconds since 1970", ge=0, le=LARGEST),
]
Day = Annotated[date, said("日期，年-月-日", "A date, year-month-day")]
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


class NoParams(Strict, frozen=True, kw_only=True):
    """A call without parameters."""


class Nothing(Strict, frozen=True, kw_only=True):
    """An answer that says no more than that it was done."""

    done: bool = True


@dataclass(frozen=True, slots=True)
class ApiScope:
    """A right of an integrator (接口权限). ``permission`` is the function of the console that it carries within the
    integrator's reach: services check it as they check a person."""

    name: str
    permission: Permission
    words: Both


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[P, B]):
    """What a call is given: its transaction, the integrator as a subject with its reach, checked parameters and body.
    ``client`` is the integrator's id, ``scopes`` are those of its token."""

    uow: Uow
    subject: Subject
    params: P
    body: B
    language: Language
    client: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOperation(Generic[P, B, R]):
    """A call of the open API.

    ``path`` is below :data:`BASE`; its ``{variables}`` are fields of ``params``, the other fields come from the
    query. ``errors`` are codes of errors.toml that ``run`` may raise, besides those that every call may answer.
    ``once``: a POST that takes an ``Idempotency-Key`` and is done once for each. A GET only reads.
    """

    name: str
    method: str
    path: str
    tag: str
    scope: ApiScope
    summary: Both
    purpose: Both
    params: type[P]
    result: type[R]
    run: Callable[[ApiCall[P, B]], Awaitable[R]]
    body: type[B] | None = None
    errors: tuple[str, ...] = ()
    status: int = 200
    once: bool = False

    def __post_init__(self) -> None:
        fields = {one.name for one in msgspec.structs.fields(self.params)}
        unknown = [code for code in self.errors if code not in error_texts()]
        if self.method not in METHODS or unknown or not set(self.variables) <= fields:
            raise ValueError(f"call {self.name}: {self.method} {self.path} {unknown}")

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the path's variables."""
        return tuple(_VARIABLE.findall(self.path))

    @property
    def reads(self) -> bool:
        return self.method == "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEventType(Generic[E]):
    """Something that integrators may be told of. ``kind`` never changes. Whoever has ``scope`` hears it, of the halls
    within its reach; what belongs to no hall is for all."""

    kind: str
    payload: type[E]
    scope: ApiScope
    summary: Both
    purpose: Both


class EventSink(Protocol):
    """Where events go: the outbox, in the caller's transaction. ``key`` makes the same event one."""

    async def put(self, uow: Uow, kind: str, payload: object, *, hall: str, key: str) -> None: ...


@dataclass(slots=True)
class ApiEvents:
    """Types of events, and how a module tells one."""

    types: dict[str, ApiEventType[Any]] = field(default_factory=dict)
    sink: EventSink | None = None

    def declare(self, *types: ApiEventType[Any]) -> None:
        for one in types:
            if one.kind in self.types:
                raise ValueError(f"event {one.kind} is declared twice")
            self.types[one.kind] = one

    async def tell(
        self, uow: Uow, kind: ApiEventType[E], payload: E, *, hall: str = "", key: str = ""
    ) -> None:
        """Leaves an event in ``uow``: with its commit it is told, or never. Without personal data: it leaves the
        house. ``hall`` is where it happened; ``key`` lets the same event told twice be one."""
        if self.types.get(kind.kind) is not kind:
            raise ValueError(f"event {kind.kind} was not declared")
        if self.sink is not None:
            await self.sink.put(uow, kind.kind, payload, hall=hall, key=key)


def cursor_of(*place: str | int) -> str:
    """A place in a list as an opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode("ascii").rstrip("=")


def read_cursor(text: str, kind: type[C]) -> C:
    """The place in a cursor of ours, as ``kind`` (a tuple type). Raises ``api.cursor``."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise Refusal("api.cursor") from error
    for part in place if isinstance(place, tuple) else ():
        if (isinstance(part, str) and "\x00" in part) or (
            isinstance(part, int) and abs(part) > LARGEST
        ):
            raise Refusal("api.cursor")
    return place


def paged(
    rows: Sequence[T], key: Callable[[T], str], cursor: str | None, limit: int
) -> tuple[list[T], str | None]:
    """The page behind ``cursor`` of rows in the order of ``key``, and the cursor of the next one. For lists that
    are in memory anyway. Raises ``api.cursor``."""
    after = read_cursor(cursor, tuple[str])[0] if cursor else None
    behind = [one for one in rows if after is None or key(one) > after]
    page = behind[:limit]
    return page, cursor_of(key(page[-1])) if len(behind) > len(page) else None


def check_span(first: date, last: date, most: int) -> None:
    """Raises ``api.span`` for dates in the wrong order, too far apart or outside of this century."""
    if not FIRST_DAY <= first <= last <= LAST_DAY or (last - first).days >= most:
        raise Refusal("api.span", most=most)
