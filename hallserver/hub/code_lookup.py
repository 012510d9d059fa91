"""From a scanned citizen code, or a face terminal's credential, to the person at the kiosk: the path of a card."""

import structlog

from hallserver.hub.citizen_codes import CodeKind, is_sendable, may_be_citizen_code
from hallserver.hub.claims import admit
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub as h
from qingting.contract.errors import Refusal
from qingting.contract.hub_face import FaceRead, IdentityChecking
from qingting.contract.ids import DeviceId
from qingting.contract.states import IdentityWay

log = structlog.get_logger(__name__)


def begin_look_up(hub: Switchboard, kiosk: DeviceId, scan: h.CodeScanned) -> bool:
    """Asks the platform of citizen codes about a code that is nothing of this hall's.

    False when the kiosk waits for nobody, or the code is a link of a hall or has the shape of its tokens. The
    answer goes to the kiosk; a further code scanned before it comes is dropped, and so is the agent's line
    never held up.
    """
    if hub.identity.arming(kiosk) is None or not may_be_citizen_code(scan.text):
        return False
    _begin(hub, kiosk, scan.device, scan.text, CodeKind.CODE)
    return True


def begin_face(hub: Switchboard, kiosk: DeviceId, read: FaceRead) -> None:
    """Asks the platform whom a terminal recognised, if the citizen at the kiosk chose the face; the terminal then
    looks no more. What comes unasked is thrown away."""
    if not hub.identity.looks_for_face(kiosk):
        log.info("face.credential_ignored", device=read.device)
        return
    hub.rest_face(kiosk)
    _begin(hub, kiosk, read.device, read.credential, CodeKind.FACE)


def unasked(hub: Switchboard, kiosk: DeviceId, text: str) -> Refusal:
    """What to say of a code that is nothing of today here and about which nobody is asked."""
    perhaps_a_citizen = may_be_citizen_code(text) and is_sendable(text)
    offered = hub.codes.offers(CodeKind.CODE) is not None
    if perhaps_a_citizen and offered and hub.identity.arming(kiosk) is None:
        return Refusal("code.pick_first")
    return Refusal("code.unknown")


def _begin(hub: Switchboard, kiosk: DeviceId, device: DeviceId, text: str, kind: CodeKind) -> None:
    arming = hub.identity.arming(kiosk)
    if arming is None or kiosk in hub.codes.busy:
        return
    hub.codes.busy.add(kiosk)
    if hub.codes.offers(kind):
        hub.tell_kiosk(kiosk, IdentityChecking(way=IdentityWay(kind.value)))
    _ = hub.codes.asking.run(f"kiosk {kiosk}", _look_up(hub, kiosk, device, text, kind, arming))


async def _look_up(
    hub: Switchboard, kiosk: DeviceId, device: DeviceId, text: str, kind: CodeKind, arming: int
) -> None:
    try:
        person = await hub.codes.look_up(kiosk, text, kind)
        if hub.identity.arming(kiosk) != arming:
            log.info("citizen_code.too_late", kiosk=kiosk, kind=kind)
            return
        card = h.CardRead(
            device=device,
            kind=person.kind,
            name=person.name,
            number=person.number,
            valid_to=person.valid_to,
        )
        admit(hub, kiosk, card)
    except Refusal as refusal:
        log.info("citizen_code.refused", kiosk=kiosk, code=refusal.code)
        if hub.identity.arming(kiosk) == arming:
            hub.refuse_identity(kiosk, refusal.code, refusal.params)
    finally:
        hub.codes.busy.discard(kiosk)
