"""A release from outside is what it says it is, or it is refused."""

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingting.contract.errors import Refusal
from qingting.contract.releases import MAX_RELEASE_BYTES
from qingting.contract.states import App
from qingting.kernel import release_archive as ra

PAGE = b'<script type="module" src="/kiosk/boot.js" data-entry="assets/k.js"></script>'
FILES = {
    "index.html": PAGE,
    "assets/k.js": b"export {};",
    "build.json": b'{"build":"0a1b2c3d4e5f"}',
}
MANIFEST = ra.Manifest(app=App.KIOSK, version="0.2.0", build="0a1b2c3d4e5f")


def archive_of(files: dict[str, bytes], mode: int = 0) -> bytes:
    """Whatever is asked for, checked by nobody."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(entry, data)
    return held.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        ra.read_release(data)
    return caught.value.code


def with_manifest(**files: bytes) -> dict[str, bytes]:
    return {**FILES, ra.MANIFEST: b'{"app":"kiosk","version":"1","build":"0a1b2c3d4e5f"}', **files}


def test_a_release_comes_out_as_it_went_in_under_the_digest_of_its_bytes() -> None:
    made = ra.make_release(MANIFEST, FILES)
    assert made == ra.make_release(MANIFEST, dict(reversed(FILES.items()))), "the same bytes"
    found = ra.read_release(made)
    assert {name: data for name, data in found.files.items() if name != ra.MANIFEST} == FILES
    assert found.facts.sha256.startswith(found.facts.id)
    assert (found.facts.app, found.facts.build) == (App.KIOSK, "0a1b2c3d4e5f")
    other = ra.make_release(MANIFEST, {**FILES, "assets/k.js": b"export{};"})
    assert ra.read_release(other).facts.id != found.facts.id


@pytest.mark.parametrize(
    "name",
    ["../evil.js", "a/../../evil.js", "/etc/passwd.js", "C:\\evil.js", "assets/.hidden.js", "a//b.js",
     "run.sh", "assets/k.JS", "files.json", "Index.html", "a/b/c/d/e.js", "x\x00.js", "assets/\u202ek.js"],
)  # fmt: skip
def test_a_file_that_leaves_its_folder_or_is_none_for_a_browser_is_refused(name: str) -> None:
    assert refused(archive_of(with_manifest(**{name: b"x"}))) == "release.archive_bad"


def test_a_link_in_an_archive_is_refused() -> None:
    assert refused(archive_of(with_manifest(), stat.S_IFLNK | 0o777)) == "release.archive_bad"


def test_what_unpacks_to_more_than_a_program_can_be_is_refused_before_it_fills_the_memory() -> None:
    bomb = archive_of(with_manifest(**{"assets/z.js": bytes(ra.MAX_UNPACKED_BYTES + 1)}))
    assert len(bomb) < 200_000
    assert refused(bomb) == "release.too_large"
    many = {f"assets/{no}.js": b"" for no in range(ra.MAX_FILES + 1)}
    assert refused(archive_of(with_manifest(**many))) == "release.too_large"
    assert refused(bytes(MAX_RELEASE_BYTES + 1)) == "release.too_large"


def test_an_archive_that_is_no_program_of_ours_is_refused_with_what_is_missing() -> None:
    for lacking in ("index.html", "assets/k.js", ra.MANIFEST):
        files = {name: data for name, data in with_manifest().items() if name != lacking}
        assert refused(archive_of(files)) == "release.archive_bad"
    assert refused(archive_of(with_manifest(**{"index.html": b"<p>hello</p>"}))) == (
        "release.archive_bad"
    )
    with pytest.raises(Refusal):
        ra.make_release(ra.Manifest(app=App.PAD, version="1", build="0a1b2c3d4e5f"), FILES)


@given(st.binary(max_size=300), st.integers(min_value=0))
def test_damage_and_rubbish_end_as_a_refusal_and_never_as_a_crash(rubbish: bytes, at: int) -> None:
    assert refused(rubbish).startswith("release.")
    whole = ra.make_release(MANIFEST, FILES)
    cut = at % len(whole)
    damaged = whole[:cut] + rubbish + whole[cut + len(rubbish) :]
    try:
        found = ra.read_release(damaged)
    except Refusal as refusal:
        assert refusal.code.startswith("release.")
    else:
        assert damaged == whole or found.facts.id != ra.read_release(whole).facts.id
