"""The face terminal beside a kiosk: it looks only while the kiosk waits for somebody who chose it (刷脸)."""

import structlog

from hallserver.engine.state import HallState
from hallserver.hub.citizen_codes import CodeKind
from hallserver.hub.code_lookup import begin_face
from hallserver.hub.handlers_agent import kiosk_of
from hallserver.hub.registry import handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract.errors import Refusal, error_texts
from qingting.contract.hub_face import ArmFace, FaceFault, FaceRead, LookForFace
from qingting.contract.ids import DeviceId
from qingting.contract.states import DeviceKind, DeviceState, Role

log = structlog.get_logger(__name__)


@handles(LookForFace, Role.KIOSK)
async def look_for_face(hub: Switchboard, session: Session, body: LookForFace, key: str) -> None:
    kiosk = session.device
    if not body.on:
        hub.rest_face(kiosk)
        return
    if not hub.identity.armed(kiosk):
        raise Refusal("face.not_waiting")
    if hub.codes.offers(CodeKind.FACE) is False:
        raise Refusal("face.unavailable")
    terminal = terminal_of(hub.hall.state, kiosk)
    agent = hub.agent_for(terminal) if terminal is not None else None
    if agent is None or not hub.codes.offers(CodeKind.FACE):
        raise Refusal("face.not_offered")
    hub.identity.look_for_face(kiosk)
    agent.send(ArmFace(armed=True))


def terminal_of(state: HallState, kiosk: DeviceId) -> DeviceId | None:
    """The kiosk's face terminal, if it can look now."""
    for life in state.devices.values():
        if (
            life.parent == kiosk
            and life.kind is DeviceKind.FACE
            and life.state is DeviceState.READY
        ):
            return life.id
    return None


@handles(FaceRead, Role.AGENT)
async def face_read(hub: Switchboard, session: Session, body: FaceRead, key: str) -> None:
    begin_face(hub, kiosk_of(hub, session, body.device, DeviceKind.FACE), body)


@handles(FaceFault, Role.AGENT)
async def face_fault(hub: Switchboard, session: Session, body: FaceFault, key: str) -> None:
    kiosk = kiosk_of(hub, session, body.device, DeviceKind.FACE)
    known = body.code.startswith("face.") and body.code in error_texts()
    if hub.identity.looks_for_face(kiosk):
        hub.rest_face(kiosk)
        hub.refuse_identity(kiosk, body.code if known else "face.not_recognised")
