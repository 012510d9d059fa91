"""Reads the QR code off a printed ticket, so that a simulated citizen can hold it before a scanner.

Printed paper here is exact: no skew, no noise. So the reader needs no error correction; a code that
was printed wrongly is not mended but not found. Source: ISO/IEC 18004; its tables come from segno.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, groupby
from typing import Any

from PIL import Image
from segno import consts

from simulators.paper import raster_image
from simulators.strip import Qr, Raster, Ticket

Modules = tuple[tuple[bool, ...], ...]

_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda r, c: (r + c) % 2 == 0,
    lambda r, _c: r % 2 == 0,
    lambda _r, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)
_ALIGNMENT: Any = consts.ALIGNMENT_POS
_BLOCKS: Any = consts.ECC
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class NoCodeError(LookupError):
    """There is no readable QR code."""


def read_ticket(ticket: Ticket) -> str:
    """Text of the QR code on a ticket; raises :class:`NoCodeError` when there is none."""
    for element in ticket.elements:
        if isinstance(element, Qr):
            return decode(element.modules)
    return decode(_find(_page(ticket)))


def _page(ticket: Ticket) -> Image.Image:
    """All bitmaps of the ticket where they lie on the paper; 255 = black."""
    page = Image.new("L", (ticket.width_dots, max(ticket.height, 1)), 0)
    for element in ticket.elements:
        if isinstance(element, Raster):
            mask = raster_image(element).getchannel("A").resize((element.width, element.height))
            page.paste(mask, (element.x, element.y))
    return page


def _find(page: Image.Image) -> Modules:
    """The modules of the first code: two finder patterns side by side give its size.

    Between them the code's own upper edge may hold runs that look like a finder's, so every pair is tried.
    """
    width, height = page.size
    raw = page.tobytes()
    for top in range(height):
        row = raw[top * width : (top + 1) * width]
        corners = list(_finder_tops(row))
        for (left, dots), (right, other) in combinations(corners, 2):
            size = (right - left) // dots + 7
            if dots == other and size % 4 == 1 and 21 <= size <= 177:
                modules = _sample(raw, width, height, (left, top, dots, size))
                if modules is not None:
                    return modules
    raise NoCodeError


def _finder_tops(row: bytes) -> Iterator[tuple[int, int]]:
    """Start and module size of black runs that may be the upper side of a finder pattern."""
    at = 0
    for black, run in groupby(row):
        length = len(list(run))
        if black and length >= 7 and length % 7 == 0:
            yield at, length // 7
        at += length


def _sample(
    raw: bytes, width: int, height: int, place: tuple[int, int, int, int]
) -> Modules | None:
    left, top, dots, size = place
    if top + size * dots > height or left + size * dots > width:
        return None
    middle = dots // 2
    modules = tuple(
        tuple(
            raw[(top + row * dots + middle) * width + left + column * dots + middle] > 0
            for column in range(size)
        )
        for row in range(size)
    )
    corners = ((0, 0), (0, size - 7), (size - 7, 0))
    return modules if all(_is_finder(modules, *corner) for corner in corners) else None


def _is_finder(modules: Modules, row: int, column: int) -> bool:
    """A black square of 3 in a white ring in a black ring of 7."""
    return all(
        modules[row + r][column + c] == (max(abs(r - 3), abs(c - 3)) != 2)
        for r in range(7)
        for c in range(7)
    )


def decode(modules: Modules) -> str:
    """Text of an exact code; raises :class:`NoCodeError` when it holds none."""
    version = (len(modules) - 17) // 4
    level, mask = _format(modules)
    flips = _MASKS[mask]
    bits = [modules[r][c] ^ flips(r, c) for r, c in _data_places(version)]
    words = [
        sum(bit << (7 - at) for at, bit in enumerate(bits[start : start + 8]))
        for start in range(0, len(bits) - 7, 8)
    ]
    return _text(_data_words(words, version, level), version)


def _format(modules: Modules) -> tuple[int, int]:
    places = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)]
    places += [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    value = sum(modules[r][c] << bit for bit, (r, c) in enumerate(places))
    try:
        number = list(consts.FORMAT_INFO).index(value)
    except ValueError:
        raise NoCodeError from None
    return number >> 3, number & 7


@cache
def _data_places(version: int) -> tuple[tuple[int, int], ...]:
    """The data modules in reading order: two columns at a time, from the right, up and down."""
    size = 17 + 4 * version
    taken = _function_places(version, size)
    places: list[tuple[int, int]] = []
    upward = True
    right = size - 1
    while right > 0:
        if right == 6:  # the vertical timing pattern takes a column of its own
            right -= 1
        rows = range(size - 1, -1, -1) if upward else range(size)
        places += [(r, c) for r in rows for c in (right, right - 1) if (r, c) not in taken]
        upward = not upward
        right -= 2
    return tuple(places)


def _function_places(version: int, size: int) -> set[tuple[int, int]]:
    """Modules that carry no data: finders with format information, timing, alignment, version."""
    places = {(6, at) for at in range(size)} | {(at, 6) for at in range(size)}
    places |= {(r, c) for r in range(9) for c in (*range(9), *range(size - 8, size))}
    places |= {(r, c) for r in range(size - 8, size) for c in range(9)}
    centres: tuple[int, ...] = _ALIGNMENT[version - 2] if version > 1 else ()
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    for row, column in ((r, c) for r in centres for c in centres if (r, c) not in corners):
        places |= {(row + r, column + c) for r in range(-2, 3) for c in range(-2, 3)}
    if version >= 7:
        places |= {(r, c) for r in range(6) for c in range(size - 11, size - 8)}
        places |= {(r, c) for r in range(size - 11, size - 8) for c in range(6)}
    return places


def _data_words(words: list[int], version: int, level: int) -> bytes:
    """Undoes the interleaving of the blocks and drops the error correction words."""
    sizes = [group.num_data for group in _BLOCKS[version][level] for _ in range(group.num_blocks)]
    blocks: list[list[int]] = [[] for _ in sizes]
    source = iter(words)
    for at in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if at < size:
                block.append(next(source))
    return bytes(word for block in blocks for word in block)


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self.left:
            raise NoCodeError
        self.left -= count
        return self._value >> self.left & ((1 << count) - 1)


def _text(data: bytes, version: int) -> str:
    bits = _Bits(data)
    parts: list[str] = []
    group = 0 if version < 10 else 1 if version < 27 else 2
    while bits.left >= 4 and (mode := bits.take(4)):
        match mode:
            case 4:
                count = bits.take(8 if group == 0 else 16)
                raw = bytes(bits.take(8) for _ in range(count))
                parts.append(raw.decode("utf-8", errors="replace"))
            case 1:
                parts.append(_digits(bits, bits.take((10, 12, 14)[group])))
            case 2:
                parts.append(_alphanumeric(bits, bits.take((9, 11, 13)[group])))
            case 7:
                bits.take(8)
            case _:
                raise NoCodeError
    return "".join(parts)


def _digits(bits: _Bits, count: int) -> str:
    parts = [f"{bits.take(10):03d}" for _ in range(count // 3)]
    if rest := count % 3:
        parts.append(f"{bits.take((0, 4, 7)[rest]):0{rest}d}")
    return "".join(parts)


def _alphanumeric(bits: _Bits, count: int) -> str:
    pairs = [divmod(bits.take(11), 45) for _ in range(count // 2)]
    chars = [_ALPHABET[one] for pair in pairs for one in pair]
    if count % 2:
        chars.append(_ALPHABET[bits.take(6)])
    return "".join(chars)
