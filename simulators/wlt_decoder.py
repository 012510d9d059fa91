"""Stands in for a maker's decoder of card photos: reads the closed photo, writes a picture.

The closed photos of simulated cards show nobody. ``python -m simulators.wlt_decoder PICTURE`` answers every photo with
that file; without one, with a plain grey picture of the usual 102 by 126 dots, in which no face is found.
"""

import struct
import sys
from pathlib import Path

WIDTH, HEIGHT = 102, 126
PHOTO_BYTES = 1024
GREY = 0xB4


def grey_bmp() -> bytes:
    """A 24-bit BMP without a face."""
    row = bytes([GREY]) * (WIDTH * 3)
    pixels = (row + bytes(-len(row) % 4)) * HEIGHT
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(pixels), 0, 0, 54) + info + pixels


def main(arguments: list[str]) -> int:
    """Exit code 1 for what is no photo of a card."""
    if len(sys.stdin.buffer.read()) != PHOTO_BYTES:
        return 1
    picture = Path(arguments[0]).read_bytes() if arguments else grey_bmp()
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
