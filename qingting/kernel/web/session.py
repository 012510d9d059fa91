"""What a web session is; how it is kept is :mod:`qingting.kernel.web.sessions`."""

from qingting.contract.base import Record
from qingting.contract.ids import Millis

FOR = "for:"
"""Beginning of a mark that names in whose name the person acts, such as a firm's."""


class WebSession(Record, frozen=True, kw_only=True):
    """A logged-in person. ``subject`` is the account's id; ``csrf`` the token of its forms.

    ``marks`` are short words that the server of the pages gives a meaning, e.g. ``must_change``; ``means`` is a word
    for what the person showed at the login; ``origin`` names the login elsewhere that it stands on, empty for none.
    """

    subject: str
    csrf: str
    created_at: Millis
    seen_at: Millis
    marks: tuple[str, ...] = ()
    means: str = ""
    origin: str = ""

    @property
    def acting(self) -> str:
        """In whose name the person acts; empty for the own one."""
        return acting_of(self.marks)


def acting_of(marks: tuple[str, ...]) -> str:
    return next((one.removeprefix(FOR) for one in marks if one.startswith(FOR)), "")
