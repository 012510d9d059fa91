"""Codes whose zeros in front a spreadsheet program took for nothing: 0201 comes as the number 201."""

from collections.abc import Iterable

from console.core.codes import plain
from console.core.sheet_reading import Given


class Codes:
    """Codes that are known for a column. ``own``: a row may bring a new one; otherwise it names one that is there."""

    def __init__(self, known: Iterable[str], *, own: bool = False) -> None:
        self.own = own
        self._known = frozenset(known)
        self._bare: dict[str, list[str]] = {}
        for one in sorted(self._known):
            if _digits(one):
                self._bare.setdefault(one.lstrip("0"), []).append(one)

    def lost(self, text: str) -> str:
        """The known code that a text is without its zeros; empty for a known one, and for one that is like none."""
        return next((one for one in self._like(text) if len(one) > len(plain(text))), "")

    def gained(self, text: str) -> str:
        """The known code that has fewer zeros in front."""
        return next((one for one in self._like(text) if len(one) < len(plain(text))), "")

    def unsure(self, text: str, cell: Given) -> bool:
        """True for a new code out of a cell that holds a number, where zeros in front may have been: always, but where
        codes are known and none of them begins so."""
        number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
        if not number or plain(text) in self._known:
            return False
        return not self._known or any(one.startswith("0") for one in self._known)

    def _like(self, text: str) -> list[str]:
        """Known ones that differ in their zeros in front alone."""
        code = plain(text)
        if code in self._known or not _digits(code):
            return []
        return self._bare.get(code.lstrip("0"), [])


def _digits(code: str) -> bool:
    return code.isascii() and code.isdecimal()
