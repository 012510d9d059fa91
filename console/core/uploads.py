"""A file that a form brings along."""

import asyncio

from aiohttp import web


async def read_upload(request: web.Request, field: str) -> tuple[bytes, dict[str, str]]:
    """The file in ``field`` (empty: none was chosen) and the form's other fields. Check the permission first.

    A request larger than the server takes is refused before, when its token is looked for.
    """
    form = await request.post()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    given = form.get(field)
    if not isinstance(given, web.FileField):
        return b"", texts
    try:
        return await asyncio.to_thread(given.file.read), texts
    finally:
        given.file.close()
