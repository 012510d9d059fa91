"""A file that a form brings along."""

import asyncio

from aiohttp import web

from console.core.sheet_reading import MAX_BYTES, too_large
from qingting.kernel.web.csrf import HEADER

_FORM_BYTES = 64 * 1024


async def read_upload(request: web.Request, field: str) -> tuple[bytes, dict[str, str]]:
    """The file in ``field`` (empty: none was chosen) and the form's other fields. Check the permission first.

    The server takes small bodies only. A larger one is read where the form came by script: its token is in a
    header then, and the body has not been read for it. Raises ``sheet.too_large``.
    """
    if HEADER in request.headers:
        request = request.clone(client_max_size=MAX_BYTES + _FORM_BYTES)
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large() from error
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    given = form.get(field)
    if not isinstance(given, web.FileField):
        return b"", texts
    try:
        return await asyncio.to_thread(given.file.read), texts
    finally:
        given.file.close()
