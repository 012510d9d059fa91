"""Face against card is advice: it stands on the ticket where an item asks for it, and refuses nobody."""

import msgspec
import pytest
from engine_builders import CARE, KIOSK, PERSON, RENEW, W2, WANG, EngineRun, small_hall
from hypothesis import given
from hypothesis import strategies as st

from hallserver.engine import views
from hallserver.engine.face_checks import face_check_of
from qingting.contract import commands as c
from qingting.contract import events as e
from qingting.contract.config import Device, HallConfig, Item
from qingting.contract.face_check import FaceCheck, FaceGap, FaceVerdict, Liveness
from qingting.contract.ids import DeviceId
from qingting.contract.people import Person
from qingting.contract.states import DeviceKind, Origin

MATCH = FaceCheck(verdict=FaceVerdict.MATCH, liveness=Liveness.LIKELY)
TOLD = [None, *(FaceCheck(verdict=one) for one in FaceVerdict if one is not FaceVerdict.NOT_DONE)]
TOLD += [FaceCheck(verdict=FaceVerdict.NOT_DONE, why=one) for one in FaceGap]


def asking(*items: str) -> HallConfig:
    config = small_hall()
    changed = (msgspec.structs.replace(one, face_check=one.id in items) for one in config.items)
    return msgspec.structs.replace(config, items=tuple(changed))


def item(asks: bool) -> Item:
    return msgspec.structs.replace(small_hall().items[1], face_check=asks)


def take(check: FaceCheck | None, person: Person | None = PERSON) -> c.IssueTicket:
    return c.IssueTicket(item=RENEW, token="t", device=KIOSK, person=person, face_check=check)


def test_the_clerk_who_serves_the_ticket_sees_what_the_kiosk_found() -> None:
    run = EngineRun(asking(RENEW))
    run.do(take(MATCH))
    run.do(c.OpenWindow(window=W2, staff=WANG))
    run.do(c.CallNext(window=W2))
    view = views.entries(run.state, f"window:{W2}", views.Ambient(now=run.now, seen={}))["window"]
    assert view.visit.face_check == MATCH


@given(
    st.sampled_from(TOLD), st.booleans(), st.sampled_from([None, PERSON]), st.sampled_from(Origin)
)
def test_every_outcome_gives_a_ticket_and_says_why_nothing_was_compared(
    check: FaceCheck | None, asks: bool, person: Person | None, origin: Origin
) -> None:
    command = msgspec.structs.replace(take(check, person), origin=origin)
    found = face_check_of(command, [item(asks)])
    if not asks:
        assert found is None, "what nobody asked for is not kept"
        return
    assert found is not None
    assert (found.why is None) == (found.verdict is not FaceVerdict.NOT_DONE)
    if found.verdict is not FaceVerdict.NOT_DONE:
        assert found == check
        assert person is not None, "nothing was compared with nobody's card"
        assert origin is not Origin.LEASED


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (take(None), FaceGap.UNTOLD),
        (take(MATCH, person=None), FaceGap.NO_CARD),
        (msgspec.structs.replace(take(MATCH), origin=Origin.LEASED), FaceGap.CUT_OFF),
    ],
)
def test_what_was_not_compared_is_said_with_its_reason(
    command: c.IssueTicket, why: FaceGap
) -> None:
    assert face_check_of(command, [item(asks=True)]) == FaceCheck(
        verdict=FaceVerdict.NOT_DONE, why=why
    )


def test_one_item_of_several_is_enough_to_ask() -> None:
    run = EngineRun(asking(RENEW))
    bodies = run.do(msgspec.structs.replace(take(MATCH), item=CARE, more=(RENEW,)))
    issued = next(one for one in bodies if isinstance(one, e.TicketIssued))
    assert issued.face_check == MATCH


def test_a_verdict_without_a_reason_for_its_absence_is_no_verdict() -> None:
    raw = b'{"type":"ticket.issue","item":"renew","token":"t","face_check":{"verdict":"not_done"}}'
    with pytest.raises(msgspec.ValidationError, match="why is said"):
        msgspec.json.decode(raw, type=c.IssueTicket)


def test_a_kiosk_knows_its_own_camera_and_nobody_else_s() -> None:
    camera = Device(
        id=DeviceId("k1-camera"), kind=DeviceKind.CAMERA, name="摄像头", parent=KIOSK, profile="p"
    )
    other = Device(id=DeviceId("k2"), kind=DeviceKind.KIOSK, name="2号取号机")
    config = small_hall()
    run = EngineRun(msgspec.structs.replace(config, devices=(*config.devices, other, camera)))
    shown = {
        kiosk: views.entries(run.state, f"kiosk:{kiosk}", views.Ambient(now=run.now, seen={}))[
            "kiosk"
        ].camera
        for kiosk in (KIOSK, "k2")
    }
    assert shown[KIOSK].device == "k1-camera"
    assert shown["k2"] is None
