"""One editor for each part of the configuration that is a form with lists: hours, roster, offers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from hallserver.app.desk import desk_of
from hallserver.app.manage.edits import Typed, config_of, put_part, typed
from hallserver.app.manage.rows import Values, changed, read_rows
from qingting.contract.config import HallConfig
from qingting.contract.config_parts import ConfigPart
from qingting.contract.errors import Refusal
from qingting.kernel.web import see_other

MOST_ROWS = 400
"""Rows of one list; a hall offers a few hundred items at most."""


@dataclass(slots=True)
class Form:
    """A form as typed: plain ``values`` and ``rows`` by list, on version ``base``."""

    base: int
    values: Values
    rows: dict[str, list[Values]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Editor:
    """``fresh`` is a new row of each list. ``part`` raises ``form.invalid``; ``press`` carries out other
    buttons than those of the lists; ``more`` is what the template needs besides the form."""

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
            return self._show(request, form)
        try:
            part = self.part(request, form, config_of(desk_of(request)))
            await put_part(request, form.base, part)
        except Refusal as refusal:
            return self._show(request, form, refusal)
        raise see_other(request, self.home, done=self.done)

    def _read(self, fields: Typed) -> Form:
        values = {name: fields.one(name) for name in self.plain}
        rows = {name: read_rows(fields.data, name, MOST_ROWS) for name in self.fresh}
        return Form(fields.base, values, rows)

    def _pressed(self, form: Form, fields: Typed) -> None:
        name, _, action = fields.one("do").partition("/")
        if name in form.rows:
            form.rows[name] = changed(form.rows[name], action, {name: self.fresh[name]})
        self.press(form, fields)

    def _show(
        self, request: web.Request, form: Form, problem: Refusal | None = None
    ) -> web.Response:
        context = {"form": form, "problem": problem, **self.more(request, form)}
        return desk_of(request).pages.render(request, self.template, context, block=self.block)
