"""One editor for each part of the configuration that is a form with lists: hall, hours, roster, offers."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.app.manage.changes import WORDS, Change, changes_of
from hallserver.app.manage.edits import FormFault, Typed, config_of, put_part, typed, word
from hallserver.app.manage.rows import Values, changed, read_rows
from hallserver.app.manage.shelf import fresh_id
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.errors import Refusal
from qingting.contract.faults import FaultyConfig
from qingting.contract.states import Language
from qingting.kernel.web import LANGUAGE, see_other
from qingting.kernel.web.faulty import faulty_inputs

_FIELDS = {
    "fault.prefix_twice": ("prefix",),
    "fault.number_twice": ("number",),
    "fault.window_twice": ("number",),
    "fault.papers_uneven": ("materials_en",),
    "fault.no_department": ("department",),
    "fault.no_queue": ("queue", "q0"),
    "fault.no_window": ("window",),
    "fault.no_staff": ("staff",),
    "fault.ends_early": ("hours", "caps", "periods"),
    "fault.overlap": ("hours", "caps", "periods"),
}
"""Which input of a row a fault of the configuration is about."""
MOST_ROWS = 400
"""Rows of one list; a hall offers a few hundred items at most."""


@dataclass(slots=True)
class Form:
    """A form as typed: plain ``values`` and ``rows`` by list, on version ``base``."""

    base: int
    values: Values
    rows: dict[str, list[Values]] = field(default_factory=dict)


async def _nothing_more(request: web.Request, before: HallConfig) -> web.Response | None:
    return None


@dataclass(frozen=True, slots=True)
class Editor:
    """``fresh`` is a new row of each list; a list in ``ids`` names its rows, new ones with that prefix.

    ``part`` raises ``form.invalid``; ``press`` carries out other buttons than those of the lists; ``more``
    is what the template needs besides the form; ``saved`` is done after a change and may answer with a
    page of its own. ``lists`` says which field of the part each list of the form is.
    """

    home: str
    template: str
    done: str
    plain: tuple[str, ...]
    fresh: dict[str, Values]
    load: Callable[[HallConfig], Form]
    part: Callable[[web.Request, Form, HallConfig], ConfigPart]
    more: Callable[[web.Request, Form], dict[str, Any]]
    press: Callable[[Form, Typed], None] = lambda form, fields: None
    block: str | None = None
    """What an htmx request gets."""
    ids: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    saved: Callable[[web.Request, HallConfig], Awaitable[web.Response | None]] = _nothing_more

    def routes(self) -> tuple[web.RouteDef, ...]:
        return web.get(self.home, self._page), web.post(self.home, self._post)

    async def _page(self, request: web.Request) -> web.Response:
        return self._show(request, self.load(config_of(desk_of(request))))

    async def _post(self, request: web.Request) -> web.Response:
        """Nothing that was typed is lost by a fault; only "save" changes the hall."""
        fields = await typed(request)
        form = self._read(fields)
        if fields.one("do") != "save":
            self._pressed(form, fields)
            return self._show(request, form, changes=self._changes(request, form))
        before = config_of(desk_of(request))
        try:
            part = self.part(request, form, before)
            await put_part(request, form.base, part)
        except Refusal as refusal:
            return self._show(request, form, refusal)
        answer = await self.saved(request, before)
        if answer is not None:
            return answer
        raise see_other(request, self.home, done=self.done)

    def _changes(self, request: web.Request, form: Form) -> list[Change] | None:
        """What saving would change; None while the form cannot be read, which saving would say."""
        config = config_of(desk_of(request))
        try:
            found = list(changes_of(config, self.part(request, form, config)))
        except Refusal:
            return None
        return [self._worded(request, one) for one in found]

    def _worded(self, request: web.Request, change: Change) -> Change:
        """Its fields as people call them."""

        def called(field: str) -> str:
            return word(request, WORDS[change.part], field)

        return change._replace(
            fields=tuple(called(one) for one in change.fields),
            texts=tuple(one._replace(field=called(one.field)) for one in change.texts),
        )

    def _read(self, fields: Typed) -> Form:
        values = {name: fields.one(name) for name in self.plain}
        rows = {name: read_rows(fields.data, name, MOST_ROWS) for name in self.fresh}
        return Form(fields.base, values, rows)

    def _pressed(self, form: Form, fields: Typed) -> None:
        name, _, action = fields.one("do").partition("/")
        if name in form.rows:
            fresh = {name: self.fresh[name]}
            form.rows[name] = changed(form.rows[name], action, fresh, MOST_ROWS)
        for name, prefix in self.ids.items():
            for row in form.rows[name]:
                row["id"] = row.get("id") or fresh_id(prefix)
        self.press(form, fields)

    def _show(
        self,
        request: web.Request,
        form: Form,
        problem: Refusal | None = None,
        changes: list[Change] | None = None,
    ) -> web.Response:
        context = {
            "form": form,
            "problem": problem,
            "changes": changes,
            "beside": self._beside(request, form, problem),
            "faulty": self._faulty(form, problem),
            **self.more(request, form),
        }
        return desk_of(request).pages.render(request, self.template, context, block=self.block)

    def _faulty(self, form: Form, problem: Refusal | None) -> frozenset[str]:
        """Inputs at fault; those of a faulty configuration by what its faults are about."""
        if not isinstance(problem, FaultyConfig):
            return faulty_inputs(problem)
        return frozenset(
            f"{name}-{number}-{field}"
            for name, number, row, part in self._rows(form)
            for fault in problem.at(part, row.get("id") or row.get("staff", ""))
            for field in _FIELDS.get(fault.code, ())
        )

    def _rows(self, form: Form) -> Iterator[tuple[str, int, Values, str]]:
        """Each row with its list, its number and the field of the part that its list is."""
        for name, part in self.lists.items():
            for number, row in enumerate(form.rows[name]):
                yield name, number, row, part

    def _beside(
        self, request: web.Request, form: Form, problem: Refusal | None
    ) -> dict[tuple[str, int], list[str]]:
        """What is wrong with a row, by list and number, in the reader's language."""
        language = request.get(LANGUAGE) or Language.ZH
        if isinstance(problem, FormFault) and problem.at is not None:
            name, number = problem.at
            lists = {part: list_ for list_, part in self.lists.items()}
            return {(lists.get(name, name), number): [problem.sentence(language)]}
        if not isinstance(problem, FaultyConfig):
            return {}
        return {
            (name, number): [one.text(language) for one in faults]
            for name, number, row, part in self._rows(form)
            if (faults := problem.at(part, row.get("id") or row.get("staff", "")))
        }
