"""What was typed and could not be done yet: said by whoever refuses it, shown by :mod:`.unsent_page`."""

from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web

from qingting.contract.errors import Refusal
from qingting.kernel.web.forms import is_htmx, see_other

CSRF_FIELD = "csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
SECRETS = ("password", "present", "old", "new", "again", "passcode")
"""Names of inputs that hold a password or a code for once, wherever they stand (a test looks at every template). They are
never written into a page: a person types them again."""
ASKED, FILE = "unsent-asked", "unsent-file"
"""What the first page of two tells the second: that something secret was typed, that a file was chosen."""
BY_AND_BY = frozenset({429, 503})
"""Statuses of what passes by waiting."""


class Unsent(Refusal):
    """Nothing was done, and nothing that was typed is lost: the answer holds it, to be sent again.

    ``way`` is a page to go to before, in a tab of its own; ``login`` says that it is the one where one logs in, which the
    frame knows (:attr:`.pages.Shell.login`).
    """

    def __init__(
        self, code: str, way: str = "", *, login: bool = False, **params: str | int
    ) -> None:
        super().__init__(code, **params)
        self.way, self.login = way, login

    @property
    def first(self) -> bool:
        """Something comes before: sending it again now would lead here again."""
        return self.login or bool(self.way)

    @property
    def later(self) -> bool:
        """Nothing helps but to wait, and to send it again then."""
        return self.status in BY_AND_BY


def passing(refusal: Refusal) -> Unsent | None:
    """The same refusal for what somebody typed; None where waiting does not help."""
    if refusal.status not in BY_AND_BY or not refusal.text.retry:
        return None
    unsent = Unsent(refusal.code)
    unsent.params = refusal.params
    return unsent


def leading(request: web.Request, unsent: Unsent) -> Exception:
    """What a guard raises. Whoever asked for a page is led on; what somebody typed, be it on a page that renews parts of
    itself, stays theirs."""
    typing = request.method not in SAFE or is_htmx(request)
    return unsent if typing else see_other(request, unsent.way)


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as the browser sent it."""

    kept: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Names of what is secret."""
    files: list[tuple[str, str]] = field(default_factory=list)
    """Names of inputs and of the files that were chosen there: a page cannot choose a file."""
    tokens: list[str] = field(default_factory=list)
    """What came as the token; read elsewhere, but for a form of which the rest alone is read (:data:`LARGE`)."""

    def add(self, name: str, value: str) -> None:
        if name == CSRF_FIELD:
            self.tokens.append(value)
        elif name == FILE:
            at, _, called = value.partition("/")
            self.files.append((at, called))
        elif name in SECRETS or (name == ASKED and value in SECRETS):
            self.asked.append(value if name == ASKED else name)
        else:
            self.kept.append((name, value))


LARGE = web.RequestKey("large", Typed)
"""What was typed beside a file that is too large."""
FILE_REFUSED = web.RequestKey("file_refused", Refusal)
"""What the form's own handler says of such a file, where it says anything."""
MOST_PASSED = 16 * 1024 * 1024
"""Bytes of such a form that are read, to find what comes after the file; of a larger one nothing is."""
_PART = 100
"""What an input costs of the measure of a form, were it empty."""


async def typed_of(request: web.Request) -> Typed:
    """Reads what the middleware has read already; its limit holds."""
    if LARGE in request:
        return request[LARGE]
    found = Typed()
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            found.files.append((name, value.filename))
        elif isinstance(value, str):  # an input for files where none was chosen is sent as bytes
            found.add(name, value)
    return found


def has_large_file(request: web.Request) -> bool:
    """True for more than a form may be, of which a file may be the most."""
    length, large = request.content_length or 0, request.content_type == "multipart/form-data"
    return large and request.client_max_size < length <= MOST_PASSED


async def typed_beside_files(request: web.Request) -> Typed:
    """What was typed in a form whose file is too large; the file is passed over and kept nowhere. Raises ``ValueError``
    for what is no form, 413 when what was typed is too much by itself."""
    found, left = Typed(), request.client_max_size
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError("no input")
        if part.filename is not None:
            await part.release()
            if part.filename:
                found.files.append((part.name, part.filename))
            continue
        typed = bytearray()
        left -= _PART
        while chunk := await part.read_chunk():
            left -= len(chunk)
            if left < 0:
                raise web.HTTPRequestEntityTooLarge(request.client_max_size)
            typed.extend(chunk)
        found.add(part.name, typed.decode(errors="replace"))
    return found
