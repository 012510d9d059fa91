"""``qingting profile``: device models as files: check them, begin a new one, explain one, list them all."""

import re
from pathlib import Path

import click

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(file_okay=False, path_type=Path)
_ID = re.compile(r"[a-z0-9]+(\.[a-z0-9-]+)+")
_SKELETON = """\
# {vendor} {model}: say in one line what is special about it.

schema = 1
id = "{id}"
kind = "{kind}"
driver = "{driver}"
vendor = "{vendor}"
model = "{model}"
inherits = "{inherits}"
revision = 1
evidence = "simulated"           # vendor-doc | sdk-derived | field-tested | simulated
sources = ["name the manual and the page that each changed byte is from"]

# Below, name only what differs from {inherits}. Tables are merged key by key, lists replace lists.
# `qingting profile explain {inherits}` shows everything that is inherited.
"""


@click.group()
def profile() -> None:
    """Models of devices: each is one file, and this is how to write it."""


@profile.command()
@click.argument("folder", type=FOLDER, required=False)
def check(folder: Path | None) -> None:
    """Check every model, one line each; with FOLDER also your own files there. Fails on any fault."""
    from hallserver.devices.profile_checks import faults_of
    from hallserver.devices.profiles import ProfileError, library_with

    library, broken = library_with(folder), 0
    for one in library.ids():
        try:
            faults = faults_of(library.load(one))
        except ProfileError as error:
            faults = [str(error)]
        broken += bool(faults)
        click.echo(f"{one}: {'; '.join(faults)}" if faults else f"{one} ok")
    if broken:
        raise SystemExit(1)


@profile.command()
@click.argument("profile_id")
@click.option("--inherits", required=True, help="the model it is most like")
@click.option("--vendor", required=True)
@click.option("--model", required=True)
@click.option("--out", type=OUT, required=True, help="your folder of models")
def new(profile_id: str, inherits: str, vendor: str, model: str, out: Path) -> None:
    """Begin the file of a model: PROFILE_ID is vendor.model in small letters."""
    from hallserver.devices.profiles import ProfileError, folder_of, library_with

    library = library_with(None)
    if not _ID.fullmatch(profile_id):
        raise click.BadParameter("write vendor.model in small letters, such as huayin.hy-80k")
    if profile_id in library.ids():
        raise click.BadParameter(f"{profile_id} exists already")
    try:
        parent = library.load(inherits)
    except ProfileError as error:
        raise click.BadParameter(str(error)) from error
    file = out / folder_of(parent.kind) / f"{profile_id}.toml"
    if file.exists():
        raise click.ClickException(f"{file} exists already; nothing was written")
    file.parent.mkdir(parents=True, exist_ok=True)
    text = _SKELETON.format(
        id=profile_id,
        kind=parent.kind,
        driver=parent.driver,
        vendor=vendor,
        model=model,
        inherits=inherits,
    )
    file.write_text(text, "utf-8")
    click.echo(f"{file}\nNext: correct it, then run  qingting profile check {out}")


@profile.command()
@click.argument("profile_id")
@click.option("--folder", type=FOLDER, help="your own files, besides the shipped ones")
def explain(profile_id: str, folder: Path | None) -> None:
    """Say in words what the program knows of a model, with all that it inherits."""
    from hallserver.devices.profile_words import explained
    from hallserver.devices.profiles import ProfileError, library_with

    try:
        click.echo(explained(library_with(folder), profile_id))
    except ProfileError as error:
        raise click.ClickException(str(error)) from error


@profile.command()
def table() -> None:
    """Print the table of supported models, as docs/operators/models.md holds it."""
    from hallserver.devices.profile_words import models_page
    from hallserver.devices.profiles import library_with

    click.echo(models_page(library_with(None)), nl=False)
