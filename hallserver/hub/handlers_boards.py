"""What boards and loudspeakers may say: which call they have announced."""

from hallserver.hub.authority import own_peripheral
from hallserver.hub.registry import handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract.hub_sound import Announced, CallTold
from qingting.contract.ids import DeviceId
from qingting.contract.states import Condition, DeviceKind, PlayOutcome, Role


@handles(Announced, Role.BOARD, changes=True)
async def announced(hub: Switchboard, session: Session, body: Announced, key: str) -> None:
    command = c.ReportAnnounced(device=session.device, call_no=body.call_no)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(CallTold, Role.AGENT, changes=True)
async def call_told(hub: Switchboard, session: Session, body: CallTold, key: str) -> None:
    speaker = own_peripheral(hub.hall.state, session, body.device, DeviceKind.SPEAKER)
    command = told(speaker.id, body.call_no, body.outcome, body.cause)
    await hub.hall.submit(command, key=key, actor=session.actor)


def told(
    speaker: DeviceId, call_no: int, outcome: PlayOutcome, cause: Condition | None
) -> c.ReportAnnounced | c.ReportUnsaid:
    """What became of a call at a loudspeaker, as the hall's log takes it."""
    if outcome is PlayOutcome.PLAYED:
        return c.ReportAnnounced(device=speaker, call_no=call_no)
    return c.ReportUnsaid(device=speaker, call_no=call_no, cause=cause)
