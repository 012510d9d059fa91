"""What a ticket says of comparing face and card (人证比对)."""

from collections.abc import Sequence

from qingting.contract import commands as c
from qingting.contract.config import Item
from qingting.contract.face_check import FaceCheck, FaceGap, FaceVerdict
from qingting.contract.states import Origin


def face_check_of(command: c.IssueTicket, items: Sequence[Item]) -> FaceCheck | None:
    """None when no item asks for it; otherwise what the kiosk made of it, or why there is nothing."""
    if not any(one.face_check for one in items):
        return None
    if command.origin is Origin.LEASED:
        return _not_done(FaceGap.CUT_OFF)
    if command.person is None:
        return _not_done(FaceGap.NO_CARD)
    return command.face_check or _not_done(FaceGap.UNTOLD)


def _not_done(why: FaceGap) -> FaceCheck:
    return FaceCheck(verdict=FaceVerdict.NOT_DONE, why=why)
