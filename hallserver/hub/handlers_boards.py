"""What a board may say: which call it has announced."""

from hallserver.hub.registry import handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract import hub as h
from qingting.contract.states import Role


@handles(h.Announced, Role.BOARD, changes=True)
async def announced(hub: Switchboard, session: Session, body: h.Announced, key: str) -> None:
    command = c.ReportAnnounced(device=session.device, call_no=body.call_no)
    await hub.hall.submit(command, key=key, actor=session.actor)
