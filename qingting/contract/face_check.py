"""Comparing whoever stands at a kiosk with the photo on the card that they have just shown (人证比对).

The comparison happens in the kiosk's browser and nowhere else. What leaves it is the outcome below: no picture,
no template, no score. It is advice to the clerk and never stands between a citizen and a ticket.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from qingting.contract.base import Record, Strict


class FaceVerdict(StrEnum):
    """What the comparison came to (比对结果)."""

    MATCH = "match"
    UNSURE = "unsure"
    """Between the two thresholds of the camera's profile."""
    NO_MATCH = "no_match"
    NOT_DONE = "not_done"


class FaceGap(StrEnum):
    """Why nothing was compared (未做原因)."""

    SKIPPED = "skipped"
    """The citizen preferred a member of staff."""
    TIMEOUT = "timeout"
    """Nobody came into the picture, or they did not do what was asked."""
    TOO_DARK = "too_dark"
    NO_CAMERA = "no_camera"
    """The kiosk has none, or it is not plugged in."""
    CAMERA_FAULT = "camera_fault"
    """It is there and gives no picture: in use elsewhere, forbidden to the browser, broken."""
    NO_PHOTO = "no_photo"
    """The card gave no photo that can be shown here."""
    NO_MODEL = "no_model"
    """The models of the comparison could not be loaded or run."""
    NO_CARD = "no_card"
    """The person did not show a card at this kiosk: a citizen code, a booking's code, a desk."""
    CUT_OFF = "cut_off"
    """The kiosk gave the number without its hall."""
    UNTOLD = "untold"
    """The kiosk did not say: it shows an older program."""


class Liveness(StrEnum):
    """Whether a person and not a picture seemed to stand there (活体提示). Weak advice: nobody has certified it."""

    LIKELY = "likely"
    DOUBTFUL = "doubtful"
    UNKNOWN = "unknown"


class FaceCheck(Record, frozen=True, kw_only=True):
    """The outcome. ``why`` is set exactly for ``not_done``."""

    verdict: FaceVerdict
    why: FaceGap | None = None
    liveness: Liveness = Liveness.UNKNOWN

    def __post_init__(self) -> None:
        if (self.verdict is FaceVerdict.NOT_DONE) != (self.why is not None):
            raise ValueError("why is said exactly when nothing was compared")


class CardPhoto(Strict, frozen=True, kw_only=True):
    """Where the screen of a kiosk finds the photo of the card, once: at its own machine's loopback ``port``, with a
    ``token`` that no other photo has. The picture itself never travels with it."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    token: Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
