"""What call pads and rating pads may ask. A call pad acts for the clerk who is logged in on it."""

from hallserver.hub.authority import clerk_of, held_window, window_of
from hallserver.hub.registry import handles
from hallserver.hub.scan_login import offer_scan, seat
from hallserver.hub.session import Session
from hallserver.hub.switchboard import Switchboard
from qingting.contract import commands as c
from qingting.contract import hub as h
from qingting.contract import hub_desk as desk
from qingting.contract.errors import Refusal
from qingting.contract.pads import PadReport
from qingting.contract.states import Role


@handles(h.Login, Role.CALL_PAD)
async def login(hub: Switchboard, session: Session, body: h.Login, key: str) -> h.Answer:
    state = hub.hall.state
    staff = next((one for one in state.staff.values() if one.number == body.number), None)
    await hub.accounts.staff.enter(staff, body.number, body.password, body.new)
    assert staff is not None  # an unknown number has no password, so its check never passes
    return await seat(hub, session, staff)


@handles(desk.OfferScan, Role.CALL_PAD)
async def scan(hub: Switchboard, session: Session, body: desk.OfferScan, key: str) -> h.Answer:
    return h.Answer(scan=offer_scan(hub, session))


@handles(h.Logout, Role.CALL_PAD, changes=True)
async def logout(hub: Switchboard, session: Session, body: h.Logout, key: str) -> None:
    await _leave(hub, session, key)
    await hub.accounts.devices.forget_login(device=session.device)
    hub.scans.void(session)
    if session.staff is not None:
        hub.log_out(session.staff)


async def _leave(hub: Switchboard, session: Session, key: str) -> None:
    """Closes the clerk's window; nothing to do when there is none, as after a repeated press."""
    window = held_window(hub.hall.state, session.staff)
    if window is not None:
        await hub.hall.submit(c.CloseWindow(window=window), key=key, actor=session.actor)


@handles(h.TakeWindow, Role.CALL_PAD, changes=True)
async def take_window(hub: Switchboard, session: Session, body: h.TakeWindow, key: str) -> h.Answer:
    command = c.OpenWindow(window=body.window, staff=clerk_of(session))
    await hub.hall.submit(command, key=key, actor=session.actor)
    return h.Answer(window=body.window)


@handles(h.Pause, Role.CALL_PAD, changes=True)
async def pause(hub: Switchboard, session: Session, body: h.Pause, key: str) -> None:
    command = c.PauseWindow(window=window_of(hub.hall.state, session), reason=body.reason)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.LeaveWindow, Role.CALL_PAD, changes=True)
async def leave_window(hub: Switchboard, session: Session, body: h.LeaveWindow, key: str) -> None:
    clerk_of(session)
    await _leave(hub, session, key)


@handles(h.Next, Role.CALL_PAD, changes=True)
async def call_next(hub: Switchboard, session: Session, body: h.Next, key: str) -> None:
    command = c.CallNext(window=window_of(hub.hall.state, session))
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.Again, Role.CALL_PAD, changes=True)
async def recall(hub: Switchboard, session: Session, body: h.Again, key: str) -> None:
    command = c.Recall(window=window_of(hub.hall.state, session))
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.Begin, Role.CALL_PAD, changes=True)
async def begin(hub: Switchboard, session: Session, body: h.Begin, key: str) -> None:
    command = c.BeginService(window=window_of(hub.hall.state, session))
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.Finish, Role.CALL_PAD, changes=True)
async def finish(hub: Switchboard, session: Session, body: h.Finish, key: str) -> None:
    command = c.FinishService(window=window_of(hub.hall.state, session), stay=body.stay)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.Absent, Role.CALL_PAD, changes=True)
async def absent(hub: Switchboard, session: Session, body: h.Absent, key: str) -> None:
    command = c.MarkNoShow(window=window_of(hub.hall.state, session))
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.HelpDone, Role.CALL_PAD, changes=True)
async def help_done(hub: Switchboard, session: Session, body: h.HelpDone, key: str) -> None:
    clerk_of(session)
    await hub.hall.submit(c.AnswerHelp(device=body.device), key=key, actor=session.actor)


@handles(h.SubmitRating, Role.RATING_PAD, changes=True)
async def submit_rating(hub: Switchboard, session: Session, body: h.SubmitRating, key: str) -> None:
    _check_visit(hub, session, body)
    command = c.RateVisit(
        ticket=body.ticket,
        case=body.case,
        level=body.level,
        tags=body.tags,
        words=body.words,
    )
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(h.DeclineRating, Role.RATING_PAD, changes=True)
async def decline_rating(
    hub: Switchboard, session: Session, body: h.DeclineRating, key: str
) -> None:
    _check_visit(hub, session, body)
    command = c.LeaveUnrated(ticket=body.ticket, case=body.case, reason=body.reason)
    await hub.hall.submit(command, key=key, actor=session.actor)


@handles(PadReport, Role.CALL_PAD, Role.RATING_PAD)
async def pad_report(hub: Switchboard, session: Session, body: PadReport, key: str) -> None:
    life = hub.hall.state.devices.get(session.device)
    if life is None:
        raise Refusal("device.unknown")
    hub.pads.heard(life, body.facts)
    hub.wake.set()


def _check_visit(
    hub: Switchboard, session: Session, body: h.SubmitRating | h.DeclineRating
) -> None:
    """A pad rates cases of its own window only."""
    found = hub.hall.state.tickets.get(body.ticket)
    if found is None:
        raise Refusal("rating.unknown_ticket")
    case = found.case_by(body.case)
    window = case.window if case is not None else found.window
    if session.bound is None or window != session.bound:
        raise Refusal("hub.forbidden")
