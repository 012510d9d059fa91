"""The bare limit of a page: the same HTTP server answers with a page of the same size, and does nothing else.

``python -m benchmarks.bare_pages PORT BYTES``. A request with a form is answered by a redirect, as the console does.
"""

import asyncio
import sys

from aiohttp import web

from qingting.kernel.open_files import lift_open_files


async def serve(port: int, size: int) -> None:
    """Until the process is ended."""
    body = b"x" * size

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    async def form(request: web.Request) -> web.Response:
        await request.post()
        raise web.HTTPSeeOther("/done")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    app.router.add_post("/{path:.*}", form)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    _ = lift_open_files()
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
