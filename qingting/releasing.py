"""``qingting release``: making a release of the screens' programs out of what was built, and looking at one."""

import re
from pathlib import Path

import click

OUT = click.Path(dir_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,39}")
_LEFT_OUT = frozenset({"sw.js", "look.html", "board.html"})
"""Pages and workers that always are the hall server's own."""


@click.group()
def release() -> None:
    """Releases of the pads' and kiosks' programs, for a staged update from the city."""


@release.command()
@click.argument("app", type=click.Choice(["pad", "kiosk"]))
@click.option("--version", required=True, help="what people call it, such as 0.2.1")
@click.option("--out", type=OUT, required=True, help="the archive to write, a .zip")
@click.option(
    "--built", type=FOLDER, help="the built front end; what this program came with otherwise"
)
def build(app: str, version: str, out: Path, built: Path | None) -> None:
    """Pack the built front end of APP. The same files make the same archive, so its digest can be compared."""
    import msgspec

    from hallserver.app.screens import BUNDLES, STATIC
    from qingting.contract.errors import Refusal
    from qingting.contract.states import App, Language
    from qingting.kernel.release_archive import Manifest, make_release, read_release

    folder = built or STATIC / BUNDLES[App(app)]
    if not (folder / "build.json").is_file():
        raise click.ClickException(f"{folder} is not built: run npm ci && npm run build")
    if _VERSION.fullmatch(version) is None:
        raise click.ClickException("--version: letters, digits and . + _ - only, 40 at most")
    name = msgspec.json.decode((folder / "build.json").read_bytes(), type=dict[str, str])["build"]
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _LEFT_OUT
    }
    try:
        made = make_release(Manifest(app=App(app), version=version, build=name), files)
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence(Language.EN)) from refusal
    out.write_bytes(made)
    _say(read_release(made))


@release.command()
@click.argument("archive", type=FILE)
def show(archive: Path) -> None:
    """Check ARCHIVE as the city and the halls do, and say what it is."""
    from qingting.contract.errors import Refusal
    from qingting.contract.states import Language
    from qingting.kernel.release_archive import read_release

    try:
        _say(read_release(archive.read_bytes()))
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence(Language.EN)) from refusal


def _say(found: object) -> None:
    from qingting.kernel.release_archive import Release

    assert isinstance(found, Release)
    facts = found.facts
    click.echo(f"{facts.app.value} {facts.version} build {facts.build}: {len(found.files)} files")
    click.echo(f"id      {facts.id}\nsha256  {facts.sha256}\nsm3     {found.sm3}")
