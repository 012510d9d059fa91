"""Shape of a camera's profile: how a kiosk's screen opens it, guides people and judges what it sees."""

import re
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from hallserver.devices.profile_base import ProfileHead
from qingting.contract.base import Strict

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Distance = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Dots = Annotated[int, msgspec.Meta(ge=160, le=4096)]


class CameraPicture(Strict, frozen=True, kw_only=True):
    """Which camera and what picture of it. ``label`` is a regular expression that is searched in its name."""

    label: str = ""
    width: Dots
    height: Dots
    mirror: bool

    def __post_init__(self) -> None:
        try:
            re.compile(self.label)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error


class CameraCompare(Strict, frozen=True, kw_only=True):
    """Distances of two faces: up to ``match`` the same person, beyond ``differ`` somebody else."""

    match: Distance
    differ: Distance

    def __post_init__(self) -> None:
        if self.differ < self.match:
            raise ValueError("differ must not be below match")


class Challenge(StrEnum):
    """What somebody may be asked to do, one of these at random."""

    TURN = "turn"
    BLINK = "blink"


class CameraGuidance(Strict, frozen=True, kw_only=True):
    """When a face is well in the picture, and how long all may take. Shares are of the picture's height."""

    nearest: Share
    farthest: Share
    darkest: Annotated[int, msgspec.Meta(ge=0, le=255)]
    look_s: Annotated[float, msgspec.Meta(ge=5, le=60)]
    challenges: tuple[Challenge, ...]
    challenge_s: Annotated[float, msgspec.Meta(ge=2, le=20)]

    def __post_init__(self) -> None:
        if self.nearest <= self.farthest:
            raise ValueError("nearest must be more than farthest")


class CameraHow(Strict, frozen=True, kw_only=True):
    """What the kiosk's screen is told of a model."""

    camera: CameraPicture
    compare: CameraCompare
    guidance: CameraGuidance


class CameraProfile(ProfileHead, frozen=True, kw_only=True):
    """A camera's model (摄像头). Its driver is the browser of the kiosk."""

    driver: Literal["browser"]
    camera: CameraPicture
    compare: CameraCompare
    guidance: CameraGuidance

    @property
    def how(self) -> CameraHow:
        return CameraHow(camera=self.camera, compare=self.compare, guidance=self.guidance)
