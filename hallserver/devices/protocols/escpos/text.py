"""Text for printers with a two-byte Chinese character set.

Printers call it GB18030 but hold only its one- and two-byte zones, in practice GBK. A character
outside of that (rare characters of names, four-byte in GB18030) must be drawn as a picture.
"""

import re
import unicodedata
from collections.abc import Iterator

REPLACEMENTS = str.maketrans(
    {
        "\u00a5": "\uffe5",  # ¥: its four-byte code prints as "0 6"; ￥ is two bytes
        "\u00a0": " ",
        "\u2009": " ",
        "\u3000": "  ",
        "\t": "  ",
        "\u2022": "\u00b7",  # •
        "\u30fb": "\u00b7",  # ・ in names
        "\u2027": "\u00b7",
        "\u2011": "-",
        "\u2212": "-",
    }
)
_PIECE = re.compile(r"[!-~]+|.", re.DOTALL)
"""A word of ASCII without blanks, or any one character."""
_NO_SHAPE = frozenset({"Cc", "Cf", "Cs"})  # private use stays: old name characters live there
GETA = "〓"
"""Stands for a character that can neither be encoded nor drawn."""


def printable(text: str) -> str:
    """``text`` with safe replacements and without anything a printer could take for a command."""
    mapped = text.translate(REPLACEMENTS)
    return "".join(char for char in mapped if unicodedata.category(char) not in _NO_SHAPE)


def is_encodable(text: str) -> bool:
    """True when every character has a one-byte ASCII or two-byte code in the printer."""
    return all(_code(char) is not None for char in text)


def encode_text(text: str) -> bytes:
    """ASCII and two-byte codes; raises ValueError when a character has none."""
    codes = [_code(char) for char in text]
    if None in codes:
        raise ValueError("a character has no two-byte code")
    return b"".join(code for code in codes if code is not None)


def replace_unencodable(text: str) -> str:
    """``text`` with 〓 for every character without a code."""
    return "".join(char if _code(char) is not None else GETA for char in text)


def _code(char: str) -> bytes | None:
    if " " <= char <= "~":
        return char.encode("ascii")
    try:
        code = char.encode("gbk")
    except UnicodeEncodeError:
        return None
    return code if len(code) == 2 else None


def columns_of(text: str) -> int:
    """Width in half-width columns: ASCII one, everything else two."""
    return sum(1 if char < "\x80" else 2 for char in text)


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most ``columns`` half-width columns: breaks anywhere in Chinese, between words elsewhere, and
    within a word only when it is longer than a line. The blank at a break is left out."""
    lines: list[str] = []
    line, used = "", 0
    for piece in _pieces(text, columns):
        width = columns_of(piece)
        if used + width > columns and line:
            lines.append(line.rstrip(" "))
            line, used = "", 0
            if piece == " ":
                continue
        line += piece
        used += width
    return [*lines, line]


def _pieces(text: str, columns: int) -> Iterator[str]:
    """What a line may not break, in order: words, blanks, single Chinese characters."""
    for piece in _PIECE.findall(text):
        fits = columns_of(piece) <= columns
        yield from (piece,) if fits else piece


def pair_lines(label: str, value: str, columns: int) -> list[str]:
    """``label`` at the left and ``value`` at the right; a long value goes on below, right-aligned."""
    room = columns - columns_of(label) - 2
    if room < columns // 3:
        return [*wrap(label, columns), *(_right(part, columns) for part in wrap(value, columns))]
    parts = wrap(value, room)
    first = label + " " * (columns - columns_of(label) - columns_of(parts[0])) + parts[0]
    return [first, *(_right(part, columns) for part in parts[1:])]


def _right(text: str, columns: int) -> str:
    return " " * (columns - columns_of(text)) + text
