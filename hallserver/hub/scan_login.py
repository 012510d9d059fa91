"""Logging a clerk in on a call pad, by password there or by a confirmation on the phone."""

import structlog

from hallserver.hub.authority import held_window
from hallserver.hub.scan_desk import LIFE_SECONDS, picture
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub as h
from qingting.contract.config import Staff
from qingting.contract.errors import Refusal
from qingting.contract.hub_desk import ScanOffer

log = structlog.get_logger(__name__)


def offer_scan(hub: Switchboard, session: Session) -> ScanOffer:
    """A code for this pad; its address is all that is in it."""
    url = f"{hub.base_url}/scan/{hub.scans.offer(session)}"
    until = hub.clock.now_ms() + round(LIFE_SECONDS * 1000)
    return ScanOffer(url=url, until=until, modules=picture(url))


async def seat(hub: Switchboard, session: Session, staff: Staff) -> h.Answer:
    """The clerk is logged in on this pad and on no other."""
    await hub.accounts.devices.remember_login(session.device, staff.id)
    hub.log_out(staff.id)
    session.staff = staff.id
    hub.scans.void(session)
    window = held_window(hub.hall.state, staff.id) or session.bound
    return h.Answer(staff=staff.id, staff_name=staff.name, window=window)


async def confirm(hub: Switchboard, secret: str, staff: Staff) -> Session:
    """The clerk said yes on the phone: the pad is told at once. Raises as :meth:`ScanDesk.open`."""
    session = hub.scans.spend(secret).session
    if hub.session_of(session.device) is not session:
        raise Refusal("scan.expired")
    answer = await seat(hub, session, staff)
    session.send(
        h.ScannedIn(
            staff=staff.id, staff_name=staff.name, number=staff.number, window=answer.window
        )
    )
    log.info("hub.scanned_in", device=session.device, staff=staff.id)
    return session
