"""Styles and scripts of the pages, served from memory under names that carry their content's hash."""

import hashlib
import mimetypes
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

_WEB = Path(__file__).resolve().parents[2] / "web"
FOLDERS = (_WEB / "pages" / "static", _WEB / "dist")
"""What every server-rendered page needs; ``dist`` is made by ``npm run build``."""
_SUFFIXES = frozenset({".css", ".js", ".svg", ".png", ".webp", ".woff2", ".ico"})


class Assets:
    """Files by name. A page names one with ``asset("pages.css")`` and gets a URL that never goes stale."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._hashes = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in files.items()}

    @classmethod
    def collect(cls, more: Iterable[Path] = ()) -> "Assets":
        """Reads the shared folders and ``more``, later ones winning. Blocking: call before the loop."""
        files: dict[str, bytes] = {}
        for folder in (*FOLDERS, *more):
            if not folder.is_dir():
                continue  # not built yet: pages say which command is missing
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.suffix in _SUFFIXES:
                    files[path.relative_to(folder).as_posix()] = path.read_bytes()
        return cls(files)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def read(self, name: str) -> bytes:
        """The bytes of a file; ``KeyError`` when it is not there."""
        return self._files[name]

    def url(self, name: str) -> str:
        """``/assets/<hash>/<name>``; a file that is not there gets the hash ``missing`` and a 404."""
        return f"/assets/{self._hashes.get(name, 'missing')}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """The file; immutable for a year when the hash is the present one."""
        name = request.match_info["name"]
        data = self._files.get(name)
        if data is None:
            raise web.HTTPNotFound
        fresh = request.match_info["hash"] == self._hashes[name]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(
            body=data,
            content_type=kind,
            charset="utf-8" if kind.startswith("text/") else None,
            headers={
                "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache"
            },
        )
