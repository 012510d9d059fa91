"""The parts of a hub joined together: sessions by device, topics, presence, identity, printing.

Request handlers work on this; :mod:`hallserver.hub.hub` adds the sockets and the clockwork.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from hallserver.engine.state import children_of
from hallserver.engine.view_devices import identity_ways
from hallserver.engine.views import Ambient
from hallserver.hall import Hall
from hallserver.hub.accounts import Accounts
from hallserver.hub.acts import ActDesk, Performer
from hallserver.hub.authority import agent_speaks_for
from hallserver.hub.citizen_codes import CodeDesk, CodeKind, CodeService
from hallserver.hub.door_book import DoorBook, TurnedAwayRefusal
from hallserver.hub.hands import in_force, touched
from hallserver.hub.identity import IdentityDesk
from hallserver.hub.outlooks import Outlooks
from hallserver.hub.pad_watch import PadWatch
from hallserver.hub.presence import BLINK_SECONDS, Presence
from hallserver.hub.printing import PrintDesk, failed, job_of, printer_fault
from hallserver.hub.programs import Programs, moved
from hallserver.hub.scan_desk import ScanDesk
from hallserver.hub.session import Session
from hallserver.hub.topics import Topics
from qingting.contract import events as e
from qingting.contract import hub as h
from qingting.contract.commands import ReportPrint
from qingting.contract.continuity import OfflineOffer
from qingting.contract.hub_face import ArmFace
from qingting.contract.hub_sound import SayCall
from qingting.contract.ids import DeviceId, StaffId, TicketId
from qingting.contract.states import App, Condition, DeviceKind, DeviceState, IdentityWay, Role
from qingting.kernel.aio.clock import Clock
from qingting.kernel.security.seal import Sealer

_AT_AGENTS = (DeviceKind.PRINTER, DeviceKind.SPEAKER)
"""Peripherals that acts are for; their agent carries them out."""


class Switchboard:
    """What handlers may use. All of it runs in the event loop and none of it waits."""

    def __init__(
        self,
        hall: Hall,
        accounts: Accounts,
        sealer: Sealer,
        clock: Clock,
        *,
        base_url: str,
        city_link: Callable[[], bool],
        code_service: CodeService | None = None,
        builds: Mapping[App, str] = MappingProxyType({}),
    ) -> None:
        self.hall = hall
        self.accounts = accounts
        self.clock = clock
        self.programs = Programs(builds)
        self.pads = PadWatch(clock, self.build_for)
        self.presence = Presence(clock, self.pads)
        self.topics = Topics(lambda: hall.state, self.ambient)
        self.identity = IdentityDesk(sealer, clock)
        self.printing = PrintDesk(clock)
        self.scans = ScanDesk(clock)
        self.performers: Callable[[DeviceId], Sequence[Performer]] = lambda device: ()
        """Parts of this server that carry out acts of a device that hangs on no agent."""
        self.acts = ActDesk(clock, lambda: hall.state, self._performing, self._may_return)
        self.door_book = DoorBook(clock)
        self.codes = CodeDesk(code_service, clock, self._code_service_changed)
        self.wake = asyncio.Event()
        """Set when housekeeping should look at once."""
        self.sealer = sealer
        self.base_url = base_url
        self._offers: dict[DeviceId, OfflineOffer] = {}
        self._outlooks = Outlooks(clock)
        self._city_link = city_link
        self._sessions: dict[DeviceId, set[Session]] = {}

    def ambient(self) -> Ambient:
        return Ambient(
            now=self.clock.now_ms(),
            seen=self.presence.seen,
            pads=self.pads.facts,
            runs=self.programs.runs,
            city_link=self._city_link(),
            outlook=self._outlooks.latest(self.hall.state),
            code_service=self.codes.offers(CodeKind.CODE),
            face_service=self.codes.offers(CodeKind.FACE),
        )

    # ---- sessions -------------------------------------------------------------------------------

    def join(self, session: Session) -> None:
        """Takes a session in; a former one of the same device ends, boards may be many."""
        others = self._sessions.setdefault(session.device, set())
        if session.kind is not DeviceKind.BOARD:
            for other in others:
                other.end("hub.replaced")
        others.add(session)
        self.presence.joined(session.device)
        self.programs.joined(session.device, session.build)
        self.wake.set()

    def sessions(self) -> list[Session]:
        """Everybody who is connected now."""
        return [one for sessions in self._sessions.values() for one in sessions]

    def sessions_of(self, device: DeviceId) -> list[Session]:
        """The connections of a device that are not being ended."""
        found = self._sessions.get(device, ())
        return [one for one in found if one.outbox.ending is None]

    def leave(self, session: Session) -> None:
        """Lets a session go with all that hung on it."""
        session.gone = True
        session.heard.set()
        self.topics.leave(session)
        self.scans.void(session)
        self._sessions[session.device].discard(session)
        self.presence.left(session.device)
        if self._sessions[session.device]:
            return  # a newer connection of the same device carries on
        self.programs.gone(session.device)
        if session.role is Role.KIOSK:
            self.disarm(session.device)
        if session.role is Role.AGENT and session.parent is not None:
            self._face_gone(session.parent)
            self._reader_gone(session.parent)

    def heard(self, session: Session) -> None:
        if session.role is Role.AGENT:
            self.presence.heard_agent(self.hall.state, session.device)
        elif session.role is Role.KIOSK:
            self.presence.heard_kiosk(self.hall.state, session.device)
        else:
            self.presence.heard(session.device)

    def turned_away(self, refusal: TurnedAwayRefusal, address: str) -> None:
        """The log learns of it at once, or counted later."""
        self.door_book.note(refusal, address)
        self.wake.set()

    def disconnect(self, device: DeviceId, code: str) -> None:
        """Ends the sessions of a device, as after its key was revoked."""
        for session in self._sessions.get(device, ()):
            session.end(code)

    def log_out(self, staff: StaffId) -> None:
        """The clerk is no longer logged in on any call pad that is connected."""
        for sessions in self._sessions.values():
            for session in sessions:
                if session.staff == staff:
                    session.staff = None
                    own = {one for one in session.topics if one.startswith(("window:", "desk:"))}
                    self.topics.leave(session, own)

    # ---- kiosk and agent ------------------------------------------------------------------------

    def session_of(self, device: DeviceId) -> Session | None:
        """The living connection of a device."""
        return next(iter(self.sessions_of(device)), None)

    def agent_for(self, peripheral: DeviceId) -> Session | None:
        """The connected agent that speaks for a peripheral."""
        state = self.hall.state
        life = state.devices.get(peripheral)
        if life is None or life.parent is None:
            return None
        for device in (life.parent, *(one.id for one in children_of(state, life.parent))):
            session = self.session_of(device)
            if (
                session is not None
                and session.role is Role.AGENT
                and agent_speaks_for(state, device, peripheral)
            ):
                return session
        return None

    def reach(self, device: DeviceId) -> list[Session]:
        """The sessions that carry out what a device is asked to do: its own, all of a board's, its agent's."""
        life = self.hall.state.devices.get(device)
        if life is not None and life.kind in _AT_AGENTS:
            agent = self.agent_for(device)
            return [agent] if agent is not None else []
        return self.sessions_of(device)

    def _performing(self, device: DeviceId) -> Sequence[Performer]:
        return self.performers(device) or self.reach(device)

    def tell_speaker(self, device: DeviceId, order: SayCall) -> bool:
        """Has a loudspeaker's agent say a call; False when it is not connected."""
        agent = self.agent_for(device)
        if agent is not None:
            agent.send(order)
        return agent is not None

    def _may_return(self, device: DeviceId) -> bool:
        """A device that has just dropped off and may be back at once."""
        life = self.hall.state.devices.get(device)
        if self.performers(device):
            return True
        if life is not None and life.kind in _AT_AGENTS:
            return self.agent_for(device) is not None or self._agent_may_return(device)
        return bool(self.reach(device)) or self.presence.away_for(device) < BLINK_SECONDS

    def hands_joined(self, session: Session) -> None:
        """Tells a device what was set there from afar, and carries on with what it was asked to do."""
        self._tell_hands(session)
        self._tell_release(session)
        self.acts.joined(session)

    def build_for(self, device: DeviceId) -> str:
        """The build that a screen should run; empty where nobody can say."""
        return self.programs.build_for(self.hall.state, device)

    def _tell_release(self, session: Session) -> None:
        life = self.hall.state.devices.get(session.device)
        release = self.programs.in_force(self.hall.state, life) if life is not None else None
        if release is not None:
            session.send(release)

    def _tell_hands(self, session: Session) -> None:
        state = self.hall.state
        life = state.devices.get(session.device)
        hands = in_force(state, life) if life is not None else None
        if hands is not None:
            session.send(hands)

    def _hands_changed(self, events: tuple[e.Event, ...]) -> None:
        state = self.hall.state
        for device in touched(state, events):
            for session in self.reach(device):
                self._tell_hands(session)
        for device in moved(state, events):
            for session in self.sessions_of(device):
                self._tell_release(session)

    def tell_kiosk(self, kiosk: DeviceId, message: h.ServerMessage) -> None:
        """To the kiosk if it is there; what concerns a citizen is not kept for later."""
        session = self.session_of(kiosk)
        if session is not None:
            session.send(message)

    def refuse_identity(
        self, kiosk: DeviceId, code: str, params: Mapping[str, str | int] = MappingProxyType({})
    ) -> None:
        """Tells the kiosk what is wrong with what was shown, and whether it goes on waiting."""
        problem = h.Problem(code=code, params=dict(params))
        waiting = self.identity.armed(kiosk)
        self.tell_kiosk(kiosk, h.IdentityRefused(problem=problem, waiting=waiting))

    def cardless_ways(self, kiosk: DeviceId) -> frozenset[IdentityWay]:
        """How somebody at the kiosk can be identified now without its card reader."""
        ambient = self.ambient()
        peripherals = children_of(self.hall.state, kiosk)
        ways = identity_ways(peripherals, ambient.code_service, ambient.face_service)
        return frozenset(ways) - {IdentityWay.CARD}

    def _code_service_changed(self) -> None:
        kiosks = (
            one.id for one in self.hall.state.devices.values() if one.kind is DeviceKind.KIOSK
        )
        self.topics.touch(f"kiosk:{one}" for one in kiosks)

    def rest_face(self, kiosk: DeviceId) -> None:
        """The face terminal shall look no more."""
        if self.identity.rest_face(kiosk):
            for session in self._agents_of(kiosk):
                session.send(ArmFace(armed=False))

    def disarm(self, kiosk: DeviceId) -> None:
        """Puts out the reader's light, and ends the terminal's look."""
        self.rest_face(kiosk)
        if not self.identity.disarm(kiosk):
            return
        for session in self._agents_of(kiosk):
            session.send(h.ArmReader(armed=False))

    def end_identity(self, kiosk: DeviceId) -> None:
        """The citizen left: light out, everything about the person forgotten."""
        self.disarm(kiosk)
        self.identity.wipe(kiosk)
        self.topics.forget(kiosk)

    def _agents_of(self, kiosk: DeviceId) -> list[Session]:
        found = (self.session_of(device) for device in self._sessions)
        return [
            one
            for one in found
            if one is not None and one.role is Role.AGENT and one.parent == kiosk
        ]

    def _reader_gone(self, kiosk: DeviceId) -> None:
        """The kiosk is told; it goes on waiting for a citizen code or face where it takes them."""
        armed = self.identity.armed(kiosk)
        if armed and not self.cardless_ways(kiosk):
            self.identity.disarm(kiosk)
        if armed:
            self.refuse_identity(kiosk, "identity.reader_fault")

    def _face_gone(self, kiosk: DeviceId) -> None:
        """Whoever stands before the terminal is told."""
        if self.identity.looks_for_face(kiosk):
            self.rest_face(kiosk)
            self.refuse_identity(kiosk, "face.terminal_fault")

    def agent_joined(self, session: Session) -> None:
        if session.parent is not None and self.identity.armed(session.parent):
            session.send(h.ArmReader(armed=True))
        for ticket in self.printing.waiting(self.hall.state):
            printer = ticket.print_device
            if printer is not None and agent_speaks_for(self.hall.state, session.device, printer):
                self._hand_over(session, ticket.id)

    def forget_leavers(self) -> None:
        """Puts out lights that burn too long, and forgets whoever stood at a kiosk that is gone."""
        for kiosk in self.identity.overdue():
            self.disarm(kiosk)
        for device, sessions in list(self._sessions.items()):
            if not sessions and self.presence.missing(device, BLINK_SECONDS):
                self.identity.wipe(device)
                self.topics.forget(device)

    def offer_offline(self, kiosk: DeviceId, offer: OfflineOffer) -> None:
        """Tells a kiosk, now and whenever it comes, where its own machine gives numbers without the hall."""
        self._offers[kiosk] = offer
        self.tell_kiosk(kiosk, offer)

    def kiosk_joined(self, session: Session) -> None:
        offer = self._offers.get(session.device)
        if offer is not None:
            session.send(offer)

    # ---- printing -------------------------------------------------------------------------------

    def _hand_over(self, agent: Session, ticket_id: TicketId) -> None:
        ticket = self.hall.state.tickets[ticket_id]
        agent.send(h.PrintOrder(job=job_of(self.hall.state, ticket, self.base_url)))
        self.printing.handed(ticket.id, ticket.attempt)

    def _print_requested(self, body: e.PrintRequested) -> None:
        """Hands the job to its agent if that can print now; housekeeping settles the others."""
        self.printing.asked(body.ticket, body.attempt)
        ticket = self.hall.state.tickets.get(body.ticket)
        if ticket is None or ticket.attempt != body.attempt:
            return
        agent = self.agent_for(body.device)
        if agent is not None and printer_fault(self.hall.state, body.device) is None:
            self._hand_over(agent, ticket.id)
        else:
            self.wake.set()

    def _agent_may_return(self, printer: DeviceId) -> bool:
        return any(
            self.presence.away_for(life.id) < BLINK_SECONDS
            for life in self.hall.state.devices.values()
            if life.kind is DeviceKind.AGENT and agent_speaks_for(self.hall.state, life.id, printer)
        )

    def unprintable(self) -> list[ReportPrint]:
        """Jobs that no agent has and whose printer cannot take them."""
        state = self.hall.state
        found = []
        for ticket in self.printing.waiting(state):
            printer = ticket.print_device
            if printer is None or not self.printing.not_handed(ticket):
                continue
            fault = printer_fault(state, printer)
            agent = self.agent_for(printer)
            if agent is None and not self._agent_may_return(printer):
                found.append(failed(ticket, Condition.OFFLINE))
            elif agent is not None and fault is not None:
                found.append(failed(ticket, fault))
        return found

    # ---- what happened --------------------------------------------------------------------------

    def committed(self, events: tuple[e.Event, ...]) -> None:
        """Called by the hall after each commit, before the senders are answered."""
        for event in events:
            match event.b:
                case e.PrintRequested() as body:
                    self._print_requested(body)
                case e.PrintReported(ticket=ticket):
                    self.printing.settled(ticket)
                case e.DeviceChanged(kind=DeviceKind.ID_READER) as body:
                    self._reader_changed(body)
                case e.DeviceChanged(kind=DeviceKind.FACE) as body:
                    self._terminal_changed(body)
                case e.DeviceActAsked(act=act):
                    self.acts.asked(act)
                    self.wake.set()
                case e.DeviceActEnded(act=act):
                    self.acts.ended(act)
                case _:
                    pass
        self._hands_changed(events)
        self.topics.committed(events)

    def _reader_changed(self, body: e.DeviceChanged) -> None:
        life = self.hall.state.devices.get(body.device)
        if body.state is not DeviceState.READY and life is not None and life.parent is not None:
            self._reader_gone(life.parent)

    def _terminal_changed(self, body: e.DeviceChanged) -> None:
        life = self.hall.state.devices.get(body.device)
        if body.state is not DeviceState.READY and life is not None and life.parent is not None:
            self._face_gone(life.parent)
