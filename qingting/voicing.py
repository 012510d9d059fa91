"""``qingting voice``: the words to record, a clip bank out of them or of the synthesiser, its check."""

from pathlib import Path

import click

FOLDER = click.Path(file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def voice() -> None:
    """The hall's voice: a bank of clips from the synthesiser or a human announcer."""


@voice.command()
def words() -> None:
    """Print every word to record and the name of its file."""
    from hallserver.boards.phrases import vocabulary

    for word in vocabulary():
        click.echo(f"{word.key}.wav\t{word.text}")


@voice.command()
@click.option(
    "--out", required=True, type=FOLDER, help="the bank's folder; replaced when it is complete"
)
@click.option(
    "--source",
    default="espeak",
    show_default=True,
    help="'espeak', a speech program, or 'recorded' with --recordings",
)
@click.option(
    "--recordings", type=EXISTING, help="an announcer's files, named as 'voice words' says"
)
@click.option("--licence", default="", help="under which terms the recordings may be played")
def build(out: Path, source: str, recordings: Path | None, licence: str) -> None:
    """Make a clip bank: trim, level and check every word."""
    from hallserver.boards.bank import FILE, BankError
    from hallserver.boards.bank_build import build_from_recordings, build_from_synthesiser
    from hallserver.boards.synthesiser import AUTO

    if (source == "recorded") is not (recordings is not None):
        raise click.UsageError("--source recorded goes with --recordings DIR")
    if out.exists() and any(out.iterdir()) and not (out / FILE).is_file():
        raise click.UsageError(f"{out} holds something else than a clip bank")
    try:
        if recordings is not None:
            bank = build_from_recordings(out, recordings, licence)
        else:
            bank = build_from_synthesiser(out, AUTO if source == "espeak" else source)
    except BankError as error:
        raise _refused(error.faults) from error
    _tell(out, bank.file.source, bank.file.licence, len(bank.file.clip))


@voice.command()
@click.argument("folder", type=EXISTING)
def check(folder: Path) -> None:
    """Listen to every clip of a bank: complete, level, neither cut off nor distorted."""
    from hallserver.boards.bank import BankError, check_bank

    try:
        file = check_bank(folder).file
    except BankError as error:
        raise _refused(error.faults) from error
    _tell(folder, file.source, file.licence, len(file.clip))


def _tell(folder: Path, source: str, licence: str, clips: int) -> None:
    click.echo(f"{folder}: {clips} clips, sound\nsource: {source}\nlicence: {licence}")


def _refused(faults: list[str]) -> SystemExit:
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(f"{len(faults)} faults", err=True)
    return SystemExit(1)
