"""Styles and scripts of the pages, served from memory under names that carry their content's hash."""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

_WEB = Path(__file__).resolve().parents[2] / "web"
FOLDERS = (_WEB / "pages" / "static", _WEB / "dist")
"""What every server-rendered page needs; ``dist`` is made by ``npm run build``."""
_SUFFIXES = frozenset({".css", ".js", ".svg", ".png", ".webp", ".woff2", ".ico"})
_PACKED = frozenset({".css", ".js", ".svg"})
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)


class Assets:
    """Files by name. A page names one with ``asset("pages.css")`` and gets a URL that never goes stale.

    A folder whose name ends in ``.css`` is one sheet written in parts: its files in the order of their names, which
    therefore begin with a number. A phone fetches one file, however many subjects a sheet has.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._hashes = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in files.items()}
        self._packed = {
            name: packed for name, data in files.items() if (packed := _pack(name, data))
        }

    @classmethod
    def collect(cls, more: Iterable[Path] = ()) -> "Assets":
        """Reads the shared folders and ``more``, later ones winning. Blocking: call before the loop."""
        files: dict[str, bytes] = {}
        for folder in (*FOLDERS, *more):
            if not folder.is_dir():
                continue  # not built yet: pages say which command is missing
            parts: dict[str, list[bytes]] = {}
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.suffix in _SUFFIXES:
                    name = _name(path.relative_to(folder))
                    parts.setdefault(name, []).append(path.read_bytes())
            files |= {name: b"\n".join(part) for name, part in parts.items()}
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
        """The file, packed for whoever can unpack it; immutable for a year when the hash is the present one."""
        name = request.match_info["name"]
        data = self._files.get(name)
        if data is None:
            raise web.HTTPNotFound
        fresh = request.match_info["hash"] == self._hashes[name]
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache"}
        packed = self._packed.get(name)
        if packed is not None:
            headers["Vary"] = "Accept-Encoding"
            if _TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")):
                data, headers["Content-Encoding"] = packed, "gzip"
        return web.Response(
            body=data,
            content_type=kind,
            charset="utf-8" if kind.startswith("text/") else None,
            headers=headers,
        )


def _name(path: Path) -> str:
    """What a file is served as: its own name, or that of the sheet it is a part of."""
    return next((one for one in path.parents if one.suffix == ".css"), path).as_posix()


def _pack(name: str, data: bytes) -> bytes | None:
    """Packed once, here: nothing secret is in it, and no request waits for it. None where it would be no smaller."""
    if Path(name).suffix not in _PACKED:
        return None
    packed = gzip.compress(data, mtime=0)
    return packed if len(packed) < len(data) else None
