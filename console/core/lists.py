"""Lists whose filter, order and page live in the URL, so that a view can be shared and comes back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from qingting.contract.errors import Refusal
from qingting.kernel.web.asked import misread
from qingting.kernel.web.taking import TAKING, page_number

T = TypeVar("T")
PAGE_ROWS = 50
MOST_TAKEN = 2000
"""Rows of a list that is taken out as the page shows it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a reader is in a list. ``query`` holds the filters that are set; ``rows`` is how long a page is: all
    that may be taken out when the list is (:mod:`qingting.kernel.web.taking`)."""

    path: str
    query: Mapping[str, str]
    sort: str
    descending: bool
    page: int
    pages: int = 1
    rows: int = PAGE_ROWS

    @property
    def offset(self) -> int:
        """How many rows stand before this page."""
        return (self.page - 1) * self.rows

    @classmethod
    def of(
        cls, request: web.Request, filters: Sequence[str], *, sort: str, descending: bool = False
    ) -> "Listing":
        """From the request's URL; ``sort`` and ``descending`` are what is used without a choice."""
        query = {name: request.query[name] for name in filters if request.query.get(name)}
        chosen = request.query.get("sort", "")
        if chosen:
            sort, descending = chosen.lstrip("-"), chosen[0] == "-"
        if TAKING in request:
            return cls(request.path, query, sort, descending, 1, rows=MOST_TAKEN)
        if not request.query.get("page", "1").isdecimal():
            misread(request, "page", "number", 1)
        return cls(request.path, query, sort, descending, page_number(request))

    def url(self, page: int) -> str:
        """The same list at another page."""
        return self._address(self.sort, self.descending, page)

    def elsewhere(self, path: str) -> str:
        """The same filters and order at another address, all pages of it."""
        return replace(self, path=path).url(1)

    def head(self, key: str, text: str) -> Markup:
        """A column's head that sorts by ``key``; again, the other way round."""
        here = key == self.sort
        turned = not self.descending if here else False
        mark = ("↓" if self.descending else "↑") if here else ""
        return Markup('<a class="sort" href="{}">{} <span aria-hidden="true">{}</span></a>').format(
            self._address(key, turned, 1), text, mark
        )

    def _address(self, sort: str, descending: bool, page: int) -> str:
        query = {**self.query, "sort": ("-" if descending else "") + sort}
        if page > 1:
            query["page"] = str(page)
        return f"{self.path}?{urlencode(query)}"

    def cut(
        self, rows: Sequence[T], keys: Mapping[str, Callable[[T], Any]]
    ) -> tuple["Listing", list[T]]:
        """The page of ``rows`` in the chosen order; an unknown order is that of ``rows``."""
        key = keys.get(self.sort)
        ordered = sorted(rows, key=key, reverse=self.descending) if key else list(rows)
        listing = self._paged(len(ordered))
        return listing, ordered[listing.offset : listing.offset + listing.rows]

    def counted(self, rows: int) -> "Listing":
        """With its number of pages. Raises ``export.too_many`` when a list that is taken out does not fit, and leads to
        the last page from one behind the end: what was read for that one is nothing, which is no word on the list."""
        found = self._paged(rows)
        if found.page < self.page:
            raise web.HTTPSeeOther(found.url(found.page))
        return found

    def _paged(self, rows: int) -> "Listing":
        if self.rows == MOST_TAKEN < rows:
            raise Refusal("export.too_many", most=MOST_TAKEN, rows=rows)
        pages = max(1, -(-rows // self.rows))
        return replace(self, page=min(self.page, pages), pages=pages)
