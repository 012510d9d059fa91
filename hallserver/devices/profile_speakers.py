"""Shape of a loudspeaker's profile: the program that plays, and what its complaints mean."""

import re
from typing import Annotated, Literal

import msgspec

from hallserver.devices.profile_base import Profile
from qingting.contract.base import Strict
from qingting.contract.states import Condition

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=24)]


def _checked(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error


class Complaint(Strict, frozen=True, kw_only=True, rename={"means": "is"}):
    """Words of a program that failed, a regular expression that is searched in them, and what they mean."""

    says: Word
    means: Condition

    def __post_init__(self) -> None:
        _checked(self.says)


class MuteQuestion(Strict, frozen=True, kw_only=True):
    """A program that tells whether the device is muted: it is when ``shows`` is found in its answer. One that is not
    there or fails says nothing."""

    ask: Words
    shows: Word

    def __post_init__(self) -> None:
        _checked(self.shows)


class SpeakerBehaviour(Strict, frozen=True, kw_only=True):
    """``play`` is a program that takes 16-bit mono PCM on its standard input, little end first; ``{device}`` and
    ``{rate}`` are filled in. It may take ``slack_s`` longer than the sound; one that ends after less than half of the
    sound has swallowed it, unless ``paces`` is false. The first complaint that fits counts, else it is a sound fault.
    """

    play: Words
    slack_s: Annotated[float, msgspec.Meta(gt=0, le=30)]
    complaints: tuple[Complaint, ...] = ()
    muted: MuteQuestion | None = None
    paces: bool = True

    def meaning_of(self, words: str) -> Condition:
        """What a program means that failed with ``words``."""
        found = (one.means for one in self.complaints if re.search(one.says, words))
        return next(found, Condition.SOUND_FAULT)


class SpeakerProfile(Profile, frozen=True, kw_only=True):
    """A way to a loudspeaker (音箱): a sound device behind a program of its machine."""

    driver: Literal["player"]
    speaker: SpeakerBehaviour
    simulator: dict[str, int] = msgspec.field(default_factory=dict)
