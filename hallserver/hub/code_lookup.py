"""From a scanned citizen code to the person at the kiosk, by the same path as a card."""

import structlog

from hallserver.hub import codec
from hallserver.hub.citizen_codes import may_be_citizen_code
from hallserver.hub.claims import admit
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub as h
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId

log = structlog.get_logger(__name__)


def begin_look_up(hub: Switchboard, kiosk: DeviceId, scan: h.CodeScanned) -> bool:
    """Asks the platform of citizen codes about a code that is nothing of this hall's.

    False when the kiosk waits for nobody, or the code is a link of a hall. The answer goes to the kiosk; a
    further code scanned before it comes is dropped, and so is the agent's line never held up.
    """
    arming = hub.identity.arming(kiosk)
    if arming is None or not may_be_citizen_code(scan.text):
        return False
    if kiosk not in hub.codes.busy:
        hub.codes.busy.add(kiosk)
        if hub.codes.available:
            hub.tell_kiosk(kiosk, h.IdentityChecking())
        _ = hub.codes.asking.run(f"kiosk {kiosk}", _look_up(hub, kiosk, scan, arming))
    return True


async def _look_up(hub: Switchboard, kiosk: DeviceId, scan: h.CodeScanned, arming: int) -> None:
    try:
        person = await hub.codes.look_up(kiosk, scan.text)
        if hub.identity.arming(kiosk) != arming:
            log.info("citizen_code.too_late", kiosk=kiosk)
            return
        card = h.CardRead(
            device=scan.device,
            kind=person.kind,
            name=person.name,
            number=person.number,
            valid_to=person.valid_to,
        )
        admit(hub, kiosk, card)
    except Refusal as refusal:
        log.info("citizen_code.refused", kiosk=kiosk, code=refusal.code)
        if hub.identity.arming(kiosk) == arming:
            hub.tell_kiosk(kiosk, h.IdentityRefused(problem=codec.problem(refusal)))
    finally:
        hub.codes.busy.discard(kiosk)
