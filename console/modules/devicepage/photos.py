"""Photographs of device models: whatever is uploaded is decoded and written again by this program."""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from qingting.contract.errors import Refusal

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
SIDE = 1200
"""Longest side of what is kept: sharp on a page, small in the database."""
FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph as it is kept: WebP without any data of the camera (place, owner)."""

    body: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:16]


def too_large() -> Refusal:
    """The refusal with the limit that holds."""
    return Refusal("photo.too_large", mb=MAX_UPLOAD_BYTES // 1_048_576)


def photo_of(data: bytes) -> Photo:
    """Decodes, turns upright, makes small and encodes again. Slow: call it off the loop.

    Raises ``photo.too_large`` and ``photo.unreadable``.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise too_large()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refusal("photo.unreadable")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise Refusal("photo.unreadable") from error
    upright.thumbnail((SIDE, SIDE))
    kept = io.BytesIO()
    upright.save(kept, "WEBP", quality=82)
    return Photo(kept.getvalue(), upright.width, upright.height)
