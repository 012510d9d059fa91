"""What screens show, computed from the state: topics of :mod:`qingting.contract.views`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from hallserver.engine import view_desk, view_devices, view_windows
from hallserver.engine.lines import count, sent_to
from hallserver.engine.offers import check_offered
from hallserver.engine.state import HallState
from hallserver.engine.waiting import Outlook, open_windows
from qingting.contract import events as e
from qingting.contract import views as v
from qingting.contract.config import Item
from qingting.contract.errors import Refusal
from qingting.contract.ids import (
    BusinessDay,
    DepartmentId,
    DeviceId,
    HallId,
    Millis,
    QueueId,
    TicketId,
    WindowId,
)
from qingting.contract.pads import PadFacts
from qingting.contract.releases import Runs
from qingting.contract.states import DeviceKind

Entries = Mapping[str, v.View]


@dataclass(frozen=True, slots=True)
class Ambient:
    """What is known but not in the log. ``seen`` is when a device was last heard of (UTC ms), ``pads`` what
    connected pads say of themselves, ``runs`` what connected screens and agents say that they run. ``outlook`` are
    waits that may be some seconds old; without it they are worked out anew. ``code_service`` is whether the
    platform of citizen codes answers, ``face_service`` the same for faces; None: this hall has none."""

    now: Millis
    seen: Mapping[DeviceId, Millis] = field(default_factory=dict)
    pads: Mapping[DeviceId, PadFacts] = field(default_factory=dict)
    runs: Mapping[DeviceId, Runs] = field(default_factory=dict)
    city_link: bool = False
    outlook: Outlook | None = None
    code_service: bool | None = None
    face_service: bool | None = None

    def waits(self, state: HallState) -> Outlook:
        """Waiting times as screens show them."""
        return self.outlook if self.outlook is not None else Outlook(state, self.now)


def _hall(state: HallState, ambient: Ambient) -> Entries:
    if state.config is None:
        return {}
    hall = state.config.hall
    return {
        "info": v.HallView(
            id=HallId(hall.id),
            name=hall.name,
            name_en=hall.name_en,
            day=state.day or BusinessDay(""),
            notice=state.notice,
            notice_en=state.notice_en,
            city_link=ambient.city_link,
        )
    }


def _item(state: HallState, item: Item, now: Millis) -> v.ItemView:
    try:
        check_offered(state, item, now)
        why, params = "", {}
    except Refusal as refusal:
        why, params = refusal.code, refusal.params
    return v.ItemView(
        id=item.id,
        name=item.name,
        name_en=item.name_en,
        department=item.department,
        queue=item.queue,
        materials=item.materials,
        promised_days=item.promised_days,
        legal_basis=item.legal_basis,
        needs_identity=item.needs_identity,
        face_check=item.face_check,
        hot=item.hot,
        pinyin=item.pinyin,
        initials=item.initials,
        offered=not why,
        why=why,
        why_params=dict(params),
        sample=item.sample,
        group=item.group,
        party_max=item.party_max,
        materials_en=item.materials_en,
        legal_basis_en=item.legal_basis_en,
    )


def _catalogue(state: HallState, ambient: Ambient) -> Entries:
    counts: dict[DepartmentId, int] = {}
    for item in state.items.values():
        counts[item.department] = counts.get(item.department, 0) + 1
    departments = tuple(
        v.DepartmentView(
            id=one.id,
            name=one.name,
            name_en=one.name_en,
            short_name=one.short_name,
            icon=one.icon,
            items=counts.get(one.id, 0),
        )
        for one in sorted(state.departments.values(), key=lambda one: one.order)
    )
    items = tuple(_item(state, item, ambient.now) for item in state.items.values())
    every = tuple(
        v.ClassView(
            id=one.id,
            name=one.name,
            name_en=one.name_en,
            proof=one.proof,
            proof_en=one.proof_en,
        )
        for one in state.rules.classes
    )
    declared = {one.id for one in state.rules.classes if one.declared}
    claims = tuple(one for one in every if one.id in declared)
    return {
        "departments": v.DepartmentsView(departments=departments),
        "items": v.ItemsView(items=items),
        "classes": v.ClassesView(classes=claims, every=every),
    }


def queue_view(state: HallState, queue_id: QueueId, now: Millis, outlook: Outlook) -> v.QueueView:
    queue = state.queues[queue_id]
    waiting = count(state, queue_id)
    return v.QueueView(
        id=queue_id,
        name=queue.name,
        name_en=queue.name_en,
        waiting=waiting,
        windows_open=len(open_windows(state, queue_id, now)),
        closed=bool(queue.closed_reason),
        wait=outlook.queue(queue_id),
        items=outlook.withdrawn(queue_id),
    )


def _queues(state: HallState, ambient: Ambient) -> Entries:
    outlook = ambient.waits(state)
    return {queue: queue_view(state, queue, ambient.now, outlook) for queue in state.queues}


_PLAIN: dict[str, Callable[[HallState, Ambient], Entries]] = {
    "hall": _hall,
    "catalogue": _catalogue,
    "queues": _queues,
    "windows": lambda state, ambient: view_windows.windows(state, ambient.now),
    "board": lambda state, ambient: view_windows.board(state),
    "devices": lambda state, ambient: view_devices.devices(
        state, ambient.seen, ambient.pads, ambient.runs
    ),
    "help": lambda state, ambient: view_devices.help_wanted(state),
}


def entries(state: HallState, topic: str, ambient: Ambient) -> Entries:
    """All entries of a topic. Raises ``hub.unknown_topic`` for a topic that cannot exist."""
    plain = _PLAIN.get(topic)
    if plain is not None:
        return plain(state, ambient)
    kind, _, name = topic.partition(":")
    if kind == "window" and name in state.window_config:
        return view_windows.window(state, WindowId(name), ambient.now)
    if kind == "desk" and name in state.window_config:
        return view_desk.desk(state, WindowId(name), ambient.now, ambient.waits(state))
    if kind == "rating" and name in state.window_config:
        return view_windows.rating_pad(state, WindowId(name))
    if (
        kind == "kiosk"
        and name in state.devices
        and state.devices[DeviceId(name)].kind is DeviceKind.KIOSK
    ):
        return view_devices.kiosk(
            state,
            DeviceId(name),
            ambient.now,
            ambient.seen,
            ambient.waits(state),
            ambient.code_service,
            ambient.face_service,
        )
    raise Refusal("hub.unknown_topic", topic=topic[:40])


def _windows_of_queue(state: HallState, queue: QueueId) -> set[str]:
    return {
        f"window:{one.id}"
        for one in state.window_config.values()
        if queue in one.queues or queue in state.windows[one.id].lent
    }


def _every_window(state: HallState) -> set[str]:
    return {f"window:{one}" for one in state.window_config}


def _ticket_topics(state: HallState, ticket_id: TicketId) -> set[str]:
    ticket = state.tickets.get(ticket_id)
    return {f"kiosk:{ticket.device}"} if ticket is not None and ticket.device is not None else set()


Touch = Callable[[HallState, Any], set[str]]


def topics_touched(event: e.Event, state: HallState) -> set[str]:
    """Topics that may look different after ``event`` (already applied)."""
    touch = _TOUCHES.get(cast("type", type(event.b)))
    return every_topic(state) if touch is None else touch(state, event.b)


class _AtWindow(Protocol):
    """An event of a visit at a window."""

    ticket: TicketId
    window: WindowId


def _at_window(window: WindowId | None) -> set[str]:
    """The topics of the pads at a window."""
    return {f"window:{window}", f"rating:{window}", f"desk:{window}"}


def _visit_topics(state: HallState, body: _AtWindow) -> set[str]:
    topics = {"board", "windows", *_at_window(body.window)}
    topics |= _ticket_topics(state, body.ticket)
    if not isinstance(body, e.TicketRecalled | e.ServiceBegun):
        topics |= {"queues"} | _standing(state, body.ticket)
    if isinstance(body, e.TicketCalled) and body.reason == "resumed":
        topics |= _every_window(state)  # it may have been on the list of another one
    return topics


def _standing(state: HallState, ticket_id: TicketId) -> set[str]:
    """Windows whose lists a ticket that waits, waited or is away stands in."""
    ticket = state.tickets.get(ticket_id)
    if ticket is None:
        return set()  # of a day that has ended within the same commit
    topics = _windows_of_queue(state, ticket.queue)
    if ticket.window is not None:
        topics.add(f"window:{ticket.window}")
    sent = [one for one in (ticket.line, ticket.home) if one.startswith("@")]
    for life in state.windows.values() if sent else ():
        if not set(sent).isdisjoint(sent_to(state, life.id, life.staff)):
            topics.add(f"window:{life.id}")
    return topics


def _kiosk_of(state: HallState, device: DeviceId) -> set[str]:
    life = state.devices.get(device)
    if life is None:
        return set()
    if life.kind is DeviceKind.KIOSK:
        return {f"kiosk:{device}"}
    return {f"kiosk:{life.parent}"} if life.parent is not None else set()


def every_topic(state: HallState) -> set[str]:
    """All topics that exist now: after a configuration change or at the turn of the day."""
    topics = set(_PLAIN)
    for window in state.window_config:
        topics |= {f"window:{window}", f"rating:{window}", f"desk:{window}"}
    topics |= {f"kiosk:{one.id}" for one in state.devices.values() if one.kind is DeviceKind.KIOSK}
    return topics


def _not_rated_topics(state: HallState, body: e.RatingNotGiven) -> set[str]:
    ticket = state.tickets.get(body.ticket)  # None: of a day that has ended within the same commit
    case = ticket.case_by(body.case) if ticket is not None else None
    window = case.window if case is not None else None
    return _at_window(window)


def _line_topics(
    state: HallState, body: e.TicketReturned | e.PrioritySet | e.ItemAdded
) -> set[str]:
    topics = {"queues", "windows", "board"} | _standing(state, body.ticket)
    return topics | _ticket_topics(state, body.ticket)


def _window_topics(state: HallState, body: e.WindowOpened | e.WindowLent) -> set[str]:
    return {"windows", "queues", *_at_window(body.window)}


def _issued_topics(state: HallState, body: e.TicketIssued) -> set[str]:
    shared = {"queues", "board", "windows"}
    return shared | _windows_of_queue(state, body.queue) | _ticket_topics(state, body.ticket)


def _cancelled_topics(state: HallState, body: e.TicketCancelled) -> set[str]:
    ticket = state.tickets.get(body.ticket)  # None: of a day that has ended within the same commit
    topics = {"queues", "board", "windows"} | _every_window(state)
    if ticket is not None and ticket.window is not None:
        topics.add(f"rating:{ticket.window}")
    return topics | _ticket_topics(state, body.ticket)


_TOUCHES: dict[type, Touch] = {
    e.TicketCancelled: _cancelled_topics,
    e.TicketIssued: _issued_topics,
    e.PrintRequested: lambda state, body: _ticket_topics(state, body.ticket),
    e.PrintReported: lambda state, body: _ticket_topics(state, body.ticket),
    e.TicketCalled: _visit_topics,
    e.TicketRecalled: _visit_topics,
    e.TicketNoShow: _visit_topics,
    e.TicketParked: _visit_topics,
    e.TicketTransferred: _visit_topics,
    e.TicketHandedBack: _visit_topics,
    e.TicketReturned: _line_topics,
    e.PrioritySet: _line_topics,
    e.ItemAdded: _line_topics,
    e.WindowLent: _window_topics,
    e.NumbersLeased: lambda state, body: set(),
    e.BookingPut: lambda state, body: set(),
    e.BookingDropped: lambda state, body: set(),
    e.BookingMissed: lambda state, body: set(),
    e.ServiceBegun: _visit_topics,
    e.ServiceFinished: _visit_topics,
    e.RatingGiven: lambda state, body: _at_window(body.window),
    e.RatingNotGiven: _not_rated_topics,
    e.WindowOpened: _window_topics,
    e.WindowPaused: _window_topics,
    e.WindowClosed: _window_topics,
    e.DeviceChanged: lambda state, body: {"devices"} | _kiosk_of(state, body.device),
    e.DeviceRegistered: lambda state, body: {"devices"} | _kiosk_of(state, body.device),
    e.DeviceRefused: lambda state, body: {"devices"},
    e.DeviceKeyed: lambda state, body: {"devices"},
    e.DeviceActAsked: lambda state, body: {"devices"},
    e.DeviceActEnded: lambda state, body: {"devices"},
    e.ProfilesPut: lambda state, body: {"devices"},
    e.ReleasePut: lambda state, body: set(),
    e.ReleaseKept: lambda state, body: set(),
    e.HelpRequested: lambda state, body: {"help"},
    e.HelpAnswered: lambda state, body: {"help"},
    e.NoticePut: lambda state, body: {"hall", "board"},
    e.CallAnnounced: lambda state, body: set(),
    e.CallUnsaid: lambda state, body: set(),
    e.DirectiveApplied: lambda state, body: set(),
    e.DirectiveRefused: lambda state, body: set(),
}
"""Events not named here (configuration, turn of the day) touch everything."""
