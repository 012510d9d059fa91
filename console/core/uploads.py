"""A file that a form brings along, and how large it may be."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from qingting.contract.errors import Refusal
from qingting.kernel.web.keys import SESSION
from qingting.kernel.web.unsent import FILE_REFUSED

H = TypeVar("H", bound=Callable[..., Any])
FORM_BYTES = 64 * 1024
"""What a form with a file holds besides the file."""
_LIMIT = "brings_file"


@dataclass(frozen=True, slots=True)
class FileLimit:
    """How many bytes a form's file may have, and what is said of a larger one."""

    most: int
    refused: Callable[[], Refusal]


def brings_file(most: int, refused: Callable[[], Refusal]) -> Callable[[H], H]:
    """Marks the handler of a form whose file may have ``most`` bytes."""

    def mark(handler: H) -> H:
        setattr(handler, _LIMIT, FileLimit(most, refused))
        return handler

    return mark


@web.middleware
async def limits_of_files(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Takes of a form with a file what its handler says, and refuses more in the handler's words.

    Stands behind the session: a form that came without scripts is read to find its token, before anybody's permission is
    looked at, so more than usual is taken from those alone who are logged in (decision 0070).
    """
    limit: FileLimit | None = getattr(request.match_info.handler, _LIMIT, None)
    if limit is None:
        return await handler(request)
    most = limit.most + FORM_BYTES
    request[FILE_REFUSED] = limit.refused()
    if request.get(SESSION) is not None or most < request.client_max_size:
        # A clone would be another request: its files stay open, and what was typed is not found for a page about it.
        request._client_max_size = most
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge as error:
        if request.client_max_size < most:
            raise
        raise request[FILE_REFUSED] from error


async def read_upload(request: web.Request, field: str) -> tuple[bytes, dict[str, str]]:
    """The file in ``field`` (empty: none was chosen) and the form's other fields. Check the permission first."""
    form = await request.post()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    given = form.get(field)
    if not isinstance(given, web.FileField):
        return b"", texts
    try:
        return await asyncio.to_thread(given.file.read), texts
    finally:
        given.file.close()
