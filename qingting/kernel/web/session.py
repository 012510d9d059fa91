"""What a web session is; how it is kept is :mod:`qingting.kernel.web.sessions`."""

from qingting.contract.base import Record
from qingting.contract.ids import Millis


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
