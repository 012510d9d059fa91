"""What agents and screens say of acts of remote hands."""

from hallserver.hub.registry import EVERYBODY, handles
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import hub_acts as ha
from qingting.contract.releases import RunsReport
from qingting.contract.states import Role


@handles(ha.ActGoing, *EVERYBODY)
async def act_going(hub: Switchboard, session: Session, body: ha.ActGoing, key: str) -> None:
    hub.acts.going(session, body.act)


@handles(ha.ActPart, *EVERYBODY)
async def act_part(hub: Switchboard, session: Session, body: ha.ActPart, key: str) -> None:
    hub.acts.part(session, body)


@handles(ha.ActTold, *EVERYBODY, changes=True)
async def act_told(hub: Switchboard, session: Session, body: ha.ActTold, key: str) -> None:
    command = hub.acts.told(session, body)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(RunsReport, Role.KIOSK, Role.AGENT, Role.CALL_PAD, Role.RATING_PAD)
async def runs_report(hub: Switchboard, session: Session, body: RunsReport, key: str) -> None:
    hub.programs.heard(session.device, body.runs)
