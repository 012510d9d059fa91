"""What kiosk, hub and agent say of a face terminal (人脸识别终端), and of a platform that is being asked.

No message here holds a picture, a template or a name: the terminal recognises, the city's platform answers.
"""

from typing import Annotated

import msgspec

from qingting.contract.base import Strict
from qingting.contract.ids import DeviceId, ShortText
from qingting.contract.states import IdentityWay

MAX_CREDENTIAL = 512
"""Characters of a terminal's credential (凭据)."""


class LookForFace(Strict, frozen=True, kw_only=True, tag="face.look", tag_field="type"):
    """Kiosk: the citizen chose the face, or changed their mind. Only while the kiosk waits for an identity."""

    on: bool


class FaceRead(Strict, frozen=True, kw_only=True, tag="face.read", tag_field="type"):
    """Agent: the terminal recognised whoever asked for it. ``credential`` is opaque and good once."""

    device: DeviceId
    credential: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CREDENTIAL)]


class FaceFault(Strict, frozen=True, kw_only=True, tag="face.fault", tag_field="type"):
    """Agent: the terminal looked and recognised nobody. ``code`` is an error code of the ``face`` family."""

    device: DeviceId
    code: ShortText


FaceRequest = LookForFace | FaceRead | FaceFault


class ArmFace(Strict, frozen=True, kw_only=True, tag="face.arm", tag_field="type"):
    """To an agent: let the face terminal of this kiosk look, or look no more."""

    armed: bool


class IdentityChecking(
    Strict, frozen=True, kw_only=True, tag="identity.checking", tag_field="type"
):
    """To a kiosk: a citizen code was scanned, or a face recognised, and the platform is being asked; the answer
    follows."""

    way: IdentityWay = IdentityWay.CODE
