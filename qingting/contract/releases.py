"""Releases of the pads' and kiosks' programs (平板与取号机程序发布包), and what each device runs.

A release is an archive of built front-end files. It is named by the digest of its bytes, so whoever holds a release can
tell that it is the one that was meant. No release (an empty id) is the program that came with the hall server.
"""

import hashlib
from typing import Annotated

import msgspec

from qingting.contract.base import Record, Strict
from qingting.contract.ids import ShortText
from qingting.contract.states import App, DeviceKind

MAX_RELEASE_BYTES = 24 * 1024 * 1024
"""Of an archive as it travels."""
PIECE_BYTES = 192 * 1024
"""Of an archive that a hall fetches at a time."""
ReleaseId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$|^$")]
"""The first sixteen digits of an archive's SHA-256; empty: the program that came with the hall server."""
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
APP_OF: dict[DeviceKind, App] = {
    DeviceKind.CALL_PAD: App.PAD,
    DeviceKind.RATING_PAD: App.PAD,
    DeviceKind.KIOSK: App.KIOSK,
}
"""Which program a kind of device runs."""


class ReleaseFacts(Strict, frozen=True, kw_only=True):
    """A release as halls are told of it. ``build`` is what its program calls itself; ``size`` in bytes."""

    id: ReleaseId
    app: App
    version: ShortText
    build: ShortText
    sha256: Digest
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_RELEASE_BYTES)]


def release_id(archive: bytes) -> str:
    """The same for the same bytes, another for any other."""
    return hashlib.sha256(archive).hexdigest()[:16]


class Runs(Record, frozen=True, kw_only=True):
    """What a device says that it runs: the build of its program, a screen's release, an agent's models.

    ``failed`` is a release that did not start there, so that the former one runs.
    """

    program: ShortText = ""
    release: ReleaseId = ""
    bundle: ReleaseId = ""
    failed: ReleaseId = ""


class RunsReport(Strict, frozen=True, kw_only=True, tag="runs.report", tag_field="type"):
    """Pads, kiosks and agents: what runs there, after each connection and each change."""

    runs: Runs


class ReleaseInForce(Strict, frozen=True, kw_only=True, tag="release", tag_field="type"):
    """To a pad or kiosk after each connection and each change: the release to run as soon as nobody needs it."""

    release: ReleaseId
    build: ShortText
