"""Lines of a face terminal: visible ASCII, whatever noise stood before them."""

import re

_TAIL = re.compile(rb"[\x20-\x7e]*\Z")
_CREDENTIAL = re.compile(r"[\x21-\x7e]{8,512}")


def said(line: bytes) -> str:
    """What a line says: its visible characters behind the last byte that is none. Never more than the line held."""
    found = _TAIL.search(line)
    return found[0].decode("ascii").strip() if found is not None else ""


def credential_of(text: str, beginning: str) -> str | None:
    """The credential of a line that ``beginning`` opens; empty when what follows can be none; None for other lines."""
    if not text.startswith(beginning):
        return None
    rest = text[len(beginning) :].strip()
    return rest if _CREDENTIAL.fullmatch(rest) else ""
